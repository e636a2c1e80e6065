"""Choosing the account to manage, its Home tab, and the tabs and boxes around the pages that do something.

Owns the way through the console. Never changes an account.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from sp.flows import account_setup
from sp.flows.account_setup import is_slug
from sp.store import accounts, user_listing
from sp.store.user_listing import Listing
from sp.web import csrf
from sp.web.admin.managed import AccountView, ManagedAccountDep
from sp.web.admin.saml_state import saml_state
from sp.web.rendering import render
from sp.web.state import Service, ServiceDep
from sp.web.viewer import AdministratorDep

router = APIRouter(prefix="/account-manager")

_NOT_CHOSEN = "Select the account to manage."


@router.get("")
def choose_account(request: Request, administrator: AdministratorDep, service: ServiceDep) -> Response:
    """The accounts of the administrator's company."""
    return _choice(request, service, administrator.company_id)


@router.post("", dependencies=[Depends(csrf.require_form_token)])
def manage_account(
    request: Request, administrator: AdministratorDep, service: ServiceDep, account: Annotated[str, Form()] = ""
) -> Response:
    """On to the chosen account. The choice grants nothing: every page asks whose account it shows."""
    with service.database.reading() as session:
        known = is_slug(account)
        chosen = accounts.account_of_company(session, administrator.company_id, account) if known else None
    if chosen is None:
        return _choice(request, service, administrator.company_id, error=_NOT_CHOSEN)
    return RedirectResponse(f"/account-manager/{chosen.slug}", status_code=303)


def _choice(request: Request, service: Service, company_id: int, error: str = "") -> Response:
    with service.database.reading() as session:
        company = accounts.company_by_id(session, company_id)
        found = accounts.accounts_of(session, company_id)
    return render(
        request,
        "admin/account_manager/choose.html",
        status=422 if error else 200,
        company_name=company.name,
        choices=[{"value": account.slug, "label": account.name} for account in found],
        chosen=found[0].slug if len(found) == 1 else "",
        error=error,
    )


@router.get("/{slug}")
def home(request: Request, account: ManagedAccountDep, service: ServiceDep) -> Response:
    """How the account stands, and what to do next."""
    with service.database.reading() as session:
        draft = account_setup.draft_of(session, accounts.account_by_id(session, account.id))
        people = user_listing.count(session, Listing(account.id))
    return render(
        request,
        "admin/account_manager/home.html",
        account=account,
        active_tab="home",
        saml=saml_state(draft),
        password_sign_in=draft.password_sign_in,
        provisioning=draft.provisioning,
        issuer=draft.issuer,
        people=people,
    )


@router.get("/{slug}/accounts")
def boxes(request: Request, account: ManagedAccountDep) -> Response:
    return render(
        request, "admin/account_manager/accounts.html", account=account, active_tab="accounts", active_menu=""
    )


@router.get("/{slug}/accounts/privileges")
def privileges(request: Request, account: ManagedAccountDep) -> Response:
    return _not_here(request, account, "Privileges", tab="accounts", menu="privileges")


@router.get("/{slug}/phone-system")
def phone_system(request: Request, account: ManagedAccountDep) -> Response:
    return _not_here(request, account, "Phone System", tab="phone-system")


@router.get("/{slug}/billing")
def billing(request: Request, account: ManagedAccountDep) -> Response:
    return _not_here(request, account, "Billing", tab="billing")


@router.get("/{slug}/orders")
def orders(request: Request, account: ManagedAccountDep) -> Response:
    return _not_here(request, account, "Orders", tab="orders")


def _not_here(request: Request, account: AccountView, title: str, *, tab: str, menu: str | None = None) -> Response:
    """Says plainly that the page exists in the product and not in the stand-in."""
    return render(
        request,
        "admin/account_manager/not_here.html",
        account=account,
        active_tab=tab,
        active_menu=menu,
        page_title=title,
    )
