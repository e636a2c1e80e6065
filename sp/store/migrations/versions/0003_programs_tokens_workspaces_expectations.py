"""Programs: tokens, workspaces, expectations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sp.models import BigId, UtcTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "api_token",
        sa.Column("id", BigId, nullable=False),
        sa.Column("account_id", BigId, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("created_by", sa.String(length=256), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=True),
        sa.Column("last_used_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
    )
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_token_account_id"), ["account_id"], unique=False)

    op.create_table(
        "sign_in_expectation",
        sa.Column("id", BigId, nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("account_id", BigId, nullable=False),
        sa.Column("after_attempt_id", BigId, nullable=False),
        sa.Column("declared_at", UtcTime(), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("attempt_id", BigId, nullable=True),
        sa.Column("differences", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reference"),
    )
    with op.batch_alter_table("sign_in_expectation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_expectation_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index("ix_sign_in_expectation_waiting", ["account_id", "attempt_id", "id"], unique=False)

    with op.batch_alter_table("realm", schema=None) as batch_op:
        batch_op.add_column(sa.Column("created_at", UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("expires_at", UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("fixed_time", UtcTime(), nullable=True))
        batch_op.create_index(batch_op.f("ix_realm_expires_at"), ["expires_at"], unique=False)
