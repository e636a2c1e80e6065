"""How many requests a process has in hand at once.

Owns the count, and turning away whoever comes beyond it. Never makes anybody wait: those within the limit wait for the
desk or for one of the threads, and the limit is what bounds those queues.

A request counts while the service works on it: from its arrival until its answer begins, but for the time in which it
waits for a piece of its body. So neither a body that trickles in nor a client that reads slowly takes a place, and a
request whose body is refused or never read counts like any other. A request that waits for news leaves its place, see
`sp.streams.stand_aside`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from fastapi import Request, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sp.streams import STAND_ASIDE
from sp.web.error_pages import drawn
from sp.web.errors import PageError

RETRY_SECONDS = 2
_ALIVE = "/healthz"
_READING = frozenset(("GET", "HEAD"))
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
        if scope["type"] != "http" or _asks_whether_alive(scope):
            await self._app(scope, receive, send)
            return
        place = _Place(self._room)
        if not place.take():
            await self._busy(Request(scope))(scope, receive, send)
            return
        scope[STAND_ASIDE] = place.give_up
        is_complete = False

        async def receive_without_a_place() -> Message:
            """The place is free while the network is waited for. Raises BusyError if none is free afterwards."""
            nonlocal is_complete
            if is_complete:  # what follows is the end of the connection
                return await receive()
            place.give_back()
            message = await receive()
            is_complete = not message.get("more_body", False)
            if not place.take():
                raise BusyError
            return message

        async def send_and_give_up(message: Message) -> None:
            place.give_up()
            await send(message)

        try:
            await self._app(scope, receive_without_a_place, send_and_give_up)
        finally:
            place.give_up()


def busy_page(request: Request) -> Response:
    return page_without_database(
        request, PageError(503, next_step="More requests came than it can take. Try again in a moment.")
    )


def page_without_database(request: Request, error: PageError) -> Response:
    """The answer for a browser, made without a thread and without the database: those are what is short."""
    request.state.viewer = None
    return drawn(request, error)


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


class _Place:
    """One request's place. It can be given back and taken again until it is given up."""

    def __init__(self, room: _Room) -> None:
        self._room = room
        self._is_taken = False
        self._is_given_up = False

    def take(self) -> bool:
        """Whether the request may go on: it has its place, or needs none any more."""
        if not self._is_taken and not self._is_given_up:
            self._is_taken = self._room.take()
        return self._is_taken or self._is_given_up

    def give_back(self) -> None:
        if self._is_taken:
            self._is_taken = False
            self._room.give_back()

    def give_up(self) -> None:
        self._is_given_up = True
        self.give_back()


def _asks_whether_alive(scope: Scope) -> bool:
    """A probe that was told 503 would restart a process that is only busy."""
    return bool(scope["path"] == _ALIVE and scope["method"] in _READING)
