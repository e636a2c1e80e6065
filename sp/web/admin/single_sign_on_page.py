"""The Single Sign On page: the authentication method, then the form "SAML Single Sign on", and their history.

Owns what the page shows, also after a refusal, with what was typed. Never saves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fastapi import Request, Response

from sp.flows import account_setup
from sp.flows.preflight import Typed, preflight_of
from sp.flows.realms import settings_of
from sp.flows.service_metadata import metadata_url
from sp.models import SsoSettings
from sp.store import accounts
from sp.web.admin.certificate_view import certificate_view
from sp.web.admin.expiry_view import expiry_views, worst_kind
from sp.web.admin.managed import AccountView
from sp.web.admin.preflight import preflight_view
from sp.web.admin.saml_form import SubmittedCertificate, draft_with, saml_values
from sp.web.admin.saml_state import saml_state
from sp.web.admin.version_view import SIGNED_PARTS, USER_MAPPINGS, version_view
from sp.web.rendering import render
from sp.web.state import Service

METHODS = ("password_sign_in", "single_sign_on")
METHOD_GROUP = "authentication_method"
_VERSIONS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Again:
    """What the page shows besides the settings: a refused form as it was sent, and why it was refused."""

    status: int = 200
    errors: Mapping[str, str] = field(default_factory=dict)
    method: Mapping[str, bool] | None = None
    values: Mapping[str, str | bool] | None = None
    certificate: SubmittedCertificate = field(default_factory=SubmittedCertificate)
    keep: bool = False
    overtaken: Sequence[SsoSettings] = ()


def address_of(account: AccountView) -> str:
    return f"/account-manager/{account.slug}/accounts/single-sign-on"


def show_page(request: Request, service: Service, account: AccountView, again: Again) -> Response:
    now = service.now()
    with service.database.reading() as session:
        stored = accounts.account_by_id(session, account.id)
        in_force = accounts.settings_in_force(session, stored)
        current = account_setup.draft_of(session, stored)
        settings = settings_of(session, service.settings, stored)
        typed = draft_with(current, again.values or {}, again.certificate, keep=again.keep)
        rows = preflight_of(session, service.settings, stored, typed.draft, now, Typed(typed.faults))
        history = accounts.versions(session, account.id, limit=_VERSIONS_SHOWN)
    ending = expiry_views(current, now)
    understood = again.certificate.certificate
    return render(
        request,
        "admin/single_sign_on/edit.html",
        status=again.status,
        account=account,
        active_tab="accounts",
        active_menu="single-sign-on",
        address=address_of(account),
        version=in_force.version,
        saml=saml_state(current),
        warnings=ending,
        warnings_kind=worst_kind(ending),
        preflight=preflight_view(rows),
        method=again.method or {name: getattr(current, name) for name in METHODS},
        values=saml_values(current) | dict(again.values or {}),
        errors=again.errors,
        certificates=[certificate_view(certificate, now) for certificate in current.certificates],
        understood=certificate_view(understood, now) if understood else None,
        certificate_text=again.certificate.text,
        keep_certificates=again.keep,
        overtaken=[version_view(version, current=in_force.version, now=now) for version in again.overtaken],
        versions=[version_view(version, current=in_force.version, now=now) for version in history],
        user_mappings=USER_MAPPINGS,
        signed_parts=SIGNED_PARTS,
        acs_url=settings.acs_url,
        entity_id=settings.entity_id,
        metadata_url=metadata_url(settings, account.slug),
    )
