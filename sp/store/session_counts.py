"""How many people are signed in.

Owns two counts over the sessions. Never tells who.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session

from sp.models import AdministratorSession, UserSession
from sp.store.rows import column


def unexpired(session: Session, now: datetime) -> dict[str, int]:
    """Sessions that end later than `now`, of users and of administrators."""
    return {
        kind: int(
            session.execute(select(func.count()).select_from(table).where(column(table.expires_at) > now)).scalar_one()
        )
        for kind, table in (("user", UserSession), ("administrator", AdministratorSession))
    }
