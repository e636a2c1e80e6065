"""How many requests a process has in hand at once.

Owns the count, and turning away whoever comes beyond it. Never makes anybody wait: those within the limit wait for the
desk or for one of the threads, and the limit is what bounds those queues.

A request counts from the moment when it is there as a whole until its answer begins: neither a body that trickles in
nor a browser that reads slowly takes anybody's place, and a live page has none. Whoever waits for news leaves it, see
`sp.streams.stand_aside`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from fastapi import Request, Response
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sp.streams import STAND_ASIDE
from sp.web.error_pages import drawn
from sp.web.errors import PageError

RETRY_SECONDS = 2
_ALIVE = "/healthz"  # who asks whether the process is alive would restart one that is only busy
_NO_BODY = frozenset(("GET", "HEAD", "OPTIONS"))
_TELL_EVERY_SECONDS = 1.0  # a line for each one turned away would be a second load
_log = structlog.get_logger("sp.web")


class BusyError(HTTPException):
    """There is no room for this request: 503."""

    def __init__(self) -> None:
        super().__init__(503, headers={"Retry-After": str(RETRY_SECONDS)})


class Overload:
    """Answers 503 at once when as many requests as `at_once` are in hand. `busy` makes that answer."""

    def __init__(self, app: ASGIApp, at_once: int, busy: Callable[[Request], Response]) -> None:
        self._app = app
        self._room = _Room(at_once)
        self._busy = busy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == _ALIVE:
            await self._app(scope, receive, send)
            return
        visit = _Visit(self._room)
        if not _brings_a_body(scope) and not visit.enter():
            await self._busy(Request(scope))(scope, receive, send)
            return
        scope[STAND_ASIDE] = visit.leave

        async def receive_and_enter() -> Message:
            message = await receive()
            complete = message["type"] == "http.request" and not message.get("more_body", False)
            if complete and not visit.enter():
                raise BusyError
            return message

        async def send_and_leave(message: Message) -> None:
            visit.leave()
            await send(message)

        try:
            await self._app(scope, receive_and_enter, send_and_leave)
        finally:
            visit.leave()


def busy_page(request: Request) -> Response:
    """The answer for a browser, made without a thread and without the database: those are what is short."""
    request.state.viewer = None
    return drawn(request, PageError(503, next_step="More requests came than it can take. Try again in a moment."))


class _Room:
    """The places of one process. One event loop asks, so looking and taking is one step."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._turned_away = 0
        self._told_at = float("-inf")

    def take(self) -> bool:
        if self._free:
            self._free -= 1
            return True
        self._turned_away += 1
        if time.monotonic() - self._told_at >= _TELL_EVERY_SECONDS:
            _log.warning("overloaded", turned_away=self._turned_away)
            self._told_at, self._turned_away = time.monotonic(), 0
        return False

    def give_back(self) -> None:
        self._free += 1


class _Visit:
    """One request's place, taken once at most and given back once."""

    def __init__(self, room: _Room) -> None:
        self._room = room
        self._came = False
        self._inside = False

    def enter(self) -> bool:
        """Whether there is room; true as well for one that came in before."""
        if not self._came:
            self._came = self._inside = self._room.take()
        return self._came

    def leave(self) -> None:
        if self._inside:
            self._inside = False
            self._room.give_back()


def _brings_a_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    announced = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
    return announced and scope["method"] not in _NO_BODY
