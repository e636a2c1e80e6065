"""Claiming something once among all workers: a row that only one INSERT can make.

Owns how that is asked of each database. Never says what is claimed, nor for how long: the callers do.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Insert
from sqlalchemy.dialects import sqlite
from sqlmodel import SQLModel

from sp.store.rows import Runner

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

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
    return insert_into(table, dialect).on_conflict_do_nothing()


def insert_into(table: type[SQLModel], dialect: str) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that can say what happens when the row is there already; each database has its own."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415  three megabytes that SQLite does without

        return postgresql.insert(table)
    return sqlite.insert(table)


def index_key(text: str) -> str:
    """The text, or its digest where it is too long for a row of an index (2704 bytes in PostgreSQL).

    No ID looks like that: an NCName has no colon.
    """
    encoded = text.encode()
    return text if len(encoded) <= _LONGEST_KEY else f"sha256:{hashlib.sha256(encoded).hexdigest()}"
