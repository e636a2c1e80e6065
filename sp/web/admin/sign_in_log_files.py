"""The sign-in log as a file: JSON Lines for programs, CSV for spreadsheets.

Owns the fields of a line. Never holds the whole list in memory, and never writes a message into it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from sp.models import SignInAttempt
from sp.web.spreadsheet import csv_file, time_cell

_LABELS = (
    "Reference",
    "Received",
    "Outcome",
    "Failed",
    "Warnings",
    "User name",
    "User name, not verified",
    "New user",
    "Issuer",
    "From",
)


def json_lines(attempts: Iterable[SignInAttempt]) -> Iterator[bytes]:
    """One object a line; non-ASCII characters are escaped, so that no line breaks in two."""
    for attempt in attempts:
        yield json.dumps(_object(attempt)).encode() + b"\n"


def csv_of(attempts: Iterable[SignInAttempt]) -> Iterator[bytes]:
    return csv_file(_LABELS, (_cells(attempt) for attempt in attempts))


def _object(attempt: SignInAttempt) -> dict[str, object]:
    return {
        "reference": attempt.reference,
        "received_at": attempt.received_at.isoformat(),
        "outcome": attempt.outcome,
        "failed": attempt.failed,
        "warnings": attempt.warnings,
        "username": attempt.username,
        "unverified_username": attempt.unverified_username,
        "provisioned": attempt.provisioned,
        "issuer": attempt.issuer,
        "remote_address": attempt.remote_address,
    }


def _cells(attempt: SignInAttempt) -> tuple[str, ...]:
    return (
        attempt.reference,
        time_cell(attempt.received_at),
        attempt.outcome.capitalize(),
        " ".join(attempt.failed),
        " ".join(attempt.warnings),
        attempt.username,
        attempt.unverified_username,
        "Yes" if attempt.provisioned else "No",
        attempt.issuer,
        attempt.remote_address,
    )
