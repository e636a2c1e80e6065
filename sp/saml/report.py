"""The verdict as a value: outcomes, findings, rows and the report they add up to.

Owns the shape of what is told about a message. Never decides anything about a message itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple


class Outcome(StrEnum):
    """How one check ended."""

    PASSED = "passed"
    FAILED = "failed"
    WARNING = "warning"  # accepted, but worth knowing
    SKIPPED = "skipped"  # nothing to say about this message
    NOT_REACHED = "not_reached"  # an earlier failure left nothing trustworthy to look at


class Finding(NamedTuple):
    """What one check found, with both sides: what would have passed, and what came."""

    outcome: Outcome
    expected: str = ""
    received: str = ""


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


def quoted(value: str) -> str:
    """`value` for a sentence, in quotation marks where white space at its ends would otherwise not be seen."""
    if value and value == value.strip():
        return shown(value)
    return f'"{shown(value)}"'


_PASSED = Finding(Outcome.PASSED)


def passed(received: str = "", expected: str = "") -> Finding:
    if not received and not expected:
        return _PASSED
    return Finding(Outcome.PASSED, shown(expected), shown(received))


def failed(*, expected: str, received: str) -> Finding:
    return Finding(Outcome.FAILED, shown(expected), shown(received))


def warning(*, expected: str, received: str) -> Finding:
    return Finding(Outcome.WARNING, shown(expected), shown(received))


def skipped(received: str = "") -> Finding:
    return Finding(Outcome.SKIPPED, "", shown(received))


NOT_REACHED = Finding(Outcome.NOT_REACHED)


class Row(NamedTuple):
    """One line of a report: the code of a check (see `sp.saml.checks.CHECKS`) and what it found.

    A tuple, like a finding: each message has some fifty of both.
    """

    code: str
    outcome: Outcome
    expected: str = ""
    received: str = ""


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
