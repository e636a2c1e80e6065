"""Runs the migrations on the connection that `Database.upgrade` opened.

Owns nothing else. Never opens a database by itself.
"""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlmodel import AutoString, SQLModel

from sp.models import BigId, UtcTime


def _render_type(kind: str, value: Any, _context: object) -> str | Literal[False]:
    """Short names for our own column types in a new migration."""
    if kind != "type":
        return False
    if isinstance(value, AutoString):
        return f"sa.String(length={value.length})"
    if isinstance(value, UtcTime):
        return "UtcTime()"
    return "BigId" if value is BigId else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    compare_type=True,
    render_item=_render_type,
    transactional_ddl=False,  # the caller's transaction is the one
)
context.run_migrations()
