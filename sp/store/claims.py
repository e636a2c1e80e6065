"""Claiming something once among all workers: a row that only one INSERT can make.

Owns how that is asked of each database. Never says what is claimed, nor for how long: the callers do.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

from sp.store.rows import Runner

_LONGEST_KEY = 1024  # bytes


def claim_row(runner: Runner, table: type[SQLModel], values: dict[str, Any]) -> bool:
    """Whether this call made the row. Of two calls at once with the same key, one gets True."""
    connection = runner if isinstance(runner, Connection) else runner.connection()
    # Without this option the count of an INSERT is -1 on PostgreSQL.
    counted = connection.execute(
        _insert(connection.dialect.name, table), values, execution_options={"preserve_rowcount": True}
    )
    return counted.rowcount == 1


@cache
def _insert(dialect: str, table: type[SQLModel]) -> Insert:
    """Built once: building a statement costs more than running this one."""
    if dialect == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def index_key(text: str) -> str:
    """The text, or its digest where it is too long for a row of an index (2704 bytes in PostgreSQL).

    No ID looks like that: an NCName has no colon.
    """
    encoded = text.encode()
    return text if len(encoded) <= _LONGEST_KEY else f"sha256:{hashlib.sha256(encoded).hexdigest()}"
