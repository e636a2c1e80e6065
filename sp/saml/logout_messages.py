"""The values that pass between the steps of a logout message: what arrived, what is expected, what was found.

Owns the vocabulary of sign-out. Never parses, verifies or looks anything up. Only what a verified signature covers
becomes a `SignOutOrder` or a `SignOutAnswer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from lxml import etree

from sp.saml import names
from sp.saml.messages import AccountTrust, Expectations, Limits, NameId, PostedForm
from sp.saml.redirect_binding import Carried, RedirectMessage
from sp.saml.report import Finding, Outcome, Report
from sp.saml.xml import Document


class Kind(StrEnum):
    """Which of the two logout messages an address is asked to take."""

    REQUEST = "request"
    RESPONSE = "response"

    @property
    def carried(self) -> Carried:
        return Carried.REQUEST if self is Kind.REQUEST else Carried.RESPONSE

    @property
    def tag(self) -> str:
        return names.LOGOUT_REQUEST if self is Kind.REQUEST else names.LOGOUT_RESPONSE


class Binding(StrEnum):
    """How a logout message travelled."""

    REDIRECT = "redirect"
    POST = "post"
    SOAP = "soap"


@dataclass(frozen=True, slots=True)
class ByForm:
    """A posted form (Bindings 3.5)."""

    form: PostedForm
    kind: Kind
    binding: Binding = field(default=Binding.POST, init=False)


@dataclass(frozen=True, slots=True)
class ByQuery:
    """The query of a URL as it was received, without the question mark (Bindings 3.4)."""

    query: bytes
    kind: Kind
    binding: Binding = field(default=Binding.REDIRECT, init=False)


@dataclass(frozen=True, slots=True)
class BySoap:
    """The body of a POST with a SOAP envelope in it (Bindings 3.2); it always brings a request."""

    content_type: str
    body: bytes
    kind: Kind = field(default=Kind.REQUEST, init=False)
    binding: Binding = field(default=Binding.SOAP, init=False)


Arrival = ByForm | ByQuery | BySoap


@dataclass(frozen=True, slots=True)
class PendingSignOut:
    """The LogoutRequest of this browser that a response says it answers (Profiles 4.4.4.2)."""

    id: str
    sent_at: datetime
    account: str  # the slug of the account that it was sent for
    used: bool = False


@dataclass(frozen=True, slots=True)
class LogoutExpectations:
    """Everything a logout message is held against. The same bytes and expectations give the same verdict.

    `common` is what every message is held against: the time, the account, its certificates, our decryption keys.
    `location` is the address that took the message. `issuer_alias` is the other name under which the identity
    provider speaks of sign-out, where it has one.
    """

    common: Expectations
    location: str
    issuer_alias: str = ""
    pending: PendingSignOut | None = None

    @property
    def account(self) -> AccountTrust | None:
        return self.common.account

    @property
    def issuers(self) -> tuple[str, ...]:
        """The names that the account's identity provider may use."""
        account = self.account
        return () if account is None else tuple(filter(None, (account.issuer.strip(), self.issuer_alias.strip())))


@dataclass(frozen=True, slots=True)
class OpenedLogout:
    """The outcome of stages 1 to 3: the findings so far, and the message alone where they all passed.

    Nothing in it is believed. `unverified_issuer` may pick whose keys are tried, `unverified_in_response_to` which
    of our requests is looked up.
    """

    arrival: Arrival
    limits: Limits
    findings: Mapping[str, Finding] = field(default_factory=dict)
    document: Document | None = None
    query: RedirectMessage | None = None
    unverified_issuer: str = ""
    unverified_in_response_to: str = ""
    xml: bytes | None = None
    error: Exception | None = field(default=None, repr=False, compare=False)  # what the evaluation raised

    @property
    def kind(self) -> Kind:
        return self.arrival.kind

    @property
    def relay_state(self) -> str:
        """What has to go back with the answer, as it came; '' where none came."""
        if self.query is not None:
            return self.query.relay_state or ""
        fields = self.arrival.form.fields if isinstance(self.arrival, ByForm) else ()
        return next((value for name, value in fields if name == "RelayState"), "")


@dataclass(frozen=True, slots=True)
class SignOutOrder:
    """What a verified LogoutRequest asks for: the sessions of this name, all of them or those of these indexes."""

    id: str
    name_id: NameId
    session_indexes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignOutAnswer:
    """What a verified LogoutResponse says became of our request. `status` has the codes from the top down."""

    in_response_to: str
    status: tuple[str, ...]

    @property
    def partial(self) -> bool:
        """Whether the identity provider signed the person out itself, but could not reach every other service."""
        return names.PARTIAL_LOGOUT in self.status

    @property
    def successful(self) -> bool:
        return self.status[:1] == (names.SUCCESS,) and not self.partial


@dataclass(frozen=True, slots=True)
class VerifiedLogout:
    """The outcome of stages 1 to 6. `tree` is what the signature covers, read afresh; None where none holds."""

    kind: Kind
    findings: Mapping[str, Finding]
    tree: etree._Element | None = None
    order: SignOutOrder | None = None
    answer: SignOutAnswer | None = None
    error: Exception | None = field(default=None, repr=False, compare=False)  # what the evaluation raised

    @property
    def id(self) -> str:
        """The ID of the verified message; '' where nothing verified it."""
        return "" if self.tree is None else self.tree.get("ID", "")

    @property
    def sound(self) -> bool:
        """Whether nothing failed so far, so that the request may be claimed for good."""
        refusing = (Outcome.FAILED, Outcome.NOT_REACHED)
        return self.order is not None and not any(found.outcome in refusing for found in self.findings.values())


@dataclass(frozen=True, slots=True)
class LogoutJudgement:
    """The outcome of all stages. Whoever ends a session asks `report.accepts` and nothing else."""

    report: Report
    verified: VerifiedLogout
    error: Exception | None = field(default=None, repr=False, compare=False)  # what the evaluation raised

    @property
    def order(self) -> SignOutOrder | None:
        return self.verified.order

    @property
    def answer(self) -> SignOutAnswer | None:
        return self.verified.answer
