"""A request that was sent, for the page: what, when, how, and what became of it.

Owns its words. Never looks a request up but for the attempt that answers it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from sqlmodel import Session

from sp.flows.evidence import Evidence
from sp.models import AuthnRequest
from sp.store import authn_requests
from sp.store.sign_in_attempts import decompress
from sp.web.admin.sign_in_requests import BINDINGS
from sp.web.times import ShownTime, shown_time


@dataclass(frozen=True, slots=True)
class RequestView:
    """`page` is the last part of its address; `state` the kind and the word of its badge."""

    id: str
    page: str
    sent_at: ShownTime
    binding: str
    destination: str
    bench: bool
    state: tuple[str, str]
    xml: str


def request_view(row: AuthnRequest, now: datetime) -> RequestView:
    return RequestView(
        id=row.id,
        page=f"/sent?id={quote(row.id, safe='')}",
        sent_at=shown_time(row.sent_at, now),
        binding=dict(BINDINGS).get(row.binding, row.binding),
        destination=row.destination,
        bench=row.bench,
        state=_state(row, now),
        xml=(decompress(row.message) or b"").decode("utf-8", "replace"),
    )


def _state(row: AuthnRequest, now: datetime) -> tuple[str, str]:
    if row.used_at is not None:
        return "accepted", "Answered"
    return ("note", "Waiting") if now < row.expires_at else ("skipped", "Not answered")


def answered_by(session: Session, evidence: Evidence, account_id: int, now: datetime) -> RequestView | None:
    """The request that the attempt's message answered, as far as it was known then and is kept still."""
    named = evidence.root.get("InResponseTo", "") if evidence.root is not None else ""
    known = any(request.id == named for request in evidence.inputs.expectations.pending)
    row = authn_requests.of_account(session, account_id, named) if known else None
    return None if row is None else request_view(row, now)
