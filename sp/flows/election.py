"""Which of several processes keeps house.

Owns asking for the lease, and when it is renewed. Never does the work, and never waits for another process.

Clocks that differ, or a process that slept for an hour, may lead to two who keep house for a moment. All that they do
may be done twice, so that costs some work and nothing else.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from sp.store import leases
from sp.store.engine import Database

HOUSEKEEPING = "housekeeping"
LEASE = timedelta(seconds=150)  # how long a process that was killed keeps the others waiting, at most
_RENEW_BEFORE = timedelta(seconds=100)  # so that one or two renewals may fail before anybody else takes over


class Election:
    """This process as a candidate. Safe to share between threads."""

    def __init__(self, database: Database, name: str = HOUSEKEEPING) -> None:
        self._database = database
        self._name = name
        self._holder = secrets.token_hex(16)
        self._renew_at = datetime.min.replace(tzinfo=UTC)

    def holds(self, now: datetime) -> bool:
        """Whether this process is the one. It asks the database only when the lease is about to run out."""
        if now < self._renew_at:
            return True
        with self._database.writing() as session:
            taken = leases.take(session, self._name, self._holder, now, now + LEASE)
        if taken:
            self._renew_at = now + LEASE - _RENEW_BEFORE
        return taken

    def step_down(self) -> None:
        """Let another process take over at once."""
        with self._database.writing() as session:
            leases.give_back(session, self._name, self._holder)
