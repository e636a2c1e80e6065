"""An engine for a database that is only read: it makes no file and refuses every change."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

_SECONDS = 10.0


def read_only_engine(url: URL) -> Engine:
    """The engine. The first connection raises OperationalError when there is no such file or server."""
    if url.get_backend_name() != "sqlite":
        return create_engine(url, execution_options={"postgresql_readonly": True}, hide_parameters=True)
    # Not mode=ro: the last such connection leaves the -wal and -shm files behind that it had to make.
    address = f"{Path(url.database or '').absolute().as_uri()}?mode=rw"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(address, uri=True, timeout=_SECONDS, check_same_thread=False)
        connection.isolation_level = None
        connection.execute("PRAGMA query_only=ON")
        return connection

    engine = create_engine(url, creator=connect, hide_parameters=True)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    """One snapshot for all queries of a session."""
    connection.exec_driver_sql("BEGIN")
