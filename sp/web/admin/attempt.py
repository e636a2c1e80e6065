"""One attempt's pages: what happened and why, the message itself, and "Judge again".

Owns what each address answers. Never changes an attempt: what is asked here leaves no trace.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from sp.diagnosis.remedies import GENERAL, name_of
from sp.flows.evidence import Evidence, evidence_of
from sp.flows.handing_out import SENTENCES, HandOutProblem, hand_out
from sp.flows.judging_again import Changes, judge_again
from sp.flows.verdict import verdict
from sp.models import SignInAttempt, SsoSettings
from sp.saml.messages import Judgement
from sp.saml.times import written
from sp.store import accounts
from sp.web import csrf
from sp.web.admin.attempt_certificates import certificates_of
from sp.web.admin.attempt_companions import Companions, companion_options, companions_of
from sp.web.admin.attempt_diagram import diagram_of
from sp.web.admin.attempt_facts import said_by
from sp.web.admin.attempt_scope import ScopesDep, attempt_seen
from sp.web.admin.judged_view import pairs_of
from sp.web.admin.judging_form import Asked, asked, untouched
from sp.web.admin.managed import AccountView, ManagedAccountDep
from sp.web.admin.message_view import shown_assertion, shown_message
from sp.web.admin.request_view import RequestView, answered_by
from sp.web.admin.saml_form import SubmissionDep
from sp.web.admin.sign_in_log_address import address_of
from sp.web.admin.version_view import SIGNED_PARTS
from sp.web.errors import PageError, not_found
from sp.web.rendering import render
from sp.web.report_view import report_stages
from sp.web.state import Service, ServiceDep
from sp.web.times import shown_time
from sp.web.viewer import AdministratorDep

router = APIRouter(prefix="/account-manager/{slug}/accounts/single-sign-on/sign-in-log/{reference}")
_VERSIONS = 200


@dataclass(frozen=True, slots=True)
class Looked:
    """An attempt that the administrator may see, with all that is known about it."""

    account: AccountView
    evidence: Evidence
    versions: Mapping[int, SsoSettings]
    in_force: int
    companions: Companions

    @property
    def address(self) -> str:
        return f"{address_of(self.account)}/{self.evidence.attempt.reference}"

    @property
    def shown_values(self) -> dict[str, str]:
        """What the form "Judge again" shows at first: the circumstances of then."""
        expectations = self.evidence.inputs.expectations
        settings = self.evidence.settings
        return {
            "version": str(settings.version if settings else self.in_force),
            "issuer": settings.issuer if settings else "",
            "entity_id": expectations.entity_id,
            "acs_url": expectations.acs_url,
            "at": written(expectations.now),
            "allow_sha1": "",
            "signed_part": "",
        }


def looked_at(reference: str, account: ManagedAccountDep, scopes: ScopesDep, service: ServiceDep) -> Looked:
    """Raises PageError (404) for an attempt of another account, and for one that is not there."""
    with service.database.reading() as session:
        attempt = attempt_seen(session, scopes, reference)
        stored = accounts.account_by_id(session, account.id)
        versions = accounts.versions(session, account.id, limit=_VERSIONS)
        return Looked(
            account,
            evidence_of(session, attempt),
            {version.version: version for version in versions},
            accounts.settings_in_force(session, stored).version,
            companions_of(session, scopes, attempt),
        )


LookedDep = Annotated[Looked, Depends(looked_at)]


@router.get("")
def attempt_page(request: Request, service: ServiceDep, looked: LookedDep) -> Response:
    evidence = looked.evidence
    now = service.now()
    stages = report_stages(evidence.judgement.report, evidence.provider)
    return _render(
        request,
        "attempt",
        looked,
        verdict=_verdict(evidence, evidence.judgement),
        stages=stages,
        rows={row.code: row for stage in stages for row in stage.rows},
        received=shown_time(evidence.attempt.received_at, now),
        provider=name_of(evidence.provider) if evidence.provider != GENERAL else "",
        diagram=diagram_of(evidence),
        said=said_by(evidence),
        message=shown_message(evidence),
        opened=shown_assertion(evidence),
        certificates=certificates_of(evidence, now),
        form=untouched(looked.shown_values),
        companions=companion_options(looked.companions),
        answered=_answered(service, looked),
    )


def _answered(service: Service, looked: Looked) -> RequestView | None:
    with service.database.reading() as session:
        return answered_by(session, looked.evidence, looked.account.id, service.now())


@router.get("/message")
def back_to_the_message(looked: LookedDep) -> Response:
    """The download is a form: to fetch the message uses its assertion up, and no link may do that."""
    return RedirectResponse(f"{looked.address}#message-title", status_code=303)


@router.post("/message", dependencies=[Depends(csrf.require_form_token)])
def download_message(looked: LookedDep, administrator: AdministratorDep, service: ServiceDep) -> Response:
    """The message byte for byte, as a file that no browser opens by itself."""
    to = f"administrator {administrator.username}"
    xml = hand_out(service.database, service.settings, looked.evidence, to=to, now=service.now())
    if xml is HandOutProblem.NO_MESSAGE:
        raise not_found("This attempt brought no message that could be decoded")
    if isinstance(xml, HandOutProblem):
        raise PageError(409, SENTENCES[xml])
    name = f"response-{looked.evidence.attempt.reference}.xml"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(xml, media_type="application/octet-stream", headers=headers)


@router.get("/judge-again")
def back_to_the_attempt(looked: LookedDep) -> Response:
    """For whoever opens the address that a judgement has left in the browser."""
    return RedirectResponse(f"{looked.address}#judge-again", status_code=303)


@router.post("/judge-again", dependencies=[Depends(csrf.require_form_token)])
def judged_again(request: Request, service: ServiceDep, looked: LookedDep, sent: SubmissionDep) -> Response:
    """The same bytes against other settings. Nothing is kept, nobody is signed in."""
    form = asked(sent, looked.shown_values, looked.versions, looked.evidence.settings)
    then = looked.evidence.judgement
    if form.errors:
        return _judged_page(request, looked, form, then, status=422)
    return _judged_page(request, looked, form, _judge(service, looked.evidence.attempt, form.changes))


def _judge(service: Service, attempt: SignInAttempt, changes: Changes) -> Judgement:
    with service.database.reading() as session:
        return judge_again(session, attempt, changes)


def _judged_page(request: Request, looked: Looked, form: Asked, now: Judgement, *, status: int = 200) -> Response:
    evidence = looked.evidence
    return _render(
        request,
        "judged",
        looked,
        status=status,
        form=form,
        then=_verdict(evidence, evidence.judgement),
        now=_verdict(evidence, now),
        pairs=pairs_of(evidence.judgement.report, now.report),
    )


def _verdict(evidence: Evidence, judgement: Judgement) -> dict[str, Any]:
    attempt = evidence.attempt
    return verdict(
        judgement.report,
        reference=attempt.reference,
        username=judgement.identity.username if judgement.identity else "",
        provisioned=attempt.provisioned,
        provider=evidence.provider,
    )


def _render(request: Request, page: str, looked: Looked, *, status: int = 200, **context: object) -> Response:
    return render(
        request,
        f"admin/sign_in_log/{page}.html",
        status=status,
        account=looked.account,
        active_tab="accounts",
        active_menu="sign-in-log",
        log_address=address_of(looked.account),
        address=looked.address,
        certificate_url=f"{address_of(looked.account).removesuffix('/sign-in-log')}/certificate",
        attempt=looked.evidence.attempt,
        settings=looked.evidence.settings,
        versions=looked.versions,
        in_force=looked.in_force,
        shown_values=looked.shown_values,
        signed_parts=SIGNED_PARTS,
        **context,
    )
