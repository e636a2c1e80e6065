"""Stages 4 to 6: the Response around the assertion, the account it is for, and encryption.

Owns the judgement of unverified values. They may lead to a refusal or pick whose keys to try; they never grant.
"""

from __future__ import annotations

from dataclasses import dataclass

from sp.saml import names
from sp.saml.messages import AccountTrust, Expectations, PendingRequest, UnverifiedResponse
from sp.saml.report import NOT_REACHED, Finding, failed, passed, quoted, skipped, warning
from sp.saml.times import UTC_FORM, in_future, instant, reached, written
from sp.saml.xml import child


@dataclass(frozen=True, slots=True)
class Held:
    """An unverified response and what it is held against."""

    response: UnverifiedResponse
    expectations: Expectations

    @property
    def account(self) -> AccountTrust | None:
        """The account that trusts this issuer. Compared again: whoever looked it up had only a shortened value."""
        account = self.expectations.account
        if account is None or account.issuer.strip() != self.response.unverified_issuer:
            return None
        return account

    @property
    def response_signed(self) -> bool:
        return child(self.response.tree, names.SIGNATURE) is not None


def response_version(held: Held) -> Finding:
    return version(held.response.version)


def version(received: str) -> Finding:
    return passed(received) if received == "2.0" else failed(expected="2.0", received=quoted(received))


def response_issue_instant(held: Held) -> Finding:
    return issue_instant(held.response.issue_instant, held.expectations)


def issue_instant(text: str, expectations: Expectations) -> Finding:
    """Neither older than the maximum age nor in the future, with the skew on both sides."""
    moment = instant(text)
    if moment is None:
        return failed(expected=UTC_FORM, received=quoted(text))
    if in_future(moment, expectations.now, expectations.skew):
        return failed(expected=f"not after {_now(expectations)}", received=text)
    if moment < expectations.now - expectations.skew - expectations.response_max_age:
        minutes = int(expectations.response_max_age.total_seconds() // 60)
        return failed(expected=f"not older than {minutes} minutes at {_now(expectations)}", received=text)
    return passed(text)


def _now(expectations: Expectations) -> str:
    return written(expectations.now)


def destination(held: Held) -> Finding:
    received, expected = held.response.destination, held.expectations.acs_url
    if received is None and held.response_signed:
        return failed(expected=expected, received="no Destination in a signed Response")
    if received is None:
        return skipped("no Destination, and the Response itself is not signed")
    return passed(received) if received == expected else failed(expected=expected, received=quoted(received))


def in_response_to(held: Held) -> Finding:
    identifier = held.response.in_response_to
    if identifier is None:
        return _unsolicited(held.account)
    request = next((request for request in held.expectations.pending if request.id == identifier), None)
    if request is None:
        expected = "no InResponseTo, or the ID of a sign-in that this browser has begun"
        return failed(expected=expected, received=identifier)
    return _answer(request, held)


def _unsolicited(account: AccountTrust | None) -> Finding:
    if account is not None and not account.unsolicited:
        return failed(expected="an answer to a sign-in begun here", received="no InResponseTo")
    return passed("unsolicited")


def _answer(request: PendingRequest, held: Held) -> Finding:
    expectations, account = held.expectations, held.account
    if request.used:
        return failed(expected="a request that nothing has answered yet", received=f"{request.id}, answered before")
    if account is not None and request.identity_provider.strip() != account.issuer.strip():
        return failed(expected=f"an answer from {request.identity_provider}", received=f"one from {account.issuer}")
    if reached(request.sent_at + expectations.request_max_age, expectations.now, expectations.skew):
        minutes = int(expectations.request_max_age.total_seconds() // 60)
        return failed(expected=f"an answer within {minutes} minutes", received=f"{request.id}, sent {_sent(request)}")
    return passed(request.id)


def _sent(request: PendingRequest) -> str:
    return written(request.sent_at)


def answered_request(held: Held) -> PendingRequest | None:
    """The pending request that the Response says it answers, or None."""
    pending = held.expectations.pending
    return next((request for request in pending if request.id == held.response.in_response_to), None)


def issuer(held: Held) -> Finding:
    received = held.response.unverified_issuer
    account = held.expectations.account
    expected = held.expectations.nearest_issuer if account is None else account.issuer
    if not received:
        return failed(expected=expected or "an Issuer", received="no Issuer")
    if held.account is None:
        return failed(expected=expected or "the Issuer URL of an account", received=quoted(received))
    if received == held.expectations.entity_id:
        return failed(expected="an identity provider", received="this service's own entity ID")
    return passed(received)


def sso_enabled(held: Held) -> Finding:
    account = held.account
    if account is None:
        return NOT_REACHED
    if not account.active:
        return failed(expected="an active account", received=f"{account.slug} is not active")
    if not account.saml_enabled:
        lacking = "" if account.certificates else ", which has no Identity Provider Certificate"
        return failed(expected="Single Sign On with SAML", received=f"it is switched off for {account.slug}{lacking}")
    return passed(account.slug)


_ALLOWED_ENCRYPTION = "AES-GCM or AES-CBC, with the key by RSA-OAEP"


def encryption_algorithms(held: Held) -> Finding:
    if not held.response.encrypted:
        return skipped("the assertion is not encrypted")
    data = _methods(held, names.ENCRYPTED_DATA)
    keys = _methods(held, f".//{names.ENCRYPTED_KEY}")
    refused = [method for method in data if method not in names.AES_GCM | names.AES_CBC]
    refused += [method for method in keys if method not in names.RSA_OAEP]
    if refused or not data or not keys:
        return failed(expected=_ALLOWED_ENCRYPTION, received=", ".join(refused[:3]) or "no EncryptionMethod")
    if names.AES_CBC.intersection(data) and not held.response_signed:
        # Anybody can alter CBC blocks and watch what happens, unless a signature outside covers them.
        return warning(expected="AES-GCM, or a signed Response around AES-CBC", received=", ".join(data))
    return passed(", ".join((*data, *keys)))


def _methods(held: Held, path: str) -> list[str]:
    found = held.response.assertion.iterfind(f"{path}/{names.ENCRYPTION_METHOD}")
    return [method.get("Algorithm", "") for method in found]


def decryption(held: Held) -> Finding:
    if not held.response.encrypted:
        return skipped("the assertion is not encrypted")
    return failed(expected="a plain Assertion", received="EncryptedAssertion: this service has no decryption key yet")
