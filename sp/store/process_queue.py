"""Whose turn it is among the processes that write the same SQLite file.

Owns that they wait in a queue. SQLite alone looks again and again, after up to a tenth of a second each time, while the
one who had the lock takes it once more. Never protects anything: SQLite's own lock does.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

try:
    import fcntl
except ImportError:  # without it, whoever waits looks again and again
    fcntl = None  # type: ignore[assignment]


def queue_file(database: Path) -> Path:
    """Where the processes that write this database wait."""
    return database.with_name(f"{database.name}-queue")


class ProcessQueue:
    """A lock on an empty file, which the system hands from one process to the next and takes from one that is gone.

    One thread at a time uses it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._descriptor = -1

    def __enter__(self) -> None:
        if fcntl is None:
            return
        if self._descriptor < 0:
            self._descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

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
