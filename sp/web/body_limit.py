"""How much of a request is read: its address, its headers and its body.

The sizes are in `sp.request_limits`. The assertion consumer service has a limit of its own for its body, and answers
with a report.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fastapi import Request, Response
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sp.request_limits import LARGE_BODY_BYTES, MAX_PATH_BYTES, LimitError, body_too_large, head_fault, limits_of
from sp.senders import sender_of
from sp.web.overload import BusyError

MOST_LARGE_BODIES = 4  # read and worked on at once
MOST_LARGE_BODIES_OF_A_SENDER = 2
_CONSUMER_OF_WORKSPACE = re.compile(r"/w/[a-z0-9-]{1,64}/saml2")
_SMALL_PIECE = 4 * 1024  # bytes that are parsed in less than a millisecond


class HeadLimit:
    """Answers 414 or 431, by `refuse`, before anything parses a query or a cookie that is too long."""

    def __init__(self, app: ASGIApp, refuse: Callable[[Request, LimitError], Response]) -> None:
        self._app = app
        self._refuse = refuse
        self._turns = _Turns()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = head_fault(scope["path"], scope["query_string"], scope["headers"]) if scope["type"] == "http" else None
        if fault is None:
            await self._app(scope, receive, send)
            return
        await self._turns.wait()
        await self._refuse(Request({**scope, **_without_what_is_long(scope, fault)}), fault)(scope, receive, send)


class BodyLimit:
    """Refuses a longer body with 413 before more than the limit is in memory, and any character set but UTF-8 with 415.

    The form parser decodes with whatever set the sender names, and some of them take minutes for a long form.
    """

    def __init__(self, app: ASGIApp, exempt: frozenset[str]) -> None:
        self._app = app
        self._exempt = exempt
        self._turns = _Turns()
        self._large_bodies = _LargeBodies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_consumer(scope["path"]):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        content_type = headers.get("content-type", "")
        limit = limits_of(scope["path"]).of_body(content_type)
        other_charset = not _utf8_or_unnamed(content_type)
        length = _announced_length(headers)
        received = 0

        sender = sender_of(scope)
        with self._large_bodies.place(sender) as take_place:

            async def receive_within_limit() -> Message:
                nonlocal received
                if other_charset:
                    raise HTTPException(415)
                if received == 0:
                    await self._check_announced(length, limit, sender)
                message = await receive()
                piece = len(message.get("body", b""))
                received += piece
                if piece > _SMALL_PIECE or received > limit:
                    await self._turns.wait()
                if received > limit:
                    raise body_too_large(limit)
                if received > LARGE_BODY_BYTES:  # not when it is announced: two slow senders would have all places
                    take_place()
                return message

            await self._app(scope, receive_within_limit, send)

    async def _check_announced(self, length: int, limit: int, sender: str) -> None:
        """Refuse a body before any of it is read. Raises LimitError and BusyError."""
        if length > limit:
            await self._turns.wait()
            raise body_too_large(limit)
        if length > LARGE_BODY_BYTES:
            self._large_bodies.require_room(sender)

    def _is_consumer(self, path: str) -> bool:
        return path in self._exempt or _CONSUMER_OF_WORKSPACE.fullmatch(path) is not None


class _Turns:
    """Lets one piece of a body, or one refusal, through in each round of the event loop.

    Sixty that come in the same round would otherwise be parsed, or answered by a page, before any other request.
    """

    def __init__(self) -> None:
        self._taken_in: asyncio.AbstractEventLoop | None = None

    async def wait(self) -> None:
        loop = asyncio.get_running_loop()
        while self._taken_in is loop:  # noqa: ASYNC110  an Event would wake all of them in one round
            await asyncio.sleep(0)
        self._taken_in = loop
        loop.call_soon(self._next_round)

    def _next_round(self) -> None:
        self._taken_in = None


class _LargeBodies:
    """The large bodies of one process, by sender: each may be held in memory as a whole."""

    def __init__(self) -> None:
        self._by_sender: Counter[str] = Counter()

    def require_room(self, sender: str) -> None:
        """Raises BusyError where the sender can have no place now."""
        if self._by_sender.total() >= MOST_LARGE_BODIES or self._by_sender[sender] >= MOST_LARGE_BODIES_OF_A_SENDER:
            raise BusyError

    @contextmanager
    def place(self, sender: str) -> Iterator[Callable[[], None]]:
        """Yields a function that takes the place once, and raises BusyError; the place is free again at the end."""
        taken = False

        def take() -> None:
            nonlocal taken
            if taken:
                return
            self.require_room(sender)
            self._by_sender[sender] += 1
            taken = True

        try:
            yield take
        finally:
            if taken:
                self._by_sender -= Counter({sender: 1})  # a sender without any is kept no longer


def _without_what_is_long(scope: Scope, fault: LimitError) -> dict[str, object]:
    """What the answer's page must not parse either."""
    if fault.status_code == 431:
        return {"headers": [(name, value) for name, value in scope["headers"] if name == b"accept"][:1]}
    return {"query_string": b"", "path": scope["path"][:MAX_PATH_BYTES]}


def _announced_length(headers: Headers) -> int:
    announced = headers.get("content-length", "")
    return int(announced) if announced.isdecimal() and len(announced) < 20 else 0


def _utf8_or_unnamed(content_type: str) -> bool:
    parameters = (part.partition("=") for part in content_type.lower().split(";")[1:])
    named = (value.strip().strip('"') for name, _, value in parameters if name.strip() == "charset")
    return all(value in {"utf-8", "utf8"} for value in named)
