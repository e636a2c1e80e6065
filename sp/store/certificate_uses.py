"""When each certificate of an account verified a sign-in, first and last.

Owns writing that down, to the minute. Never says what it means: `sp.flows.idp_certificates` does.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlmodel import Session

from sp.models import CertificateUse
from sp.store.claims import claim_row
from sp.store.rows import Runner, column

Table = CertificateUse

_EVERY = timedelta(minutes=1)


def is_stale(last_used_at: datetime | None, now: datetime) -> bool:
    """Whether a use at `now` is worth a row: sign-ins come by the thousand, and nobody asks for the second."""
    return last_used_at is None or now - last_used_at >= _EVERY


def record(runner: Runner, account_id: int, sha256: str, now: datetime) -> None:
    """Write down a use at `now`. Of two at once that are the first, one makes the row; the last one only moves on."""
    same = column(Table.account_id) == account_id, column(Table.sha256) == sha256
    made = claim_row(
        runner, Table, {"account_id": account_id, "sha256": sha256, "first_used_at": now, "last_used_at": now}
    )
    if not made:
        later = column(Table.last_used_at) < now
        runner.execute(update(Table).where(*same, later).values(last_used_at=now))


def of_account(session: Session, account_id: int) -> dict[str, CertificateUse]:
    """What is known, by `sha256` of the certificate."""
    found = session.execute(select(Table).where(column(Table.account_id) == account_id)).scalars()
    return {use.sha256: use for use in found}


def forget(session: Session, account_id: int, sha256: str) -> None:
    """For a certificate that was removed: if it comes back, it begins anew."""
    session.execute(delete(Table).where(column(Table.account_id) == account_id, column(Table.sha256) == sha256))
