"""/saml2/slo and /saml2/slo/soap: logout messages from identity providers.

Owns reading them within bounds, and how what came of one is told: onward to the identity provider, as a page, or in
an envelope. Never judges (`sp.flows.logout_consumer` does), and sends nobody anywhere but where the account says.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import partial
from urllib.parse import parse_qsl, urlsplit

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from sp.flows.logout_consumer import LogoutDelivery, Received, answers_a_waiting_sign_out, receive
from sp.flows.realms import WorkspaceGoneError
from sp.flows.request_sending import Sending
from sp.flows.service_metadata import SIGN_OUT_PATH, SOAP_SIGN_OUT_PATH
from sp.saml import soap
from sp.saml.bindings import values
from sp.saml.logout_messages import Arrival, ByForm, ByQuery, BySoap, Kind
from sp.saml.messages import PostedForm
from sp.web import cookies
from sp.web.errors import PageError
from sp.web.form_decoding import decode_alone, takes_long
from sp.web.realm import WORKSPACE, ServiceHereDep, gone
from sp.web.rendering import render
from sp.web.second_post import AGAIN, from_elsewhere, post_again
from sp.web.security_headers import allow_forms_to
from sp.web.sign_out_view import OUTCOMES, shown_outcome
from sp.web.state import Service, remote_address

router = APIRouter()
_log = structlog.get_logger("sp.sign_out")

_MAX_FIELDS = 20
_KEPT = frozenset(("SAMLResponse", "RelayState"))
_NAMED_IN_POLICIES = re.compile(r"[A-Za-z0-9.-]+(?::[0-9]+)?")
_STATUS = {"form": 400, "size": 413, "base64": 400}


@router.get(WORKSPACE + SIGN_OUT_PATH)
@router.get(SIGN_OUT_PATH)
def by_redirect(request: Request, service: ServiceHereDep) -> Response:
    """HTTP-Redirect: the query counts as it was received, since that is what was signed."""
    query: bytes = request.scope["query_string"]
    if not {"SAMLRequest", "SAMLResponse"} & request.query_params.keys():
        raise PageError(
            400, "This address takes sign-out messages", "Sign out with the button at the top of every page."
        )
    return _answered(request, service, ByQuery(query, _kind(request.query_params.keys())))


@router.post(WORKSPACE + SIGN_OUT_PATH)
@router.post(SIGN_OUT_PATH)
async def by_post(request: Request, service: ServiceHereDep) -> Response:
    """HTTP-POST."""
    body = await request.body()
    form = await decode_alone(request, partial(_form, request, body)) if takes_long(body) else body
    return await run_in_threadpool(_by_form, request, service, form)


@router.post(WORKSPACE + SOAP_SIGN_OUT_PATH)
@router.post(SOAP_SIGN_OUT_PATH)
async def by_soap(request: Request, service: ServiceHereDep) -> Response:
    """SOAP: the identity provider asks by itself, without a browser and its cookies."""
    arrival = BySoap(request.headers.get("content-type", ""), await request.body())
    received = await run_in_threadpool(_receive, request, service, arrival, SOAP_SIGN_OUT_PATH)
    if received.soap:
        return Response(received.soap, media_type=soap.CONTENT_TYPE)
    shown = shown_outcome(service, received)
    sentence = shown.message if service.settings.shows_details else shown.sentence
    fault = soap.fault(f"{sentence} Reference {received.reference}.")
    return Response(fault, status_code=500, media_type=soap.CONTENT_TYPE)  # SOAP 1.1, 6.2


def _form(request: Request, body: bytes) -> PostedForm:
    """The fields as sent, repeated ones too; none where there are too many of them.

    Half a second for a megabyte of %41: not for the event loop.
    """
    try:
        text = body.decode("ascii", "replace")
        fields = parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="replace")
    except ValueError:
        fields = []
    return PostedForm(request.method, request.headers.get("content-type", ""), tuple(fields))


def _kind(names: Collection[str]) -> Kind:
    """What the sender says that it sends. Where it says both, neither is taken."""
    return Kind.RESPONSE if "SAMLResponse" in names and "SAMLRequest" not in names else Kind.REQUEST


def _by_form(request: Request, service: Service, sent: PostedForm | bytes) -> Response:
    form = _form(request, sent) if isinstance(sent, bytes) else sent
    arrival = ByForm(form, _kind([name for name, _ in form.fields]))
    if _needs_another_post(request, service, arrival):
        return post_again(
            request, form.fields, _KEPT, title="Signing you out", sentence="Your identity provider has answered."
        )
    return _answered(request, service, arrival)


def _needs_another_post(request: Request, service: Service, arrival: ByForm) -> bool:
    """As at the assertion consumer service: the cookie that binds our request stayed behind, on plain http."""
    if arrival.kind is Kind.REQUEST or values(arrival.form, AGAIN) or not from_elsewhere(request):
        return False
    if service.settings.secure_cookies or cookies.request_token(request, service.settings):
        return False
    return answers_a_waiting_sign_out(service.database, service.settings, arrival, service.now())


def _answered(request: Request, service: Service, arrival: Arrival) -> Response:
    received = _receive(request, service, arrival, SIGN_OUT_PATH)
    if received.answer is not None:
        return _carried(request, received.answer)
    shown = shown_outcome(service, received)
    status = 200 if shown.state in OUTCOMES else _STATUS.get(next(iter(received.judgement.report.failed), ""), 403)
    return render(request, "sso/signed_out.html", status=status, shown=shown)


def _receive(request: Request, service: Service, arrival: Arrival, path: str) -> Received:
    delivery = LogoutDelivery(
        arrival=arrival,
        location=service.settings.saml_root + path,
        received_at=service.now(),
        remote_address=remote_address(request),
        browser_token=cookies.request_token(request, service.settings),
        workspace=service.workspace,
    )
    try:
        received = receive(service.database, service.settings, delivery)
    except WorkspaceGoneError:
        raise gone() from None
    service.metrics.signed_out(received.judgement.report.failed, accepted=received.accepted)
    structlog.contextvars.bind_contextvars(sign_out=received.reference)
    _log.info(
        "sign_out",
        kind=str(arrival.kind),
        binding=str(arrival.binding),
        outcome="accepted" if received.accepted else "refused",
        reference=received.reference,
        failed=list(received.judgement.report.failed),
        sessions_ended=received.ended,
    )
    return received


def _carried(request: Request, answer: Sending) -> Response:
    """Back to the identity provider, which may have opened this in a frame of its own page (SDP-SP27)."""
    if not answer.fields:
        response: Response = RedirectResponse(answer.url, status_code=303)
        response.headers["Cache-Control"] = "no-store"
        return response
    response = render(
        request,
        "sso/post_form.html",
        action=answer.url,
        fields=answer.fields,
        title="Signed out",
        sentence="You are signed out here. Your browser takes the answer to your identity provider.",
    )
    allow_forms_to(response, answer.url)
    _allow_frame_of(response, answer.url)
    return response


def _allow_frame_of(response: Response, url: str) -> None:
    """Let the identity provider's page show this one: it holds a form to that provider and nothing to be tricked into.

    A browser that reads frame-ancestors ignores X-Frame-Options (CSP 3, 6.4.2). A host that no policy can name (2.3.1)
    gets no frame: other letters stand in no header, and a semicolon would begin another directive.
    """
    parts = urlsplit(url)
    if not _NAMED_IN_POLICIES.fullmatch(parts.netloc):
        return
    policy = response.headers["Content-Security-Policy"]
    allowed = f"frame-ancestors {parts.scheme}://{parts.netloc}"
    response.headers["Content-Security-Policy"] = policy.replace("frame-ancestors 'none'", allowed)
