"""What the next sign-ins of an account must look like.

Owns keeping them, and giving each the sign-in that answers it, once. Never compares anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlmodel import Session

from sp.models import Account, SignInAttempt, SignInExpectation
from sp.store.rows import column
from sp.store.users import folded

Table = SignInExpectation
NONE_CAME = 0  # in place of an attempt's id: it is over, and nobody looks for its sign-in again


def add(session: Session, expectation: SignInExpectation) -> SignInExpectation:
    session.add(expectation)
    session.flush()
    return expectation


def of_account(session: Session, account_id: int, reference: str) -> SignInExpectation | None:
    """The expectation of that reference if the account declared it; others do not exist here."""
    mine = column(Table.reference) == reference, column(Table.account_id) == account_id
    return session.execute(select(Table).where(*mine)).scalar_one_or_none()


def unanswered(session: Session, account_id: int) -> Sequence[SignInExpectation]:
    """Those without a sign-in, in the order in which they were declared; not those for which none came."""
    mine = column(Table.account_id) == account_id, column(Table.attempt_id).is_(None)
    return session.execute(select(Table).where(*mine).order_by(column(Table.id))).scalars().all()


def count_waiting(session: Session, account_id: int, now: datetime) -> int:
    mine = column(Table.account_id) == account_id, column(Table.attempt_id).is_(None), column(Table.expires_at) > now
    return int(session.execute(select(func.count()).select_from(Table).where(*mine)).scalar_one())


def count_all(session: Session, account_id: int) -> int:
    mine = column(Table.account_id) == account_id
    return int(session.execute(select(func.count()).select_from(Table).where(mine)).scalar_one())


def lock_account(session: Session, account_id: int) -> None:
    """One at a time gives sign-ins to an account's expectations. On SQLite the writing transaction is that lock."""
    session.execute(select(column(Account.id)).where(column(Account.id) == account_id).with_for_update(key_share=True))


def next_sign_in(
    session: Session, scopes: Iterable[int | None], expectation: SignInExpectation, *, username: str, issuer: str
) -> int | None:
    """The id of the first attempt after the declaration that no other expectation has; None as long as there is none.

    `username` and `issuer` narrow it down where they are not empty.
    """
    attempt, taken = SignInAttempt, select(column(Table.attempt_id)).where(column(Table.attempt_id).is_not(None))
    query = select(column(attempt.id)).where(
        or_(*(column(attempt.account_id) == scope for scope in scopes)),
        column(attempt.id) > expectation.after_attempt_id,
        column(attempt.received_at) <= expectation.expires_at,
        column(attempt.id).not_in(taken),
    )
    if username:
        query = query.where(column(attempt.user_key) == folded(username)[:128])
    if issuer:
        query = query.where(column(attempt.issuer) == issuer)
    return session.execute(query.order_by(column(attempt.id)).limit(1)).scalar_one_or_none()


def give(session: Session, expectation_id: int, attempt_id: int) -> bool:
    """Whether this call is the one that gave the expectation its sign-in."""
    unanswered = column(Table.id) == expectation_id, column(Table.attempt_id).is_(None)
    given = session.execute(update(Table).where(*unanswered).values(attempt_id=attempt_id))
    return bool(given.rowcount)  # type: ignore[attr-defined]


def keep_differences(session: Session, expectation_id: int, differences: list[dict[str, Any]]) -> None:
    """What differed, so that it can still be told when the attempt has been removed."""
    session.execute(update(Table).where(column(Table.id) == expectation_id).values(differences=differences))


def remove_old(session: Session, expired_before: datetime, *, at_most: int) -> int:
    """Forget what nobody asks about any more; how many went."""
    ids = select(column(Table.id)).where(column(Table.expires_at) < expired_before).limit(at_most)
    found = session.execute(ids).scalars().all()
    session.execute(delete(Table).where(column(Table.id).in_(found)))
    return len(found)
