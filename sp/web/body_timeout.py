"""How long a request's body may take to arrive.

Owns the clock of every body. Never limits how long an answer takes, or how long a live page stays open.
"""

from __future__ import annotations

import asyncio

import structlog
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = structlog.get_logger("sp.web")


class BodyTimeout:
    """Answers 408 and closes the connection when the body has not come in time.

    A body that trickles in would otherwise hold a connection for as long as the sender likes, and thousands of them
    cost the sender nothing (slow POST).
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        deadline = asyncio.get_running_loop().time() + self._seconds
        complete = False

        async def receive_in_time() -> Message:
            nonlocal complete
            if complete:  # what follows is the end of the connection, which may be hours away
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                _log.warning("slow_body", path=scope["path"], seconds=self._seconds)
                raise HTTPException(408, headers={"Connection": "close"}) from None
            complete = not message.get("more_body", False)
            return message

        await self._app(scope, receive_in_time, send)
