"""The companies of a realm, in order.

Owns that one list. Never lists a workspace's company among the others.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import Session

from sp.models import Company
from sp.store.rows import column


def companies_of(session: Session, realm_id: int) -> Sequence[Company]:
    query = select(Company).where(column(Company.realm_id) == realm_id).order_by(column(Company.id))
    return session.execute(query).scalars().all()
