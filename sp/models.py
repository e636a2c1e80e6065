"""The tables, in reading order.

Owns what is kept and what must be unique. Never queries: all SQL lives in `sp.store`.

A realm is what shares one assertion consumer service. In it companies manage accounts, accounts trust identity
providers through versions of their settings, users belong to accounts, and every sign-in leaves an attempt.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Field, SQLModel

from sp.saml.messages import AttributeNames, SignedPart, UserMapping

BigId = BigInteger().with_variant(Integer(), "sqlite")
_ATTRIBUTES = AttributeNames()


class UtcTime(TypeDecorator[datetime]):
    """An aware time in UTC, in databases with and without time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def folded_text(length: int) -> TypeEngine[str]:
    """Text that is compared by its code points, in every database alike."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def _id() -> Any:
    return Field(default=None, primary_key=True, sa_type=BigId)


def _default(nullable: bool) -> dict[str, Any]:
    return {"default": None} if nullable else {}


def _reference(column: str, *, index: bool = False, nullable: bool = False) -> Any:
    return Field(
        **_default(nullable),
        sa_type=BigId,
        sa_column_args=[ForeignKey(column)],
        sa_column_kwargs={"index": index, "nullable": nullable},
    )


def _time(*, nullable: bool = False, index: bool = False) -> Any:
    return Field(
        **_default(nullable),
        sa_type=UtcTime,
        sa_column_kwargs={"nullable": nullable, "index": index},
    )


def _derived(kind: TypeEngine[Any]) -> Any:
    """Filled by the store's own function for the row and by nothing else: one that came another way is refused."""
    return Field(default=None, sa_type=kind, sa_column_kwargs={"nullable": False})


class UserStatus(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"
    DELETED = "deleted"  # a tombstone: provisioning does not bring the name back


class UserSource(StrEnum):
    JUST_IN_TIME = "just_in_time"
    SUPPORT = "support"


class SignInOutcome(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"


class RequestBinding(StrEnum):
    """How an AuthnRequest travels."""

    REDIRECT = "redirect"
    POST = "post"


class SignOutBinding(StrEnum):
    """How a sign-out reaches the identity provider: as a message, or as a plain visit of "Sign Out URL"."""

    PLAIN = "plain"
    REDIRECT = "redirect"
    POST = "post"


class KeyPurpose(StrEnum):
    SIGNING = "signing"
    ENCRYPTION = "encryption"


class KeyState(StrEnum):
    UPCOMING = "upcoming"  # published, not yet used
    ACTIVE = "active"
    RETIRED = "retired"  # no longer published; an encryption key still opens what was on its way


class TokenScope(StrEnum):
    """What a program may do with a token. Every token may read."""

    READ = "read"
    WRITE = "write"
    MESSAGES = "messages"  # fetch the exact bytes of a message, which uses its assertion up


class Realm(SQLModel, table=True):
    """What shares one assertion consumer service: issuers and user names are unique within it.

    `/saml2` is the realm "shared". Every other realm is a workspace: its name is in its addresses, it ends at
    `expires_at`, and its clock may stand at `fixed_time`.
    """

    id: int | None = _id()
    name: str = Field(max_length=64, unique=True)
    created_at: datetime | None = _time(nullable=True)
    expires_at: datetime | None = _time(nullable=True, index=True)
    fixed_time: datetime | None = _time(nullable=True)
    created_from: str = Field(default="", max_length=64)  # the sender, where the limit per address counts it


class Company(SQLModel, table=True):
    """The customer."""

    id: int | None = _id()
    realm_id: int = _reference("realm.id")
    name: str = Field(max_length=256, unique=True)
    created_at: datetime = _time()


class CompanyDomain(SQLModel, table=True):
    """An e-mail domain that a company owns: where companies share a realm, each creates usernames in its own only."""

    __tablename__ = "company_domain"

    name: str = Field(primary_key=True, max_length=253)  # as `sp.saml.domains.normalize_domain` gives it
    company_id: int = _reference("company.id", index=True)
    added_at: datetime = _time()


class Administrator(SQLModel, table=True):
    """Who may manage the accounts of one company. Never linked to a user, whatever a NameID says."""

    id: int | None = _id()
    company_id: int = _reference("company.id", index=True)
    username: str = Field(max_length=256)
    username_key: str = Field(max_length=1024, unique=True)
    password_hash: str = Field(max_length=256)
    created_at: datetime = _time()


class ApiToken(SQLModel, table=True):
    """A program's key to one account. Only the hash of the token is kept."""

    __tablename__ = "api_token"

    id: int | None = _id()
    account_id: int = _reference("account.id", index=True)
    token_hash: str = Field(max_length=64, unique=True)
    name: str = Field(max_length=128)
    scope: str = Field(max_length=16)  # words of TokenScope, separated by spaces
    created_by: str = Field(max_length=256)
    created_at: datetime = _time()
    expires_at: datetime | None = _time(nullable=True)
    last_used_at: datetime | None = _time(nullable=True)


class SignInExpectation(SQLModel, table=True):
    """What the next sign-in of an account must look like, and, once it came, which one it was and what differed."""

    __tablename__ = "sign_in_expectation"
    __table_args__ = (Index("ix_sign_in_expectation_waiting", "account_id", "attempt_id", "id"),)

    id: int | None = _id()
    reference: str = Field(max_length=16, unique=True)
    account_id: int = _reference("account.id")
    after_attempt_id: int = Field(sa_type=BigId)  # the newest attempt when it was declared: only later ones count
    declared_at: datetime = _time()
    expires_at: datetime = _time(index=True)
    wanted: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    attempt_id: int | None = Field(default=None, sa_type=BigId)
    differences: list[dict[str, Any]] | None = Field(default=None, sa_type=JSON)


class Account(SQLModel, table=True):
    """What a customer manages, "Business". It points at the version of its settings that is in force."""

    __table_args__ = (UniqueConstraint("realm_id", "slug"), UniqueConstraint("realm_id", "issuer"))

    id: int | None = _id()
    realm_id: int = _reference("realm.id")
    company_id: int = _reference("company.id", index=True)
    name: str = Field(max_length=256)
    slug: str = Field(max_length=64)
    active: bool = True
    issuer: str | None = Field(default=None, max_length=1024)  # of the settings in force; unique in the realm
    settings_id: int | None = Field(default=None, sa_type=BigId)  # of the version in force
    created_at: datetime = _time()
    former_key_until: datetime | None = _time(nullable=True)  # until when the former shared key opens its messages


class SsoSettings(SQLModel, table=True):
    """One immutable version of an account's Single Sign On settings: what, by whom, when, and what changed."""

    __tablename__ = "sso_settings"
    __table_args__ = (UniqueConstraint("account_id", "version"),)

    id: int | None = _id()
    account_id: int = _reference("account.id")
    version: int
    saved_at: datetime = _time()
    saved_by: str = Field(max_length=256)
    changes: list[dict[str, str]] = Field(default_factory=list, sa_type=JSON)
    password_sign_in: bool = True
    single_sign_on: bool = False
    sign_in_url: str = Field(default="", max_length=2048)
    sign_out_url: str = Field(default="", max_length=2048)
    issuer: str = Field(default="", max_length=1024)
    user_mapping: str = Field(default=UserMapping.USERNAME, max_length=32)
    provisioning: bool = True
    unsolicited: bool = True
    signed_part: str = Field(default=SignedPart.EITHER, max_length=16)
    allow_sha1: bool = False
    accept_transient: bool = False
    first_name_attribute: str = Field(default=_ATTRIBUTES.first_name, max_length=1024)
    last_name_attribute: str = Field(default=_ATTRIBUTES.last_name, max_length=1024)
    email_attribute: str = Field(default=_ATTRIBUTES.email, max_length=1024)
    refuse_unsigned_cbc: bool = False
    sign_in_binding: str = Field(default=RequestBinding.REDIRECT, max_length=16)
    sign_requests: bool = False
    force_authn: bool = False
    is_passive: bool = False
    name_id_policy: str = Field(default="", max_length=256)  # a NameID format; empty: no NameIDPolicy is sent
    requested_contexts: list[str] = Field(default_factory=list, sa_type=JSON)
    context_comparison: str = Field(default="exact", max_length=16)
    provider_name: str = Field(default="", max_length=256)
    send_login_hint: bool = False
    scoping_providers: list[str] = Field(default_factory=list, sa_type=JSON)
    proxy_count: int | None = None
    sign_out_binding: str = Field(default=SignOutBinding.PLAIN, max_length=16)
    sign_out_response_url: str = Field(default="", max_length=2048)  # where it differs from sign_out_url
    sign_out_issuer: str = Field(default="", max_length=1024)  # where sign-out messages name another issuer


class IssuerConflict(SQLModel, table=True):
    """An issuer that an account asked for while an account of another company held it; the operator decides."""

    __tablename__ = "issuer_conflict"

    account_id: int = Field(primary_key=True, sa_type=BigId, foreign_key="account.id")
    issuer: str = Field(primary_key=True, max_length=1024)
    setting: str = Field(max_length=32)  # the setting it was asked for: "issuer" or "sign_out_issuer"
    first_asked_at: datetime = _time()
    last_asked_at: datetime = _time()
    times: int = 1


class IdpCertificateRecord(SQLModel, table=True):
    """A certificate that one version of the settings trusts."""

    __tablename__ = "idp_certificate"
    __table_args__ = (UniqueConstraint("settings_id", "sha256"),)

    id: int | None = _id()
    settings_id: int = _reference("sso_settings.id")
    position: int = 0
    sha256: str = Field(max_length=64)
    der: bytes = Field(sa_type=LargeBinary)
    retired: bool = False  # no longer trusted; kept to explain what it still signs


class CertificateUse(SQLModel, table=True):
    """When an account's certificate verified a sign-in first and last, to the minute."""

    __tablename__ = "certificate_use"

    account_id: int = Field(primary_key=True, sa_type=BigId, foreign_key="account.id")
    sha256: str = Field(primary_key=True, max_length=64)
    first_used_at: datetime = _time()
    last_used_at: datetime = _time()


class IdpMetadata(SQLModel, table=True):
    """Where an account's identity provider publishes its metadata, and what came of asking last.

    `held` is a change that waits for an administrator: another entity ID or endpoint is never taken unasked. `seen` is
    what the metadata said when it was last taken over, `failures` how often asking has failed since.
    """

    __tablename__ = "idp_metadata"

    account_id: int = Field(primary_key=True, sa_type=BigId, foreign_key="account.id")
    url: str = Field(default="", max_length=2048)
    entity_id: str = Field(default="", max_length=1024)
    pinned_certificate: bytes | None = Field(default=None, sa_type=LargeBinary)
    refreshing: bool = True
    etag: str = Field(default="", max_length=256)
    digest: str = Field(default="", max_length=64)
    fetched_at: datetime | None = _time(nullable=True)
    next_refresh_at: datetime | None = _time(nullable=True, index=True)
    valid_until: datetime | None = _time(nullable=True)
    fault: str = Field(default="", max_length=1024)
    held: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    seen: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    failures: int = 0


class ServiceKey(SQLModel, table=True):
    """A key pair with its certificate, published in the metadata.

    The service has one signing key, without an account. Every encryption key belongs to one account; those without an
    account are the former shared keys, from before each account had its own.
    """

    __tablename__ = "service_key"

    id: int | None = _id()
    account_id: int | None = _reference("account.id", index=True, nullable=True)
    purpose: str = Field(max_length=16)
    state: str = Field(max_length=16)
    certificate: bytes = Field(sa_type=LargeBinary)  # DER
    private_key: bytes = Field(sa_type=LargeBinary, repr=False)  # PKCS #8 in DER; a row may end in a log, this not
    created_at: datetime = _time()
    activated_at: datetime | None = _time(nullable=True)
    retired_at: datetime | None = _time(nullable=True)


# What "User Profiles" sorts by. Each has an index in which one page is one short range.
LISTED_BY = (
    "first_name_key",
    "last_name_key",
    "email_key",
    "username_key",
    "federation_id_key",
    "source",
    "created_at",
    "last_sign_in_key",
)


class User(SQLModel, table=True):
    """A user profile. `username_key` is the user name without regard to case, unique in the realm.

    The other keys are there for the list: the first characters of a value without regard to case, and a time of
    the last sign-in that is never empty. `search_text` has all of them in one, cut at 600 characters, so that an
    index can hold it (PostgreSQL takes 2704 bytes) and a search reads nothing else.
    """

    __tablename__ = "user_profile"
    __table_args__ = (
        UniqueConstraint("realm_id", "username_key"),
        Index("ix_user_profile_federation_id", "account_id", "federation_id"),
        Index("ix_user_profile_status", "account_id", "status", "id"),
        Index("ix_user_profile_search_text", "account_id", "status", "search_text", "id"),
        *(Index(f"ix_user_profile_{name}", "account_id", "status", name, "id") for name in LISTED_BY),
    )

    id: int | None = _id()
    realm_id: int = _reference("realm.id")
    account_id: int = _reference("account.id")
    username: str = Field(max_length=256)
    username_key: str = _derived(folded_text(1024))
    federation_id: str = Field(default="", max_length=256)
    first_name: str = Field(default="", max_length=256)
    last_name: str = Field(default="", max_length=256)
    email: str = Field(default="", max_length=256)
    source: str = Field(default=UserSource.JUST_IN_TIME, max_length=16)
    status: str = Field(default=UserStatus.ACTIVE, max_length=16)
    password_hash: str | None = Field(default=None, max_length=256)
    created_at: datetime = _time()
    last_sign_in_at: datetime | None = _time(nullable=True)
    first_name_key: str = _derived(folded_text(128))
    last_name_key: str = _derived(folded_text(128))
    email_key: str = _derived(folded_text(128))
    federation_id_key: str = _derived(folded_text(128))
    last_sign_in_key: datetime = _derived(UtcTime())
    search_text: str = _derived(folded_text(600))


class SignInAttempt(SQLModel, table=True):
    """One message at the assertion consumer service: the inputs of its verdict, not the prose.

    The report is computed again from `message` (zlib-compressed bytes as received), `settings_id` and
    `expectations` whenever somebody looks. `codes`, `user_key` and `issuer_key` are there for the log: with them one
    index holds everything that it filters by, and no message is read to find a row.
    """

    __tablename__ = "sign_in_attempt"
    __table_args__ = (
        Index("ix_sign_in_attempt_account", "account_id", "id"),
        Index("ix_sign_in_attempt_time", "account_id", "received_at", "outcome"),
        Index("ix_sign_in_attempt_quota", "account_id", "outcome", "id", "message_bytes"),
        Index(
            "ix_sign_in_attempt_log", "account_id", "received_at", "id", "outcome", "codes", "user_key", "issuer_key"
        ),
    )

    id: int | None = _id()
    reference: str = Field(max_length=16, unique=True)
    realm_id: int = _reference("realm.id")
    account_id: int | None = _reference("account.id", nullable=True)
    settings_id: int | None = _reference("sso_settings.id", nullable=True)
    received_at: datetime = _time()
    remote_address: str = Field(default="", max_length=64)
    outcome: str = Field(max_length=16)
    failed: list[str] = Field(default_factory=list, sa_type=JSON)
    warnings: list[str] = Field(default_factory=list, sa_type=JSON)
    issuer: str = Field(default="", max_length=1024)
    username: str = Field(default="", max_length=256)
    unverified_username: str = Field(default="", max_length=256)  # of a message that nothing verified
    user_id: int | None = _reference("user_profile.id", nullable=True)
    provisioned: bool = False
    codes: str = _derived(folded_text(1000))
    user_key: str = _derived(folded_text(128))
    issuer_key: str = _derived(folded_text(256))
    expectations: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    message: bytes | None = Field(default=None, sa_type=LargeBinary)
    message_bytes: int = 0  # of `message` as stored


class ConsumedAssertion(SQLModel, table=True):
    """An assertion that was used, remembered until it has expired everywhere (Profiles 4.1.4.5)."""

    __tablename__ = "consumed_assertion"

    realm_id: int = Field(primary_key=True, sa_type=BigId)
    issuer: str = Field(primary_key=True, max_length=1024)
    assertion_id: str = Field(primary_key=True, max_length=1024)
    expires_at: datetime = _time(index=True)


class HandedOutAssertion(SQLModel, table=True):
    """An assertion whose exact message was given to a token or an administrator, and which is refused from then on.

    `issuer` is empty where the assertion could not be read. `assertion_key` is the assertion's ID or, for one that
    could not be decrypted, a digest of its encrypted key.
    """

    __tablename__ = "handed_out_assertion"

    realm_id: int = Field(primary_key=True, sa_type=BigId)
    issuer: str = Field(primary_key=True, max_length=1024)
    assertion_key: str = Field(primary_key=True, max_length=1024)
    account_id: int | None = Field(default=None, sa_type=BigId, index=True)
    handed_out_at: datetime = _time()
    handed_out_to: str = Field(max_length=320)
    expires_at: datetime = _time(index=True)


class AuthnRequest(SQLModel, table=True):
    """A sign-in begun here that waits for its answer (Profiles 4.1.4.1): from which browser, to whom, until when."""

    __tablename__ = "authn_request"
    __table_args__ = (
        Index("ix_authn_request_remote_address", "remote_address", "sent_at"),
        Index("ix_authn_request_account", "account_id", "sent_at"),
    )

    id: str = Field(primary_key=True, max_length=64)
    account_id: int = _reference("account.id")
    settings_id: int = _reference("sso_settings.id")
    browser_hash: str = Field(max_length=64, index=True)  # of the token in the browser's cookie
    identity_provider: str = Field(max_length=1024)
    destination: str = Field(max_length=2048)
    acs_url: str = Field(max_length=2048)
    binding: str = Field(max_length=16)
    requested_contexts: list[str] = Field(default_factory=list, sa_type=JSON)
    comparison: str = Field(default="exact", max_length=16)
    return_path: str = Field(default="", max_length=2048)
    remote_address: str = Field(default="", max_length=64)  # or the /64 network of an IPv6 address
    bench: bool = False  # sent from the request bench: its answer is shown, not only followed
    message: bytes = Field(sa_type=LargeBinary)  # zlib-compressed XML, as sent
    sent_at: datetime = _time()
    expires_at: datetime = _time(index=True)
    used_at: datetime | None = _time(nullable=True)


class LogoutRequest(SQLModel, table=True):
    """A sign-out begun here that waits for its LogoutResponse (Profiles 4.4.4.2)."""

    __tablename__ = "logout_request"

    id: str = Field(primary_key=True, max_length=64)
    account_id: int = _reference("account.id")
    settings_id: int = _reference("sso_settings.id")
    browser_hash: str = Field(max_length=64)
    identity_provider: str = Field(max_length=1024)
    name_id: str = Field(default="", max_length=256)
    sent_at: datetime = _time()
    expires_at: datetime = _time(index=True)
    used_at: datetime | None = _time(nullable=True)


class ConsumedLogoutRequest(SQLModel, table=True):
    """A LogoutRequest from an identity provider that was carried out, remembered until it has expired."""

    __tablename__ = "consumed_logout_request"

    realm_id: int = Field(primary_key=True, sa_type=BigId)
    issuer: str = Field(primary_key=True, max_length=1024)
    request_id: str = Field(primary_key=True, max_length=1024)
    expires_at: datetime = _time(index=True)


class SignOutMessage(SQLModel, table=True):
    """One logout message that reached us, with what its verdict was made from."""

    __tablename__ = "sign_out_message"
    __table_args__ = (
        Index("ix_sign_out_message_account", "account_id", "id"),
        Index("ix_sign_out_message_quota", "account_id", "outcome", "id", "message_bytes"),
    )

    id: int | None = _id()
    reference: str = Field(max_length=16, unique=True)
    realm_id: int = _reference("realm.id")
    account_id: int | None = _reference("account.id", nullable=True)
    settings_id: int | None = _reference("sso_settings.id", nullable=True)
    received_at: datetime = _time(index=True)
    remote_address: str = Field(default="", max_length=64)
    kind: str = Field(max_length=16)  # "request" or "response"
    binding: str = Field(max_length=16)
    outcome: str = Field(max_length=16)
    failed: list[str] = Field(default_factory=list, sa_type=JSON)
    issuer: str = Field(default="", max_length=1024)
    name_id: str = Field(default="", max_length=256)
    sessions_ended: int = 0
    expectations: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    message: bytes | None = Field(default=None, sa_type=LargeBinary)
    message_bytes: int = 0  # of `message` as stored


class UserSession(SQLModel, table=True):
    """A signed-on user's browser. Only the hash of the cookie's token is kept."""

    __tablename__ = "user_session"
    __table_args__ = (Index("ix_user_session_subject", "account_id", "name_id"),)

    id: int | None = _id()
    token_hash: str = Field(max_length=64, unique=True)
    user_id: int = _reference("user_profile.id", index=True)
    account_id: int = _reference("account.id")
    method: str = Field(max_length=16)  # "saml" or "password"
    attempt_reference: str = Field(default="", max_length=16)
    issuer: str = Field(default="", max_length=1024)
    name_id: str = Field(default="", max_length=256)
    name_id_format: str = Field(default="", max_length=256)
    name_qualifier: str = Field(default="", max_length=1024)
    sp_name_qualifier: str = Field(default="", max_length=1024)
    session_index: str = Field(default="", max_length=1024)
    authn_context: str = Field(default="", max_length=1024)
    attributes: dict[str, list[str]] = Field(default_factory=dict, sa_type=JSON)
    created_at: datetime = _time()
    last_seen_at: datetime = _time()
    expires_at: datetime = _time(index=True)


class AdministratorSession(SQLModel, table=True):
    """A signed-in administrator's browser. Only the hash of the cookie's token is kept."""

    __tablename__ = "administrator_session"

    id: int | None = _id()
    token_hash: str = Field(max_length=64, unique=True)
    administrator_id: int = _reference("administrator.id", index=True)
    created_at: datetime = _time()
    last_seen_at: datetime = _time()
    expires_at: datetime = _time(index=True)


class PasswordThrottle(SQLModel, table=True):
    """Wrong passwords sent from one address in the current window."""

    __tablename__ = "password_throttle"

    address: str = Field(primary_key=True, max_length=64)
    window_started_at: datetime = _time()
    failures: int = 0


class WorkspaceCreation(SQLModel, table=True):
    """That a sender created a workspace, for the limit within a minute. It outlives the workspace."""

    __tablename__ = "workspace_creation"

    id: int | None = _id()
    sender: str = Field(max_length=64)
    created_at: datetime = _time()


class Lease(SQLModel, table=True):
    """What one process at a time may do: which one, and until when."""

    __tablename__ = "lease"

    name: str = Field(primary_key=True, max_length=64)
    holder: str = Field(max_length=64)
    until: datetime = _time()


class MaintenanceClock(SQLModel, table=True):
    """One row: the time by which maintenance removes rows (`sp.flows.trusted_time`)."""

    __tablename__ = "maintenance_clock"

    id: int = Field(primary_key=True, sa_type=Integer, sa_column_kwargs={"autoincrement": False})
    reached_at: datetime = _time()
    unconfirmed_seconds: int = 0  # how long the wall clock has been ahead of it, while the service ran
