"""GET /sign-ins/events: each sign-in as it comes, as server-sent events.

Owns the stream. Never outlives its token, and never tells another account's sign-ins.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import Field

from sp.api.authorization import ReaderDep, account_of
from sp.api.sign_in_schemas import SignInEntry, entry_of
from sp.api.sign_ins import Filter, upwards_from
from sp.api.waiting import is_stopping, pause, watch_of
from sp.flows.api_tokens import Caller, still_holds
from sp.flows.attempt_scope import scopes_of
from sp.flows.attempt_tail import Tail
from sp.service import Service, ServiceDep
from sp.store import attempt_listing
from sp.store.attempt_listing import Listing
from sp.store.rows import required

router = APIRouter(prefix="/sign-ins", tags=["sign-ins"])
_STREAM = "text/event-stream"
_AT_ONCE = 100
_ROUND_SECONDS = 1.0
_HEARTBEAT_EVERY = 15  # rounds: writing is how a server finds out that nobody is there any more

Rows = Sequence[tuple[int, SignInEntry]]
Poll = Callable[[int], Rows | None]  # what came behind an id; None once the token holds no more


class WantedEvents(Filter):
    """Which sign-ins, and from where on."""

    after: str = Field("", max_length=64, description="A reference or `start`; from now on where it is left out.")


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {_STREAM: {"schema": {"type": "string"}}}, "description": "Events named sign-in."}},
)
async def sign_in_events(
    caller: ReaderDep,
    service: ServiceDep,
    request: Request,
    wanted: Annotated[WantedEvents, Query()],
    last_event_id: Annotated[str, Header(max_length=64, description="The reference of the last event.")] = "",
) -> StreamingResponse:
    """Each sign-in as it comes."""
    watch_of(request).require_room()
    tail, poll = await run_in_threadpool(_prepared, service, caller, wanted, last_event_id)
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(_events(request, tail, poll), media_type=_STREAM, headers=headers)


def _prepared(
    service: Service, caller: Caller, wanted: WantedEvents, last_event_id: str
) -> tuple[Tail[SignInEntry], Poll]:
    with service.database.reading() as session:
        scopes = scopes_of(session, account_of(session, caller))
        listing = wanted.listing(scopes)
        field = "Last-Event-ID" if last_event_id else "after"
        begin = upwards_from(session, scopes, last_event_id or wanted.after, field)
    return Tail[SignInEntry](begin.id), _poll(service, caller, listing)


def _poll(service: Service, caller: Caller, listing: Listing) -> Poll:
    def poll(after: int) -> Rows | None:
        if not still_holds(service.database, caller, service.now()):
            return None
        with service.database.reading() as session:
            found = attempt_listing.newer_than(session, listing, after, limit=_AT_ONCE)
        return [(required(attempt.id), entry_of(attempt)) for attempt in found]

    return poll


async def _events(request: Request, tail: Tail[SignInEntry], poll: Poll) -> AsyncIterator[str]:
    watch, quiet = watch_of(request), 0
    async with watch.place():
        yield "retry: 1000\n\n"
        while not is_stopping(request):
            change = watch.next_change
            rows = await run_in_threadpool(poll, tail.from_id)
            if rows is None:
                return
            for _, entry in tail.news(rows):
                yield f"id: {entry.reference}\nevent: sign-in\ndata: {entry.model_dump_json()}\n\n"
            if len(rows) == _AT_ONCE:
                continue  # there may be more already
            quiet += 1
            if quiet % _HEARTBEAT_EVERY == 0:
                yield ": still here\n\n"
            await pause(change, _ROUND_SECONDS)
