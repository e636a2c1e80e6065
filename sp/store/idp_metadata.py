"""Where the metadata of an account's identity provider is followed, as stored.

Owns the rows and who may refresh one now. Never fetches and never judges: `sp.flows.metadata_refresh` does.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlmodel import Session

from sp.models import IdpMetadata
from sp.store.rows import column

Table = IdpMetadata


def of_account(session: Session, account_id: int) -> IdpMetadata | None:
    query = select(Table).where(column(Table.account_id) == account_id)
    return session.execute(query).scalar_one_or_none()


def store(session: Session, row: IdpMetadata) -> None:
    """The account's only row, in the place of the one that was there."""
    session.merge(row)
    session.flush()


def forget(session: Session, account_id: int) -> None:
    session.execute(delete(Table).where(column(Table.account_id) == account_id))


def claim_due(session: Session, now: datetime, until: datetime) -> IdpMetadata | None:
    """A row whose time has come, kept from everybody else `until` then. Of two processes at once, one gets it."""
    due = column(Table.refreshing).is_(True), column(Table.next_refresh_at) <= now
    found = select(column(Table.account_id)).where(*due).order_by(column(Table.next_refresh_at)).limit(1)
    account_id = session.execute(found).scalar_one_or_none()
    if account_id is None:
        return None
    claimed = update(Table).where(column(Table.account_id) == account_id, *due).values(next_refresh_at=until)
    took = session.execute(claimed, execution_options={"synchronize_session": False}).rowcount  # type: ignore[attr-defined]
    return of_account(session, account_id) if took == 1 else None
