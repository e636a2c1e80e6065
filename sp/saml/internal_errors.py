"""The finding that stands for an exception while a message was evaluated: it refuses, at the row that was not reached.

Never names the exception's text, which may quote the message: that is for the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sp.saml.problems import InternalProblem
from sp.saml.report import NOT_REACHED, Finding, Report, Row, failed
from sp.saml.values import Name


def with_internal_error(findings: Mapping[str, Finding], codes: Sequence[str], error: Exception) -> dict[str, Finding]:
    """`findings` with the first of `codes` that has none yet failed, else the last: that row was being evaluated."""
    code = next((code for code in codes if code not in findings), codes[-1])
    return {**findings, code: internal_error(type(error).__name__)}


def internal_error(kind: str) -> Finding:
    return failed(InternalProblem.EXCEPTION, received=Name(kind))


def stopped_at(report: Report, code: str, kind: str) -> Report:
    """The report of a message whose evaluation raised an exception of that kind at that row."""
    at = [row.code for row in report.rows].index(code)
    before, stopped, after = report.rows[:at], report.rows[at], report.rows[at + 1 :]
    rows = (Row(stopped.code, *internal_error(kind)), *(Row(row.code, *NOT_REACHED) for row in after))
    return Report((*before, *rows))
