"""Sign-in requests: what this account's AuthnRequests ask of the identity provider.

Owns the form. Never judges a value: `sp.flows.account_setup` does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from sp.flows import account_setup
from sp.flows.account_setup import Invalid, Overtaken, Saved, SsoDraft
from sp.flows.realms import settings_of
from sp.flows.sign_in_started_here import start_url
from sp.models import RequestBinding, SsoSettings
from sp.saml.messages import Comparison
from sp.store import accounts
from sp.web import csrf
from sp.web.admin.managed import AccountView, ManagedAccountDep
from sp.web.admin.saml_form import Submission, SubmissionDep
from sp.web.admin.version_view import version_view
from sp.web.flash import redirect_with_flash
from sp.web.rendering import render
from sp.web.state import Service, ServiceDep
from sp.web.viewer import AdministratorDep

router = APIRouter(prefix="/account-manager/{slug}/accounts/single-sign-on/requests")

BINDINGS = ((RequestBinding.REDIRECT.value, "HTTP-Redirect"), (RequestBinding.POST.value, "HTTP-POST"))
COMPARISONS = (
    (Comparison.EXACT.value, "exact: one of them"),
    (Comparison.MINIMUM.value, "minimum: at least as strong as one of them"),
    (Comparison.MAXIMUM.value, "maximum: as strong as possible, but no stronger than one of them"),
    (Comparison.BETTER.value, "better: stronger than each of them"),
)
_TEXTS = ("sign_in_binding", "name_id_policy", "context_comparison", "provider_name")
_FLAGS = ("sign_requests", "force_authn", "is_passive", "send_login_hint")
_LISTS = ("requested_contexts", "scoping_providers")
_STARTED_HERE = "started_here"  # the form's word for what the settings call unsolicited, turned round
_NO_NUMBER = -1


@dataclass(frozen=True, slots=True)
class Again:
    """What the page shows besides the settings: a refused form as it was sent, and why it was refused."""

    status: int = 200
    errors: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str | bool] | None = None
    overtaken: Sequence[SsoSettings] = ()


def address_of(account: AccountView) -> str:
    return f"/account-manager/{account.slug}/accounts/single-sign-on/requests"


@router.get("")
def sign_in_requests(request: Request, account: ManagedAccountDep, service: ServiceDep) -> Response:
    return _page(request, service, account, Again())


@router.post("", dependencies=[Depends(csrf.require_form_token)])
def save(
    request: Request,
    account: ManagedAccountDep,
    administrator: AdministratorDep,
    service: ServiceDep,
    sent: SubmissionDep,
) -> Response:
    with service.database.writing() as session:
        outcome = account_setup.change_sso_settings(
            session,
            service.settings,
            accounts.account_by_id(session, account.id),
            _changes(sent),
            based_on=sent.based_on,
            saved_by=administrator.username,
            now=service.now(),
            choosing_method=True,  # what SAML still lacks is another page's matter
        )
    match outcome:
        case Saved(changed=changed):
            key = "requests-saved" if changed else "settings-unchanged"
            return redirect_with_flash(address_of(account), key, service.settings)
        case Overtaken(versions=versions):
            return _page(request, service, account, Again(409, values=_typed(sent), overtaken=versions))
        case Invalid(errors=faults):
            return _page(request, service, account, Again(422, faults, _typed(sent)))


def _changes(sent: Submission) -> dict[str, Any]:
    """The form by the names of SsoDraft. A box that is not ticked is not sent; a text always is."""
    fields = sent.fields
    changes: dict[str, Any] = {name: fields[name] for name in _TEXTS if name in fields}
    changes |= {name: tuple(fields[name].splitlines()) for name in _LISTS if name in fields}
    changes |= {name: name in fields for name in _FLAGS}
    if "proxy_count" in fields:
        changes["proxy_count"] = _count(fields["proxy_count"].strip())
    return changes | {"unsolicited": _STARTED_HERE not in fields}


def _count(text: str) -> int | None:
    if not text:
        return None
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else _NO_NUMBER


def _typed(sent: Submission) -> dict[str, str | bool]:
    fields = sent.fields
    texts = {name: fields[name] for name in (*_TEXTS, *_LISTS, "proxy_count") if name in fields}
    return {**texts, **{name: name in fields for name in (*_FLAGS, _STARTED_HERE)}}


def _values(draft: SsoDraft) -> dict[str, str | bool]:
    """The fields of the form as the settings have them."""
    return {
        **{name: getattr(draft, name) for name in (*_TEXTS, *_FLAGS)},
        **{name: "\n".join(getattr(draft, name)) for name in _LISTS},
        "proxy_count": "" if draft.proxy_count is None else str(draft.proxy_count),
        _STARTED_HERE: not draft.unsolicited,
    }


def _page(request: Request, service: Service, account: AccountView, again: Again) -> Response:
    now = service.now()
    with service.database.reading() as session:
        stored = accounts.account_by_id(session, account.id)
        in_force = accounts.settings_in_force(session, stored)
        current = account_setup.draft_of(session, stored)
        settings = settings_of(session, service.settings, stored)
        able = accounts.starting(session, account.slug, settings.realm) is not None
    return render(
        request,
        "admin/single_sign_on/requests.html",
        status=again.status,
        account=account,
        active_tab="accounts",
        active_menu="requests",
        address=address_of(account),
        version=in_force.version,
        values=_values(current) | dict(again.values or {}),
        errors=again.errors,
        overtaken=[version_view(version, current=in_force.version, now=now) for version in again.overtaken],
        bindings=BINDINGS,
        comparisons=COMPARISONS,
        able=able,
        start_url=start_url(settings, account.slug),
        sign_in_url=current.sign_in_url,
    )
