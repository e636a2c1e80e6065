"""Whether the disk under a SQLite database still takes data."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

_BYTES = 64 * 1024  # about what one sign-in adds to the write-ahead log
_SECONDS = 5.0


class DiskProbe:
    """Writes a file next to the database, syncs it and removes it. Safe to share between threads.

    At most once in five seconds, whatever the number of callers: a sync may take tens of milliseconds.
    """

    def __init__(self, folder: Path, seconds: Callable[[], float] = time.monotonic) -> None:
        self._file = folder / f".disk-probe-{os.getpid()}"
        self._seconds = seconds
        self._lock = threading.Lock()
        self._next_at = float("-inf")
        self._fault = ""

    def fault(self) -> str:
        """The system's reason why nothing can be written ("No space left on device"), or "" when all is well."""
        with self._lock:
            if self._seconds() >= self._next_at:
                self._fault = self._write()
                self._next_at = self._seconds() + _SECONDS
            return self._fault

    def _write(self) -> str:
        try:
            descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                if os.write(descriptor, bytes(_BYTES)) < _BYTES:
                    return os.strerror(errno.ENOSPC)  # the next write would say so
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
                self._file.unlink(missing_ok=True)
        except OSError as error:
            return error.strerror or type(error).__name__
        return ""
