"""New attempts as they come: the sign-in log's server-sent events.

Owns the stream and its bounds. Never outlives the administrator's session, and never keeps it alive either.

Each stream asks the database once a second for higher ids, so attempts that other processes took are told too.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool

from sp.flows.attempt_tail import Tail
from sp.places import NoPlaceError, SharedPlaces
from sp.senders import sender_of
from sp.web.errors import PageError

_INTERVAL_SECONDS = 1.0
_SUMMARY_EVERY = 3  # rounds: it counts every attempt, and nobody reads numbers faster
_HEARTBEAT_EVERY = 15  # rounds: writing is how a server finds out that nobody is there any more
_STREAMS_OF_A_SESSION = 4  # a browser opens six connections to a host, and pages need some
# Besides, each account has one that no other can take.
MOST_STREAMS = 200
MOST_OF_AN_ACCOUNT = 50
MOST_OF_A_SENDER = 50
_ID_DIGITS = 18
MAX_ID = 10**_ID_DIGITS - 1

# What came behind an id, as (id, HTML of the row), the lowest first; None when the session has ended.
Poll = Callable[[int], Sequence[tuple[int, str]] | None]
# The HTML of what stands above the list: how many there are, and when they came.
Summary = Callable[[], str]


def first_id(request: Request, page: int) -> int:
    """Where the stream goes on: behind the last event that the browser has, else behind the one that its page had."""
    last = request.headers.get("last-event-id", "")
    if last.isascii() and last.isdecimal() and len(last) <= _ID_DIGITS:
        return int(last)
    return page


@contextmanager
def place(app: FastAPI, token: str) -> Iterator[None]:
    """Count as one more stream of the session. Raises PageError (429) when it has enough.

    Looking and counting is one step, so that nobody comes in between.
    """
    streams = _streams(app)
    if streams[token] >= _STREAMS_OF_A_SESSION:
        raise _too_many_streams()
    streams[token] += 1
    try:
        yield
    finally:
        streams[token] -= 1
        if not streams[token]:
            del streams[token]


@contextmanager
def shared_place(request: Request, account_id: int) -> Iterator[None]:
    """Count as one more stream of the account and of the sender. Raises PageError (429)."""
    state = request.app.state
    if not hasattr(state, "live_places"):
        state.live_places = SharedPlaces(MOST_STREAMS, MOST_OF_AN_ACCOUNT, MOST_OF_A_SENDER, guaranteed=True)
    places: SharedPlaces = state.live_places
    try:
        with places.place(account_id, sender_of(request.scope)):
            yield
    except NoPlaceError:
        raise _too_many_streams() from None


def _too_many_streams() -> PageError:
    return PageError(429, "Too many live pages are open", "Close one of them, then reload this one.")


async def stream(app: FastAPI, after: int, poll: Poll, summary: Summary) -> AsyncIterator[str]:
    """Events until the session ends or the service stops: one for each new row, its id and its HTML.

    What they change above the list follows soon, once for several.
    """
    yield "retry: 2000\n\n"
    async for text in _events(app, Tail[str](after), poll, summary):
        yield text


async def _events(app: FastAPI, tail: Tail[str], poll: Poll, summary: Summary) -> AsyncIterator[str]:
    rounds, outdated = 0, False
    while not getattr(app.state, "stopping", False):  # else a stop would wait for a stream that has no end
        rows = await run_in_threadpool(poll, tail.from_id)
        if rows is None:
            yield "event: ended\ndata: The session has ended.\n\n"
            return
        for row_id, html in tail.news(rows):
            yield _event("attempt", html, row_id)
            outdated = True
        if outdated and rounds % _SUMMARY_EVERY == 0:
            yield _event("summary", await run_in_threadpool(summary))
            outdated = False
        rounds += 1
        if rounds % _HEARTBEAT_EVERY == 0:
            yield ": still here\n\n"
        await _pause()


async def _pause() -> None:
    await asyncio.sleep(_INTERVAL_SECONDS)


def _event(name: str, html: str, row_id: int | None = None) -> str:
    """Only a row has an id: it is where the browser goes on after it was cut off."""
    data = "".join(f"data: {line}\n" for line in html.splitlines())
    position = "" if row_id is None else f"id: {row_id}\n"
    return f"{position}event: {name}\n{data}\n"


def _streams(app: FastAPI) -> Counter[str]:
    """How many streams each session has open, in this process."""
    if not hasattr(app.state, "live_streams"):
        app.state.live_streams = Counter()
    streams: Counter[str] = app.state.live_streams
    return streams
