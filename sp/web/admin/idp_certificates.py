"""The certificates of an account's identity provider: look at them, add one, retire, bring back, remove.

Owns the page and what each button answers. Never judges a certificate: `sp.saml.certificates` and
`sp.flows.account_setup` do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fastapi import APIRouter, Depends, Request, Response

from sp.flows import account_setup, idp_certificates
from sp.flows.account_setup import Invalid, Saved, SsoDraft
from sp.flows.idp_certificates import Change
from sp.saml.certificates import IdpCertificate
from sp.store import accounts, certificate_uses
from sp.web import csrf
from sp.web.admin.certificate_view import certificate_view
from sp.web.admin.expiry_view import expiry_views, worst_kind
from sp.web.admin.idp_certificates_view import picture_of, standing_view
from sp.web.admin.managed import AccountView, ManagedAccountDep
from sp.web.admin.saml_form import CERTIFICATE, SubmissionDep, SubmittedCertificate, submitted_certificate
from sp.web.errors import not_found
from sp.web.flash import redirect_with_flash
from sp.web.rendering import render
from sp.web.state import Service, ServiceDep
from sp.web.viewer import AdministratorDep

router = APIRouter(prefix="/account-manager/{slug}/accounts/single-sign-on/certificates")
_FORM = [Depends(csrf.require_form_token)]

_LAST_CERTIFICATE = "SAML needs this certificate, the only one. Add its successor first, or untick Single Sign On."
_NONE_GIVEN = "Choose the certificate file or paste the certificate."
_QUESTIONS = {
    "retire": (
        "Retire the certificate?",
        "Responses signed with its key are refused afterwards. It stays in the list and can be brought back.",
        "Retire",
    ),
    "remove": ("Remove the certificate?", "Responses signed with its key are refused afterwards.", "Remove"),
}


@router.get("")
def page(request: Request, account: ManagedAccountDep, service: ServiceDep) -> Response:
    return _page(request, service, account)


@router.post("", dependencies=_FORM)
def add(
    request: Request,
    account: ManagedAccountDep,
    administrator: AdministratorDep,
    service: ServiceDep,
    sent: SubmissionDep,
) -> Response:
    """Trust one more, beside those that are trusted."""
    read = submitted_certificate(sent)
    certificate = read.certificate
    if certificate is None:
        return _page(request, service, account, read.fault or _NONE_GIVEN, read)
    outcome = _change(
        service, account, administrator.username, lambda draft: idp_certificates.adding(draft, certificate)
    )
    return _answer(request, service, account, outcome, "certificate-added")


@router.get("/{sha256}/retire")
@router.get("/{sha256}/remove")
def ask(request: Request, account: ManagedAccountDep, service: ServiceDep, sha256: str) -> Response:
    """For browsers without script."""
    with service.database.reading() as session:
        draft = account_setup.draft_of(session, accounts.account_by_id(session, account.id))
    title, text, label = _QUESTIONS[request.url.path.rpartition("/")[2]]
    return render(
        request,
        "admin/idp_certificates/confirm.html",
        account=account,
        active_tab="accounts",
        active_menu="certificates",
        title=title,
        text=text,
        label=label,
        cancel_url=_address(account),
        certificate=certificate_view(_certificate_of(draft, sha256), service.now()),
    )


@router.post("/{sha256}/retire", dependencies=_FORM)
def retire(
    request: Request, account: ManagedAccountDep, administrator: AdministratorDep, service: ServiceDep, sha256: str
) -> Response:
    outcome = _change(service, account, administrator.username, lambda draft: idp_certificates.retiring(draft, sha256))
    return _answer(request, service, account, outcome, "certificate-retired")


@router.post("/{sha256}/bring-back", dependencies=_FORM)
def bring_back(
    request: Request, account: ManagedAccountDep, administrator: AdministratorDep, service: ServiceDep, sha256: str
) -> Response:
    outcome = _change(
        service, account, administrator.username, lambda draft: idp_certificates.bringing_back(draft, sha256)
    )
    return _answer(request, service, account, outcome, "certificate-added")


@router.post("/{sha256}/remove", dependencies=_FORM)
def remove(
    request: Request, account: ManagedAccountDep, administrator: AdministratorDep, service: ServiceDep, sha256: str
) -> Response:
    outcome = _change(service, account, administrator.username, lambda draft: idp_certificates.removing(draft, sha256))
    if isinstance(outcome, Saved):
        with service.database.writing() as session:
            certificate_uses.forget(session, account.id, sha256)
    return _answer(request, service, account, outcome, "certificate-removed")


def _certificate_of(draft: SsoDraft, sha256: str) -> IdpCertificate:
    """Raises PageError (404) when the account has it no more."""
    for certificate in (*draft.certificates, *draft.retired_certificates):
        if certificate.sha256 == sha256:
            return certificate
    raise not_found("This certificate is not here any more")


def _change(
    service: Service, account: AccountView, saved_by: str, change: Callable[[SsoDraft], Change | None]
) -> Saved | Invalid:
    """Raises PageError (404) when the certificate is not there any more: somebody was faster."""
    with service.database.writing() as session:
        stored = accounts.account_by_id(session, account.id)
        accounts.lock_settings(session, stored)
        current = account_setup.draft_of(session, stored)
        changes = change(current)
        if changes is None:
            raise not_found("This certificate is not here any more")
        return account_setup.save_sso_settings(
            session, service.settings, stored, replace(current, **changes), saved_by=saved_by, now=service.now()
        )


def _answer(request: Request, service: Service, account: AccountView, outcome: Saved | Invalid, key: str) -> Response:
    if isinstance(outcome, Saved):
        changed = key if outcome.changed else "settings-unchanged"
        return redirect_with_flash(_address(account), changed, service.settings)
    only = "SAML needs" in outcome.errors.get("certificates", "")
    return _page(request, service, account, _LAST_CERTIFICATE if only else " ".join(outcome.errors.values()))


def _page(
    request: Request,
    service: Service,
    account: AccountView,
    error: str = "",
    sent: SubmittedCertificate | None = None,
) -> Response:
    now = service.now()
    with service.database.reading() as session:
        stored = accounts.account_by_id(session, account.id)
        standings = idp_certificates.standings_of(session, stored, now)
        warnings = expiry_views(account_setup.draft_of(session, stored), now)
    return render(
        request,
        "admin/idp_certificates/page.html",
        status=422 if error else 200,
        account=account,
        active_tab="accounts",
        active_menu="certificates",
        address=_address(account),
        preview_url=f"{_address(account).removesuffix('s')}",
        standings=[standing_view(standing, account, now) for standing in standings],
        picture=picture_of(standings, now),
        warnings=warnings,
        warnings_kind=worst_kind(warnings),
        errors={CERTIFICATE: error} if error else {},
        certificate_text=sent.text if sent else "",
    )


def _address(account: AccountView) -> str:
    return f"/account-manager/{account.slug}/accounts/single-sign-on/certificates"
