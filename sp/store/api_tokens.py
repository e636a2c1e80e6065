"""The tokens by which programs use the API.

Owns finding, adding and removing them. Never sees a token: only its hash is kept, so a stolen database opens nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select, update
from sqlmodel import Session

from sp.models import Account, ApiToken, Realm
from sp.store.rows import column


@dataclass(frozen=True, slots=True)
class KnownToken:
    """A token with the account that it is for, and when the workspace of that account is over, if it is in one."""

    id: int
    name: str
    scope: str
    expires_at: datetime | None
    last_used_at: datetime | None
    account_id: int
    account_slug: str
    workspace_ends_at: datetime | None


# Built once: building a statement costs more than running this one, and every request of a program asks.
_KNOWN = (
    select(
        column(ApiToken.id),
        column(ApiToken.name),
        column(ApiToken.scope),
        column(ApiToken.expires_at),
        column(ApiToken.last_used_at),
        column(Account.id),
        column(Account.slug),
        column(Realm.expires_at),
    )
    .join(Account, column(Account.id) == ApiToken.account_id)
    .join(Realm, column(Realm.id) == Account.realm_id)
    .where(column(ApiToken.token_hash) == bindparam("token_hash"))
)


def known(session: Session, token_hash: str) -> KnownToken | None:
    """The token of this hash, expired or not, with its account."""
    row = session.execute(_KNOWN, {"token_hash": token_hash}).first()
    return None if row is None else KnownToken(*row)


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
