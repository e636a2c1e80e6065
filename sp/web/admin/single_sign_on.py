"""Single Sign On, what can be done there: save step one, save step two, look at a certificate, remove one.

Owns the two forms and what each outcome answers. Never judges a value: `sp.flows.account_setup` and
`sp.saml.certificates` do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from sp.flows import account_setup
from sp.flows.account_setup import Invalid, Overtaken, Saved, SsoDraft
from sp.store import accounts
from sp.web import csrf
from sp.web.admin.certificate_view import certificate_view
from sp.web.admin.managed import AccountView, ManagedAccountDep
from sp.web.admin.saml_form import (
    CERTIFICATE,
    KEEP,
    Submission,
    SubmissionDep,
    certificate_change,
    submitted_certificate,
    submitted_values,
)
from sp.web.admin.single_sign_on_page import METHOD_GROUP, METHODS, Again, address_of, show_page
from sp.web.flash import redirect_with_flash
from sp.web.rendering import render
from sp.web.state import Service, ServiceDep
from sp.web.viewer import AdministratorDep

router = APIRouter(prefix="/account-manager/{slug}/accounts/single-sign-on")
_FORM = [Depends(csrf.require_form_token)]

_NO_GOOGLE = "Google is not part of this stand-in. Choose SAML."


@router.get("")
def single_sign_on(request: Request, account: ManagedAccountDep, service: ServiceDep) -> Response:
    return show_page(request, service, account, Again())


@router.get("/authentication-method")
@router.get("/saml")
def back_to_the_page(account: ManagedAccountDep) -> Response:
    """For whoever opens the address that a refused form has left in the browser."""
    return RedirectResponse(address_of(account), status_code=303)


@router.post("/authentication-method", dependencies=_FORM)
def save_method(
    request: Request,
    account: ManagedAccountDep,
    administrator: AdministratorDep,
    service: ServiceDep,
    sent: SubmissionDep,
) -> Response:
    """Step one."""
    method = {name: name in sent.fields for name in METHODS}
    if method["single_sign_on"] and sent.fields.get("provider") == "google":
        return show_page(request, service, account, Again(422, {METHOD_GROUP: _NO_GOOGLE}, method))
    outcome = _save(service, account, administrator.username, sent, lambda _: method, choosing_method=True)
    match outcome:
        case Saved(changed=changed):
            return _done(service, account, "authentication-saved" if changed else "settings-unchanged")
        case Overtaken(versions=versions):
            return show_page(request, service, account, Again(409, method=method, overtaken=versions))
        case Invalid(errors=faults):
            errors = {METHOD_GROUP if name == "single_sign_on" else name: fault for name, fault in faults.items()}
            return show_page(request, service, account, Again(422, errors, method))


@router.post("/saml", dependencies=_FORM)
def save_saml(
    request: Request,
    account: ManagedAccountDep,
    administrator: AdministratorDep,
    service: ServiceDep,
    sent: SubmissionDep,
) -> Response:
    """Step two."""
    values, certificate = submitted_values(sent), submitted_certificate(sent)
    again = Again(422, values=values, certificate=certificate, keep=KEEP in sent.fields)

    def changes(current: SsoDraft) -> dict[str, Any]:
        return {**values, **certificate_change(current, certificate.certificate, keep=again.keep)}

    if certificate.fault:
        errors = _faults(service, account, changes) | {CERTIFICATE: certificate.fault}
        return show_page(request, service, account, replace(again, errors=errors))
    match _save(service, account, administrator.username, sent, changes):
        case Saved(changed=changed):
            return _done(service, account, "settings-saved" if changed else "settings-unchanged")
        case Overtaken(versions=versions):
            return show_page(request, service, account, replace(again, status=409, overtaken=versions))
        case Invalid(errors=faults):
            return show_page(request, service, account, replace(again, errors=_by_field(faults)))


@router.post("/certificate", dependencies=_FORM)
def preview_certificate(
    request: Request,
    account: ManagedAccountDep,  # noqa: ARG001  (only its own administrators may ask)
    service: ServiceDep,
    sent: SubmissionDep,
) -> Response:
    """A piece of page: what was understood of a file or a text. Nothing is kept."""
    read = submitted_certificate(sent)
    return render(
        request,
        "admin/single_sign_on/certificate_preview.html",
        status=422 if read.fault else 200,
        certificate=certificate_view(read.certificate, service.now()) if read.certificate else None,
        error=read.fault,
    )


def _save(
    service: Service,
    account: AccountView,
    saved_by: str,
    sent: Submission,
    changes: Callable[[SsoDraft], Mapping[str, Any]],
    *,
    choosing_method: bool = False,
) -> Saved | Invalid | Overtaken:
    with service.database.writing() as session:
        stored = accounts.account_by_id(session, account.id)
        return account_setup.change_sso_settings(
            session,
            service.settings,
            stored,
            changes(account_setup.draft_of(session, stored)),
            based_on=sent.based_on,
            saved_by=saved_by,
            now=service.now(),
            choosing_method=choosing_method,
        )


def _faults(service: Service, account: AccountView, changes: Callable[[SsoDraft], Mapping[str, Any]]) -> dict[str, str]:
    """What is wrong with the other fields, while the certificate was refused already."""
    with service.database.reading() as session:
        stored = accounts.account_by_id(session, account.id)
        current = account_setup.draft_of(session, stored)
        draft = replace(current, **changes(current))
        return _by_field(account_setup.sso_faults(session, service.settings, stored, draft))


def _by_field(errors: Mapping[str, str]) -> dict[str, str]:
    """The settings hold certificates; the form has one field for one."""
    return {CERTIFICATE if name == "certificates" else name: sentence for name, sentence in errors.items()}


def _done(service: Service, account: AccountView, key: str) -> Response:
    return redirect_with_flash(address_of(account), key, service.settings)
