"""From which address a sign-in was started."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    with op.batch_alter_table("authn_request", schema=None) as batch_op:
        batch_op.add_column(sa.Column("remote_address", sa.String(length=64), nullable=False, server_default=""))
        batch_op.create_index("ix_authn_request_remote_address", ["remote_address", "sent_at"], unique=False)
        batch_op.create_index("ix_authn_request_account", ["account_id", "sent_at"], unique=False)
