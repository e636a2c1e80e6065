"""Two attempts side by side: what differs in meaning.

Owns what the address answers. Never shows an attempt that the administrator may not see, on either side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from sp.diagnosis import comparison
from sp.diagnosis.comparison import Line, Side
from sp.diagnosis.explanations import message
from sp.flows.evidence import Evidence, evidence_of
from sp.store.sign_in_attempts import as_reference
from sp.web.admin.attempt_scope import Scopes, ScopesDep, attempt_seen
from sp.web.admin.managed import ManagedAccountDep
from sp.web.admin.sign_in_log_address import address_of
from sp.web.errors import not_found
from sp.web.rendering import render
from sp.web.report_view import Segments, difference
from sp.web.state import ServiceDep
from sp.web.times import shown_time

router = APIRouter(prefix="/account-manager/{slug}/accounts/single-sign-on/sign-in-log/compare")
_MARKED_UP_TO = 300  # characters: finding the difference of longer values would take long
_LONGEST_REFERENCE = 64

Reference = Annotated[str, Query(max_length=_LONGEST_REFERENCE)]


@dataclass(frozen=True, slots=True)
class SideView:
    """A side's values, each a text, or segments where a single value is marked."""

    values: tuple[str | Segments, ...]
    unverified: bool


@dataclass(frozen=True, slots=True)
class LineView:
    key: str
    label: str
    a: SideView
    b: SideView
    differs: bool


@router.get("")
def compare_attempts(
    request: Request,
    account: ManagedAccountDep,
    scopes: ScopesDep,
    service: ServiceDep,
    a: Reference = "",
    b: Reference = "",
    typed: Reference = "",
    all_lines: Annotated[str, Query(alias="all", max_length=1)] = "",
) -> Response:
    """`typed` is a reference that somebody typed instead of choosing `b`; `all` shows what is the same too."""
    address = f"{address_of(account)}/compare"
    if not (a or b or typed):  # somebody shortened the address
        return RedirectResponse(address_of(account), status_code=303)
    if typed.strip():
        chosen = as_reference(typed)
        if chosen is None:
            raise not_found("There is no such sign-in attempt")
        return RedirectResponse(f"{address}?a={as_reference(a) or ''}&b={chosen}", status_code=303)
    with service.database.reading() as session:
        one, other = _evidence(session, scopes, a), _evidence(session, scopes, b)
    lines = comparison.compare(one.judged, other.judged)
    shown = [line for line in lines if line.differs or all_lines]
    now = service.now()
    return render(
        request,
        "admin/sign_in_log/compare.html",
        account=account,
        active_tab="accounts",
        active_menu="sign-in-log",
        log_address=address_of(account),
        address=address,
        sides=[_head(one, now), _head(other, now)],
        groups=[(name, [_view(line) for line in found]) for name, found in groupby(shown, key=lambda line: line.group)],
        differences=sum(line.differs for line in lines),
        total=len(lines),
        all_lines=bool(all_lines),
    )


def _evidence(session: Session, scopes: Scopes, reference: str) -> Evidence:
    return evidence_of(session, attempt_seen(session, scopes, reference))


def _head(evidence: Evidence, now: datetime) -> dict[str, Any]:
    report = evidence.judgement.report
    return {
        "reference": evidence.attempt.reference,
        "outcome": "accepted" if report.accepts else "refused",
        "received": shown_time(evidence.attempt.received_at, now),
        "message": message(report),
        "user": evidence.attempt.username or evidence.attempt.unverified_username,
        "verified": bool(evidence.attempt.username),
    }


def _view(line: Line) -> LineView:
    cut = _cut(line) if line.differs else None
    a, b = ((segments,) for segments in cut) if cut else (line.a.values, line.b.values)
    return LineView(line.key, line.label, SideView(a, line.a.unverified), SideView(b, line.b.unverified), line.differs)


def _cut(line: Line) -> tuple[Segments, Segments] | None:
    """Both values cut where they differ, where each side has one that is not too long."""
    values = [*_single(line.a), *_single(line.b)]
    return difference(values[0], values[1]) if len(values) == 2 else None


def _single(side: Side) -> Iterator[str]:
    if len(side.values) == 1 and len(side.values[0]) <= _MARKED_UP_TO:
        yield side.values[0]
