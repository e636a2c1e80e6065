"""The preflight beside the SAML form: its rows with their words, and the answer while somebody is typing.

Owns that shape. Never judges (see `sp.diagnosis.preflight`), never saves, and never keeps anybody from saving.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter, Depends, Request, Response

from sp.diagnosis.preflight import BY_CODE
from sp.diagnosis.preflight.finding import Row
from sp.flows import account_setup
from sp.flows.preflight import Typed, preflight_of
from sp.saml.report import Outcome
from sp.store import accounts
from sp.web import csrf
from sp.web.admin.managed import ManagedAccountDep
from sp.web.admin.saml_form import Submission, SubmissionDep, submitted_draft
from sp.web.rendering import render
from sp.web.report_view import Segments, difference
from sp.web.state import ServiceDep

router = APIRouter(prefix="/account-manager/{slug}/accounts/single-sign-on")

_FAR = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PreflightRow:
    code: str
    title: str
    outcome: str
    why: str
    remedy: str
    expected: str | Segments
    received: str | Segments


@dataclass(frozen=True, slots=True)
class PreflightView:
    """`open` are the rows worth reading, the gravest first; the others need no more than their titles."""

    open: Sequence[PreflightRow]
    passed: Sequence[PreflightRow]
    skipped: Sequence[PreflightRow]

    @property
    def counts(self) -> Mapping[str, int]:
        outcomes = [row.outcome for row in (*self.open, *self.passed, *self.skipped)]
        return {outcome: outcomes.count(outcome) for outcome in ("failed", "warning", "passed", "skipped")}


def preflight_view(rows: Sequence[Row]) -> PreflightView:
    def of(*outcomes: Outcome) -> list[PreflightRow]:
        return [_row(row) for outcome in outcomes for row in rows if row.outcome is outcome]

    return PreflightView(of(Outcome.FAILED, Outcome.WARNING), of(Outcome.PASSED), of(Outcome.SKIPPED))


@router.post("/preflight", dependencies=[Depends(csrf.require_form_token)])
def preflight_of_form(
    request: Request, account: ManagedAccountDep, service: ServiceDep, sent: SubmissionDep
) -> Response:
    """A piece of page: the rows for the form as it stands in the browser. Nothing is kept."""
    with service.database.reading() as session:
        stored = accounts.account_by_id(session, account.id)
        read = submitted_draft(sent, account_setup.draft_of(session, stored))
        typed = Typed(read.faults, _browser_time(sent))
        rows = preflight_of(session, service.settings, stored, read.draft, service.now(), typed)
    return render(request, "admin/single_sign_on/preflight_rows.html", preflight=preflight_view(rows))


def _row(row: Row) -> PreflightRow:
    check = BY_CODE[row.code]
    cut = difference(row.expected, row.received) if row.outcome is Outcome.FAILED else None
    expected, received = cut or (row.expected, row.received)
    return PreflightRow(row.code, check.title, row.outcome.value, check.why, check.remedy, expected, received)


def _browser_time(sent: Submission) -> datetime | None:
    """Milliseconds since 1970, as browsers count; None for anything else."""
    text = sent.fields.get("browser_time", "")
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        return None
    seconds = int(text) / 1000
    return datetime.fromtimestamp(seconds, UTC) if seconds < _FAR.timestamp() else None
