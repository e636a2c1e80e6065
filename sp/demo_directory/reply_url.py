"""Owns the rule of where an assertion may go: to this computer, and nowhere else.

Never looks a name up in the network: only names and addresses that mean this computer by definition count.
"""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

# Written out character by character, because browsers read "\", tabs, "@" and "%" in an authority in their
# own ways: what does not look plain is refused, not interpreted.
_PLAIN_URL = re.compile(
    r"https?://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
    r"(?::[0-9]{1,5})?(?:/[!-~]*)?",
)
_REFUSED_CHARACTERS = re.compile(r"[\\@#\"<>`{}|^]")
_MAX_LENGTH = 1024

EIGHT_BY_EIGHT_DOMAINS = ("8x8.com", "8x8pilot.com")


@dataclass(frozen=True)
class Service:
    """The service provider on this computer: where its responses go and what it is called as an audience."""

    acs_url: str
    entity_id: str


@dataclass(frozen=True)
class Unusable:
    """Why a Reply URL or an Identifier cannot be used: one sentence, with the next step."""

    sentence: str


@dataclass(frozen=True)
class Reply:
    """Where the responses of one application go, and for which audience.

    `mapped` is true when an address of the real 8x8 was typed and the local service takes its place.
    """

    acs_url: str
    entity_id: str
    mapped: bool


def resolve(reply_url: str, identifier: str, service: Service) -> Reply | Unusable:
    """Decide where an application's assertions go, from what was typed into its form.

    An empty `identifier` means the same value as the Reply URL.
    """
    host = _host(reply_url)
    if host is None:
        return Unusable(
            "Type the Reply URL as an absolute address, such as https://sso.8x8.com/saml2: "
            "http or https, without user name, fragment or spaces."
        )
    mapped = _is_eight_by_eight(host)
    if not mapped and not _is_loopback(host):
        return Unusable(
            f"Reply URL: {host} is not on this computer. The demo directory sends assertions only to "
            "loopback addresses; type https://sso.8x8.com/saml2, or an address on localhost."
        )
    acs_url = service.acs_url if mapped else reply_url
    if loopback_problem(acs_url):
        return Unusable(f"{acs_url} is not on this computer, so no assertion is sent there.")
    return Reply(acs_url, _audience(reply_url, identifier.strip(), service), mapped)


def loopback_problem(url: str) -> str | None:
    """Say why an address is not one of this computer; None when it is."""
    host = _host(url)
    if host is None:
        return f"{url!r} is not an absolute http or https address."
    if not _is_loopback(host):
        return f"{url} is not on this computer (use localhost, 127.0.0.1 or [::1])."
    return None


def same_destination(received: str, reply_url: str, reply: Reply) -> bool:
    """Whether a request's AssertionConsumerServiceURL is the Reply URL, as typed or as mapped."""
    return received in {reply_url, reply.acs_url}


def _audience(reply_url: str, identifier: str, service: Service) -> str:
    name = identifier or reply_url
    host = _host(name)
    if host is not None and _is_eight_by_eight(host):
        return service.entity_id
    if not identifier and reply_url == service.acs_url:
        return service.entity_id
    return name


def _host(url: str) -> str | None:
    match = _PLAIN_URL.fullmatch(url)
    if match is None or len(url) > _MAX_LENGTH or _REFUSED_CHARACTERS.search(url):
        return None
    try:
        valid_port = urlsplit(url).port != 0
    except ValueError:
        return None
    return match["host"].lower() if valid_port else None


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _is_eight_by_eight(host: str) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in EIGHT_BY_EIGHT_DOMAINS)
