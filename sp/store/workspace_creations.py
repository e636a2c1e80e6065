"""When each sender created a workspace: counted apart from the workspaces, which may be deleted at once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlmodel import Session

from sp.models import WorkspaceCreation
from sp.store.rows import column

Table = WorkspaceCreation


def count_since(session: Session, sender: str, since: datetime) -> int:
    """How many workspaces the sender created after `since`, deleted ones included."""
    mine = column(Table.sender) == sender, column(Table.created_at) > since
    return int(session.execute(select(func.count()).select_from(Table).where(*mine)).scalar_one())


def add(session: Session, sender: str, now: datetime, *, forget_until: datetime) -> None:
    """Record a creation, and remove the records of all senders up to `forget_until`."""
    session.execute(delete(Table).where(column(Table.created_at) <= forget_until))
    session.add(Table(sender=sender, created_at=now))
    session.flush()
