"""Whose turn it is among the processes that write the same SQLite file.

Owns that they wait in a queue. SQLite alone looks again and again, after up to a tenth of a second each time, while the
one who had the lock takes it once more. Never protects anything: SQLite's own lock does.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path
from types import TracebackType

from sqlalchemy.exc import OperationalError

try:
    import fcntl
except ImportError:  # without it, whoever waits looks again and again
    fcntl = None  # type: ignore[assignment]


def queue_file(database: Path) -> Path:
    """Where the processes that write this database wait."""
    return database.with_name(f"{database.name}-queue")


class _Turn:
    """One wait for the lock on a descriptor, in a thread. It may be given up, and taken up again while it lasts."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._lock = threading.Lock()
        self._decided = threading.Event()
        self._is_wanted = True
        self._taken = False

    def take(self) -> None:
        fcntl.flock(self.descriptor, fcntl.LOCK_EX)
        with self._lock:
            self._taken = self._is_wanted
            self._decided.set()
            if not self._taken:
                os.close(self.descriptor)  # and with it the lock

    def is_taken_within(self, seconds: float) -> bool:
        """Whether the lock came in time; if not, the descriptor belongs to the thread that waits."""
        self._decided.wait(seconds)
        with self._lock:
            self._is_wanted = False
            return self._taken

    def resume(self) -> bool:
        """Whether the thread still waits for the lock, which is wanted again then."""
        with self._lock:
            self._is_wanted = not self._decided.is_set()
            return self._is_wanted


class ProcessQueue:
    """A lock on an empty file, which the system hands from one process to the next and takes from one that is gone.

    One thread at a time uses it.
    """

    def __init__(self, file: Path, seconds: float = 10.0) -> None:
        self._file = file
        self._seconds = seconds
        self._descriptor = -1
        self._given_up: _Turn | None = None

    def __enter__(self) -> None:
        """Wait for the turn. Raises OperationalError, as for SQLite's own lock, when it does not come in time."""
        if fcntl is None:
            return
        if self._given_up is not None and self._given_up.resume():
            self._wait_for(self._given_up)
            return
        if self._descriptor < 0:
            self._descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._wait()

    def _wait(self) -> None:
        """In a thread of its own: the system hands the lock on in the order of asking, but knows no time limit."""
        turn = _Turn(self._descriptor)
        threading.Thread(target=turn.take, daemon=True).start()
        self._wait_for(turn)

    def _wait_for(self, turn: _Turn) -> None:
        self._descriptor, self._given_up = turn.descriptor, None
        if not turn.is_taken_within(self._seconds):
            # The thread gives the lock back when it comes after all. The next one who waits uses the same thread: where
            # the lock is held for hours, a thread and a descriptor for each wait would use up all there are.
            self._descriptor, self._given_up = -1, turn
            raise OperationalError("BEGIN IMMEDIATE", {}, sqlite3.OperationalError("database is locked"))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor < 0:
            return
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        except OSError:  # what was done is done; closing the file gives the turn away too
            self.close()

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
