"""Sign-outs on their way: the LogoutRequests that we sent, and those of identity providers that were carried out.

Owns claiming each once. Never remembers a request that no signature covered: the caller verified it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, exists, select, tuple_, update
from sqlmodel import Session

from sp.models import ConsumedLogoutRequest, LogoutRequest
from sp.store.claims import claim_row, index_key
from sp.store.rows import column

Sent = LogoutRequest
Consumed = ConsumedLogoutRequest


def remember(session: Session, sent: LogoutRequest) -> None:
    session.add(sent)


def sent_by_browser(session: Session, request_id: str, browser_hash: str) -> LogoutRequest | None:
    """Our request of that ID if this browser brought it to the identity provider; others do not exist here."""
    same = column(Sent.id) == request_id, column(Sent.browser_hash) == browser_hash
    return session.execute(select(Sent).where(*same)).scalar_one_or_none()


def is_waiting(session: Session, request_id: str, now: datetime) -> bool:
    """Whether any browser waits for the answer to a request of that ID."""
    waiting = column(Sent.id) == request_id, column(Sent.used_at).is_(None), column(Sent.expires_at) > now
    return bool(session.execute(select(exists().where(*waiting))).scalar_one())


def use_up(session: Session, request_id: str, now: datetime) -> bool:
    """Whether this call is the first to take an answer to our request."""
    unused = column(Sent.id) == request_id, column(Sent.used_at).is_(None)
    return session.execute(update(Sent).where(*unused).values(used_at=now)).rowcount == 1  # type: ignore[attr-defined, no-any-return]


def claim(session: Session, realm_id: int, issuer: str, request_id: str, expires_at: datetime) -> bool:
    """Whether this call is the first to carry the identity provider's request out. Two at once: one gets True."""
    values = {
        "realm_id": realm_id,
        "issuer": index_key(issuer),
        "request_id": index_key(request_id),
        "expires_at": expires_at,
    }
    return claim_row(session, Consumed, values)


def was_carried_out(session: Session, realm_id: int, issuer: str, request_id: str) -> bool:
    """Looks without claiming, for a request that is refused anyway."""
    same = (
        column(Consumed.realm_id) == realm_id,
        column(Consumed.issuer) == index_key(issuer),
        column(Consumed.request_id) == index_key(request_id),
    )
    return bool(session.execute(select(exists().where(*same))).scalar_one())


def remove_expired(session: Session, now: datetime, *, at_most: int) -> int:
    """Forget what has expired of either kind, of each at most so many; how many went."""
    unanswered = select(column(Sent.id)).where(column(Sent.expires_at) <= now).limit(at_most)
    found = session.execute(unanswered).scalars().all()
    session.execute(delete(Sent).where(column(Sent.id).in_(found)))
    key = (column(Consumed.realm_id), column(Consumed.issuer), column(Consumed.request_id))
    expired = session.execute(select(*key).where(column(Consumed.expires_at) <= now).limit(at_most)).all()
    session.execute(delete(Consumed).where(tuple_(*key).in_([tuple(row) for row in expired])))
    return max(len(found), len(expired))
