"""Which attempts an account's administrators may see.

Owns the confinement of the sign-in log. Never shows another company's attempts, nor tells whether they exist.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from sp.store import accounts
from sp.web.admin.managed import ManagedAccountDep
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
