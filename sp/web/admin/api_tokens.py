"""API Tokens: the programs that may use this account.

Owns what each address answers. Never shows a token but once, in the answer to the form that made it: it is in no
cookie, no address and no cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from sp.flows.account_setup import Invalid
from sp.flows.api_tokens import API, is_over, make_token, scopes_in
from sp.models import ApiToken, TokenScope
from sp.store import accounts, api_tokens
from sp.store.rows import required
from sp.web import csrf
from sp.web.admin.managed import AccountView, ManagedAccountDep
from sp.web.errors import not_found
from sp.web.flash import redirect_with_flash
from sp.web.rendering import render
from sp.web.state import Service, ServiceDep
from sp.web.times import ShownTime, shown_time
from sp.web.viewer import AdministratorDep

router = APIRouter(prefix="/account-manager/{slug}/accounts/api-tokens")
_FORM = [Depends(csrf.require_form_token)]
_ID_DIGITS = 18  # as many as every database's ids can have
_USUAL_LIFETIME = "90"
LIFETIMES = (("1", "1 day"), ("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("365", "1 year"), ("", "Never"))
SCOPES = ((TokenScope.READ.value, "Read"), (TokenScope.WRITE.value, "Read and write"))


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as the list shows it. A time is None where it never was, or never will be."""

    id: int
    name: str
    scope: str
    made_by: str
    made: ShownTime
    used: ShownTime | None
    ends: ShownTime | None
    over: bool


@dataclass(frozen=True, slots=True)
class TokenForm:
    """The form as somebody filled it in."""

    name: str = ""
    scope: str = TokenScope.READ.value
    expires: str = _USUAL_LIFETIME
    messages: bool = False

    @property
    def scopes(self) -> tuple[TokenScope, ...]:
        return (TokenScope(self.scope), *((TokenScope.MESSAGES,) if self.messages else ()))


def submitted(
    name: Annotated[str, Form()] = "",
    scope: Annotated[str, Form()] = "",
    expires: Annotated[str, Form()] = "",
    messages: Annotated[str, Form()] = "",
) -> TokenForm:
    return TokenForm(name, scope, expires, messages=bool(messages))


@router.get("")
def list_tokens(request: Request, account: ManagedAccountDep, service: ServiceDep) -> Response:
    return _page(request, service, account, TokenForm())


@router.post("", dependencies=_FORM)
def add_token(
    request: Request,
    account: ManagedAccountDep,
    administrator: AdministratorDep,
    service: ServiceDep,
    form: Annotated[TokenForm, Depends(submitted)],
) -> Response:
    """The page with the new token on it. Sent once more, as by a reload, it finds the name taken."""
    errors = _choice_faults(form)
    if errors:
        return _page(request, service, account, form, errors=errors)
    lifetime = timedelta(days=int(form.expires)) if form.expires else None
    with service.database.writing() as session:
        stored = accounts.account_by_id(session, account.id)
        made = make_token(
            session,
            stored,
            form.name,
            *form.scopes,
            lifetime=lifetime,
            created_by=administrator.username,
            now=service.now(),
        )
    if isinstance(made, Invalid):
        return _page(request, service, account, form, errors=dict(made.errors))
    response = _page(request, service, account, TokenForm(), made=made.token, made_name=made.row.name)
    response.headers["Cache-Control"] = "no-store"
    return response


@router.get("/{token_id}/revoke")
def ask_to_revoke(request: Request, account: ManagedAccountDep, service: ServiceDep, token_id: str) -> Response:
    """For browsers without script."""
    with service.database.reading() as session:
        token = _token(session, account, token_id)
    return _render(request, "confirm", account, name=token.name, action=f"{address_of(account)}/{token.id}/revoke")


@router.post("/{token_id}/revoke", dependencies=_FORM)
def revoke(account: ManagedAccountDep, service: ServiceDep, token_id: str) -> RedirectResponse:
    with service.database.writing() as session:
        api_tokens.remove(session, _token(session, account, token_id))
    return redirect_with_flash(address_of(account), "token-revoked", service.settings)


def address_of(account: AccountView) -> str:
    return f"/account-manager/{account.slug}/accounts/api-tokens"


def _choice_faults(form: TokenForm) -> dict[str, str]:
    """A value that the form does not offer."""
    faults = {}
    if form.scope not in dict(SCOPES):
        faults["scope"] = "Choose what the program may do."
    if form.expires not in dict(LIFETIMES):
        faults["expires"] = "Choose how long the token holds."
    return faults


def _token(session: Session, account: AccountView, token_id: str) -> ApiToken:
    """Raises PageError (404) for another account's token and for what is no id."""
    plain = token_id.isascii() and token_id.isdecimal() and len(token_id) <= _ID_DIGITS
    found = api_tokens.one_of_account(session, account.id, int(token_id)) if plain else None
    if found is None:
        raise not_found("There is no such token")
    return found


def _page(
    request: Request,
    service: Service,
    account: AccountView,
    form: TokenForm,
    *,
    errors: dict[str, str] | None = None,
    made: str = "",
    made_name: str = "",
) -> Response:
    now = service.now()
    with service.database.reading() as session:
        rows = [_row(token, now) for token in api_tokens.of_account(session, account.id)]
    return _render(
        request,
        "list",
        account,
        status=422 if errors else 200,
        rows=rows,
        form=form,
        errors=errors or {},
        made=made,
        made_name=made_name,
        scopes=SCOPES,
        lifetimes=LIFETIMES,
        api_url=service.settings.base_url + API,
    )


def _row(token: ApiToken, now: datetime) -> TokenRow:
    return TokenRow(
        id=required(token.id),
        name=token.name,
        scope=_shown_scope(token.scope),
        made_by=token.created_by,
        made=shown_time(token.created_at, now),
        used=shown_time(token.last_used_at, now) if token.last_used_at else None,
        ends=shown_time(token.expires_at, now) if token.expires_at else None,
        over=is_over(token, now),
    )


def _shown_scope(stored: str) -> str:
    scopes = scopes_in(stored)
    level = TokenScope.WRITE if TokenScope.WRITE in scopes else TokenScope.READ
    return dict(SCOPES)[level.value] + (", exact messages" if TokenScope.MESSAGES in scopes else "")


def _render(request: Request, page: str, account: AccountView, *, status: int = 200, **context: object) -> Response:
    return render(
        request,
        f"admin/api_tokens/{page}.html",
        status=status,
        account=account,
        active_tab="accounts",
        active_menu="api-tokens",
        address=address_of(account),
        **context,
    )
