"""Our keys: what identity providers need to know of this service, and the rollover to the next keys.

The account's administrators change its encryption key. The signing key is the whole service's: administrators of the
only company change it, others see what the metadata tells everybody. No page shows a private key.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from sp.flows import service_keys
from sp.flows.realms import settings_of
from sp.flows.service_keys import ChangedOver, NotNow
from sp.flows.service_metadata import metadata_url
from sp.models import KeyPurpose
from sp.store import accounts
from sp.store import service_keys as stored_keys
from sp.web import csrf
from sp.web.admin.managed import AccountView, ManagedAccountDep
from sp.web.admin.own_keys_view import BEGIN, COMPLETE, KeysView, keys_view
from sp.web.errors import PageError, not_found
from sp.web.flash import redirect_with_flash
from sp.web.rendering import render
from sp.web.state import Service, ServiceDep
from sp.web.times import exact
from sp.web.viewer import AdministratorDep

router = APIRouter(prefix="/account-manager/{slug}/accounts/single-sign-on/keys")


def operates(account: ManagedAccountDep, administrator: AdministratorDep, service: ServiceDep) -> bool:  # noqa: ARG001
    """Whether this administrator may change the signing key, which all companies share: only of the only company."""
    with service.database.reading() as session:
        return accounts.only_company(session, administrator.company_id)


OperatorDep = Annotated[bool, Depends(operates)]


def require_permission(purpose: KeyPurpose, operator: OperatorDep) -> None:
    """Raises PageError (403) for the signing key, unless the administrator may change it."""
    if purpose is KeyPurpose.SIGNING and not operator:
        raise PageError(
            403,
            "The signing key belongs to every company here",
            "The operator of this service changes it, with `virtual-office keys` on the command line.",
        )


_FORM = [Depends(csrf.require_form_token), Depends(require_permission)]


@router.get("")
def keys(request: Request, account: ManagedAccountDep, service: ServiceDep, operator: OperatorDep) -> Response:
    return _page(request, service, account, operator=operator)


@router.get("/certificates/{own_sha256}")
def certificate(
    account: ManagedAccountDep,
    service: ServiceDep,
    operator: OperatorDep,
    own_sha256: str,
) -> Response:
    """The certificate in PEM, as a file."""
    for key in _view(service, account, operator=operator).keys:
        if key.certificate.sha256 == own_sha256:
            named = {"Content-Disposition": f'attachment; filename="{key.file_name}"'}
            return Response(key.pem, media_type="application/x-pem-file", headers=named)
    raise not_found("This certificate is not here any more")


@router.get("/{purpose}/{step}")
def ask(
    request: Request,
    account: ManagedAccountDep,
    service: ServiceDep,
    operator: OperatorDep,
    purpose: KeyPurpose,
    step: Literal["begin-rollover", "complete-rollover"],
) -> Response:
    """For browsers without script. Whoever may not take the step, or comes too late for it, is led back to the page."""
    possible = _view(service, account, operator=operator).step_of(purpose)
    if possible is None or possible.name != step:
        return RedirectResponse(_address(account), status_code=303)
    return render(
        request,
        "admin/own_keys/confirm.html",
        account=account,
        active_tab="accounts",
        active_menu="keys",
        step=possible,
        action=_address(account, f"/{purpose}/{step}{'?early=true' if possible.early else ''}"),
        cancel_url=_address(account),
    )


@router.post(f"/{{purpose}}/{BEGIN}", dependencies=_FORM)
def begin(
    request: Request, account: ManagedAccountDep, service: ServiceDep, operator: OperatorDep, purpose: KeyPurpose
) -> Response:
    key = service_keys.new_key(service.settings, purpose, service.now())
    with service.database.writing() as session:
        outcome = service_keys.begin_rollover(session, purpose, key, service.now(), _owner(account, purpose))
    return _answer(request, service, account, outcome, "rollover-begun", operator=operator)


@router.post(f"/{{purpose}}/{COMPLETE}", dependencies=_FORM)
def complete(
    request: Request,
    account: ManagedAccountDep,
    service: ServiceDep,
    operator: OperatorDep,
    purpose: KeyPurpose,
    early: bool = False,
) -> Response:
    """`early`: the question said that it is not safe yet, and the answer was yes."""
    with service.database.writing() as session:
        owner = _owner(account, purpose)
        outcome = service_keys.complete_rollover(session, purpose, service.now(), owner, early=early)
    return _answer(request, service, account, outcome, "rollover-completed", operator=operator)


def _answer(
    request: Request, service: Service, account: AccountView, outcome: ChangedOver | NotNow, key: str, *, operator: bool
) -> Response:
    if isinstance(outcome, NotNow):
        return _page(request, service, account, operator=operator, refusal=outcome.sentence)
    return redirect_with_flash(_address(account), key, service.settings)


def _page(request: Request, service: Service, account: AccountView, *, operator: bool, refusal: str = "") -> Response:
    with service.database.reading() as session:
        settings = settings_of(session, service.settings, accounts.account_by_id(session, account.id))
        former_key_until = stored_keys.former_key_until(session, account.id)
    if former_key_until is not None and former_key_until <= service.now():
        former_key_until = None
    return render(
        request,
        "admin/own_keys/keys.html",
        status=409 if refusal else 200,
        account=account,
        active_tab="accounts",
        active_menu="keys",
        address=_address(account),
        view=_view(service, account, operator=operator),
        operator=operator,
        refusal=refusal,
        metadata_url=metadata_url(settings, account.slug),
        former_key_until=exact(former_key_until) if former_key_until else "",
        acs_url=settings.acs_url,
        entity_id=settings.entity_id,
    )


def _view(service: Service, account: AccountView, *, operator: bool) -> KeysView:
    """Makes the account's encryption key, if there is none: the page offers its certificate."""
    now = service.now()
    service_keys.ensure_encryption_key(service.database, service.settings, account.id, now)
    with service.database.reading() as session:
        signing = stored_keys.of_purpose(session, KeyPurpose.SIGNING)
        encryption = stored_keys.of_purpose(session, KeyPurpose.ENCRYPTION, account.id)
    return keys_view([*signing, *encryption], now, operator=operator)


def _owner(account: AccountView, purpose: KeyPurpose) -> int | None:
    """The account whose key is meant; None for the signing key, which is the service's."""
    return account.id if purpose is KeyPurpose.ENCRYPTION else None


def _address(account: AccountView, page: str = "") -> str:
    return f"/account-manager/{account.slug}/accounts/single-sign-on/keys{page}"
