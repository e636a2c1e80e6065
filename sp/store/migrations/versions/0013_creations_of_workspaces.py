"""When an address created workspaces, for the limit within a minute; the workspaces may be deleted by then."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sp.models import BigId, UtcTime

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "workspace_creation",
        sa.Column("id", BigId, nullable=False),
        sa.Column("sender", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
