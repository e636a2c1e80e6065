"""/account/single-sign-on: the settings, whole or in part, and their history.

Owns the settings' names here and the versions in ETags. Never judges a value: `sp.flows.account_setup` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import ConfigDict, Field
from sqlmodel import Session

from sp.api.authorization import ReaderDep, WriterDep, account_of
from sp.api.pem import Certificate, read_all
from sp.api.preconditions import IfMatch, etag, require_match
from sp.api.problems import BY_ANY, documented, invalid
from sp.api.schemas import Answer, Body, Flag, NextLink, Number, PagingDep, Text, Time, examples, next_link
from sp.flows import account_setup
from sp.flows.account_setup import MAX_CERTIFICATES, MAX_CHOICES, MAX_RETIRED, Invalid, Saved, SsoDraft
from sp.flows.api_tokens import Caller
from sp.models import Account, RequestBinding, SignOutBinding
from sp.saml.messages import Comparison, SignedPart, UserMapping
from sp.service import Service, ServiceDep
from sp.store import accounts

ADDRESS = "/account/single-sign-on"
router = APIRouter(tags=["single sign-on"], responses=BY_ANY)
_CHANGES = documented(412, 428)
_DEFAULT = SsoDraft()
_CERTIFICATES = ("certificates", "retired_certificates")

EXAMPLE = {
    "password_sign_in": True,
    "single_sign_on": True,
    "sign_in_url": "https://idp.contoso.example/sign-in",
    "issuer": "https://idp.contoso.example/",
    "certificates": ["-----BEGIN CERTIFICATE-----\nMIIC…\n-----END CERTIFICATE-----\n"],
}


class SettingsBody(Body):
    """The settings of Single Sign On. What is left out gets its default."""

    model_config = ConfigDict(json_schema_extra=examples(EXAMPLE))

    password_sign_in: Flag = _DEFAULT.password_sign_in
    single_sign_on: Flag = Field(_DEFAULT.single_sign_on, description="Whether people sign in by SAML.")
    sign_in_url: Text = Field("", description="Where AuthnRequests go.")
    sign_out_url: Text = ""
    issuer: Text = Field("", description="The identity provider's entity ID.")
    certificates: list[Certificate] = Field(default_factory=list, max_length=MAX_CERTIFICATES)
    retired_certificates: list[Certificate] = Field(default_factory=list, max_length=MAX_RETIRED)
    user_mapping: UserMapping = UserMapping.USERNAME
    provisioning: Flag = Field(_DEFAULT.provisioning, description="Whether the first sign-in creates the user.")
    unsolicited: Flag = Field(_DEFAULT.unsolicited, description="Whether the identity provider may start a sign-in.")
    signed_part: SignedPart = SignedPart.EITHER
    allow_sha1: Flag = _DEFAULT.allow_sha1
    accept_transient: Flag = _DEFAULT.accept_transient
    refuse_unsigned_cbc: Flag = _DEFAULT.refuse_unsigned_cbc
    first_name_attribute: Text = _DEFAULT.first_name_attribute
    last_name_attribute: Text = _DEFAULT.last_name_attribute
    email_attribute: Text = _DEFAULT.email_attribute
    sign_in_binding: RequestBinding = RequestBinding.REDIRECT
    sign_requests: Flag = _DEFAULT.sign_requests
    force_authn: Flag = _DEFAULT.force_authn
    is_passive: Flag = _DEFAULT.is_passive
    name_id_policy: Text = Field("", description="The NameID format to ask for; empty for none.")
    requested_contexts: list[Text] = Field(default_factory=list, max_length=MAX_CHOICES)
    context_comparison: Comparison = Comparison.EXACT
    provider_name: Text = ""
    send_login_hint: Flag = _DEFAULT.send_login_hint
    scoping_providers: list[Text] = Field(default_factory=list, max_length=MAX_CHOICES)
    proxy_count: Number | None = None
    sign_out_binding: SignOutBinding = SignOutBinding.PLAIN
    sign_out_response_url: Text = ""
    sign_out_issuer: Text = ""


def _without_defaults(schema: dict[str, Any]) -> None:
    """Nothing is said about what is left out of a patch, so it has no default either."""
    for described in schema["properties"].values():
        described.pop("default", None)
    schema.update(examples({"provisioning": False}))


class SettingsPatch(SettingsBody):
    """What shall be different; what is left out stays."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)


class SettingsAnswer(SettingsBody):
    """The settings in force."""


class Change(Answer):
    """A field that a version changed, in words."""

    field: str
    before: str
    after: str


class VersionAnswer(Answer):
    """One version of the settings: who saved it, when, and what it changed."""

    version: int
    saved_at: Time
    saved_by: str
    changes: list[Change]


class VersionPage(Answer):
    """Versions, the newest first."""

    model_config = ConfigDict(
        json_schema_extra=examples(
            {
                "items": [
                    {
                        "version": 2,
                        "saved_at": "2030-01-31T12:00:00Z",
                        "saved_by": "API token nightly",
                        "changes": [{"field": "issuer", "before": "", "after": "https://idp.contoso.example/"}],
                    }
                ],
                "next": "/api/v1/account/single-sign-on/versions?after=2",
            }
        )
    )

    items: list[VersionAnswer]
    next: NextLink


@router.get(ADDRESS)
def get_settings(caller: ReaderDep, service: ServiceDep, response: Response) -> SettingsAnswer:
    """The settings in force. The ETag is the number of their version."""
    with service.database.reading() as session:
        account = account_of(session, caller)
        draft = account_setup.draft_of(session, account)
        version = accounts.settings_in_force(session, account).version
    response.headers["ETag"] = etag(version)
    return answer_of(draft)


@router.put(ADDRESS, responses=_CHANGES)
def put_settings(
    caller: WriterDep, service: ServiceDep, response: Response, body: SettingsBody, if_match: IfMatch = None
) -> SettingsAnswer:
    """Put these settings in force, as a new version where anything is different."""
    return _save(service, caller, response, _values(body, SettingsBody.model_fields), if_match)


@router.patch(ADDRESS, responses=_CHANGES)
def patch_settings(
    caller: WriterDep, service: ServiceDep, response: Response, body: SettingsPatch, if_match: IfMatch = None
) -> SettingsAnswer:
    """Change what is given, as a new version where anything is different."""
    return _save(service, caller, response, _values(body, body.model_fields_set), if_match)


@router.get(f"{ADDRESS}/versions")
def get_versions(caller: ReaderDep, service: ServiceDep, request: Request, paging: PagingDep) -> VersionPage:
    """Who saved what and when, the newest first."""
    with service.database.reading() as session:
        found = accounts.versions(session, caller.account_id, limit=paging.limit + 1, before=paging.after)
    items = [
        VersionAnswer(
            version=row.version,
            saved_at=row.saved_at,
            saved_by=row.saved_by,
            changes=[Change(**change) for change in row.changes],
        )
        for row in found[: paging.limit]
    ]
    more = len(found) > paging.limit
    return VersionPage(items=items, next=next_link(request, after=items[-1].version) if more else None)


def answer_of(draft: SsoDraft) -> SettingsAnswer:
    values = {field.name: _told(getattr(draft, field.name)) for field in fields(SsoDraft)}
    pems = {name: [one.pem for one in getattr(draft, name)] for name in _CERTIFICATES}
    return SettingsAnswer(**{**values, **pems})


def _told(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _values(body: SettingsBody, names: Iterable[str]) -> dict[str, Any]:
    """The fields of these names, by the names of SsoDraft. Raises ApiError (422) for a certificate that is none."""
    values = {name: getattr(body, name) for name in names}
    return {
        name: read_all(value, name) if name in _CERTIFICATES else tuple(value) if isinstance(value, list) else value
        for name, value in values.items()
    }


def _save(
    service: Service, caller: Caller, response: Response, changes: Mapping[str, Any], if_match: str | None
) -> SettingsAnswer:
    with service.database.writing() as session:
        account = account_of(session, caller)
        accounts.lock_settings(session, account)
        require_match(if_match, accounts.settings_in_force(session, account).version)
        saved = save_changes(session, service, caller, account, changes)
        draft = account_setup.draft_of(session, account)
    if isinstance(saved, Invalid):  # only now: an issuer of another company is stored as a conflict
        raise invalid(saved.errors)
    response.headers["ETag"] = etag(saved.version)
    return answer_of(draft)


def save_changes(
    session: Session, service: Service, caller: Caller, account: Account, changes: Mapping[str, Any]
) -> Saved | Invalid:
    """Put changes, by the names of SsoDraft, on top of what is in force."""
    draft = replace(account_setup.draft_of(session, account), **changes)
    return account_setup.save_sso_settings(
        session, service.settings, account, draft, saved_by=caller.saved_by, now=service.now()
    )
