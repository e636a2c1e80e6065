"""Waiting for the next sign-in, without a thread for each who waits.

Owns the look at the database that all who wait in this process share, and how many may wait. Never reads an attempt:
it only tells that there is one more, recorded by this process or another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import OperationalError

from sp.api.problems import ApiError
from sp.places import Bound, NoPlaceError, SharedPlaces
from sp.senders import sender_of
from sp.service import Service, service_of
from sp.store import attempt_listing
from sp.streams import stand_aside

# Besides, each account has one place that no other can take.
MOST_WAITING = 64
MOST_OF_AN_ACCOUNT = 16
MOST_OF_A_SENDER = 32
LONGEST_WAIT = 60  # seconds

_LOOK_EVERY_SECONDS = 0.05
_LATE_IDS = 20  # a transaction may commit after another one that has a higher id
_ROUND_SECONDS = 1.0  # how often somebody who waits looks whether the client or the service has gone
_RETRY_SECONDS = 2

_REFUSALS = {
    Bound.ALL: "{0.in_all} requests wait for a sign-in already.",
    Bound.ACCOUNT: "{0.of_account} requests of this account wait for a sign-in already.",
    Bound.SENDER: "{0.of_sender} requests from your address wait for a sign-in already.",
}

Found = TypeVar("Found")
Look = Callable[[], object]


class Watch:
    """Rings when what `look` tells has changed. It looks only while somebody waits."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self.places = SharedPlaces(MOST_WAITING, MOST_OF_AN_ACCOUNT, MOST_OF_A_SENDER, guaranteed=True)
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def place(self, request: Request, account_id: int) -> Iterator[None]:
        """Wait among the others. Raises ApiError (503) when enough wait in this process."""
        try:
            with self.places.place(account_id, sender_of(request.scope)):
                if self._task is None or self._task.done():
                    self._task = asyncio.create_task(self._keep_looking())
                yield
        except NoPlaceError as error:
            detail = _REFUSALS[error.bound].format(self.places)
            raise ApiError(503, detail, headers={"Retry-After": str(_RETRY_SECONDS)}) from None

    @property
    def next_change(self) -> asyncio.Event:
        """Taken before somebody looks for what is new, so that what comes meanwhile rings too."""
        return self._changed

    async def _keep_looking(self) -> None:
        seen: object = None
        while self.places.taken:
            with suppress(OperationalError):  # a database that is away for a moment; whoever waits looks again
                found = await run_in_threadpool(self._look)
                if found != seen:
                    seen = found
                    self._changed.set()
                    self._changed = asyncio.Event()
            await asyncio.sleep(_LOOK_EVERY_SECONDS)


def watch_of(request: Request) -> Watch:
    """The one of this process."""
    state = request.app.state
    if not hasattr(state, "sign_in_watch"):
        state.sign_in_watch = Watch(_newest(service_of(request)))
    watch: Watch = state.sign_in_watch
    return watch


def _newest(service: Service) -> Look:
    def look() -> object:
        with service.database.reading() as session:
            return attempt_listing.newest_ids(session, limit=_LATE_IDS)

    return look


def is_stopping(request: Request) -> bool:
    """Whether the service is about to stop: else it would wait for whoever waits."""
    return bool(getattr(request.app.state, "stopping", False))


async def pause(change: asyncio.Event, seconds: float) -> None:
    """Until the change or for so long, whatever comes first."""
    with suppress(TimeoutError):
        await asyncio.wait_for(change.wait(), max(seconds, 0))


async def wait_for(
    request: Request, account_id: int, poll: Callable[[], Found], enough: Callable[[Found], bool], seconds: int
) -> Found:
    """What `poll` (in a thread) finds once it is enough, or after so long, or when nobody is there any more."""
    watch = watch_of(request)
    with watch.place(request, account_id):
        stand_aside(request.scope)
        ends = asyncio.get_running_loop().time() + seconds
        while True:
            change = watch.next_change
            found = await run_in_threadpool(poll)
            left = ends - asyncio.get_running_loop().time()
            if enough(found) or left <= 0 or is_stopping(request) or await request.is_disconnected():
                return found
            await pause(change, min(left, _ROUND_SECONDS))
