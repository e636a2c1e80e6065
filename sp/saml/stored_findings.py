"""Findings as JSON, for messages of which only the report is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sp.saml.problems import Problem, RecordedProblem, of_name
from sp.saml.report import Finding, Outcome, Report, Row
from sp.saml.values import Text, from_json, to_json

Problems = Mapping[str, tuple[Problem, ...]]


def stored_rows(report: Report) -> list[dict[str, Any]]:
    """The rows that were reached."""
    return [_stored(row) for row in report.rows if row.outcome is not Outcome.NOT_REACHED]


def _stored(row: Row) -> dict[str, Any]:
    return {
        "code": row.code,
        "outcome": row.outcome.value,
        "problem": None if row.problem is None else row.problem.value,
        "expected_value": to_json(row.expected),
        "received_value": to_json(row.received),
        "place": row.place,
    }


def findings_in(rows: Sequence[Mapping[str, Any]], problems: Problems) -> dict[str, Finding]:
    """The findings of stored rows by code, those of an earlier version too. `problems` are those of each check."""
    return {row["code"]: _finding(row, problems[row["code"]]) for row in rows}


def _finding(row: Mapping[str, Any], problems: tuple[Problem, ...]) -> Finding:
    outcome = Outcome(row["outcome"])
    if "problem" not in row:
        return _in_words(outcome, row)
    problem = None if row["problem"] is None else of_name(problems, row["problem"])
    return Finding(outcome, problem, from_json(row["expected_value"]), from_json(row["received_value"]), row["place"])


def _in_words(outcome: Outcome, row: Mapping[str, Any]) -> Finding:
    """A row of a version that stored both sides as text."""
    if outcome not in {Outcome.FAILED, Outcome.WARNING}:
        return Finding(outcome)
    return Finding(outcome, RecordedProblem.IN_WORDS, Text(row["expected"]), Text(row["received"]))
