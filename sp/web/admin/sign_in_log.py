"""The sign-in log: the list of attempts, live, and as a file.

Owns what each address answers. Never shows a message: an attempt's own page does (`sp.web.admin.attempt`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse
from sqlmodel import Session

from sp.flows import account_setup
from sp.flows.realms import settings_of
from sp.models import SignInAttempt
from sp.saml.checks import CHECKS, STAGES
from sp.store import accounts, attempt_listing, sessions, sign_in_attempts
from sp.store.attempt_listing import Listing
from sp.streams import EVENTS, HeldStream
from sp.web import cookies
from sp.web.admin import sign_in_log_files
from sp.web.admin.attempt_row import COLUMNS, AttemptRow, attempt_row
from sp.web.admin.attempt_scope import Scopes, ScopesDep
from sp.web.admin.managed import AccountView, ManagedAccountDep
from sp.web.admin.saml_state import saml_state
from sp.web.admin.sign_in_chart import chart_edges, chart_of
from sp.web.admin.sign_in_log_address import PERIODS, Wanted, WantedDep, address_of
from sp.web.admin.sign_in_log_live import MAX_ID, Poll, Summary, first_id, place, shared_place, stream
from sp.web.rendering import render, templates
from sp.web.state import Service, ServiceDep

router = APIRouter(prefix="/account-manager/{slug}/accounts/single-sign-on/sign-in-log")
_ON_A_PAGE = 50
_EVENTS_AT_ONCE = 50


@router.get("")
def sign_in_log(
    request: Request, account: ManagedAccountDep, scopes: ScopesDep, service: ServiceDep, wanted: WantedDep
) -> Response:
    now = service.now()
    listing = wanted.listing(scopes, now)
    with service.database.reading() as session:
        if (reference := _referred_to(session, scopes, wanted)) is not None:
            return RedirectResponse(f"{address_of(account)}/{reference}", status_code=303)
        page = attempt_listing.page(session, listing, before=wanted.before, after=wanted.after, size=_ON_A_PAGE)
        newest = attempt_listing.newest_id(session, scopes)
        rows = _row_views(session, page.attempts, now)
        spans = attempt_listing.history(session, scopes, chart_edges(listing.since, listing.until, now))
        stored = accounts.account_by_id(session, account.id)
        saml, settings = (
            saml_state(account_setup.draft_of(session, stored)),
            settings_of(session, service.settings, stored),
        )
    if not rows and not wanted.newest:  # what stood on this page does not match any more
        return RedirectResponse(address_of(account) + wanted.suffix, status_code=303)
    return render(
        request,
        "admin/sign_in_log/list.html",
        account=account,
        active_tab="accounts",
        active_menu="sign-in-log",
        address=address_of(account),
        wanted=wanted,
        rows=rows,
        total=page.total,
        any_attempt=bool(newest),
        columns=COLUMNS,
        checks=_checks(),
        periods=PERIODS,
        chart=chart_of(spans),
        whole_day=_whole_day(listing),
        events_url=wanted.events_url(account, newest) if wanted.newest else "",
        newer_url=wanted.newer_url(page),
        older_url=wanted.older_url(page),
        saml=saml,
        acs_url=settings.acs_url,
        entity_id=settings.entity_id,
    )


@router.get("/events")
async def events(
    request: Request,
    account: ManagedAccountDep,
    scopes: ScopesDep,
    service: ServiceDep,
    wanted: WantedDep,
    from_id: Annotated[int, Query(alias="from", ge=0, le=MAX_ID)] = 0,
) -> Response:
    """New attempts that match, as server-sent events. Whoever opens the address in a browser gets the page."""
    if EVENTS not in request.headers.get("accept", ""):
        return RedirectResponse(address_of(account) + wanted.suffix, status_code=303)
    token = cookies.read_cookie(request, service.settings, cookies.SESSION)
    poll, summary = _poll(service, token, account, scopes, wanted), _summary(service, scopes, wanted)
    with ExitStack() as held:
        held.enter_context(place(request.app, token))
        held.enter_context(shared_place(request, account.id))
        return HeldStream(
            stream(request.app, first_id(request, from_id), poll, summary),
            held.pop_all(),
            {"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )


@router.get("/download.jsonl")
def download_json_lines(
    account: ManagedAccountDep, scopes: ScopesDep, service: ServiceDep, wanted: WantedDep
) -> Response:
    """Every attempt that matches, newest first, one JSON object a line."""
    attempts = attempt_listing.everything(service.database, wanted.listing(scopes, service.now()))
    return _file(sign_in_log_files.json_lines(attempts), "application/jsonl", f"sign-in-log-{account.slug}.jsonl")


@router.get("/download.csv")
def download_csv(account: ManagedAccountDep, scopes: ScopesDep, service: ServiceDep, wanted: WantedDep) -> Response:
    """Every attempt that matches, newest first, for a spreadsheet."""
    attempts = attempt_listing.everything(service.database, wanted.listing(scopes, service.now()))
    return _file(sign_in_log_files.csv_of(attempts), "text/csv; charset=utf-8", f"sign-in-log-{account.slug}.csv")


def _file(pieces: Iterator[bytes], media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(pieces, media_type=media_type, headers=headers)


def _referred_to(session: Session, scopes: Scopes, wanted: Wanted) -> str | None:
    """The reference that was typed into the search box, if there is such an attempt here."""
    reference = sign_in_attempts.as_reference(wanted.q)
    found = sign_in_attempts.attempt_in(session, scopes, reference) if reference else None
    return found.reference if found else None


def _row_views(session: Session, attempts: Sequence[SignInAttempt], now: datetime) -> list[AttemptRow]:
    versions = attempt_listing.version_numbers(session, attempts)
    return [attempt_row(attempt, versions, now) for attempt in attempts]


def _checks() -> list[tuple[str, list[tuple[str, str]]]]:
    """The checks by stage, for choosing one."""
    return [
        (STAGES[stage], [(check.code, check.title) for check in CHECKS if check.stage == stage]) for stage in STAGES
    ]


def _poll(service: Service, token: str, account: AccountView, scopes: Scopes, wanted: Wanted) -> Poll:
    """Reads what is new, in one look at the database; runs in a thread."""

    def poll(after: int) -> list[tuple[int, str]] | None:
        now = service.now()
        if not sessions.is_open(service.database, token, now, service.settings.session_idle):
            return None
        with service.database.reading() as session:
            new = attempt_listing.newer_than(session, _still(wanted, scopes, now), after, limit=_EVENTS_AT_ONCE)
            rows = _row_views(session, new, now)
        return [(row.id, _drawn(row, account)) for row in rows]

    return poll


def _summary(service: Service, scopes: Scopes, wanted: Wanted) -> Summary:
    """Counts anew and draws what stands above the list; runs in a thread."""

    def summary() -> str:
        now = service.now()
        listing = wanted.listing(scopes, now)
        with service.database.reading() as session:
            total = attempt_listing.count(session, listing)
            spans = attempt_listing.history(session, scopes, chart_edges(listing.since, listing.until, now))
        drawing = templates.get_template("admin/sign_in_log/summary.html")
        return drawing.render(chart=chart_of(spans), whole_day=_whole_day(listing), total=total)

    return summary


def _whole_day(listing: Listing) -> bool:
    """Whether nobody chose a time, so that the chart shows the last day."""
    return listing.since is None and listing.until is None


def _still(wanted: Wanted, scopes: Scopes, now: datetime) -> Listing:
    """The page's filter, of which only the lower end of time would change: what is new is within it."""
    return replace(wanted.listing(scopes, now), since=None)


def _drawn(row: AttemptRow, account: AccountView) -> str:
    """The row as the list draws it."""
    drawing = templates.get_template("admin/sign_in_log/row.html").module
    return str(drawing.log_row(row, COLUMNS, address_of(account)))  # type: ignore[attr-defined]
