"""The time that maintenance has reached."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sp.models import UtcTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "maintenance_clock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reached_at", UtcTime(), nullable=False),
        sa.Column("unconfirmed_seconds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
