"""Stages 4 to 6: the Response around the assertion, the account it is for, and encryption.

Owns the judgement of unverified values. They may lead to a refusal or pick whose keys to try; they never grant.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from lxml import etree

from sp.saml import names
from sp.saml.decryption import data_algorithm, encryption_problem, opened, recipients
from sp.saml.enveloped import holds
from sp.saml.former_keys import former_key_warning
from sp.saml.messages import AccountTrust, Expectations, Limits, PendingRequest, UnverifiedResponse
from sp.saml.own_keys import OwnKey, fingerprint
from sp.saml.report import NOT_REACHED, Finding, failed, passed, quoted, skipped, warning
from sp.saml.signature import Signatures
from sp.saml.times import UTC_FORM, in_future, instant, older, reached, written
from sp.saml.xml import child, survey

_LIMITS = Limits()


@dataclass(frozen=True)
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

    @cached_property
    def outer_signature_holds(self) -> bool:
        """Whether the signature of the Response verifies: asked before anything encrypted inside it is opened."""
        return self.account is not None and holds(Signatures(self.response, self.account, self.expectations).signed)

    @cached_property
    def opened_assertion(self) -> etree._Element | None:
        """The Assertion in the EncryptedAssertion, whose IDs occur nowhere else in the message; else None."""
        keys, response = self.expectations.decryption_keys, self.response
        root = opened(response.assertion, names.ASSERTION, keys)
        outside = {value.strip() for value in survey(response.tree, _LIMITS).ids}
        if root is None or any(value.strip() in outside for value in survey(root, _LIMITS).ids):
            return None
        return root


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
    if older(moment, expectations.now, expectations.response_max_age, expectations.skew):
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
    if account is not None and request.account not in {"", account.slug}:
        return failed(expected=f"an answer for the account {request.account}", received=f"one for {account.slug}")
    if reached(request.sent_at, expectations.now, expectations.request_max_age + expectations.skew):
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


def encryption_algorithms(held: Held) -> Finding:
    if not held.response.encrypted:
        return skipped("the assertion is not encrypted")
    problem = encryption_problem(held.response.assertion)
    if problem is not None:
        return failed(expected=problem[0], received=problem[1])
    algorithm = data_algorithm(held.response.assertion)
    if algorithm in names.AES_CBC and not held.response_signed:
        # Anybody can alter CBC blocks and watch what happens, unless a signature outside covers them.
        refuses = held.account is not None and held.account.refuse_unsigned_cbc
        finding = failed if refuses else warning
        return finding(expected="AES-GCM, or a signed Response around AES-CBC", received=algorithm)
    return passed(algorithm)


def decryption(held: Held) -> Finding:
    """One failure for every fault: a difference that a sender can see is an oracle (XML Encryption 1.1, 6.1.2)."""
    if not held.response.encrypted:
        return skipped("the assertion is not encrypted")
    keys = held.expectations.decryption_keys
    if not keys:
        return failed(expected=_wanted_without_key(held.expectations), received="one that no key here opens")
    if held.response_signed and not held.outer_signature_holds:
        return NOT_REACHED
    if held.opened_assertion is None:
        return failed(expected=f"an EncryptedAssertion for {_described(keys)}", received=_unopened(held))
    return former_key_warning(held.response.assertion, names.ASSERTION, held.expectations) or passed()


def _wanted_without_key(expectations: Expectations) -> str:
    """The account's key is made when its metadata is first asked for, so that address is what helps."""
    if not expectations.metadata_url:
        return "a plain Assertion"
    return f"an EncryptedAssertion for the encryption key in {expectations.metadata_url}"


def _described(keys: tuple[OwnKey, ...]) -> str:
    return " or ".join(f"the key of the certificate SHA-256 {fingerprint(key.certificate)}" for key in keys[:2])


def _unopened(held: Held) -> str:
    """What depends on no key: the certificate that the sender says it encrypted for, where that is not ours."""
    ours = {key.certificate for key in held.expectations.decryption_keys}
    foreign = next((der for der in recipients(held.response.assertion) if der not in ours), None)
    named = "" if foreign is None else f"; it says it is for the certificate SHA-256 {fingerprint(foreign)}"
    return f"one that does not open with it, or not into one valid Assertion{named}"
