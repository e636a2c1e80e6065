"""The request bench, and the page of a request that was sent.

Owns the form and where it leads. Never makes a message: `sp.flows.request_bench` does.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from fastapi import APIRouter, Depends, Request, Response

from sp.flows.realms import judging_time_of, settings_of
from sp.flows.request_bench import BenchRequest, Rejected, draft, send
from sp.flows.request_oddities import ODDITIES, Signing, oddity_named
from sp.models import AuthnRequest
from sp.saml.authn_request import ID_CHARACTERS
from sp.store import accounts, authn_requests
from sp.web import csrf
from sp.web.admin.managed import AccountView, ManagedAccountDep
from sp.web.admin.request_view import request_view
from sp.web.admin.saml_form import SubmissionDep
from sp.web.admin.sign_in_requests import BINDINGS, address_of
from sp.web.carried_requests import browser_token, carried
from sp.web.errors import not_found
from sp.web.rendering import render
from sp.web.security_headers import allow_forms_to
from sp.web.state import Service, ServiceDep

router = APIRouter(prefix="/account-manager/{slug}/accounts/single-sign-on/requests")

SIGNINGS = (
    (Signing.NONE.value, "Not signed"),
    (Signing.SIGNED.value, "Signed with our key"),
    (Signing.BROKEN.value, "Signed, and the signature broken"),
)
_LATEST = 10


@router.get("/bench")
def bench(request: Request, account: ManagedAccountDep, service: ServiceDep, oddity: str = "") -> Response:
    with service.database.reading() as session:
        stored = accounts.account_by_id(session, account.id)
        in_force = accounts.settings_in_force(session, stored)
        settings = settings_of(session, service.settings, stored)
        told_at = judging_time_of(session, settings, stored, service.now())
    made = draft(settings, in_force, oddity, secrets.token_bytes(20), told_at)
    return _page(request, service, account, made, oddity=oddity_named(oddity).key)


@router.post("/bench", dependencies=[Depends(csrf.require_form_token)])
def send_request(request: Request, account: ManagedAccountDep, service: ServiceDep, sent: SubmissionDep) -> Response:
    """On to the identity provider, or back to the form."""
    fields = sent.fields
    typed = BenchRequest(*(fields.get(name, "") for name in ("xml", "binding", "signing", "relay_state")))
    token = browser_token(request)
    outcome = send(service.database, service.settings, service.now(), account.id, typed, token)
    if isinstance(outcome, Rejected):
        return _page(request, service, account, typed, errors=outcome.errors)
    return carried(request, outcome, token)


@router.get("/sent")
def sent_request(
    request: Request,
    account: ManagedAccountDep,
    service: ServiceDep,
    id: str = "",  # noqa: A002  (the parameter's public name)
) -> Response:
    """What was sent. An ID of the bench may have any character, so it is no part of the path."""
    row = _row(service, account, id)
    return render(
        request,
        "admin/single_sign_on/sent_request.html",
        account=account,
        active_tab="accounts",
        active_menu="requests",
        address=address_of(account),
        sent=request_view(row, service.now()),
    )


def _row(service: Service, account: AccountView, request_id: str) -> AuthnRequest:
    known = request_id.isprintable() and len(request_id) <= ID_CHARACTERS
    with service.database.reading() as session:
        row = authn_requests.of_account(session, account.id, request_id) if known else None
    if row is None:
        raise not_found("There is no such request any more")
    return row


def _page(
    request: Request,
    service: Service,
    account: AccountView,
    typed: BenchRequest,
    *,
    oddity: str = "",
    errors: Mapping[str, str] | None = None,
) -> Response:
    with service.database.reading() as session:
        in_force = accounts.settings_in_force(session, accounts.account_by_id(session, account.id))
        latest = authn_requests.from_the_bench(session, account.id, limit=_LATEST)
    response = render(
        request,
        "admin/single_sign_on/bench.html",
        status=422 if errors else 200,
        account=account,
        active_tab="accounts",
        active_menu="requests",
        address=address_of(account),
        typed=typed,
        errors=errors or {},
        oddity=oddity,
        oddities=[(known.key, known.label) for known in ODDITIES],
        bindings=BINDINGS,
        signings=SIGNINGS,
        sign_in_url=in_force.sign_in_url,
        latest=[request_view(row, service.now()) for row in latest],
    )
    if in_force.sign_in_url:
        allow_forms_to(response, in_force.sign_in_url)
    return response
