"""`identity_provider`: an identity provider that is played, so that a test needs none.

Owns whom it vouches for and what it sends to the test's workspace. Never makes a response by itself: the demo directory
does, and its faults are named by the checks that they break (docs/checks.md).
"""

from __future__ import annotations

import base64
import difflib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import httpx
from cryptography import x509
from lxml import etree

from sp.client import SignIn
from sp.demo_directory.encryption import encrypted_for, read_certificate
from sp.demo_directory.faults import FAULTS, SOUND, Fault, fault_named
from sp.demo_directory.identity_provider import IdentityProvider as SigningProvider
from sp.demo_directory.keys import open_signing_key
from sp.demo_directory.mutations import Change, each, unchanged
from sp.demo_directory.reply_url import Reply
from sp.demo_directory.responses import Subject, make_response

if TYPE_CHECKING:
    from sp.testing.office import OfficeUnderTest

__all__ = ["FAULT_CODES", "IdentityProvider", "SigningProvider", "signing_provider"]

FAULT_CODES = tuple(fault.code for fault in FAULTS)
_BASE_URL = "https://identity-provider.example"
_TENANT = "00000000-0000-4000-8000-000000000001"
_ENCRYPTION_CERTIFICATE = ".//{*}KeyDescriptor[@use='encryption']//{*}X509Certificate"
_JSON = {"Accept": "application/json"}
_REDIRECTS = {302, 303, 307}


def signing_provider(folder: Path) -> SigningProvider:
    """An issuer with a key of its own, kept in `folder`."""
    key = open_signing_key(folder / "key.pem", folder / "certificate.pem", datetime.now(UTC))
    return SigningProvider(_BASE_URL, _TENANT, key)


@dataclass(frozen=True)
class Person:
    """Whom an assertion is about. What is not given is made of the user name."""

    username: str
    first_name: str = ""
    last_name: str = ""

    def subject(self) -> Subject:
        first, _, last = self.username.partition("@")[0].partition(".")
        first_name, last_name = self.first_name or first.capitalize(), self.last_name or last.capitalize() or "Example"
        return Subject(self.username, first_name, last_name, f"{first_name} {last_name}", _TENANT)


@dataclass(frozen=True)
class _Begun:
    """A request of the service that waits for its answer, and the browser's cookies."""

    request_id: str
    relay_state: str
    cookies: httpx.Cookies


class IdentityProvider:
    """Vouches for whomever a test names, at the test's workspace."""

    def __init__(self, provider: SigningProvider, office: OfficeUnderTest) -> None:
        self._provider = provider
        self._office = office

    @property
    def entity_id(self) -> str:
        """The Issuer of every response."""
        return self._provider.issuer

    @property
    def certificate(self) -> str:
        """The certificate of the signing key, as PEM."""
        return Path(self._provider.server.config.cert_file).read_text(encoding="ascii")

    def metadata(self) -> bytes:
        return self._provider.metadata()

    def sign_in(
        self,
        username: str,
        *,
        fault: str = "",
        encrypted: bool = False,
        begun: bool = False,
        first_name: str = "",
        last_name: str = "",
        in_response_to: str = "",
        change: Callable[[etree._Element], object] | None = None,
    ) -> SignIn:
        """Send a signed response for this user, as a browser would, and answer how it was judged.

        `fault` is the code of the check that the response breaks (`FAULT_CODES`); `change` changes the tree before it
        is signed. With `encrypted` the assertion is, for the key in the service's metadata. With `begun` the sign-in
        begins at the service and its request is answered. Raises ValueError for a fault that nobody knows.
        """
        flaw = _with_change(_known(fault), change)
        started = self._begin() if begun else _Begun(in_response_to, "", httpx.Cookies())
        message = self._made(Person(username, first_name, last_name), flaw, started.request_id)
        if encrypted:
            message = encrypted_for(message, self._encryption_certificate())
        return self._posted(flaw.field(message), started)

    def response(self, username: str, *, fault: str = "", in_response_to: str = "") -> bytes:
        """The bytes of such a response, for a test that delivers it by itself."""
        return self._made(Person(username), _known(fault), in_response_to)

    def post(self, response: bytes) -> SignIn:
        """Deliver these bytes, whoever made them, and answer how they were judged."""
        return self._posted(base64.b64encode(response).decode(), _Begun("", "", httpx.Cookies()))

    def _made(self, person: Person, fault: Fault, in_response_to: str) -> bytes:
        now = self._office.now()
        reply = Reply(self._office.acs_url, self._office.entity_id, mapped=False)
        return make_response(
            self._provider,
            person.subject(),
            reply,
            now=now,
            authenticated_at=now,
            in_response_to=in_response_to or None,
            fault=fault,
        )

    def _posted(self, field: str, started: _Begun) -> SignIn:
        form = {"SAMLResponse": field} | ({"RelayState": started.relay_state} if started.relay_state else {})
        with httpx.Client(cookies=started.cookies, trust_env=False) as browser:
            answer = browser.post(self._office.acs_url, data=form, headers=_JSON)
        if "reference" not in (told := _document(answer)):
            raise RuntimeError(f"{self._office.acs_url} answered {answer.status_code}, and no verdict: {answer.text}")
        return self._office.sign_in(told["reference"])

    def _begin(self) -> _Begun:
        """Follow the service's own sign-in address up to the request that it sends here (Bindings 3.4)."""
        with httpx.Client(trust_env=False) as browser:
            answer = browser.get(self._office.sign_in_url)
            address = answer.headers.get("location", "")
            if answer.status_code not in _REDIRECTS or not address.startswith(self._provider.sign_in_url):
                raise RuntimeError(f"{self._office.sign_in_url} sent no request by redirect: {answer.status_code}.")
            query = parse_qs(urlsplit(address).query)
            request = self._provider.read_request(query["SAMLRequest"][0], "GET")
            return _Begun(str(request.id), query.get("RelayState", [""])[0], browser.cookies)

    def _encryption_certificate(self) -> x509.Certificate:
        found = etree.fromstring(self._office.metadata().xml.encode()).findtext(_ENCRYPTION_CERTIFICATE)
        if not found:
            raise RuntimeError("The service's metadata names no key to encrypt for.")
        return read_certificate(found.encode())


def _known(fault: str) -> Fault:
    if not fault:
        return SOUND
    found = fault_named(fault)
    if found is None:
        near = difflib.get_close_matches(fault, FAULT_CODES, n=1)
        raise ValueError(f"There is no fault {fault!r}" + (f"; did you mean {near[0]!r}?" if near else "."))
    return found


def _with_change(fault: Fault, change: Callable[[etree._Element], object] | None) -> Fault:
    own: Change = unchanged if change is None else lambda response, _now: change(response)
    return replace(fault, before=each(own, fault.before))


def _document(answer: httpx.Response) -> dict[str, str]:
    return answer.json() if "json" in answer.headers.get("content-type", "") else {}
