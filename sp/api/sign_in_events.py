"""GET /sign-ins/events: each sign-in as it comes, as server-sent events.

Owns the stream. Never outlives its token, and never tells another account's sign-ins.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import Field

from sp.api.authorization import ReaderDep, account_of
from sp.api.problems import BY_ANY
from sp.api.sign_in_schemas import SignInEntry, entry_of
from sp.api.sign_ins import Filter, upwards_from
from sp.api.waiting import is_stopping, pause, watch_of
from sp.flows.api_tokens import Caller, still_holds
from sp.flows.attempt_scope import Scopes, scopes_of
from sp.flows.attempt_tail import Tail
from sp.service import Service, ServiceDep
from sp.store import attempt_listing
from sp.store.attempt_listing import Listing
from sp.store.rows import required
from sp.streams import EVENTS, HeldStream

router = APIRouter(prefix="/sign-ins", tags=["sign-ins"], responses=BY_ANY)
_AT_ONCE = 100
_ROUND_SECONDS = 1.0
_HEARTBEAT_EVERY = 15  # rounds: writing is how a server finds out that nobody is there any more

Rows = Sequence[tuple[int, SignInEntry]]
# What came behind an id, and the newest id of all; None once the token holds no more.
Poll = Callable[[int], tuple[Rows, int] | None]


class WantedEvents(Filter):
    """Which sign-ins, and from where on."""

    after: str = Field("", max_length=64, description="A reference or `start`; from now on where it is left out.")


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {EVENTS: {"schema": {"type": "string"}}}, "description": "Events named sign-in."}},
)
async def sign_in_events(
    caller: ReaderDep,
    service: ServiceDep,
    request: Request,
    wanted: Annotated[WantedEvents, Query()],
    last_event_id: Annotated[str, Header(max_length=64, description="The reference of the last event.")] = "",
) -> StreamingResponse:
    """Each sign-in as it comes."""
    with ExitStack() as held:
        held.enter_context(watch_of(request).place(request, caller.account_id))
        tail, poll = await run_in_threadpool(_prepared, service, caller, wanted, last_event_id)
        return HeldStream(_events(request, tail, poll), held.pop_all(), {"X-Accel-Buffering": "no"})


def _prepared(
    service: Service, caller: Caller, wanted: WantedEvents, last_event_id: str
) -> tuple[Tail[SignInEntry], Poll]:
    with service.database.reading() as session:
        scopes = scopes_of(session, account_of(session, caller))
        listing = wanted.listing(scopes)
        field = "Last-Event-ID" if last_event_id else "after"
        begin = upwards_from(session, scopes, last_event_id or wanted.after, field)
    return Tail[SignInEntry](begin.id), _poll(service, caller, scopes, listing)


def _poll(service: Service, caller: Caller, scopes: Scopes, listing: Listing) -> Poll:
    def poll(after: int) -> tuple[Rows, int] | None:
        if not still_holds(service.database, caller, service.now()):
            return None
        with service.database.reading() as session:
            found = attempt_listing.newer_than(session, listing, after, limit=_AT_ONCE)
            newest = attempt_listing.newest_id(session, scopes)
        return [(required(attempt.id), entry_of(attempt)) for attempt in found], newest

    return poll


async def _events(request: Request, tail: Tail[SignInEntry], poll: Poll) -> AsyncIterator[str]:
    watch, quiet = watch_of(request), 0
    yield "retry: 1000\n\n"
    while not is_stopping(request):
        change = watch.next_change
        found = await run_in_threadpool(poll, tail.from_id)
        if found is None:
            return
        rows, newest = found
        if newest < tail.after:  # the workspace was reset, after which SQLite gives old ids again
            tail = Tail(0, frozenset())
            continue
        for _, entry in tail.news(rows):
            yield f"id: {entry.reference}\nevent: sign-in\ndata: {entry.model_dump_json()}\n\n"
        if len(rows) == _AT_ONCE:
            continue  # there may be more already
        quiet += 1
        if quiet % _HEARTBEAT_EVERY == 0:
            yield ": still here\n\n"
        await pause(change, _ROUND_SECONDS)
