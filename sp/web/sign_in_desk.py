"""Where messages are judged: one thread of the process, which serves whoever waits together.

Owns that thread, and who is taken together. Never knows what is asked: the request's own steps do.

One, since Python runs one thread at a time: several that want to run cost each other as much as the work itself. And
what one thread does can share its transactions. Another takes its place when it has read enough (`sp.saml.errands`).
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import structlog
from fastapi import Request
from sqlalchemy.exc import OperationalError

from sp.saml import errands
from sp.store.engine import Database, is_passing
from sp.store.together import AT_MOST, InSteps, Steps, complete

T = TypeVar("T")

_GATHERING_SECONDS = 0.02  # those who were taken first wait no longer for others
_log = structlog.get_logger("sp.web")


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
    """One for each application. Safe to ask from several loops."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[_Visitor] = deque()
        self._relief = threading.Lock()  # nobody is sent to a thread that was told to end
        self._thread = self._former = _thread()

    async def serve(self, steps: Steps[T], disconnected: asyncio.Future[None] | None = None) -> T:
        """What the steps return; they run in the desk's thread. Raises what they raise.

        Raises AbandonedError where `disconnected` was done before anything was written: nothing is written then.
        """
        loop = asyncio.get_running_loop()
        visitor = _Visitor(InSteps(steps), loop, loop.create_future())
        self._waiting.append(visitor)
        # Once for each visitor, so that nobody is forgotten; those who were taken along by then leave nothing to do.
        try:
            self._send_for_somebody()
        except RuntimeError:  # it was closed, and what nobody waits for must not be done
            with suppress(ValueError):  # who was at the desk at that moment took him along
                self._waiting.remove(visitor)
            raise
        if disconnected is not None:
            disconnected.add_done_callback(lambda done: None if done.cancelled() else visitor.steps.abandon())
        try:
            return cast("T", (await visitor.answer).result())
        except asyncio.CancelledError:
            visitor.steps.abandon()
            raise

    def close(self) -> None:
        """After the last visitor was served."""
        for thread in (self._former, self._thread):  # in this order: the former passes on
            thread.shutdown()

    def _send_for_somebody(self) -> None:
        with self._relief:
            self._thread.submit(self._serve_some, self._thread)

    def _relieve(self) -> None:
        """Another thread goes on. This one ends when it has passed on whom it was sent for."""
        with self._relief:
            self._former, self._thread = self._thread, _thread()
            self._former.shutdown(wait=False)

    def _serve_some(self, thread: ThreadPoolExecutor) -> None:
        if thread is not self._thread:
            self._send_for_somebody()
            return
        visitors: dict[InSteps[Any], _Visitor] = {}
        try:
            for visitor in self._taken():
                visitors[visitor.steps] = visitor
                visitor.steps.begin()
            for over in complete(self._database, list(visitors)):
                visitors.pop(over).tell()
                if isinstance(over.error, OperationalError) and is_passing(over.error):
                    self._refuse_waiting(over.error)
        except BaseException as error:  # noqa: BLE001  else they would wait for ever
            for steps, visitor in visitors.items():
                steps.error = RuntimeError(f"the desk failed: {error}")
                visitor.tell()
            _log.exception("desk_failed")
        if errands.has_read_enough():
            self._relieve()

    def _refuse_waiting(self, error: OperationalError) -> None:
        """All that wait get the answer of the one who found the database locked, full or away.

        Each would else find out by itself, after those before it: with a lock that is held, in rows of ten seconds.
        """
        while self._waiting:
            visitor = self._waiting.popleft()
            visitor.steps.error = error
            visitor.tell()

    def _taken(self) -> Iterator[_Visitor]:
        """Those who wait, and who come while they are begun with; at least one, since nobody calls for him again."""
        until = time.monotonic() + _GATHERING_SECONDS
        for _ in range(AT_MOST):
            if not self._waiting:
                return
            yield self._waiting.popleft()
            if time.monotonic() > until:
                return


def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="sign-in-desk")
