"""The tokens by which programs use the API.

Owns finding, adding and removing them. Never sees a token: only its hash is kept, so a stolen database opens nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlmodel import Session

from sp.models import ApiToken
from sp.store.rows import column


def by_hash(session: Session, token_hash: str) -> ApiToken | None:
    """The token of this hash, expired or not."""
    same = column(ApiToken.token_hash) == token_hash
    return session.execute(select(ApiToken).where(same)).scalar_one_or_none()


def of_account(session: Session, account_id: int) -> Sequence[ApiToken]:
    """The account's tokens, the newest first, expired ones included."""
    query = select(ApiToken).where(column(ApiToken.account_id) == account_id).order_by(column(ApiToken.id).desc())
    return session.execute(query).scalars().all()


def count_of_account(session: Session, account_id: int) -> int:
    query = select(func.count()).select_from(ApiToken).where(column(ApiToken.account_id) == account_id)
    return int(session.execute(query).scalar_one())


def one_of_account(session: Session, account_id: int, token_id: int) -> ApiToken | None:
    """The token if it belongs to the account; another account's tokens do not exist here."""
    mine = column(ApiToken.account_id) == account_id, column(ApiToken.id) == token_id
    return session.execute(select(ApiToken).where(*mine)).scalar_one_or_none()


def named(session: Session, account_id: int, name: str) -> ApiToken | None:
    mine = column(ApiToken.account_id) == account_id, column(ApiToken.name) == name
    return session.execute(select(ApiToken).where(*mine).limit(1)).scalar_one_or_none()


def add(session: Session, token: ApiToken) -> ApiToken:
    session.add(token)
    session.flush()
    return token


def remove(session: Session, token: ApiToken) -> None:
    session.execute(delete(ApiToken).where(column(ApiToken.id) == token.id))


def note_use(session: Session, token_id: int, now: datetime) -> None:
    """When a program used the token last. One that was revoked meanwhile stays revoked."""
    session.execute(update(ApiToken).where(column(ApiToken.id) == token_id).values(last_used_at=now))
