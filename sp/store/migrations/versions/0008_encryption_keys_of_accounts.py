"""An encryption key for each account.

The key that all accounts shared is retired: it opens messages for the accounts that exist now, for 30 days more.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

from sp.models import BigId, UtcTime

revision = "0008"
down_revision = "0007"

_FORMER_KEY_OPENS = timedelta(days=30)  # as `sp.flows.service_keys.OPENS_AFTERWARDS` was when this was written


def upgrade() -> None:
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.add_column(sa.Column("former_key_until", UtcTime(), nullable=True))
    with op.batch_alter_table("service_key", schema=None) as batch_op:
        batch_op.add_column(sa.Column("account_id", BigId, nullable=True))
        batch_op.create_foreign_key("service_key_account_id_fkey", "account", ["account_id"], ["id"])
        batch_op.create_index(batch_op.f("ix_service_key_account_id"), ["account_id"], unique=False)
    _retire_shared_keys(datetime.now(UTC))


def _retire_shared_keys(now: datetime) -> None:
    key = sa.table("service_key", *_columns("id", "purpose", "state"), sa.column("retired_at", UtcTime()))
    account = sa.table("account", sa.column("former_key_until", UtcTime()))
    connection = op.get_bind()
    shared = key.c.purpose == "encryption"
    if connection.execute(sa.select(key.c.id).where(shared).limit(1)).first() is None:
        return
    in_use = shared & key.c.retired_at.is_(None)
    connection.execute(sa.update(key).where(in_use).values(state="retired", retired_at=now))
    connection.execute(sa.update(account).values(former_key_until=now + _FORMER_KEY_OPENS))


def _columns(*names: str) -> list[sa.ColumnClause[object]]:
    return [sa.column(name) for name in names]
