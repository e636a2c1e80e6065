"""The sign-in log: every message that reached the assertion consumer service.

Owns recording and reading attempts. Never stores a report: it is computed again from what is kept here.
"""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import Session

from sp.models import SignInAttempt
from sp.store.rows import column

# No 0/O, 1/I/L: a reference is read aloud over the telephone.
_REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_REFERENCE_LENGTH = 8


def new_reference() -> str:
    """A short name for an attempt, of 39 random bits."""
    return "".join(secrets.choice(_REFERENCE_ALPHABET) for _ in range(_REFERENCE_LENGTH))


def record(session: Session, attempt: SignInAttempt) -> None:
    session.add(attempt)


def compress(message: bytes | None) -> bytes | None:
    return None if message is None else zlib.compress(message, 6)


def decompress(message: bytes | None) -> bytes | None:
    """What `compress` was given. Only ever called on what we stored ourselves."""
    return None if message is None else zlib.decompress(message)


def attempt_by_reference(session: Session, reference: str) -> SignInAttempt | None:
    return session.execute(
        select(SignInAttempt).where(column(SignInAttempt.reference) == reference)
    ).scalar_one_or_none()


def newest(session: Session, *, limit: int, account_id: int | None = None) -> Sequence[SignInAttempt]:
    """The latest attempts, newest first, of one account or of all."""
    query = select(SignInAttempt).order_by(column(SignInAttempt.id).desc()).limit(limit)
    if account_id is not None:
        query = query.where(column(SignInAttempt.account_id) == account_id)
    return session.execute(query).scalars().all()
