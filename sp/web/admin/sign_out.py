"""Sign-out: how this account tells the identity provider, what it takes from it, and the log of logout messages.

Owns the form and the log's pages. Never judges a value (`sp.flows.account_setup` does) nor a message (the core does).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from sp.diagnosis.logout_explanations import logout_message, logout_remedy
from sp.flows import account_setup
from sp.flows.account_setup import Invalid, Overtaken, Saved, SsoDraft
from sp.flows.judging_logouts import LogoutEvidence, logout_evidence
from sp.flows.realms import settings_of
from sp.flows.service_metadata import SIGN_OUT_PATH, SOAP_SIGN_OUT_PATH
from sp.models import SignInOutcome, SignOutBinding, SignOutMessage, SsoSettings
from sp.saml.checks.logout import LOGOUT_CHECKS
from sp.saml.logout_messages import Binding, Kind
from sp.saml.report import Report
from sp.saml.withheld import redacted_text, redacted_xml
from sp.store import accounts, sign_in_attempts, sign_out_messages
from sp.web import csrf
from sp.web.admin.attempt_message import Shown, pretty_message, raw_message
from sp.web.admin.attempt_scope import ScopesDep
from sp.web.admin.managed import AccountView, ManagedAccountDep
from sp.web.admin.saml_form import Submission, SubmissionDep
from sp.web.admin.sessions import BeforeDep
from sp.web.admin.version_view import version_view
from sp.web.errors import not_found
from sp.web.flash import redirect_with_flash
from sp.web.rendering import render
from sp.web.report_view import logout_stages
from sp.web.state import Service, ServiceDep
from sp.web.times import ShownTime, shown_time
from sp.web.viewer import AdministratorDep

router = APIRouter(prefix="/account-manager/{slug}/accounts/single-sign-on/sign-out")

BINDINGS = (
    (SignOutBinding.PLAIN.value, "A plain visit of the Sign Out URL"),
    (SignOutBinding.REDIRECT.value, "A signed LogoutRequest by HTTP-Redirect"),
    (SignOutBinding.POST.value, "A signed LogoutRequest by HTTP-POST"),
)
KINDS = {Kind.REQUEST: "LogoutRequest", Kind.RESPONSE: "LogoutResponse"}
TRAVELLED = {Binding.REDIRECT: "HTTP-Redirect", Binding.POST: "HTTP-POST", Binding.SOAP: "SOAP"}
_TEXTS = ("sign_out_url", "sign_out_binding", "sign_out_response_url", "sign_out_issuer")
_TITLES = {check.code: check.title for check in LOGOUT_CHECKS}
_ON_A_PAGE = 50


@dataclass(frozen=True, slots=True)
class Again:
    """What the page shows besides the settings: a refused form as it was sent, and why it was refused."""

    status: int = 200
    errors: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    overtaken: Sequence[SsoSettings] = ()


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A logout message as a row of the log. `why` has the titles of what failed."""

    reference: str
    received: ShownTime
    kind: str
    binding: str
    accepted: bool
    why: tuple[str, ...]
    name_id: str
    ended: int
    issuer: str


def address_of(account: AccountView) -> str:
    return f"/account-manager/{account.slug}/accounts/single-sign-on/sign-out"


@router.get("")
def sign_out_options(
    request: Request, account: ManagedAccountDep, scopes: ScopesDep, service: ServiceDep, before: BeforeDep
) -> Response:
    return _page(request, service, account, scopes, Again(), before)


@router.post("", dependencies=[Depends(csrf.require_form_token)])
def save(
    request: Request,
    account: ManagedAccountDep,
    administrator: AdministratorDep,
    scopes: ScopesDep,
    service: ServiceDep,
    sent: SubmissionDep,
) -> Response:
    typed = {name: sent.fields[name] for name in _TEXTS if name in sent.fields}
    match _saved(service, account, administrator.username, sent, typed):
        case Saved(changed=changed):
            key = "sign-out-saved" if changed else "settings-unchanged"
            return redirect_with_flash(address_of(account), key, service.settings)
        case Overtaken(versions=versions):
            return _page(request, service, account, scopes, Again(409, values=typed, overtaken=versions))
        case Invalid(errors=faults):
            return _page(request, service, account, scopes, Again(422, faults, typed))


def _saved(
    service: Service, account: AccountView, saved_by: str, sent: Submission, typed: Mapping[str, str]
) -> Saved | Invalid | Overtaken:
    with service.database.writing() as session:
        return account_setup.change_sso_settings(
            session,
            service.settings,
            accounts.account_by_id(session, account.id),
            typed,
            based_on=sent.based_on,
            saved_by=saved_by,
            now=service.now(),
            choosing_method=True,  # what SAML still lacks is another page's matter
        )


def _page(
    request: Request,
    service: Service,
    account: AccountView,
    scopes: tuple[int | None, ...],
    again: Again,
    before: int | None = None,
) -> Response:
    now = service.now()
    with service.database.reading() as session:
        stored = accounts.account_by_id(session, account.id)
        in_force = accounts.settings_in_force(session, stored)
        current = account_setup.draft_of(session, stored)
        settings = settings_of(session, service.settings, stored)
        page = sign_out_messages.page(session, scopes, before=before, size=_ON_A_PAGE)
    last = f"?before={page.messages[-1].id}#log-title" if page.older else ""
    return render(
        request,
        "admin/sign_out/options.html",
        status=again.status,
        account=account,
        active_tab="accounts",
        active_menu="sign-out",
        address=address_of(account),
        version=in_force.version,
        values=_values(current) | dict(again.values),
        errors=again.errors,
        overtaken=[version_view(version, current=in_force.version, now=now) for version in again.overtaken],
        bindings=BINDINGS,
        sign_out_url=settings.saml_root + SIGN_OUT_PATH,
        soap_url=settings.saml_root + SOAP_SIGN_OUT_PATH,
        rows=[_row(message, now) for message in page.messages],
        newest_url="?#log-title" if before is not None else "",
        older_url=last,
    )


def _values(draft: SsoDraft) -> dict[str, str]:
    return {name: getattr(draft, name) for name in _TEXTS}


def _row(message: SignOutMessage, now: datetime) -> MessageRow:
    return MessageRow(
        reference=message.reference,
        received=shown_time(message.received_at, now),
        kind=KINDS[Kind(message.kind)],
        binding=TRAVELLED[Binding(message.binding)],
        accepted=message.outcome == SignInOutcome.ACCEPTED,
        why=tuple(_TITLES.get(code, code) for code in message.failed),
        name_id=message.name_id,
        ended=message.sessions_ended,
        issuer=message.issuer,
    )


# One message of the log.


@dataclass(frozen=True, slots=True)
class Looked:
    """A logout message that the administrator may see, judged again as it was then."""

    account: AccountView
    evidence: LogoutEvidence
    version: int | None


def looked_at(message_reference: str, account: ManagedAccountDep, scopes: ScopesDep, service: ServiceDep) -> Looked:
    """Raises PageError (404) for a message of another account, and for one that is not there."""
    known = sign_in_attempts.as_reference(message_reference)
    with service.database.reading() as session:
        message = sign_out_messages.message_in(session, scopes, known) if known else None
        if message is None:
            raise not_found("There is no such sign-out message")
        settings_id = message.settings_id
        version = None if settings_id is None else accounts.settings_version(session, settings_id).version
        return Looked(account, logout_evidence(session, message), version)


LookedDep = Annotated[Looked, Depends(looked_at)]


@router.get("/log/{message_reference}")
def message_page(request: Request, service: ServiceDep, looked: LookedDep) -> Response:
    evidence = looked.evidence
    report, stages = evidence.judgement.report, logout_stages(evidence.judgement.report, evidence.kind)
    return render(
        request,
        "admin/sign_out/message.html",
        account=looked.account,
        active_tab="accounts",
        active_menu="sign-out",
        address=address_of(looked.account),
        row=_row(evidence.message, service.now()),
        remote_address=evidence.message.remote_address,
        version=looked.version,
        said=logout_message(report, evidence.kind),
        remedy=logout_remedy(report),
        stages=stages,
        rows={row.code: row for stage in stages for row in stage.rows},
        message=_shown(evidence, report),
    )


@router.get("/log/{message_reference}/message")
def download_message(looked: LookedDep) -> Response:
    """The message without signature values and ciphertext, as a file that no browser opens by itself.

    A LogoutRequest that was refused could be sent again with them. A redirect's Signature is not in the XML.
    """
    opened = looked.evidence.opened
    if opened.xml is None:
        raise not_found("No message could be decoded")
    xml = redacted_text(opened.xml).encode() if opened.document is None else redacted_xml(opened.document.element)
    name = f"logout-{looked.evidence.kind}-{looked.evidence.message.reference}-redacted.xml"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(xml, media_type="application/octet-stream", headers=headers)


def _shown(evidence: LogoutEvidence, report: Report) -> Shown | None:
    """The message laid out, where it may be parsed, else as text. What a verified signature covers is marked."""
    document = evidence.opened.document
    if document is None:
        return None if evidence.opened.xml is None else raw_message(evidence.opened.xml, report)
    covered = frozenset({document.element}) if evidence.judgement.verified.tree is not None else frozenset()
    return pretty_message(document.element, {}, covered)
