"""What a check of the preflight found: both sides as text for people. No program reads them."""

from __future__ import annotations

from typing import NamedTuple

from sp.saml.report import Outcome, shown


class Finding(NamedTuple):
    """What one check found: what would have passed, and what there is."""

    outcome: Outcome
    expected: str = ""
    received: str = ""


class Row(NamedTuple):
    """One line of the preflight: the code of a check and what it found."""

    code: str
    outcome: Outcome
    expected: str = ""
    received: str = ""


def quoted(value: str) -> str:
    """`value` for a sentence, in quotation marks where white space at its ends would otherwise not be seen."""
    if value and value == value.strip():
        return shown(value)
    return f'"{shown(value)}"'


def passed(received: str = "", expected: str = "") -> Finding:
    return Finding(Outcome.PASSED, shown(expected), shown(received))


def failed(*, expected: str, received: str) -> Finding:
    return Finding(Outcome.FAILED, shown(expected), shown(received))


def warning(*, expected: str, received: str) -> Finding:
    return Finding(Outcome.WARNING, shown(expected), shown(received))


def skipped(received: str = "") -> Finding:
    return Finding(Outcome.SKIPPED, "", shown(received))
