"""Two judged messages side by side: what differs in meaning.

Owns which facts count as different. Never says which side is right, and never reads a message (see
`sp.diagnosis.meaning`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sp.diagnosis.meaning import (
    ASSERTION,
    ATTRIBUTES,
    OURS,
    RESPONSE,
    SIGNATURE,
    TIMES,
    Fact,
    Judged,
    Source,
    facts_of,
    timeless,
)
from sp.diagnosis.sides import in_words, sides
from sp.saml import names
from sp.saml.checks import CHECKS
from sp.saml.report import Outcome, Row
from sp.saml.values import Count, Instant, Several, Unit, Value

_VERDICT, _CHECKS = "Verdict", "Checks"
_TELLING = 4  # characters: a shorter ID stands in many a word


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a line; no values: it is not there. `unverified`: no trusted signature covers what was read."""

    values: tuple[str, ...] = ()
    unverified: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One fact of both messages. `key` is its name for programs, such as `name_id.format` or `check:audience`."""

    key: str
    group: str
    label: str
    a: Side
    b: Side
    differs: bool


def compare(a: Judged, b: Judged) -> tuple[Line, ...]:
    """Every line, those that differ and those that do not, in the order of reading."""
    return (*_verdict(a, b), *_checks(a, b), *_kind(a, b), *_facts(a, b))


# The verdict and its rows.


def _verdict(a: Judged, b: Judged) -> Iterator[Line]:
    told = [(_outcome(judged),) for judged in (a, b)]
    yield _line("verdict", _VERDICT, "Outcome", told[0], told[1])
    cut = [_not_reached(judged) for judged in (a, b)]
    yield _line("not_reached", _VERDICT, "Checks that were not reached", cut[0], cut[1])


def _outcome(judged: Judged) -> str:
    return "accepted" if judged.report.accepts else "refused"


def _not_reached(judged: Judged) -> tuple[str, ...]:
    count = sum(row.outcome is Outcome.NOT_REACHED for row in judged.report.rows)
    return (str(count),) if count else ("none",)


def _checks(a: Judged, b: Judged) -> Iterator[Line]:
    for check in CHECKS:
        rows = a.report.row(check.code), b.report.row(check.code)
        ours = Side(_told(rows[0])), Side(_told(rows[1]))
        differs = _rows_differ(*rows, _ids(a), _ids(b))
        yield Line(f"check:{check.code}", _CHECKS, check.title, *ours, differs)


def _told(row: Row) -> tuple[str, ...]:
    """What a row said. Of one that passed the facts tell more."""
    word = row.outcome.value.replace("_", " ")
    expected, received = sides(row)
    if row.code in _TOLD_BY_NO_FACT and received:
        return (word, received)
    if row.outcome not in {Outcome.FAILED, Outcome.WARNING}:
        return (word,)
    return (word, *(f"{name} {text}" for name, text in (("expected", expected), ("received", received)) if text))


def _rows_differ(a: Row, b: Row, ids_a: frozenset[str], ids_b: frozenset[str]) -> bool:
    """A row that was not reached says nothing by itself: the row before it does, and one line counts them."""
    if Outcome.NOT_REACHED in {a.outcome, b.outcome}:
        return False
    if a.outcome in _FINE and b.outcome in _FINE:
        return a.code in _TOLD_BY_NO_FACT and a.received != b.received
    return (a.outcome, a.problem) != (b.outcome, b.problem) or _meaning(a, ids_a) != _meaning(b, ids_b)


_FINE = (Outcome.PASSED, Outcome.SKIPPED)
_TOLD_BY_NO_FACT = ("user_link",)  # a new user or one that was there


def _meaning(row: Row, ids: frozenset[str]) -> list[list[str]]:
    """Both values of a row without times and IDs. Several attributes mean the same in any order."""
    values = [(value.value if isinstance(value, Several) else (value,)) for value in (row.expected, row.received)]
    return [sorted(_timeless(value, ids) for value in side if value is not None) for side in values]


def _timeless(value: Value, ids: frozenset[str]) -> str:
    """What a value means by itself: how many days a certificate has left differs by the day."""
    if isinstance(value, Instant) or (isinstance(value, Count) and value.unit is Unit.DAYS):
        return ""
    return timeless(in_words(value), ids)


def _ids(judged: Judged) -> frozenset[str]:
    """The IDs of a message and of the requests that it may answer."""
    pending = {request.id for request in judged.expectations.pending}
    if judged.root is None:
        return frozenset(pending)
    elements = judged.root.iter(names.RESPONSE, names.ASSERTION, names.SUBJECT_CONFIRMATION_DATA)
    found = {element.get(name, "") for element in elements for name in ("ID", "InResponseTo")}
    return frozenset(identifier for identifier in pending | found if len(identifier) >= _TELLING)


# The facts.


def _kind(a: Judged, b: Judged) -> Iterator[Line]:
    kinds = [(_kind_of(judged),) for judged in (a, b)]
    yield _line("message", RESPONSE, "What was posted", kinds[0], kinds[1])


def _kind_of(judged: Judged) -> str:
    if judged.root is None:
        return "nothing that can be read as XML"
    return "a SAML 2.0 Response" if judged.response is not None else f"XML of another kind: {judged.root.tag}"


def _facts(a: Judged, b: Judged) -> Iterator[Line]:
    """One line for each key. What stands in a part that one message lacks is not listed as different as well."""
    left, right = ({fact.key: fact for fact in facts_of(judged)} for judged in (a, b))
    comparable = _comparable(a, b)
    for key in _in_order(left, right):
        fact = left.get(key) or right[key]
        one, other = left.get(key, _absent(fact)), right.get(key, _absent(fact))
        differs = not one.same_meaning(other) and fact.group in comparable
        yield Line(key, fact.group, fact.label, _side(one), _side(other), differs)


def _comparable(a: Judged, b: Judged) -> frozenset[str]:
    groups = {OURS}
    if a.response is not None and b.response is not None:
        groups |= {RESPONSE, SIGNATURE}
    if a.assertion is not None and b.assertion is not None:
        groups |= {ASSERTION, TIMES, ATTRIBUTES}
    return frozenset(groups)


def _in_order(left: dict[str, Fact], right: dict[str, Fact]) -> list[str]:
    """The keys of both, those of one group together."""
    return sorted(dict.fromkeys((*left, *right)), key=lambda key: _GROUPS.index((left.get(key) or right[key]).group))


_GROUPS = (RESPONSE, SIGNATURE, ASSERTION, ATTRIBUTES, TIMES, OURS)


def _absent(fact: Fact) -> Fact:
    return Fact(fact.key, fact.group, fact.label, (), Source.OURS, ())


def _side(fact: Fact) -> Side:
    return Side(fact.values, bool(fact.values) and fact.source is Source.UNVERIFIED)


def _line(key: str, group: str, label: str, a: tuple[str, ...], b: tuple[str, ...]) -> Line:
    return Line(key, group, label, Side(a), Side(b), a != b)
