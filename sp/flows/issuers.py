"""Which account holds an issuer, and what happens when another company asks for it.

In a realm an issuer belongs to one account, as its Issuer URL or as the issuer of its sign-out messages. A company that
asks for another company's learns only that the operator has to decide: it may be the rightful owner. The conflict is
logged and stored for the operator, who can move the issuer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlmodel import Session

from sp.models import Account, IssuerConflict
from sp.store import accounts, issuer_conflicts
from sp.store.engine import Database
from sp.store.rows import required

SETTINGS = ("issuer", "sign_out_issuer")
_SAME_COMPANY = "Another account trusts this issuer already. An issuer can belong to one account only."
_OTHER_COMPANY = (
    "This issuer cannot be entered here without the operator of this service. "
    "Ask the operator, who finds it with `virtual-office issuer list`."
)

_log = structlog.get_logger("sp.issuers")


def holder_of(session: Session, realm_id: int, issuer: str, *, besides: int | None = None) -> Account | None:
    """The account, other than `besides`, that has the issuer as Issuer URL or as issuer of sign-out messages."""
    for found in (
        accounts.account_with_issuer(session, realm_id, issuer),
        accounts.user_of_sign_out_issuer(session, realm_id, issuer),
    ):
        if found is not None and found.id != besides:
            return found
    return None


def issuer_refusal(session: Session, account: Account, issuer: str) -> str | None:
    """Why the account cannot have the issuer, as one sentence, or None."""
    holder = holder_of(session, account.realm_id, issuer, besides=account.id)
    if holder is None:
        return None
    return _SAME_COMPANY if holder.company_id == account.company_id else _OTHER_COMPANY


def record_conflicts(session: Session, account: Account, wanted: Mapping[str, str], now: datetime) -> None:
    """Log and store for the operator which of the `wanted` issuers, by setting, another company's account holds.

    Under the lock of the realm's settings. The transaction has to be committed, although the settings were refused.
    """
    for setting, issuer in wanted.items():
        holder = holder_of(session, account.realm_id, issuer, besides=account.id)
        if holder is not None and holder.company_id != account.company_id:
            issuer_conflicts.record(session, required(account.id), issuer, setting, now)
            if structlog.is_configured():  # else this is a command of the operator, which prints the refusal itself
                _log.warning("issuer_conflict", issuer=issuer, asked_by=account.slug, held_by=holder.slug)


def record_conflict_of_preview(database: Database, account_id: int, issuer: str, now: datetime) -> None:
    """The same for an Issuer URL that was refused in a preview: without a button to save, nothing else would come."""
    with database.writing() as session:
        account = accounts.account_by_id(session, account_id)
        accounts.lock_settings(session, account)
        record_conflicts(session, account, {"issuer": issuer}, now)


@dataclass(frozen=True, slots=True)
class Conflict:
    """An account that asked for an issuer of another company's account, and when."""

    asked_by: Account
    conflict: IssuerConflict


@dataclass(frozen=True, slots=True)
class HeldIssuer:
    """An issuer, the account that holds it, in which setting and since when, and the accounts that asked for it."""

    issuer: str
    setting: str
    account: Account
    company: str
    since: datetime
    conflicts: tuple[Conflict, ...]


def held_issuers(session: Session, *, only_conflicts: bool = False) -> Sequence[HeldIssuer]:
    """The issuers of the shared realm in alphabetical order; `only_conflicts`, those that others asked for."""
    asked: dict[str, list[Conflict]] = {}
    for row in issuer_conflicts.every_conflict(session):
        asked.setdefault(row.issuer, []).append(Conflict(accounts.account_by_id(session, row.account_id), row))
    held = [
        HeldIssuer(issuer, setting, account, company, since, _open(asked.get(issuer, ()), account))
        for issuer, setting, account, company, since in accounts.issuers_in_force(session)
    ]
    return [one for one in held if one.conflicts or not only_conflicts]


def _open(conflicts: Sequence[Conflict], holder: Account) -> tuple[Conflict, ...]:
    """Those that are not settled: an account that got the issuer since asks no more."""
    return tuple(one for one in conflicts if one.asked_by.company_id != holder.company_id)
