"""What rows take on disk, indices included, and what a sign-in writes into PostgreSQL's log.

Owns asking each database. Never changes one.
"""

from __future__ import annotations

from sqlalchemy import text

from sp.store.engine import Database

_SIZE = {
    "sqlite": "SELECT sum(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_master WHERE tbl_name = :name)",
    "postgresql": "SELECT pg_total_relation_size(CAST(:name AS text))",
}


def bytes_per_row(database: Database, table: str) -> int:
    """The mean over a table: whole pages, indices and what lies beside the rows included; 0 where there is no row."""
    with database.reading() as session:
        rows = int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608  (one of ours)
        asked = text(_SIZE[database.engine.dialect.name])
        return int(session.execute(asked, {"name": table}).scalar_one()) // rows if rows else 0


def logged_bytes(database: Database) -> int:
    """How much PostgreSQL has written into its write-ahead log so far; 0 for SQLite, which does not tell."""
    if database.engine.dialect.name != "postgresql":
        return 0
    with database.reading() as session:
        return int(session.execute(text("SELECT pg_current_wal_insert_lsn() - '0/0'")).scalar_one())
