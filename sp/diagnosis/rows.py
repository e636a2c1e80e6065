"""Rows of a report as JSON, for the API, the verdict, exports and shared files."""

from __future__ import annotations

from typing import Any

from sp.diagnosis.sides import sides
from sp.saml.report import Row
from sp.saml.values import to_json


def row_json(row: Row) -> dict[str, Any]:
    """A row with its code."""
    return {"code": row.code, **finding_json(row)}


def finding_json(row: Row) -> dict[str, Any]:
    """What a row found: as text for people, as a problem and typed values for programs."""
    expected, received = sides(row)
    return {
        "outcome": row.outcome.value,
        "expected": expected,
        "received": received,
        "problem": None if row.problem is None else row.problem.value,
        "expected_value": to_json(row.expected),
        "received_value": to_json(row.received),
    }
