"""The preflight of the three URLs: each is what its field asks for, and they belong together.

Owns the shapes by which a URL in the wrong field is known. Never calls one.
"""

from __future__ import annotations

import re

from sp.diagnosis.preflight.connection import Connection, is_ours, parts_of, same_address, stays_near
from sp.diagnosis.preflight.finding import Finding, failed, passed, quoted, skipped, warning
from sp.diagnosis.remedies import GENERAL, Traces, is_sign_in_url, name_of, recognized

_ENTITY_ID = "the identity provider's entity ID"
_SIGN_IN = "the address where the identity provider signs people in"
_SIGN_OUT = "the address where the identity provider signs people out"
_EMPTY = "empty"

# Addresses of metadata that are nobody's entity ID; many others are both.
_NEVER_AN_ENTITY_ID = re.compile(r"(?i)/federationmetadata\b|/protocol/saml/descriptor\b|/sso/saml/metadata\b")
_METADATA = re.compile(
    r"(?i)/federationmetadata\b|/descriptor/?$|/metadata(\.php|\.xml)?/?$|\.xml$|/idp/shibboleth$|/saml/metadata\b"
)
_LEAVING = re.compile(r"(?i)log-?out|sign-?out|(^|[/._=-])slo([/?._-]|service|$)")
_ENTERING = re.compile(r"(?i)log-?in|sign-?in|sign-?on|(^|[/._=-])sso([/?._-]|service|$)")

_TENANT = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_ENTRA = re.compile(rf"https?://(?:sts\.windows\.net|login\.microsoftonline\.com)/({_TENANT})(?:/(?:v2\.0|saml2)?)?/?")
# What its provider writes, by what people make of it: ADFS and Okta use http in their names, which are no addresses.
_CORRECTED = (
    (re.compile(r"https://(www\.okta\.com/\w+)/?"), r"http://\1"),
    (re.compile(r"https://([^/]+/adfs/services/trust)/?"), r"http://\1"),
    (re.compile(r"(https?://accounts\.google\.com/o/saml2\?idpid=\w+)/"), r"\1"),
    (re.compile(r"(https?://[^/]+(?:/.*)?/realms/[^/]+)/"), r"\1"),
)
# Parts by which two URLs of one application, tenant or realm agree.
_MARKS = tuple(re.compile(mark) for mark in (rf"({_TENANT})", r"\b(exk\w{10,})", r"idpid=(\w+)", r"/realms/([^/]+)"))


def savable(connection: Connection) -> Finding:
    if connection.faults:
        told = " ".join(f"{label}: {sentence}" for label, sentence in connection.faults.items())
        return failed(expected="", received=told)
    return passed()


def issuer_text(connection: Connection) -> Finding:
    """Zero-width characters come along from web pages, and no eye sees why the Issuer then differs."""
    issuer = connection.issuer
    if not issuer.strip():
        return skipped(_EMPTY)
    if not issuer.strip().isprintable() or " " in issuer.strip():
        return failed(expected="no white space and nothing invisible", received=issuer)
    if issuer != issuer.strip():
        return warning(expected="no white space around it; saving takes it away", received=quoted(issuer))
    return passed()


def issuer_own(connection: Connection) -> Finding:
    return _own(connection, connection.issuer, _ENTITY_ID)


def issuer_metadata(connection: Connection) -> Finding:
    issuer = connection.issuer.strip()
    if not issuer:
        return skipped(_EMPTY)
    if _NEVER_AN_ENTITY_ID.search(issuer):
        return failed(expected=f"{_ENTITY_ID}, which stands inside that metadata as entityID", received=issuer)
    return passed()


def issuer_address(connection: Connection) -> Finding:
    """Some providers do use one URL for both, so that it is only unusual."""
    issuer = connection.issuer.strip()
    if not issuer:
        return skipped(_EMPTY)
    if is_sign_in_url(issuer):
        return failed(expected=_ENTITY_ID, received=f"{issuer}, an address where people sign in")
    if same_address(issuer, connection.sign_in_url):
        return warning(expected=_ENTITY_ID, received='the same value as "Sign In URL"')
    return passed()


def issuer_exact(connection: Connection) -> Finding:
    """The Issuer is compared character for character (Core 8.3.6), and some are always written in one way."""
    issuer = connection.issuer.strip()
    if not issuer:
        return skipped(_EMPTY)
    tenant = _ENTRA.fullmatch(issuer)
    written = f"https://sts.windows.net/{tenant[1]}/" if tenant else issuer
    if issuer != written:
        return failed(expected=written, received=issuer)
    for shape, usual in _CORRECTED:
        if shape.fullmatch(issuer):
            return warning(expected=f"{shape.sub(usual, issuer)}, unless it was changed there", received=issuer)
    return passed()


def sign_in_own(connection: Connection) -> Finding:
    return _own(connection, connection.sign_in_url, _SIGN_IN)


def sign_in_metadata(connection: Connection) -> Finding:
    parts = parts_of(connection.sign_in_url)
    if parts is None:
        return skipped(_EMPTY)
    if _METADATA.search(parts.path):
        return failed(expected=f"{_SIGN_IN}: SingleSignOnService in that metadata", received=connection.sign_in_url)
    return passed()


def sign_in_kind(connection: Connection) -> Finding:
    url = connection.sign_in_url.strip()
    if parts_of(url) is None:
        return skipped(_EMPTY)
    if _looks(_LEAVING, url):
        return failed(expected=_SIGN_IN, received=f"{url}, which looks like an address for signing out")
    if _is_issuer_only(url):
        return failed(expected=_SIGN_IN, received=f"{url}, which looks like an entity ID")
    return passed()


def sign_in_https(connection: Connection) -> Finding:
    return _https(connection.sign_in_url)


def sign_out_own(connection: Connection) -> Finding:
    return _own(connection, connection.sign_out_url, _SIGN_OUT)


def sign_out_kind(connection: Connection) -> Finding:
    """One address for both is right at some providers, which take the message's word for what it is."""
    url = connection.sign_out_url.strip()
    if parts_of(url) is None:
        return skipped(_EMPTY)
    if _METADATA.search(url) or _is_issuer_only(url):
        return failed(expected=_SIGN_OUT, received=url)
    if _looks(_ENTERING, url) and not _looks(_LEAVING, url) and not same_address(url, connection.sign_in_url):
        return warning(expected=_SIGN_OUT, received=f"{url}, which looks like an address for signing in")
    return passed()


def sign_out_https(connection: Connection) -> Finding:
    return _https(connection.sign_out_url)


def one_provider(connection: Connection) -> Finding:
    issuer, url = connection.issuer.strip(), connection.sign_in_url.strip()
    if not issuer or not url:
        return skipped("only one of the two is there")
    by_issuer, by_url = recognized(Traces(issuer=issuer)), recognized(Traces(sign_in_url=url))
    if GENERAL not in {by_issuer, by_url} and by_issuer != by_url:
        return warning(expected=f"{name_of(by_issuer)}, as the Issuer URL says", received=f"{name_of(by_url)}: {url}")
    for mark in _MARKS:
        here, there = mark.search(issuer), mark.search(url)
        if here and there and here[1].casefold() != there[1].casefold():
            return warning(expected=f"{here[1]}, as in the Issuer URL", received=f"{there[1]} in the Sign In URL")
    return passed("" if by_issuer == GENERAL else name_of(by_issuer))


def _own(connection: Connection, value: str, wanted: str) -> Finding:
    if not value.strip():
        return skipped(_EMPTY)
    if is_ours(connection, value):
        return failed(expected=wanted, received=f"{value.strip()}, this service's own")
    return passed()


def _https(url: str) -> Finding:
    parts = parts_of(url)
    if parts is None:
        return skipped(_EMPTY)
    if parts.scheme == "http" and not stays_near(parts.hostname or ""):
        return warning(expected="https", received=url.strip())
    return passed("https" if parts.scheme == "https" else "http, and near")


def _looks(like: re.Pattern[str], url: str) -> bool:
    """By path and query: a host named sso serves both."""
    parts = parts_of(url)
    return parts is not None and bool(like.search(f"{parts.path}?{parts.query}"))


def _is_issuer_only(url: str) -> bool:
    """Whether a known provider has such entity IDs, and no such addresses."""
    return recognized(Traces(issuer=url)) != GENERAL and recognized(Traces(sign_in_url=url)) == GENERAL
