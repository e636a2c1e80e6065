"""Administrators of companies.

Owns their names and password hashes. Never links one to a user: a NameID cannot become an administrator.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session

from sp.models import Administrator, Company
from sp.saml.identity import username_key
from sp.store import sessions
from sp.store.rows import column, required


def administrator_named(session: Session, username: str) -> Administrator | None:
    query = select(Administrator).where(column(Administrator.username_key) == username_key(username))
    return session.execute(query).scalar_one_or_none()


def add_administrator(
    session: Session, company: Company, username: str, password_hash: str, now: datetime
) -> Administrator:
    administrator = Administrator(
        company_id=required(company.id),
        username=username,
        username_key=username_key(username),
        password_hash=password_hash,
        created_at=now,
    )
    session.add(administrator)
    session.flush()
    return administrator


def set_password(session: Session, administrator: Administrator, password_hash: str) -> None:
    """The new password ends every session that the old one opened."""
    administrator.password_hash = password_hash
    session.add(administrator)
    sessions.end_all_of_administrator(session, required(administrator.id))
