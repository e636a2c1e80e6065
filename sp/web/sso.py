"""POST /saml2: the assertion consumer service.

Owns reading the form within bounds, the cookie, and how a verdict is shown: as a page, or as JSON to programs.
Never judges: `sp.flows.assertion_consumer` does.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from urllib.parse import parse_qsl

import structlog
from fastapi import HTTPException, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from sp.diagnosis.explanations import cause
from sp.diagnosis.remedies import GENERAL, name_of
from sp.disconnects import CLIENT_CLOSED_REQUEST
from sp.flows.assertion_consumer import Delivery, SignIn, UnreadForm, consuming
from sp.flows.pending_answers import answers_a_waiting_request
from sp.flows.realms import WorkspaceGoneError
from sp.flows.verdict import verdict
from sp.saml.bindings import values
from sp.saml.checks import CHECKS
from sp.saml.messages import PostedForm
from sp.saml.problems import FormProblem, SizeProblem
from sp.saml.report import Fault
from sp.saml.times import written
from sp.saml.values import Count, Name, Text, Unit
from sp.store.together import AbandonedError, Steps
from sp.web import cookies
from sp.web.attempt_address import attempt_address
from sp.web.form_decoding import decode_alone, takes_long
from sp.web.head_requests import is_head
from sp.web.realm import gone, service_here
from sp.web.relay_state import safe_path
from sp.web.rendering import render
from sp.web.report_view import report_stages
from sp.web.second_post import AGAIN, from_elsewhere, post_again
from sp.web.sign_in_desk import desk_of
from sp.web.state import Service, remote_address, service_of
from sp.web.times import shown_time

_log = structlog.get_logger("sp.sign_in")

# A base64 message where every character is percent-encoded is four times its three bytes; the rest is RelayState.
_ENCODED_GROWTH = 4
_ROOM_FOR_OTHER_FIELDS = 64 * 1024
_MAX_FIELDS = 20
_FORM = "application/x-www-form-urlencoded"
_MESSAGES = {"SAMLResponse", "SAMLRequest", "SAMLart"}
_STATUS = {"form": 400, "size": 413, "base64": 400}
_KEPT = frozenset(("SAMLResponse", "RelayState"))
_SAFE_SENTENCE = "We couldn't sign you in."


async def assertion_consumer_service(request: Request) -> Response:
    """Profiles 4.1.4: takes one response, signs its subject in or says why not. Always leaves an attempt.

    A message by the Redirect binding gets its refusal like any other; without one, GET is not for this address.
    """
    if request.method != "POST" and (is_head(request) or not _MESSAGES & request.query_params.keys()):
        raise HTTPException(405, headers={"Allow": "POST"})
    body = request.url.query.encode() if request.method == "GET" else await _read_body(request)
    form: PostedForm | UnreadForm | bytes = body
    if isinstance(body, bytes) and takes_long(body):
        form = await decode_alone(request, partial(_form, request, body))
    # Only once the body is read: waiting for the rest of one gives the request's place away (`sp.web.overload`).
    is_read = request.method == "POST" and isinstance(body, bytes)
    disconnected = asyncio.create_task(_disconnected(request)) if is_read else None
    try:
        response, sign_in = await desk_of(request).serve(_answering(request, form), disconnected)
    except AbandonedError:
        return Response(status_code=CLIENT_CLOSED_REQUEST)
    finally:
        if disconnected is not None:
            disconnected.cancel()
    if sign_in is not None:
        _log_sign_in(sign_in)
    return response


async def _disconnected(request: Request) -> None:
    """Return when the client has disconnected."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _answering(request: Request, form: PostedForm | UnreadForm | bytes) -> Steps[tuple[Response, SignIn | None]]:
    """What is answered, and what came of the message unless the browser has to post it once more."""
    service = service_here(request)
    form = _form(request, form) if isinstance(form, bytes) else form
    wants_json = "application/json" in request.headers.get("accept", "")
    if not wants_json and _needs_another_post(request, service, form):
        return _post_again(request, form), None
    delivery = Delivery(
        form=form,
        received_at=service.now(),
        remote_address=remote_address(request),
        new_token=cookies.new_token(),
        old_token=cookies.read_cookie(request, service.settings, cookies.SESSION),
        request_token=cookies.request_token(request, service.settings),
        workspace=service.workspace,
    )
    sign_in = yield from _consuming(service, delivery)
    response = _json(service, sign_in) if wants_json else _page(request, service, sign_in, form)
    if sign_in.accepted and not sign_in.for_the_bench:
        cookies.set_cookie(response, service.settings, cookies.SESSION, delivery.new_token)
    response.headers["Cache-Control"] = "no-store"
    return response, sign_in


def _consuming(service: Service, delivery: Delivery) -> Steps[SignIn]:
    began = time.perf_counter()
    try:
        sign_in = yield from consuming(service.database, service.settings, delivery)
    except WorkspaceGoneError:
        raise gone() from None
    service.metrics.signed_in(sign_in.judgement.report.failed, time.perf_counter() - began, accepted=sign_in.accepted)
    return sign_in


def _needs_another_post(request: Request, service: Service, form: PostedForm | UnreadForm) -> bool:
    """Whether the cookie that binds a pending request stayed behind only because this post comes from another site.

    A browser that drops the SameSite=None cookie, as on plain http, sends its twin with a post from a page of ours.
    """
    if not isinstance(form, PostedForm) or form.method != "POST" or values(form, AGAIN):
        return False
    if service.settings.secure_cookies or cookies.request_token(request, service.settings):
        return False
    if not from_elsewhere(request):
        return False
    return answers_a_waiting_request(service.database, service.settings, form)


def _post_again(request: Request, form: PostedForm | UnreadForm) -> Response:
    """A page of ours that posts the same form once more, to the same address."""
    return post_again(
        request,
        () if isinstance(form, UnreadForm) else form.fields,
        _KEPT,
        title="Signing you in",
        sentence="Your identity provider has answered.",
    )


async def _read_body(request: Request) -> bytes | UnreadForm:
    """The body, or why it was not read: bounds hold before anything is kept."""
    encoding = request.headers.get("content-encoding", "identity")
    if encoding != "identity":
        return UnreadForm("form", Fault(FormProblem.CONTENT_ENCODING, received=Text(encoding[:50])))
    limit = service_of(request).settings.max_message_bytes * _ENCODED_GROWTH + _ROOM_FOR_OTHER_FIELDS
    body = await _bounded_body(request, limit)
    if body is None:
        return UnreadForm("size", Fault(SizeProblem.FORM, Count(limit // 1024, Unit.KIB)))
    return body


async def _bounded_body(request: Request, limit: int) -> bytes | None:
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > limit:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)


def _form(request: Request, body: bytes) -> PostedForm | UnreadForm:
    """The fields as sent, repeated ones too. Those of a query are only ever refused, and read to say what came."""
    posted = request.method == "POST"
    content_type = request.headers.get("content-type", "") if posted else ""
    is_form = not posted or content_type.split(";")[0].strip().lower() == _FORM
    try:
        fields = _parse(body) if is_form else ()
    except ValueError:
        return _too_many_fields(request.method)
    return PostedForm(method=request.method, content_type=content_type, fields=fields)


def _parse(body: bytes) -> tuple[tuple[str, str], ...]:
    """Raises ValueError for too many fields."""
    text = body.decode("ascii", "replace")
    return tuple(parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="replace"))


def _too_many_fields(method: str) -> UnreadForm:
    if method == "GET":
        return UnreadForm("form", Fault(FormProblem.METHOD, Name("POST"), Name(method)))
    return UnreadForm("form", Fault(FormProblem.TOO_MANY_FIELDS, Count(_MAX_FIELDS, Unit.FIELDS)))


def _status(sign_in: SignIn) -> int:
    if sign_in.accepted:
        return 200
    return _STATUS.get(next(iter(sign_in.judgement.report.failed), ""), 403)


def _json(service: Service, sign_in: SignIn) -> Response:
    content = verdict(
        sign_in.judgement.report,
        reference=sign_in.reference,
        username=sign_in.username if sign_in.accepted or service.settings.shows_details else "",
        provisioned=sign_in.provisioned,
        provider=GENERAL if sign_in.accepted else sign_in.provider,
    )
    if not sign_in.accepted and not service.settings.shows_details:
        content |= {"failed": [], "warnings": [], "message": _SAFE_SENTENCE, "remedy": ""}
    if not service.settings.shows_details:
        content["report"] = []
    if service.workspace is not None and service.workspace.fixed_time is not None:
        content["fixed_time"] = written(service.workspace.fixed_time)
    return JSONResponse(content, status_code=_status(sign_in))


def _page(request: Request, service: Service, sign_in: SignIn, form: PostedForm | UnreadForm) -> Response:
    if sign_in.for_the_bench and sign_in.account_slug:
        return RedirectResponse(attempt_address(sign_in.account_slug, sign_in.reference), status_code=303)
    if sign_in.accepted:
        return RedirectResponse(_where_to(service, sign_in, form), status_code=303)
    return render(request, "sso/refused.html", status=_status(sign_in), **_shown(service, sign_in))


def _where_to(service: Service, sign_in: SignIn, form: PostedForm | UnreadForm) -> str:
    """Where the person wanted to go when the sign-in began here; else what RelayState says, if it stays here.

    The RelayState of an answer is nobody's word: what it stands for was kept with the request.
    """
    if sign_in.answered is not None:
        return safe_path(sign_in.answered.return_path)
    fields = dict(form.fields) if isinstance(form, PostedForm) else {}
    return safe_path(fields.get("RelayState", ""), service.settings.base_url)


def _shown(service: Service, sign_in: SignIn) -> dict[str, object]:
    """One safe sentence and the reference; the whole truth only where details are public."""
    safe: dict[str, object] = {"sentence": _SAFE_SENTENCE, "reference": sign_in.reference, "verdict": None}
    if not service.settings.shows_details:
        return safe
    report, provider = sign_in.judgement.report, sign_in.provider
    titles = {check.code: check.title for check in CHECKS}
    first, now = cause(report), service.now()
    named = "" if first is None else first.code
    return safe | {
        "verdict": verdict(report, reference=sign_in.reference, username=sign_in.username, provider=provider),
        "stages": report_stages(report, provider),
        "also_failed": [(code, titles[code]) for code in report.failed if code != named],
        "issuer": sign_in.unverified_issuer,
        "recognized": "" if provider == GENERAL else name_of(provider),
        "received": shown_time(now, now),
    }


def _log_sign_in(sign_in: SignIn) -> None:
    report = sign_in.judgement.report
    structlog.contextvars.bind_contextvars(sign_in=sign_in.reference)  # for whatever else this request says
    _log.info(
        "sign_in",
        outcome="accepted" if sign_in.accepted else "refused",
        reference=sign_in.reference,
        username=sign_in.username,
        provisioned=sign_in.provisioned,
        failed=list(report.failed),
        warnings=list(report.warnings),
    )
