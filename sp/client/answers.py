"""What the API answers, as values.

Owns reading JSON into them; a key that a newer service adds is passed over. Never sends anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import datetime
from typing import Any, TypeVar

Document = Mapping[str, Any]
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Account:
    """The account that the token belongs to, and its addresses."""

    slug: str
    name: str
    company: str
    active: bool
    entity_id: str
    acs_url: str
    metadata_url: str
    settings_version: int


@dataclass(frozen=True)
class ServiceMetadata:
    """What an identity provider has to know about the service."""

    entity_id: str
    acs_url: str
    metadata_url: str
    xml: str


@dataclass(frozen=True)
class SingleSignOn:
    """The settings of an account. `etag` is for `if_match`, so that nobody's work is overwritten."""

    etag: str
    settings: Document

    def __getitem__(self, name: str) -> Any:
        return self.settings[name]


@dataclass(frozen=True)
class Change:
    """One field that a version changed."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class SettingsVersion:
    """Who saved which version of the settings, and when."""

    version: int
    saved_at: datetime
    saved_by: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class MetadataImport:
    """What taking metadata over changed, or would change. With `errors` nothing was saved."""

    saved: bool
    settings_version: int
    entity_id: str
    display_name: str
    notes: tuple[str, ...]
    changes: tuple[Change, ...]
    errors: tuple[str, ...]


@dataclass(frozen=True)
class Certificate:
    """A certificate of the identity provider. `state` is active, upcoming or retired."""

    sha256: str
    state: str
    subject: str
    key: str
    not_before: datetime
    not_after: datetime
    days_left: int
    advice: str
    removable: bool
    first_used_at: datetime | None
    last_used_at: datetime | None
    pem: str


@dataclass(frozen=True)
class User:
    """A user of the account."""

    id: int
    username: str
    first_name: str
    last_name: str
    email: str
    federation_id: str
    source: str
    status: str
    created_at: datetime
    last_sign_in_at: datetime | None


@dataclass(frozen=True)
class Session:
    """A user who is signed in. `sign_in` is the reference of how, empty for a password."""

    id: int
    username: str
    user_id: int
    method: str
    sign_in: str
    issuer: str
    name_id: str
    session_index: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class SignInEntry:
    """A sign-in as the list has it."""

    reference: str
    received_at: datetime
    outcome: str
    failed: tuple[str, ...]
    warnings: tuple[str, ...]
    issuer: str
    username: str
    unverified_username: str
    provisioned: bool
    remote_address: str


@dataclass(frozen=True)
class Row:
    """One check: its code, passed, failed, warning or skipped, and both sides."""

    code: str
    outcome: str
    expected: str
    received: str
    problem: str | None = None
    expected_value: Mapping[str, Any] | None = None
    received_value: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Verdict:
    """How a message was judged, with a row for every check in the order of the table."""

    outcome: str
    reference: str
    username: str
    provisioned: bool
    failed: tuple[str, ...]
    warnings: tuple[str, ...]
    report: tuple[Row, ...]
    message: str
    remedy: str

    @property
    def accepted(self) -> bool:
        return self.outcome == "accepted"

    def row(self, code: str) -> Row:
        """What one check found. Raises KeyError."""
        for row in self.report:
            if row.code == code:
                return row
        raise KeyError(code)


@dataclass(frozen=True)
class NameId:
    """The NameID, verbatim (Core 2.2.3)."""

    value: str
    format: str | None
    name_qualifier: str | None
    sp_name_qualifier: str | None


@dataclass(frozen=True)
class Identity:
    """What the assertion says, all of it covered by a trusted signature."""

    name_id: NameId
    first_name: str
    last_name: str
    email: str
    attributes: Mapping[str, tuple[str, ...]]
    session_index: str | None
    session_not_on_or_after: datetime | None
    authn_instant: datetime | None
    authn_context: str | None


@dataclass(frozen=True)
class SignIn(Verdict):
    """A verdict with all that is known about the sign-in. `identity` is None unless a trusted certificate signed it."""

    received_at: datetime
    remote_address: str
    issuer: str
    unverified_username: str
    settings_version: int | None
    provider: str
    entity_id: str
    acs_url: str
    certificate: str | None
    identity: Identity | None


@dataclass(frozen=True)
class Told:
    """What a row said on one side of a comparison."""

    outcome: str
    expected: str
    received: str
    problem: str | None = None
    expected_value: Mapping[str, Any] | None = None
    received_value: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Difference:
    """A check that says something else now."""

    code: str
    then: Told
    now: Told


@dataclass(frozen=True)
class JudgedAgain:
    """The verdict of then beside the one of now."""

    then: Verdict
    now: Verdict
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Side:
    """One side of a line; no values: it is not there."""

    values: tuple[str, ...]
    unverified: bool


@dataclass(frozen=True)
class Line:
    """One fact of two messages."""

    key: str
    group: str
    label: str
    a: Side
    b: Side
    differs: bool


@dataclass(frozen=True)
class Comparison:
    """What differs in meaning between two sign-ins."""

    items: tuple[Line, ...]


@dataclass(frozen=True)
class Discrepancy:
    """One thing that was asked of a sign-in and is not so.

    `problems` are those behind another outcome, such as "audience.different".
    """

    field: str
    expected: str
    received: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Expectation:
    """How an expectation stands: waiting, met, not_met or expired. `sign_in` is the reference of what answers it."""

    reference: str
    status: str
    declared_at: datetime
    expires_at: datetime
    sign_in: str | None
    differences: tuple[Discrepancy, ...]


def read(kind: type[Answer], document: Document) -> Answer:
    """A value of one of the classes above, by its annotations. Raises KeyError where the answer lacks a field."""
    return kind(
        **{
            field.name: _READERS.get(str(field.type), _as_it_is)(document[field.name])
            for field in fields(kind)  # type: ignore[arg-type]  # each of them is a dataclass
            if field.name in document or field.default is MISSING  # a service of an earlier version lacks some
        }
    )


def read_session(document: Document) -> Session:
    """A session; the API nests its user."""
    user = document["user"]
    return read(Session, {**document, "user_id": user["id"], "username": user["username"]})


def _as_it_is(value: Any) -> Any:
    return value


def _one(kind: type[Any]) -> Callable[[Document], Any]:
    return lambda document: read(kind, document)


def _many(kind: type[Any]) -> Callable[[list[Document]], tuple[Any, ...]]:
    return lambda documents: tuple(read(kind, document) for document in documents)


def _or_none(reader: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else reader(value)


def _attributes(document: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(values) for name, values in document.items()}


# How a field is read, by its annotation; anything else stays as JSON has it.
_READERS: dict[str, Callable[[Any], Any]] = {
    "datetime": datetime.fromisoformat,
    "datetime | None": _or_none(datetime.fromisoformat),
    "tuple[str, ...]": tuple,
    "tuple[Change, ...]": _many(Change),
    "tuple[Row, ...]": _many(Row),
    "tuple[Difference, ...]": _many(Difference),
    "tuple[Discrepancy, ...]": _many(Discrepancy),
    "tuple[Line, ...]": _many(Line),
    "Mapping[str, tuple[str, ...]]": _attributes,
    "NameId": _one(NameId),
    "Identity | None": _or_none(_one(Identity)),
    "Side": _one(Side),
    "Told": _one(Told),
    "Verdict": _one(Verdict),
}
