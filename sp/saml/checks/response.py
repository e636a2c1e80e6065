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
from sp.saml.own_keys import fingerprint
from sp.saml.problems import (
    AddressProblem,
    DecryptionProblem,
    EncryptionProblem,
    IssuerProblem,
    RequestProblem,
    SsoProblem,
    TimeProblem,
    VersionProblem,
)
from sp.saml.report import NOT_REACHED, PASSED, SKIPPED, Finding, failed, warning
from sp.saml.signature import Signatures
from sp.saml.times import in_future, instant, older, reached
from sp.saml.values import Duration, Event, Fingerprint, Instant, Missing, Name, Several, Text, Uri
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
    return PASSED if received == "2.0" else failed(VersionProblem.DIFFERENT, Text("2.0"), Text(received))


def response_issue_instant(held: Held) -> Finding:
    return issue_instant(held.response.issue_instant, held.expectations)


def issue_instant(text: str, expectations: Expectations) -> Finding:
    """Neither older than the maximum age nor in the future, with the skew on both sides."""
    moment = instant(text)
    if moment is None:
        return failed(TimeProblem.NOT_A_TIME, received=Text(text))
    if in_future(moment, expectations.now, expectations.skew):
        return failed(TimeProblem.IN_FUTURE, Instant(expectations.now), Instant(moment))
    if older(moment, expectations.now, expectations.response_max_age, expectations.skew):
        bound = Several((Duration(expectations.response_max_age), Instant(expectations.now)))
        return failed(TimeProblem.TOO_OLD, bound, Instant(moment))
    return PASSED


def destination(held: Held) -> Finding:
    received, expected = held.response.destination, held.expectations.acs_url
    if received is None and held.response_signed:
        return failed(AddressProblem.MISSING, Uri(expected), Missing("Destination"))
    if received is None:
        return SKIPPED
    return PASSED if received == expected else other_address(held.expectations, received)


def other_address(expectations: Expectations, received: str) -> Finding:
    """The failure of an address that is not our ACS URL."""
    is_ours = received == expectations.entity_id
    problem = AddressProblem.ENTITY_ID if is_ours else AddressProblem.DIFFERENT
    return failed(problem, Uri(expectations.acs_url), Uri(received))


def in_response_to(held: Held) -> Finding:
    identifier = held.response.in_response_to
    if identifier is None:
        return _unsolicited(held.account)
    request = next((request for request in held.expectations.pending if request.id == identifier), None)
    if request is None:
        return failed(RequestProblem.UNKNOWN, received=Text(identifier))
    return _answer(request, held)


def _unsolicited(account: AccountTrust | None) -> Finding:
    if account is not None and not account.unsolicited:
        return failed(RequestProblem.UNSOLICITED, received=Missing("InResponseTo"))
    return PASSED


def _answer(request: PendingRequest, held: Held) -> Finding:
    expectations, account = held.expectations, held.account
    if request.used:
        return failed(RequestProblem.ANSWERED, received=Text(request.id))
    if account is not None and request.identity_provider.strip() != account.issuer.strip():
        return failed(RequestProblem.OTHER_PROVIDER, Uri(request.identity_provider), Uri(account.issuer))
    if account is not None and request.account not in {"", account.slug}:
        return failed(RequestProblem.OTHER_ACCOUNT, Name(request.account), Name(account.slug))
    if reached(request.sent_at, expectations.now, expectations.request_max_age + expectations.skew):
        received = Event(request.id, request.sent_at)
        return failed(RequestProblem.TOO_LATE, Duration(expectations.request_max_age), received)
    return PASSED


def answered_request(held: Held) -> PendingRequest | None:
    """The pending request that the Response says it answers, or None."""
    pending = held.expectations.pending
    return next((request for request in pending if request.id == held.response.in_response_to), None)


def issuer(held: Held) -> Finding:
    received = held.response.unverified_issuer
    account = held.expectations.account
    known = held.expectations.nearest_issuer if account is None else account.issuer
    expected = Uri(known) if known else None
    if not received:
        return failed(IssuerProblem.MISSING, expected, Missing("Issuer"))
    if held.account is None:
        return failed(IssuerProblem.UNKNOWN, expected, Uri(received))
    if received == held.expectations.entity_id:
        return failed(IssuerProblem.OWN, received=Uri(received))
    return PASSED


def sso_enabled(held: Held) -> Finding:
    account = held.account
    if account is None:
        return NOT_REACHED
    if not account.active:
        return failed(SsoProblem.NOT_ACTIVE, received=Name(account.slug))
    if not account.saml_enabled:
        problem = SsoProblem.SWITCHED_OFF if account.certificates else SsoProblem.NO_CERTIFICATE
        return failed(problem, received=Name(account.slug))
    return PASSED


def encryption_algorithms(held: Held) -> Finding:
    if not held.response.encrypted:
        return SKIPPED
    problem = encryption_problem(held.response.assertion)
    if problem is not None:
        return failed(*problem)
    algorithm = data_algorithm(held.response.assertion)
    if algorithm in names.AES_CBC and not held.response_signed:
        # Anybody can alter CBC blocks and watch what happens, unless a signature outside covers them.
        refuses = held.account is not None and held.account.refuse_unsigned_cbc
        finding = failed if refuses else warning
        return finding(EncryptionProblem.UNSIGNED_CBC, received=Uri(algorithm))
    return PASSED


def decryption(held: Held) -> Finding:
    """One failure for every fault: a difference that a sender can see is an oracle (XML Encryption 1.1, 6.1.2)."""
    if not held.response.encrypted:
        return SKIPPED
    keys = held.expectations.decryption_keys
    if not keys:
        # The account's key is made when its metadata is first asked for, so that address is what helps.
        address = held.expectations.metadata_url
        return failed(DecryptionProblem.NO_KEY_HERE, Uri(address) if address else None)
    if held.response_signed and not held.outer_signature_holds:
        return NOT_REACHED
    if held.opened_assertion is None:
        ours = Several(tuple(Fingerprint(fingerprint(key.certificate)) for key in keys[:2]))
        recipient = _named_recipient(held)
        problem = DecryptionProblem.NOT_OPENED if recipient is None else DecryptionProblem.OTHER_RECIPIENT
        return failed(problem, ours, recipient)
    return former_key_warning(held.response.assertion, names.ASSERTION, held.expectations) or PASSED


def _named_recipient(held: Held) -> Fingerprint | None:
    """What depends on no key: the certificate that the sender says it encrypted for, where that is not ours."""
    ours = {key.certificate for key in held.expectations.decryption_keys}
    foreign = next((der for der in recipients(held.response.assertion) if der not in ours), None)
    return None if foreign is None else Fingerprint(fingerprint(foreign))
