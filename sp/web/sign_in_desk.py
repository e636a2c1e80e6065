"""Requests that need a writing transaction, served as they would be at a desk: whoever waits is taken along.

Owns the threads that do so, and who is taken together. Never knows what is asked: the request's own steps do.

Few threads, since Python runs one at a time: several that want to run cost each other as much as the work itself, and
the work of one thread can share its transactions.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from fastapi import Request

from sp.store.engine import Database
from sp.store.together import AT_MOST, InSteps, Steps, complete

T = TypeVar("T")

# SQLite has one writer. While one transaction of PostgreSQL's waits for its server, another message can be judged.
_CLERKS = {"sqlite": 1, "postgresql": int(os.environ.get("CLERKS","2"))}
_GATHERING_SECONDS = 0.02  # those who were taken first wait no longer for others


@dataclass(frozen=True, slots=True)
class _Visitor:
    """Somebody who waits for what comes of his steps, in a loop of his own."""

    steps: InSteps[Any]
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[InSteps[Any]]

    def tell(self) -> None:
        """That the steps are over, from any thread. Whoever went away in the meantime is told nothing."""
        with suppress(RuntimeError):  # the loop was closed
            self.loop.call_soon_threadsafe(self._answer_in_loop)

    def _answer_in_loop(self) -> None:
        if not self.answer.done():
            self.answer.set_result(self.steps)


def desk_of(request: Request) -> SignInDesk:
    desk: SignInDesk = request.app.state.sign_in_desk
    return desk


class SignInDesk:
    """One for each database. Safe to ask from several loops."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[_Visitor] = deque()
        clerks = _CLERKS[database.engine.dialect.name]
        self._clerks = ThreadPoolExecutor(clerks, thread_name_prefix="sign-in-desk")

    async def serve(self, steps: Steps[T]) -> T:
        """What the steps return; they run in a thread of the desk. Raises what they raise."""
        loop = asyncio.get_running_loop()
        visitor = _Visitor(InSteps(steps), loop, loop.create_future())
        self._waiting.append(visitor)
        self._clerks.submit(self._serve_some)  # once for each visitor, so nobody is forgotten; mostly nobody is left
        return cast("T", (await visitor.answer).result())

    def close(self) -> None:
        self._clerks.shutdown()

    def _serve_some(self) -> None:
        visitors = {visitor.steps: visitor for visitor in self._begun()}
        for over in complete(self._database, list(visitors)):
            visitors[over].tell()

    def _begun(self) -> Iterator[_Visitor]:
        """Those who wait, and those who come while they are begun with."""
        until = time.monotonic() + _GATHERING_SECONDS
        for _ in range(AT_MOST):
            try:
                visitor = self._waiting.popleft()
            except IndexError:
                return
            visitor.steps.begin()
            yield visitor
            if time.monotonic() > until:
                return
