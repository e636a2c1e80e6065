"""Issuers that an account asked for while another company's account held them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlmodel import Session

from sp.models import IssuerConflict
from sp.store.rows import column


def record(session: Session, account_id: int, issuer: str, setting: str, now: datetime) -> None:
    """Store that the account asked for the issuer, once more where it did before.

    Under the lock of the realm's settings (`accounts.lock_settings`), so that two cannot insert the same row.
    """
    found = session.get(IssuerConflict, (account_id, issuer))
    if found is None:
        found = IssuerConflict(
            account_id=account_id, issuer=issuer, setting=setting, first_asked_at=now, last_asked_at=now, times=0
        )
    found.setting, found.last_asked_at, found.times = setting, now, found.times + 1
    session.add(found)
    session.flush()


def conflict_of(session: Session, account_id: int, issuer: str) -> IssuerConflict | None:
    """What is stored of the account's asking for the issuer."""
    return session.get(IssuerConflict, (account_id, issuer))


def every_conflict(session: Session) -> Sequence[IssuerConflict]:
    """All that are stored, those of one issuer together, the oldest first."""
    query = select(IssuerConflict).order_by(column(IssuerConflict.issuer), column(IssuerConflict.first_asked_at))
    return session.execute(query).scalars().all()


def remove(session: Session, account_id: int, issuer: str) -> None:
    """Forget that the account asked for the issuer."""
    mine = column(IssuerConflict.account_id) == account_id, column(IssuerConflict.issuer) == issuer
    session.execute(delete(IssuerConflict).where(*mine))
