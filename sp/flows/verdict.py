"""A verdict for programs: the JSON that the assertion consumer service and `inspect` answer.

Owns its keys. Never decides who may see it: the caller does.
"""

from __future__ import annotations

from typing import Any

from sp.diagnosis.explanations import message, remedy
from sp.diagnosis.remedies import GENERAL
from sp.diagnosis.rows import row_json
from sp.saml.report import Report


def verdict(
    report: Report, *, reference: str, username: str, provisioned: bool = False, provider: str = GENERAL
) -> dict[str, Any]:
    """`failed` and `warnings` are codes in report order; `report` has every row of the table.

    `provider` is the identity provider in whose words the remedy is (`sp.diagnosis.remedies`).
    """
    return {
        "outcome": "accepted" if report.accepts else "refused",
        "reference": reference,
        "username": username,
        "provisioned": provisioned,
        "failed": list(report.failed),
        "warnings": list(report.warnings),
        "report": [row_json(row) for row in report.rows],
        "message": message(report),
        "remedy": remedy(report, provider),
    }
