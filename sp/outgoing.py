"""Requests to addresses that users name, in threads of their own.

A server that accepts a connection and never answers holds such a thread for ten seconds. In the threads that the pages
share, forty of them stopped every page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Request
from starlette.concurrency import run_in_threadpool

from sp.places import Bound, NoPlaceError, SharedPlaces
from sp.request_limits import LimitError
from sp.senders import sender_of
from sp.service import service_of
from sp.store import realms
from sp.store.engine import Database
from sp.streams import stand_aside

T = TypeVar("T")

MOST_REQUESTS = 16  # for workspaces, and as many for all other accounts
MOST_OF_A_SENDER = 4
_RETRY_SECONDS = 10  # as long as one may take
_REFUSALS = {
    Bound.ACCOUNT: (429, "This account is fetching metadata already. Wait until that has ended, then try again."),
    Bound.SENDER: (429, f"Your address is fetching metadata for {MOST_OF_A_SENDER} accounts already. Try again later."),
    Bound.ALL: (503, f"The service is fetching metadata for {MOST_REQUESTS} accounts already. Try again later."),
}


class _Pool:
    """Threads, and how many of them an account and a sender may have."""

    def __init__(self) -> None:
        self._places = SharedPlaces(MOST_REQUESTS, of_account=1, of_sender=MOST_OF_A_SENDER)
        self._threads = CapacityLimiter(MOST_REQUESTS)

    async def run(self, account_id: int, sender: str, work: Callable[[], T]) -> T:
        """What `work` returns. Raises LimitError (429, 503) at once instead of waiting for a thread."""
        try:
            with self._places.place(account_id, sender):
                return await to_thread.run_sync(work, limiter=self._threads)
        except NoPlaceError as error:
            status, sentence = _REFUSALS[error.bound]
            raise LimitError(status, sentence, headers={"Retry-After": str(_RETRY_SECONDS)}) from None


class OutgoingRequests:
    """The outgoing requests of one process: one of an account at a time.

    Workspaces have a pool of their own: anybody may create them, and sixteen of them would keep the companies waiting.
    """

    def __init__(self) -> None:
        self.of_workspaces = _Pool()
        self.of_companies = _Pool()


async def run_outgoing(request: Request, account_id: int, work: Callable[[], T]) -> T:
    """The same for a request, which takes no place among those at work meanwhile."""
    state = request.app.state
    if not hasattr(state, "outgoing_requests"):
        state.outgoing_requests = OutgoingRequests()
    outgoing: OutgoingRequests = state.outgoing_requests
    in_workspace = await run_in_threadpool(_is_in_workspace, service_of(request).database, account_id)
    pool = outgoing.of_workspaces if in_workspace else outgoing.of_companies
    stand_aside(request.scope)
    return await pool.run(account_id, sender_of(request.scope), work)


def _is_in_workspace(database: Database, account_id: int) -> bool:
    with database.reading() as session:
        return realms.is_in_workspace(session, account_id)
