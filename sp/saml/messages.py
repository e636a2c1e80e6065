"""The values that pass between the steps: what was posted, what is expected, what was found.

Owns the vocabulary of the core. Never parses, verifies or looks anything up. Names say how far a value is
trusted: `Unverified…` may lead to a refusal or pick whose keys to try; only `VerifiedAssertion` may grant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from lxml import etree

from sp.saml.certificates import IdpCertificate
from sp.saml.own_keys import OwnKey
from sp.saml.report import Finding, Outcome, Report


@dataclass(frozen=True, slots=True)
class PostedForm:
    """What arrived at the assertion consumer service, before anything about it is believed.

    `fields` keeps every field in order, repeated names included, decoded from the form encoding.
    """

    method: str
    content_type: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that hold before anything expensive happens."""

    message_bytes: int = 256 * 1024
    depth: int = 64
    elements: int = 10_000
    attributes: int = 64


class SignedPart(StrEnum):
    """Which element an account wants signed."""

    EITHER = "either"
    ASSERTION = "assertion"
    RESPONSE = "response"
    BOTH = "both"


class UserMapping(StrEnum):
    """The field of a user profile that the NameID is held against."""

    USERNAME = "username"
    FEDERATION_ID = "federation-id"


class Comparison(StrEnum):
    """How the context of an assertion is held against the requested ones (Core 3.3.2.2.1)."""

    EXACT = "exact"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    BETTER = "better"


ENTRA_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"


@dataclass(frozen=True, slots=True)
class AttributeNames:
    """The exact Name of the attribute that fills each field of a profile (FriendlyName is never read)."""

    first_name: str = ENTRA_CLAIMS + "givenname"
    last_name: str = ENTRA_CLAIMS + "surname"
    email: str = ENTRA_CLAIMS + "emailaddress"


@dataclass(frozen=True, slots=True)
class AccountTrust:
    """What one account trusts and asks for: the settings in force, as the core needs them."""

    slug: str
    issuer: str
    certificates: tuple[IdpCertificate, ...]
    active: bool = True
    saml_enabled: bool = True
    unsolicited: bool = True
    provisioning: bool = True
    user_mapping: UserMapping = UserMapping.USERNAME
    signed_part: SignedPart = SignedPart.EITHER
    allow_sha1: bool = False
    accept_transient: bool = False
    attribute_names: AttributeNames = AttributeNames()
    refuse_unsigned_cbc: bool = False
    retired_certificates: tuple[IdpCertificate, ...] = ()
    force_authn: bool = False
    requested_contexts: tuple[str, ...] = ()
    context_comparison: Comparison = Comparison.EXACT


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """An AuthnRequest of this browser that no response has answered yet (Profiles 4.1.4.3)."""

    id: str
    identity_provider: str
    sent_at: datetime
    used: bool = False
    requested_contexts: tuple[str, ...] = ()
    comparison: str = "exact"
    account: str = ""  # the slug of the account that it was begun for; empty: judged without one
    force_authn: bool = False


@dataclass(frozen=True, slots=True)
class Expectations:
    """Everything a message is held against. The same bytes and the same expectations give the same verdict.

    All times are aware and in UTC. `account` is the account that trusts the unverified issuer, or None; then
    `nearest_issuer` may name an issuer that some account trusts and that this one was probably meant to be.
    `former_keys` are among `decryption_keys`: they open too, with a warning that names `metadata_url`, where the
    account's own encryption key is published; empty where there is no account in a database.
    """

    now: datetime
    entity_id: str
    acs_url: str
    account: AccountTrust | None
    nearest_issuer: str = ""
    pending: tuple[PendingRequest, ...] = ()
    skew: timedelta = timedelta(seconds=180)
    response_max_age: timedelta = timedelta(minutes=10)
    request_max_age: timedelta = timedelta(minutes=10)
    certificate_warning: timedelta = timedelta(days=30)
    decryption_keys: tuple[OwnKey, ...] = field(default=(), repr=False)
    former_keys: tuple[OwnKey, ...] = field(default=(), repr=False)
    metadata_url: str = ""


@dataclass(frozen=True, slots=True)
class UnverifiedResponse:
    """A samlp:Response whose structure holds (stages 1 to 3) and of which nothing is believed yet.

    `tree` is the parse of exactly the bytes in `xml`; nothing may change it.
    """

    xml: bytes
    tree: etree._Element
    assertion: etree._Element
    encrypted: bool
    id: str
    version: str
    issue_instant: str
    destination: str | None
    in_response_to: str | None
    issuer: str | None
    assertion_issuer: str | None

    @property
    def unverified_issuer(self) -> str:
        """The trimmed Issuer by which an account is looked up: the Response's, else the Assertion's, else ''."""
        return (self.issuer or "").strip(" \t\r\n") or (self.assertion_issuer or "").strip(" \t\r\n")


@dataclass(frozen=True, slots=True)
class NameId:
    """The NameID of the subject, verbatim (Core 2.2.3)."""

    value: str
    format: str | None = None
    name_qualifier: str | None = None
    sp_name_qualifier: str | None = None


@dataclass(frozen=True, slots=True)
class VerifiedAssertion:
    """What a verified signature covers, read from the canonical bytes that were digested, parsed afresh.

    `sp.saml.signature` is the only maker. `response_signed` tells whether the signature covered the Response;
    `certificate` is the one that verified it.
    """

    tree: etree._Element
    response_signed: bool
    certificate: IdpCertificate


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the assertion is about, in the terms of a user profile; empty where nothing was sent."""

    issuer: str
    assertion_id: str
    name_id: NameId
    first_name: str
    last_name: str
    email: str
    attributes: Mapping[str, tuple[str, ...]]
    not_on_or_after: datetime  # until when the assertion's id must be remembered, skew not yet added
    session_index: str | None = None
    session_not_on_or_after: datetime | None = None
    authn_instant: datetime | None = None
    authn_context: str | None = None

    @property
    def username(self) -> str:
        """The mapped value. It is the NameID for either user mapping."""
        return self.name_id.value


class UserLink(StrEnum):
    """What the profiles say about the mapped value."""

    ONE = "one"  # it names one user of this account
    CREATE = "create"  # nobody has it and provisioning may create a user
    NONE = "none"  # nobody has it and provisioning is off
    MANY = "many"  # several profiles of this account carry it as Federation ID
    UNAVAILABLE = "taken"  # another user has the username, or the account may not create one in its domain
    FULL = "full"  # nobody has it, and within the hour sign-ins have created as many users as they may
    UNKNOWN = "unknown"  # nobody looked: judged without a database


@dataclass(frozen=True, slots=True)
class HandedOut:
    """When the exact bytes of a message were given out, and to which API token or administrator."""

    at: datetime
    to: str


@dataclass(frozen=True, slots=True)
class AccountHolder:
    """What the store says for stage 9. `replayed` is None where there is no record to ask (offline).

    `handed_out` is there where the assertion was not used, but somebody was given its message.
    """

    replayed: bool | None = None
    link: UserLink = UserLink.UNKNOWN
    status: str | None = None  # "active", "disabled" or "deleted", of the user that `link` names
    stored_username: str | None = None  # of that user as written in the profile, where the username led to it
    handed_out: HandedOut | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """The outcome of stages 1 to 3: the findings so far by code, and the response if they all passed.

    `unverified_issuer` is filled as soon as there is a Response, even one that is then refused, so that the
    attempt can be told to the right account. `xml` is what was decoded, as far as that went.
    """

    findings: Mapping[str, Finding] = field(default_factory=dict)
    response: UnverifiedResponse | None = None
    unverified_issuer: str = ""
    xml: bytes | None = None
    error: Exception | None = field(default=None, repr=False, compare=False)  # what the evaluation raised


@dataclass(frozen=True, slots=True)
class Verified:
    """The outcome of stages 1 to 8, before the account holder is looked at.

    `identity` is present only when a signature covers it (stage 7 passed); other rows may still have failed.
    `opened_assertion` is what was decrypted, if anything was: to be shown, whatever the signatures then said.
    """

    findings: Mapping[str, Finding]
    expectations: Expectations
    identity: Identity | None = None
    certificate: IdpCertificate | None = None
    opened_assertion: etree._Element | None = field(default=None, repr=False, compare=False)
    error: Exception | None = field(default=None, repr=False, compare=False)  # what the evaluation raised

    @property
    def sound(self) -> bool:
        """Whether nothing failed so far, so that the assertion may be claimed and the user looked up for good."""
        refusing = (Outcome.FAILED, Outcome.NOT_REACHED)
        findings = self.findings.values()
        return self.identity is not None and not any(finding.outcome in refusing for finding in findings)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome of all stages. `identity` is present only when a signature covers it (stage 7 passed).

    Whoever grants asks `report.accepts` and nothing else.
    """

    report: Report
    identity: Identity | None = None
    certificate: IdpCertificate | None = None
    opened_assertion: etree._Element | None = field(default=None, repr=False, compare=False)
    error: Exception | None = field(default=None, repr=False, compare=False)  # what the evaluation raised
