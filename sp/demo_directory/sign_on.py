"""Owns the tenant's protocol addresses: single sign-on, sign-out, and the federation metadata.

Never answers a request anywhere but at the application's own Reply URL.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import RedirectResponse, Response

from sp.demo_directory.delivery import deliver
from sp.demo_directory.desk import AtDesk, Desk
from sp.demo_directory.identity_provider import UnreadableRequestError
from sp.demo_directory.problems import sign_in_problem
from sp.demo_directory.reply_url import Unusable, resolve, same_destination
from sp.demo_directory.sessions import Visitor, ask_to_sign_in
from sp.demo_directory.single_sign_out import answer_sign_out, end_session, tell_answer
from sp.demo_directory.tables import Application

router = APIRouter()

# A deflated request may grow a thousandfold when it is inflated; a real one has under 4 KiB.
_MAX_REQUEST = 16 * 1024
_MAX_RELAY_STATE = 1024


@router.get("/{tenant_id}/federationmetadata/2007-06/federationmetadata.xml")
def show_metadata(desk: AtDesk, tenant_id: str) -> Response:
    if tenant_id != desk.tenant.tenant_id:
        raise HTTPException(404)
    return Response(desk.provider.metadata(), media_type="application/xml")


@router.get("/{tenant_id}/saml2")
def receive_by_redirect(
    request: Request,
    desk: AtDesk,
    tenant_id: str,
    SAMLRequest: Annotated[str, Query()] = "",  # noqa: N803  the parameter's name in Bindings 3.4
    SAMLResponse: Annotated[str, Query()] = "",  # noqa: N803  the same
    RelayState: Annotated[str, Query()] = "",  # noqa: N803  the same
) -> Response:
    """An AuthnRequest or a logout message; without any, the "Single Sign-Out Service URL" signs the visitor out."""
    refusal = _other_tenant(request, desk, tenant_id)
    if refusal:
        return refusal
    if SAMLResponse:
        return tell_answer(request, desk, SAMLResponse[:_MAX_REQUEST])
    if not SAMLRequest:
        return end_session(request, desk)
    sign_out = desk.provider.read_logout_request(SAMLRequest[:_MAX_REQUEST])
    if sign_out is not None:
        return _sign_out(request, desk, sign_out, RelayState)
    return _receive(request, desk, SAMLRequest, RelayState)


@router.post("/{tenant_id}/saml2")
def receive_by_post(
    request: Request,
    desk: AtDesk,
    tenant_id: str,
    SAMLRequest: Annotated[str, Form()] = "",  # noqa: N803  the parameter's name in Bindings 3.5
    RelayState: Annotated[str, Form()] = "",  # noqa: N803  the same
) -> Response:
    return _other_tenant(request, desk, tenant_id) or _receive(request, desk, SAMLRequest, RelayState)


@router.get("/{tenant_id}/saml2/continue")
def answer_request(request: Request, desk: AtDesk, tenant_id: str, visitor: Visitor, reference: str = "") -> Response:
    """Answer a request that was received before, once its person is signed in; each is answered once."""
    found = desk.store.request(reference, desk.clock())
    if tenant_id != desk.tenant.tenant_id or found is None:
        sentence = "The request is no longer there. Start again at the application."
        return sign_in_problem(request, desk, 400, "AADSTS90025", sentence)
    if visitor is None:
        return ask_to_sign_in(f"/{tenant_id}/saml2/continue?reference={reference}")
    pending, application = found
    desk.store.forget_request(pending)
    return deliver(
        request,
        desk,
        visitor,
        application,
        relay_state=pending.relay_state,
        in_response_to=pending.request_id,
    )


def _other_tenant(request: Request, desk: Desk, tenant_id: str) -> Response | None:
    if tenant_id == desk.tenant.tenant_id:
        return None
    sentence = f"Tenant '{tenant_id[:64]}' not found. Copy the SAML SSO URL from the portal again."
    return sign_in_problem(request, desk, 404, "AADSTS90002", sentence)


def _receive(request: Request, desk: Desk, text: str, relay_state: str) -> Response:
    """Keep a good request and go on by a plain GET: a POST from another site comes without our cookies."""
    try:
        message = desk.provider.read_request(text[:_MAX_REQUEST], "POST" if request.method == "POST" else "GET")
    except UnreadableRequestError:
        sentence = "The request is not a valid SAML 2.0 protocol message."
        return sign_in_problem(request, desk, 400, "AADSTS75005", sentence)
    application = _asked_for(desk, message)
    if application is None:
        return _unknown_application(request, desk, message)
    refusal = _other_destination(request, desk, message, application)
    if refusal:
        return refusal
    reference = desk.store.keep_request(application, message.id, relay_state[:_MAX_RELAY_STATE], desk.clock())
    address = f"/{desk.tenant.tenant_id}/saml2/continue?reference={reference}"
    return RedirectResponse(address, status_code=303)


def _sign_out(request: Request, desk: Desk, message: Any, relay_state: str) -> Response:
    application = _asked_for(desk, message)
    if application is None:
        return _unknown_application(request, desk, message)
    return answer_sign_out(request, desk, message, application, relay_state[:_MAX_RELAY_STATE])


def _asked_for(desk: Desk, message: Any) -> Application | None:
    """The application whose Identifier, typed or mapped, is the request's Issuer."""
    issuer = _issuer(message)
    for application in desk.store.applications():
        reply = resolve(application.reply_url, application.identifier, desk.settings.service)
        typed = application.identifier or application.reply_url
        if not isinstance(reply, Unusable) and issuer in {typed, reply.entity_id}:
            return application
    return None


def _unknown_application(request: Request, desk: Desk, message: Any) -> Response:
    sentence = (
        f"Application with identifier '{_issuer(message)[:256]}' was not found in the directory "
        f"'{desk.tenant.name}'. Add it in the portal and configure its single sign-on."
    )
    return sign_in_problem(request, desk, 400, "AADSTS700016", sentence)


def _other_destination(request: Request, desk: Desk, message: Any, application: Application) -> Response | None:
    """A response is never sent where the request says, only where the administrator said."""
    asked = message.assertion_consumer_service_url
    reply = resolve(application.reply_url, application.identifier, desk.settings.service)
    if not asked or isinstance(reply, Unusable) or same_destination(asked, application.reply_url, reply):
        return None
    sentence = (
        f"The reply URL '{asked[:256]}' specified in the request does not match the reply URLs configured for "
        f"the application '{application.object_id}'. It is {application.reply_url}."
    )
    return sign_in_problem(request, desk, 400, "AADSTS50011", sentence)


def _issuer(message: Any) -> str:
    return ((message.issuer.text if message.issuer else "") or "").strip()
