"""Keeps the sign-in log and the sign-out log within the quota of each account.

What a ring of messages holds is counted only once it has got a hundredth of its quota more, so that a sign-in costs the
same whatever the log holds: counting reads as many entries of an index as the quota has rows.
"""

from __future__ import annotations

import time
from threading import Lock
from weakref import WeakKeyDictionary

from sqlmodel import Session

from sp.models import SignInAttempt, SignOutMessage
from sp.settings import Settings
from sp.store import retention
from sp.store.engine import Database
from sp.store.retention import Log, Quota, Ring

_LOGS: tuple[Log, ...] = (SignInAttempt, SignOutMessage)
_MEGABYTE = 1024 * 1024
_HUNDREDTH = 100
_COUNTED_AT_ONCE = 8  # rings
_COUNT_ALL_EVERY_SECONDS = 60
_RESTS = 50  # times as long as it took to count all, so that counting takes a fiftieth of a reader's time at most
_NOTHING = Quota(0, 0)


class Retention:
    """What one process knows of the rings: up to which id they were looked at, what they got, and what has to go."""

    def __init__(self) -> None:
        self.lock = Lock()
        self._counted_all = (0.0, 0.0)  # when that ended, by the monotonic clock, and how long it took
        self._looked_at: dict[Log, int] = {}
        self._added: dict[Ring, Quota] = {}  # since they were counted
        self._due: dict[Ring, None] = {}  # to be counted
        self._beyond: dict[Ring, int] = {}  # up to which id messages have to go

    @property
    def has_more(self) -> bool:
        return bool(self._due or self._beyond)

    def find_work(self, session: Session, settings: Settings) -> bool:
        """Count the rings that got enough messages since, and now and then all; whether any message has to go."""
        if self._beyond:
            return True
        workspaces = retention.accounts_of_workspaces(session)
        newest = {log: retention.newest_id(session, log) for log in _LOGS}
        if self._may_count_all(newest):
            self._count_all(session, settings, workspaces)
        else:
            for log in _LOGS:
                self._look_at(session, settings, workspaces, log, newest[log])
        self._looked_at = newest
        for ring in list(self._due)[:_COUNTED_AT_ONCE]:
            del self._due[ring]
            last = retention.last_beyond(session, ring, _quota(settings, workspaces, ring))
            if last is not None:
                self._beyond[ring] = last
        return bool(self._beyond)

    def remove(self, session: Session, *, at_most: int) -> None:
        """Remove up to so many messages of one ring."""
        ring, last = next(iter(self._beyond.items()))
        if retention.remove_until(session, ring, last, at_most=at_most) < at_most:
            del self._beyond[ring]

    def _may_count_all(self, newest: dict[Log, int]) -> bool:
        """At the start, where quotas may have been lowered, and later for what looking at new ids alone does not see.

        SQLite gives an id again when the newest row was removed: whoever empties a workspace could hide new rows.
        """
        ended, took = self._counted_all
        ids_restarted = any(newest[log] < self._looked_at.get(log, newest[log]) for log in _LOGS)
        rest = _RESTS * took if ids_restarted else max(_COUNT_ALL_EVERY_SECONDS, _RESTS * took)
        return not self._looked_at or time.monotonic() >= ended + rest

    def _count_all(self, session: Session, settings: Settings, workspaces: frozenset[int]) -> None:
        started = time.monotonic()
        self._added.clear()
        for log in _LOGS:
            for ring, held in retention.totals(session, log).items():
                quota = _quota(settings, workspaces, ring)
                if held.rows > quota.rows or held.message_bytes > quota.message_bytes:
                    self._due[ring] = None
        ended = time.monotonic()
        self._counted_all = ended, ended - started

    def _look_at(self, session: Session, settings: Settings, workspaces: frozenset[int], log: Log, newest: int) -> None:
        known = self._looked_at[log]
        if newest <= known:
            return
        for ring, new in retention.added_after(session, log, known).items():
            before = self._added.get(ring, _NOTHING)
            added = Quota(before.rows + new.rows, before.message_bytes + new.message_bytes)
            quota = _quota(settings, workspaces, ring)
            is_due = max(added.rows / quota.rows, added.message_bytes / quota.message_bytes) * _HUNDREDTH >= 1
            self._added[ring] = _NOTHING if is_due else added
            self._due.update({ring: None} if is_due else {})


_KNOWN: WeakKeyDictionary[Database, Retention] = WeakKeyDictionary()


def keep_quotas(database: Database, settings: Settings, *, at_most: int) -> bool:
    """One round, which removes at most so many messages; whether there is more to do."""
    known = _KNOWN.setdefault(database, Retention())
    with known.lock:
        with database.reading() as session:
            has_work = known.find_work(session, settings)
        if has_work:
            with database.writing() as session:
                known.remove(session, at_most=at_most)
        return known.has_more


def _quota(settings: Settings, workspaces: frozenset[int], ring: Ring) -> Quota:
    if ring.account_id is None:
        return Quota(settings.unknown_attempts_kept, settings.unknown_attempts_kept_megabytes * _MEGABYTE)
    if ring.account_id in workspaces:
        return Quota(settings.workspace_attempts_kept, settings.workspace_attempts_kept_megabytes * _MEGABYTE)
    return Quota(settings.attempts_kept, settings.attempts_kept_megabytes * _MEGABYTE)
