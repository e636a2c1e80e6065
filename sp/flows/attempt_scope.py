"""Whose attempts belong to an account's administrators and programs.

Owns that rule. Never reads an attempt.
"""

from __future__ import annotations

from sqlmodel import Session

from sp.models import Account
from sp.store import accounts
from sp.store.rows import required

Scopes = tuple[int | None, ...]


def scopes_of(session: Session, account: Account) -> Scopes:
    """The account, and None for attempts that name no known issuer where there is one company only.

    Such an attempt belongs to no account. Where there is a second company it could be meant for either, so only the
    operator sees it, on the command line.
    """
    alone = accounts.only_company(session, account.company_id)
    return (required(account.id), None) if alone else (required(account.id),)
