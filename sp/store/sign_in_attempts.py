"""The sign-in log: every message that reached the assertion consumer service.

Owns recording and reading single attempts. Never stores a report: it is computed again from what is kept here.
"""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import delete, insert, select
from sqlmodel import Session

from sp.models import SignInAttempt
from sp.store.rows import column, table_of
from sp.store.together import Transaction
from sp.store.users import folded

# No 0/O, 1/I/L: a reference is read aloud over the telephone.
_REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_REFERENCE_LENGTH = 8
_USER_CHARACTERS = 128
_ISSUER_CHARACTERS = 256


_INSERT = insert(table_of(SignInAttempt)).inline()


class NewAttempt(TypedDict):
    """The columns of `SignInAttempt` that are not derived; `message` comes from `compress`."""

    reference: str
    realm_id: int
    account_id: int | None
    settings_id: int | None
    received_at: datetime
    remote_address: str
    outcome: str
    failed: list[str]
    warnings: list[str]
    issuer: str
    username: str
    unverified_username: str
    user_id: int | None
    provisioned: bool
    expectations: dict[str, Any]
    message: bytes | None


def new_reference() -> str:
    """A short name for an attempt, of 39 random bits: asked for at once, each question is one to the system."""
    number, many = secrets.randbelow(len(_REFERENCE_ALPHABET) ** _REFERENCE_LENGTH), len(_REFERENCE_ALPHABET)
    return "".join(_REFERENCE_ALPHABET[number // many**place % many] for place in range(_REFERENCE_LENGTH))


def as_reference(text: str) -> str | None:
    """The reference that somebody typed, or None where it can be none."""
    typed = text.strip().upper()
    return typed if len(typed) == _REFERENCE_LENGTH and set(typed) <= set(_REFERENCE_ALPHABET) else None


def record(transaction: Transaction, attempt: NewAttempt) -> None:
    """Add the attempt, with every derived column. As a statement: as an object it would cost the sign-in more."""
    user = attempt["username"] or attempt["unverified_username"]
    derived = _derived(attempt["failed"], attempt["warnings"], user, attempt["issuer"], attempt["message"])
    transaction.at_the_end(_INSERT, {**attempt, **derived})


def fill_keys(attempt: SignInAttempt) -> None:
    """Compute the derived columns; for whoever stores many rows at once."""
    user = attempt.username or attempt.unverified_username
    for name, value in _derived(attempt.failed, attempt.warnings, user, attempt.issuer, attempt.message).items():
        setattr(attempt, name, value)


def _derived(
    failed: list[str], warnings: list[str], user: str, issuer: str, message: bytes | None
) -> dict[str, str | int]:
    codes = (*failed, *warnings)
    return {
        "codes": f" {' '.join(codes)} " if codes else "",
        "user_key": folded(user)[:_USER_CHARACTERS],
        "issuer_key": folded(issuer)[:_ISSUER_CHARACTERS],
        "message_bytes": len(message or b""),
    }


def compress(message: bytes | None) -> bytes | None:
    return None if message is None else zlib.compress(message, 6)


def decompress(message: bytes | None) -> bytes | None:
    """What `compress` was given. Only ever called on what we stored ourselves."""
    return None if message is None else zlib.decompress(message)


def attempt_by_reference(session: Session, reference: str) -> SignInAttempt | None:
    return session.execute(
        select(SignInAttempt).where(column(SignInAttempt.reference) == reference)
    ).scalar_one_or_none()


def newest_received_at(session: Session) -> datetime | None:
    """When the last attempt was recorded; None where there is none."""
    newest = select(column(SignInAttempt.received_at)).order_by(column(SignInAttempt.id).desc()).limit(1)
    return session.execute(newest).scalar_one_or_none()


def attempt_by_id(session: Session, attempt_id: int) -> SignInAttempt | None:
    return session.execute(select(SignInAttempt).where(column(SignInAttempt.id) == attempt_id)).scalar_one_or_none()


def attempt_in(session: Session, scopes: Collection[int | None], reference: str) -> SignInAttempt | None:
    """The attempt if it belongs to one of these accounts (None: to no account); others do not exist here."""
    attempt = attempt_by_reference(session, reference)
    return attempt if attempt is not None and attempt.account_id in scopes else None


def newest(session: Session, *, limit: int, account_id: int | None = None) -> Sequence[SignInAttempt]:
    """The latest attempts, newest first, of one account or of all."""
    query = select(SignInAttempt).order_by(column(SignInAttempt.id).desc()).limit(limit)
    if account_id is not None:
        query = query.where(column(SignInAttempt.account_id) == account_id)
    return session.execute(query).scalars().all()


def verified_messages(session: Session, account_id: int, *, among: int, limit: int) -> list[tuple[datetime, bytes]]:
    """When the newest messages that a signature verified came, and what they were, without those sent again.

    Only the newest `among` attempts are looked at: anybody may fill the log with messages that nothing verifies.
    """
    newest = column(SignInAttempt.id).desc()
    ids = select(column(SignInAttempt.id)).where(column(SignInAttempt.account_id) == account_id).order_by(newest)
    query = (
        select(column(SignInAttempt.received_at), column(SignInAttempt.message))
        .where(
            column(SignInAttempt.id).in_(ids.limit(among).scalar_subquery()),
            column(SignInAttempt.username) != "",
            column(SignInAttempt.message).is_not(None),
            ~column(SignInAttempt.codes).contains(" replay "),
        )
        .order_by(newest)
        .limit(limit)
    )
    return [(row[0], decompress(row[1]) or b"") for row in session.execute(query)]


def old_ones(session: Session, received_before: datetime, *, at_most: int) -> Sequence[int]:
    """The ids of attempts that are too old, found among the `at_most` first ones.

    Attempts come in the order of time, so nobody need look further, however many there are. Where a clock was set back,
    what came before that keeps what came after for as much longer.
    """
    first = select(column(SignInAttempt.id), column(SignInAttempt.received_at)).order_by(column(SignInAttempt.id))
    eldest = first.limit(at_most).subquery().c
    return session.execute(select(eldest.id).where(eldest.received_at < received_before)).scalars().all()


def remove(session: Session, ids: Collection[int]) -> None:
    session.execute(delete(SignInAttempt).where(column(SignInAttempt.id).in_(ids)))
