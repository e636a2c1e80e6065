"""The values that a finding holds: what was expected and what was received, typed, and their JSON form.

A value is kept as it came, but for length. What it looks like in a sentence is `sp.diagnosis.sides`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeAlias

from sp.saml.times import written

MAX_CHARACTERS = 1024  # of one text in a finding: a message may hold a name of 200 KB, in many rows


class Unit(StrEnum):
    """What a Count counts."""

    BYTES = "bytes"
    KIB = "KiB"
    CHARACTERS = "characters"
    LEVELS = "levels of elements"
    ELEMENTS = "elements"
    ATTRIBUTES = "attributes of one element"
    NAMESPACE_DECLARATIONS = "namespace declarations"
    NAMESPACE_PREFIXES = "namespace prefixes"
    PREFIXES = "prefixes"
    FIELDS = "fields"
    PARAMETERS = "parameters"
    ASSERTIONS = "assertions"
    STATEMENTS = "AuthnStatements"
    CONDITIONS = "Conditions"
    CONFIRMATIONS = "confirmations"
    SIGNATURES = "Signatures"
    KEYS = "EncryptedKeys"
    VALUES = "values"
    SESSIONS = "sessions"
    DAYS = "days"
    POSITION = "position"


@dataclass(frozen=True, slots=True)
class Text:
    """A text as it came, or as it is stored."""

    value: str


@dataclass(frozen=True, slots=True)
class Uri:
    """What is where a URI belongs. A received one may be any text."""

    value: str


@dataclass(frozen=True, slots=True)
class Name:
    """The name of an element, attribute, method, state or account."""

    value: str


@dataclass(frozen=True, slots=True)
class Missing:
    """What is not there: the name of an element, an attribute or a field."""

    value: str


@dataclass(frozen=True, slots=True)
class Instant:
    """A point in time, aware of its time zone."""

    value: datetime


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time."""

    value: timedelta


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are of what."""

    value: int
    unit: Unit


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A certificate by its SHA-256 fingerprint, with its subject where that is known."""

    value: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """The codes of a Status, from the top down, and its StatusMessage."""

    value: tuple[str, ...]
    message: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened before to a message: its ID, when, and to whom it was given where that is the point."""

    value: str
    at: datetime
    party: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """What was recognized in the place of a Response: a kind, and the layers beyond the usual, of `recognition`.

    `found` is what the check itself found there.
    """

    value: str
    layers: tuple[str, ...] = ()
    found: Value | None = None


@dataclass(frozen=True, slots=True)
class Several:
    """Several values, in order."""

    value: tuple[Value, ...]


Value: TypeAlias = (
    Text | Uri | Name | Missing | Instant | Duration | Count | Fingerprint | Status | Event | Content | Several
)


def names_of(values: tuple[str, ...] | list[str]) -> Several:
    """Several names."""
    return Several(tuple(map(Name, values)))


def with_texts(value: Value, change: Callable[[str], str]) -> Value:
    """The value with every text in it changed that may have come in a message."""
    match value:
        case Text(text) | Uri(text) | Name(text):
            return type(value)(change(text))
        case Several(values):
            return Several(tuple(with_texts(one, change) for one in values))
        case Content(kind, layers, found):
            return Content(kind, layers, None if found is None else with_texts(found, change))
        case Fingerprint() | Status() | Event():
            return _with_two_texts(value, change)
    return value


def _with_two_texts(value: Fingerprint | Status | Event, change: Callable[[str], str]) -> Value:
    match value:
        case Fingerprint(sha256, subject):
            return Fingerprint(change(sha256), change(subject))
        case Status(codes, message):
            return Status(tuple(map(change, codes)), change(message))
        case Event(identifier, at, party):
            return Event(change(identifier), at, change(party))


def bounded(value: Value) -> Value:
    """The value as a finding keeps it: a text of more than MAX_CHARACTERS without its middle."""
    return with_texts(value, _bounded_text)


def _bounded_text(text: str) -> str:
    """`text` within bounds and without what databases and UTF-8 cannot hold (NUL, lone surrogates)."""
    if len(text) > MAX_CHARACTERS:
        half = MAX_CHARACTERS // 2
        text = f"{text[:half]} … {text[-half:]} ({len(text)} characters)"
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")


def texts_in(values: Iterable[Value | None]) -> list[str]:
    """Every text in the values that may have come in a message."""
    found: list[str] = []

    def collect(text: str) -> str:
        found.append(text)
        return text

    for value in values:
        if value is not None:
            with_texts(value, collect)
    return found


# JSON: {"type": "uri", "value": …}, the same for stored attempts, the API and exported reports.


def to_json(value: Value | None) -> dict[str, Any] | None:
    """The JSON form of a value; None for None."""
    if value is None:
        return None
    return {"type": type(value).__name__.lower(), **_WRITERS[type(value)](value)}


def from_json(data: Mapping[str, Any] | None) -> Value | None:
    """The value of a JSON form that `to_json` made. Raises KeyError or ValueError for anything else."""
    return None if data is None else _READERS[data["type"]](data)


_WRITERS: dict[type, Callable[[Any], dict[str, Any]]] = {
    **dict.fromkeys((Text, Uri, Name, Missing), lambda one: {"value": one.value}),
    Instant: lambda one: {"value": written(one.value)},
    Duration: lambda one: {"value": one.value.total_seconds()},
    Count: lambda one: {"value": one.value, "unit": one.unit.value},
    Fingerprint: lambda one: {"value": one.value, "subject": one.subject},
    Status: lambda one: {"value": list(one.value), "message": one.message},
    Event: lambda one: {"value": one.value, "at": written(one.at), "party": one.party},
    Content: lambda one: {"value": one.value, "layers": list(one.layers), "found": to_json(one.found)},
    Several: lambda one: {"value": [to_json(part) for part in one.value]},
}

_READERS: dict[str, Callable[[Mapping[str, Any]], Value]] = {
    "text": lambda data: Text(data["value"]),
    "uri": lambda data: Uri(data["value"]),
    "name": lambda data: Name(data["value"]),
    "missing": lambda data: Missing(data["value"]),
    "instant": lambda data: Instant(datetime.fromisoformat(data["value"])),
    "duration": lambda data: Duration(timedelta(seconds=data["value"])),
    "count": lambda data: Count(data["value"], Unit(data["unit"])),
    "fingerprint": lambda data: Fingerprint(data["value"], data["subject"]),
    "status": lambda data: Status(tuple(data["value"]), data["message"]),
    "event": lambda data: Event(data["value"], datetime.fromisoformat(data["at"]), data["party"]),
    "content": lambda data: Content(data["value"], tuple(data["layers"]), from_json(data["found"])),
    "several": lambda data: Several(tuple(part for one in data["value"] if (part := from_json(one)) is not None)),
}
