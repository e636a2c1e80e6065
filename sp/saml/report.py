"""The verdict as a value: outcomes, findings, rows and the report they add up to. No sentences (`sp.diagnosis`)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from sp.saml.problems import Problem
from sp.saml.values import Value, bounded


class Outcome(StrEnum):
    """How one check ended."""

    PASSED = "passed"
    FAILED = "failed"
    WARNING = "warning"  # accepted, but worth knowing
    SKIPPED = "skipped"  # nothing to say about this message
    NOT_REACHED = "not_reached"  # an earlier failure left nothing trustworthy to look at


class Finding(NamedTuple):
    """What one check found. Only a failure or a warning has a problem, values and a place.

    `place` says where, for problems of which the check alone does not: an element's name, or "line:12" of the text.
    """

    outcome: Outcome
    problem: Problem | None = None
    expected: Value | None = None
    received: Value | None = None
    place: str = ""


SHOWN_CHARACTERS = 300


def shown(text: str) -> str:
    """`text` fit for one line of a report: at most about 300 characters, the middle cut out, nothing invisible.

    What cannot be seen (control, zero-width and bidirectional characters) is written as an escape.
    """
    if not text:
        return text
    if len(text) > SHOWN_CHARACTERS:
        half = SHOWN_CHARACTERS // 2
        text = f"{text[:half]} … {text[-half:]} ({len(text)} characters)"
    if text.isprintable():
        return text
    return "".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in text)


class Fault(NamedTuple):
    """What a rule found wrong: what `failed` and `warning` take."""

    problem: Problem
    expected: Value | None = None
    received: Value | None = None
    place: str = ""


# Some fifty rows of a message pass: they are one object.
PASSED = Finding(Outcome.PASSED)
SKIPPED = Finding(Outcome.SKIPPED)
NOT_REACHED = Finding(Outcome.NOT_REACHED)


def failed(problem: Problem, expected: Value | None = None, received: Value | None = None, place: str = "") -> Finding:
    """A failure with that problem."""
    return Finding(Outcome.FAILED, problem, _kept(expected), _kept(received), place)


def warning(problem: Problem, expected: Value | None = None, received: Value | None = None, place: str = "") -> Finding:
    """A warning with that problem."""
    return Finding(Outcome.WARNING, problem, _kept(expected), _kept(received), place)


def _kept(value: Value | None) -> Value | None:
    return None if value is None else bounded(value)


def passed_unless(fault: Fault | None) -> Finding:
    """PASSED where there is no fault, else the failure."""
    return PASSED if fault is None else failed(*fault)


class Row(NamedTuple):
    """One line of a report: the code of a check (see `sp.saml.checks.CHECKS`) and what it found.

    A tuple, like a finding: each message has some fifty of both.
    """

    code: str
    outcome: Outcome
    problem: Problem | None = None
    expected: Value | None = None
    received: Value | None = None
    place: str = ""


@dataclass(frozen=True)
class Report:
    """Every check in the order of the table, each exactly once."""

    rows: tuple[Row, ...]

    @cached_property
    def failed(self) -> tuple[str, ...]:
        """The codes of the failed rows, in report order."""
        return self._codes(Outcome.FAILED)

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        return self._codes(Outcome.WARNING)

    @cached_property
    def accepts(self) -> bool:
        """Nothing checked means nothing granted: an empty report, a failed row or one not reached refuses."""
        refusing = (Outcome.FAILED, Outcome.NOT_REACHED)
        return bool(self.rows) and not any(row.outcome in refusing for row in self.rows)

    def row(self, code: str) -> Row:
        """The row of that code. Raises KeyError when the report has none."""
        for row in self.rows:
            if row.code == code:
                return row
        raise KeyError(code)

    def _codes(self, outcome: Outcome) -> tuple[str, ...]:
        return tuple(row.code for row in self.rows if row.outcome is outcome)
