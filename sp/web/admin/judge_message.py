""" "Judge a message": what this service would say about a message that never reached it.

Owns what the address answers. Never stores anything, signs nobody in, and leaves the record of replays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from sp.diagnosis.captures import Capture
from sp.diagnosis.remedies import GENERAL, name_of
from sp.flows.judging_captured import CapturedEvidence, judge_captured
from sp.flows.realms import settings_of
from sp.flows.verdict import verdict
from sp.models import SsoSettings
from sp.store import accounts
from sp.store.rows import required
from sp.web import csrf
from sp.web.admin.attempt_certificates import certificates_of
from sp.web.admin.attempt_facts import said_by
from sp.web.admin.capture_form import TEXT, GivenCaptureDep, capture_of, roomy_form
from sp.web.admin.carried_capture import carried
from sp.web.admin.judging_form import Asked, asked, untouched
from sp.web.admin.managed import AccountView, ManagedAccountDep, managed_account
from sp.web.admin.message_view import shown_assertion, shown_message
from sp.web.admin.saml_form import SubmissionDep
from sp.web.admin.sign_in_log_address import address_of
from sp.web.admin.version_view import SIGNED_PARTS
from sp.web.rendering import render
from sp.web.report_view import report_stages
from sp.web.state import ServiceDep
from sp.web.times import exact

router = APIRouter(prefix="/account-manager/{slug}/accounts/single-sign-on/sign-in-log/judge")
_VERSIONS = 200


@dataclass(frozen=True, slots=True)
class Bench:
    """What an account's administrator can judge with: the versions of its settings by number, and what is in force."""

    account: AccountView
    versions: Mapping[int, SsoSettings]
    in_force: SsoSettings
    entity_id: str
    acs_url: str

    @property
    def address(self) -> str:
        return f"{address_of(self.account)}/judge"

    @property
    def shown_values(self) -> dict[str, str]:
        """What the form shows at first. An empty time is now, which goes on while somebody looks for a message."""
        return {
            "version": str(self.in_force.version),
            "issuer": "",
            "entity_id": self.entity_id,
            "acs_url": self.acs_url,
            "at": "",
            "allow_sha1": "",
            "signed_part": "",
        }


def bench_of(account: ManagedAccountDep, service: ServiceDep) -> Bench:
    with service.database.reading() as session:
        versions = accounts.versions(session, account.id, limit=_VERSIONS)
        stored = accounts.account_by_id(session, account.id)
        in_force = accounts.settings_in_force(session, stored)
        settings = settings_of(session, service.settings, stored)
    by_number = {version.version: version for version in versions}
    return Bench(account, by_number, in_force, settings.entity_id, settings.acs_url)


BenchDep = Annotated[Bench, Depends(bench_of)]


@router.get("")
def judge_page(request: Request, bench: BenchDep) -> Response:
    return _render(request, bench, untouched(bench.shown_values), {})


# Whoever may not be here is turned away before the long body is read.
_GUARDED = [Depends(managed_account), Depends(roomy_form), Depends(csrf.require_form_token)]


@router.post("", dependencies=_GUARDED)
def judge(
    request: Request, service: ServiceDep, bench: BenchDep, given: GivenCaptureDep, sent: SubmissionDep
) -> Response:
    """The verdict on one message of what was pasted, uploaded or carried along."""
    form = asked(sent, bench.shown_values, bench.versions, bench.in_force)
    capture = capture_of(given, service.settings.limits)
    errors = ({TEXT: capture.fault} if not capture.messages else {}) | dict(form.errors)
    number = given.number(capture)
    if errors:
        text = given.text_again if not capture.messages else ""
        refused = {"capture": capture, "number": number, "errors": errors, "capture_text": text}
        return _render(request, bench, form, refused, status=422)
    with service.database.reading() as session:
        evidence = judge_captured(
            session,
            service.settings,
            capture.messages[number - 1],
            required(bench.in_force.id),
            form.changes,
            service.now(),
        )
    return _render(request, bench, form, {"capture": capture, "number": number, **_shown(service, evidence)})


def _shown(service: ServiceDep, evidence: CapturedEvidence) -> dict[str, object]:
    judgement = evidence.judgement
    stages = report_stages(judgement.report, evidence.provider)
    username = judgement.identity.username if judgement.identity else ""
    return {
        "verdict": verdict(judgement.report, reference="", username=username, provider=evidence.provider),
        "stages": stages,
        "rows": {row.code: row for stage in stages for row in stage.rows},
        "provider": name_of(evidence.provider) if evidence.provider != GENERAL else "",
        "issuer": evidence.shown.unverified_issuer,
        "judged_at": exact(evidence.expectations.now),
        "said": said_by(evidence),
        "text": shown_message(evidence),
        "opened": shown_assertion(evidence),
        "certificates": certificates_of(evidence, service.now()),
    }


_NOTHING: dict[str, object] = {"capture": None, "number": 0, "errors": {}, "capture_text": "", "verdict": None}


def _render(
    request: Request, bench: Bench, form: Asked, context: Mapping[str, object], *, status: int = 200
) -> Response:
    capture = context.get("capture")
    return render(
        request,
        "admin/sign_in_log/judge.html",
        status=status,
        account=bench.account,
        active_tab="accounts",
        active_menu="sign-in-log",
        log_address=address_of(bench.account),
        address=bench.address,
        certificate_url=f"{address_of(bench.account).removesuffix('/sign-in-log')}/certificate",
        form=form,
        versions=bench.versions,
        in_force=bench.in_force.version,
        settings=None,
        signed_parts=SIGNED_PARTS,
        carried=carried(capture) if isinstance(capture, Capture) and capture.messages else "",
        **{**_NOTHING, **context},
    )
