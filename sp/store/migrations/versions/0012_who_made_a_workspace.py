"""The address from which a workspace was made, for the limit per address."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    with op.batch_alter_table("realm", schema=None) as batch_op:
        batch_op.add_column(sa.Column("created_from", sa.String(length=64), nullable=False, server_default=""))
