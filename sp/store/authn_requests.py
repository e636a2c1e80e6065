"""The AuthnRequests that were sent from here, until they are answered or forgotten.

Owns finding, bounding and using them up. Never sees a browser's token: the caller hands in its hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import CursorResult, and_, delete, func, or_, select, update
from sqlmodel import Session

from sp.models import AuthnRequest
from sp.store.rows import Runner, column

Table = AuthnRequest


def keep(session: Session, request: AuthnRequest, *, per_browser: int) -> None:
    """Remember a request; of those of its browser that wait, the oldest beyond `per_browser` are forgotten."""
    session.add(request)
    session.flush()
    waiting = column(Table.browser_hash) == request.browser_hash, column(Table.used_at).is_(None)
    newest = select(column(Table.id)).where(*waiting).order_by(column(Table.sent_at).desc(), column(Table.id))
    surplus = session.execute(newest.offset(per_browser)).scalars().all()
    if surplus:
        session.execute(delete(Table).where(column(Table.id).in_(surplus)))


def sent_since(session: Session, moment: datetime, *, account_id: int) -> int:
    """How many requests the account has sent after `moment`."""
    recent = column(Table.account_id) == account_id, column(Table.sent_at) > moment
    return int(session.execute(select(func.count()).select_from(Table).where(*recent)).scalar_one())


def started_from_since(session: Session, moment: datetime, *, address: str) -> int:
    """How many requests were started from the address after `moment`, of whatever account."""
    recent = column(Table.remote_address) == address, column(Table.sent_at) > moment
    return int(session.execute(select(func.count()).select_from(Table).where(*recent)).scalar_one())


def of_browser(session: Session, request_id: str, browser_hash: str, acs_url: str) -> AuthnRequest | None:
    """The request of that ID if this browser sent it and its answer was to come to this address; used or not."""
    query = select(Table).where(
        column(Table.id) == request_id,
        column(Table.browser_hash) == browser_hash,
        column(Table.acs_url) == acs_url,
    )
    found: AuthnRequest | None = session.execute(query).scalar_one_or_none()
    return found


def is_waiting(session: Session, request_id: str) -> bool:
    """Whether any browser's request of that ID waits for its answer."""
    query = select(column(Table.id)).where(column(Table.id) == request_id, column(Table.used_at).is_(None))
    return session.execute(query).first() is not None


def of_account(session: Session, account_id: int, request_id: str) -> AuthnRequest | None:
    """The request of that ID if the account sent it; other accounts' requests do not exist here."""
    query = select(Table).where(column(Table.id) == request_id, column(Table.account_id) == account_id)
    found: AuthnRequest | None = session.execute(query).scalar_one_or_none()
    return found


def from_the_bench(session: Session, account_id: int, *, limit: int) -> Sequence[AuthnRequest]:
    """What was sent from the account's request bench, the newest first."""
    query = (
        select(Table)
        .where(column(Table.account_id) == account_id, column(Table.bench).is_(True))
        .order_by(column(Table.sent_at).desc(), column(Table.id))
        .limit(limit)
    )
    return session.execute(query).scalars().all()


def use(runner: Runner, request_id: str, now: datetime) -> bool:
    """Whether this call is the first to use the request up. Two calls at once: one gets True."""
    unused = column(Table.id) == request_id, column(Table.used_at).is_(None)
    result = runner.execute(update(Table).where(*unused).values(used_at=now))
    return isinstance(result, CursorResult) and result.rowcount == 1


def forget(session: Session, request: AuthnRequest) -> None:
    session.delete(request)
    session.flush()


def remove_old(session: Session, *, waiting_before: datetime, answered_before: datetime, at_most: int) -> int:
    """Remove what expired before these times, unanswered requests and answered or bench ones; how many went."""
    expires = column(Table.expires_at)
    untold = column(Table.used_at).is_(None), column(Table.bench).is_(False)
    old = or_(expires < answered_before, and_(*untold))
    ids = select(column(Table.id)).where(expires < waiting_before, old).limit(at_most)
    found = session.execute(ids).scalars().all()
    session.execute(delete(Table).where(column(Table.id).in_(found)))
    return len(found)
