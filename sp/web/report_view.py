"""A report for the eye: rows by stage, with their words, and the difference between both sides marked.

Owns that shape (see `templates/components/report.html`). Never decides what a row says: the core did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Never

from sp.diagnosis import catalogue, logout_catalogue
from sp.diagnosis.remedies import GENERAL, remedy_for
from sp.diagnosis.sides import sides
from sp.saml.checks import BY_CODE, CHECKS, STAGES, logout
from sp.saml.checks.logout import LogoutCheck
from sp.saml.logout_messages import Kind
from sp.saml.report import Outcome, Report, Row

# Below this likeness two values share letters by chance only, and marking them would confuse.
_ALIKE = 0.5

_WORST_FIRST = (Outcome.FAILED, Outcome.WARNING, Outcome.PASSED, Outcome.SKIPPED, Outcome.NOT_REACHED)

Segments = tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class ReportRow:
    code: str
    title: str
    outcome: str
    clause: str
    why: str
    remedy: str  # "" where there is nothing to mend
    expected: str | Segments
    received: str | Segments


@dataclass(frozen=True, slots=True)
class ReportStage:
    number: int
    title: str
    rows: tuple[ReportRow, ...]

    @property
    def counts(self) -> tuple[tuple[str, int], ...]:
        """How many rows ended how, the worst first."""
        return outcome_counts(self.rows)


def outcome_counts(rows: Iterable[ReportRow]) -> tuple[tuple[str, int], ...]:
    """How many rows ended how, the worst first."""
    found = Counter(row.outcome for row in rows)
    return tuple((outcome.value, found[outcome]) for outcome in _WORST_FIRST if outcome in found)


def report_stages(report: Report, provider: str = GENERAL) -> tuple[ReportStage, ...]:
    """The rows of a report, grouped by stage in the table's order, with remedies in the words of `provider`."""
    rows = {row.code: row for row in report.rows}
    return tuple(
        ReportStage(stage, STAGES[stage], tuple(_row(rows[check.code], provider) for check in checks))
        for stage, checks in groupby(CHECKS, key=lambda check: check.stage)
    )


def logout_stages(report: Report, kind: Kind) -> tuple[ReportStage, ...]:
    """The same for a report on a logout message of this kind."""
    rows = {row.code: row for row in report.rows}
    return tuple(
        ReportStage(
            stage,
            logout.STAGES[stage],
            tuple(_logout_row(rows[check.code], check) for check in checks),
        )
        for stage, checks in groupby(logout.of_kind(kind), key=lambda check: check.stage)
    )


def difference(expected: str, received: str) -> tuple[Segments, Segments] | None:
    """Both values cut where they differ, each piece with whether the other side has it too; None when too unlike."""
    matcher = SequenceMatcher(None, expected, received, autojunk=False)
    if not expected or not received or matcher.ratio() < _ALIKE:
        return None
    left: list[tuple[str, bool]] = []
    right: list[tuple[str, bool]] = []
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        same = kind == "equal"
        left += [(expected[i1:i2], same)] if i2 > i1 else []
        right += [(received[j1:j2], same)] if j2 > j1 else []
    return tuple(left), tuple(right)


_TO_MEND = (Outcome.FAILED, Outcome.WARNING)


def _row(row: Row, provider: str) -> ReportRow:
    remedy = remedy_for(row, provider) if row.outcome in _TO_MEND else ""
    check = BY_CODE[row.code]
    return _shown(row, check.title, check.clause, catalogue.TEXTS[row.code][0], remedy)


def _logout_row(row: Row, check: LogoutCheck[Never]) -> ReportRow:
    why, remedy = logout_catalogue.TEXTS[row.code]
    return _shown(row, check.title, check.clause, why, remedy if row.outcome in _TO_MEND else "")


def _shown(row: Row, title: str, clause: str, why: str, remedy: str) -> ReportRow:
    text = sides(row)
    cut = difference(*text) if row.outcome is Outcome.FAILED else None
    return ReportRow(row.code, title, row.outcome.value, clause, why, remedy, *(cut or text))
