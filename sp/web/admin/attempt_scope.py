"""Which attempts an account's administrators may see.

Owns the confinement of the sign-in log. Never shows another company's attempts, nor tells whether they exist.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from sqlmodel import Session

from sp.flows.attempt_scope import Scopes, scopes_of
from sp.models import SignInAttempt
from sp.store import accounts, sign_in_attempts
from sp.web.admin.managed import ManagedAccountDep
from sp.web.errors import not_found
from sp.web.state import ServiceDep

__all__ = ["Scopes", "ScopesDep", "attempt_scopes", "attempt_seen"]


def attempt_scopes(account: ManagedAccountDep, service: ServiceDep) -> Scopes:
    with service.database.reading() as session:
        return scopes_of(session, accounts.account_by_id(session, account.id))


ScopesDep = Annotated[Scopes, Depends(attempt_scopes)]


def attempt_seen(session: Session, scopes: Scopes, reference: str) -> SignInAttempt:
    """Raises PageError (404) for an attempt of another account, and for one that is not there."""
    known = sign_in_attempts.as_reference(reference)
    found = sign_in_attempts.attempt_in(session, scopes, known) if known else None
    if found is None:
        raise not_found("There is no such sign-in attempt")
    return found
