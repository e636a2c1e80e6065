"""What the metadata of an identity provider said."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    with op.batch_alter_table("idp_metadata", schema=None) as batch_op:
        batch_op.add_column(sa.Column("seen", sa.JSON(), nullable=False, server_default="{}"))
        batch_op.add_column(sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))
