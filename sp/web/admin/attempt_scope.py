"""Which attempts an account's administrators may see.

Owns the confinement of the sign-in log. Never shows another company's attempts, nor tells whether they exist.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from sqlmodel import Session

from sp.models import SignInAttempt
from sp.store import accounts, sign_in_attempts
from sp.web.admin.managed import ManagedAccountDep
from sp.web.errors import not_found
from sp.web.state import ServiceDep

Scopes = tuple[int | None, ...]


def attempt_scopes(account: ManagedAccountDep, service: ServiceDep) -> Scopes:
    """The account, and None for attempts that name no known issuer where there is one company only.

    Such an attempt belongs to no account. Where there is a second company it could be meant for either, so only the
    operator sees it, on the command line.
    """
    with service.database.reading() as session:
        alone = accounts.single_company(session)
    return (account.id, None) if alone else (account.id,)


ScopesDep = Annotated[Scopes, Depends(attempt_scopes)]


def attempt_seen(session: Session, scopes: Scopes, reference: str) -> SignInAttempt:
    """Raises PageError (404) for an attempt of another account, and for one that is not there."""
    known = sign_in_attempts.as_reference(reference)
    found = sign_in_attempts.attempt_in(session, scopes, known) if known else None
    if found is None:
        raise not_found("There is no such sign-in attempt")
    return found
