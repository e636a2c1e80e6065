"""Answers that go on for as long as somebody listens, and hold something meanwhile.

Owns giving that back whatever happens. Never decides how many there may be.
"""

from __future__ import annotations

from collections.abc import AsyncIterable
from contextlib import ExitStack

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

EVENTS = "text/event-stream"
STAND_ASIDE = "virtual_office.stand_aside"  # in a request's scope: how to give back its place among those at work


def stand_aside(scope: Scope) -> None:
    """Count no longer as one of the requests at work: this one waits for news, which has bounds of its own."""
    leave = scope.get(STAND_ASIDE)
    if leave is not None:
        leave()


class HeldStream(StreamingResponse):
    """Server-sent events that hold a place among others.

    The place is given back here, since a generator that was never begun (the client had gone already) ends nothing.
    """

    def __init__(self, events: AsyncIterable[str], held: ExitStack, headers: dict[str, str]) -> None:
        super().__init__(events, media_type=EVENTS, headers=headers)
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._held:
            await super().__call__(scope, receive, send)
