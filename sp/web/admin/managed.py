"""The account that an administrator manages on this page.

Owns the confinement to the administrator's own company. Never tells whether another company's account exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from sp.flows import account_setup
from sp.store import accounts
from sp.store.rows import required
from sp.web.errors import not_found
from sp.web.state import ServiceDep
from sp.web.viewer import AdministratorDep


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as the pages name it. `id` is for the stores; an address has the slug."""

    id: int
    name: str
    slug: str
    company_name: str


def managed_account(slug: str, administrator: AdministratorDep, service: ServiceDep) -> AccountView:
    """The company's account of that slug. Raises PageError (404) for any other."""
    if not account_setup.is_slug(slug):
        raise not_found("There is no such account")
    with service.database.reading() as session:
        account = accounts.account_of_company(session, administrator.company_id, slug)
        if account is None:
            raise not_found("There is no such account")
        company = accounts.company_by_id(session, account.company_id)
    return AccountView(required(account.id), account.name, account.slug, company.name)


ManagedAccountDep = Annotated[AccountView, Depends(managed_account)]
