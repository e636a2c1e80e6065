"""Runs the migrations on the connection that `Database.upgrade` opened.

Owns nothing else. Never opens a database by itself.
"""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

import sp.models  # noqa: F401  (fills SQLModel.metadata)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    compare_type=True,
    transactional_ddl=False,  # the caller's transaction is the one
)
context.run_migrations()
