"""Which messages were handed out, and how many bytes each account's messages take."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sp.models import BigId, UtcTime

revision = "0009"
down_revision = "0008"

_LOGS = ("sign_in_attempt", "sign_out_message")


def upgrade() -> None:
    op.create_table(
        "handed_out_assertion",
        sa.Column("realm_id", BigId, nullable=False),
        sa.Column("issuer", sa.String(length=1024), nullable=False),
        sa.Column("assertion_key", sa.String(length=1024), nullable=False),
        sa.Column("account_id", BigId, nullable=True),
        sa.Column("handed_out_at", UtcTime(), nullable=False),
        sa.Column("handed_out_to", sa.String(length=320), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("realm_id", "issuer", "assertion_key"),
    )
    for name in ("account_id", "expires_at"):
        op.create_index(f"ix_handed_out_assertion_{name}", "handed_out_assertion", [name])
    for log in _LOGS:
        op.add_column(log, sa.Column("message_bytes", sa.Integer(), nullable=False, server_default="0"))
        op.execute(f"UPDATE {log} SET message_bytes = length(message) WHERE message IS NOT NULL")  # noqa: S608
        op.create_index(f"ix_{log}_quota", log, ["account_id", "outcome", "id", "message_bytes"])
