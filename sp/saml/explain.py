"""A report in one sentence, and what to change.

Owns the choice of the cause that is named. Never adds a fact that the report does not hold.
"""

from __future__ import annotations

from sp.saml.checks import BY_CODE
from sp.saml.report import Report, Row


def message(report: Report) -> str:
    """One sentence that names the first cause with both sides, or that the response is accepted."""
    if report.accepts:
        return "The response is accepted."
    if not report.failed:
        return "Nothing was checked to the end, so nothing is granted."
    return _sentence(report.row(report.failed[0]))


def _sentence(row: Row) -> str:
    if row.code == "user_link":
        return row.received  # the real service's words, or our own whole sentence
    if row.code == "status":
        return f"The identity provider did not sign the user in: {row.received}"
    title = BY_CODE[row.code].title
    if not row.expected:
        return f"{title}: received {row.received}."
    return f"{title}: expected {row.expected}, received {row.received}."


def remedy(report: Report) -> str:
    """What to change so that the first cause goes away; '' when nothing failed."""
    return BY_CODE[report.failed[0]].remedy if report.failed else ""
