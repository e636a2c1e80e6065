"""Owns sign-out: the end of a session here, LogoutRequests to the applications it opened, and answers to theirs.

Never signs anybody out of an application that this very session did not open.
"""

from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from saml2 import saml, samlp

from sp.demo_directory.clock import instant
from sp.demo_directory.desk import Desk
from sp.demo_directory.problems import sign_in_problem
from sp.demo_directory.reply_url import Unusable, resolve
from sp.demo_directory.responses import VALID_BEFORE, new_identifier
from sp.demo_directory.sessions import SESSION_COOKIE, find_session
from sp.demo_directory.store import SignedIn
from sp.demo_directory.tables import Application
from sp.demo_directory.user_names import user_name_key

_STATUS_URI = "urn:oasis:names:tc:SAML:2.0:status:"


def end_session(request: Request, desk: Desk) -> HTMLResponse:
    """Sign out of the Access Panel, then of the service where this session opened it; harmless for nobody."""
    visitor, token = find_session(request, desk), request.cookies.get(SESSION_COOKIE, "")
    opened = [index for application, index in desk.store.opened_by(token) if _signs_out(desk, application)]
    desk.store.close_session(token)
    if visitor is None or not opened:
        return _signed_out(request, desk)
    address = _logout_request(desk, visitor, opened)
    response = desk.pages.render(request, "signing_out.html", address=address)
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax")
    return response


def tell_answer(request: Request, desk: Desk, text: str) -> HTMLResponse:
    """What the service answered to our LogoutRequest. Nothing hangs on it any more, so nobody verifies it."""
    message = desk.provider.read_logout_response(text)
    status = message.status.status_code.value if message is not None and message.status else ""
    return _signed_out(request, desk, answer=status.removeprefix(_STATUS_URI) or "nothing that can be read")


def answer_sign_out(request: Request, desk: Desk, message: Any, application: Application, relay_state: str) -> Response:
    """End the visitor's session for an application that asks, and answer it (Profiles 4.4.3.3).

    As Azure AD, this verifies no signature: what ends is the session of the browser that brings the request.
    """
    visitor, token = find_session(request, desk), request.cookies.get(SESSION_COOKIE, "")
    if not _signs_out(desk, application):
        sentence = f"The application '{application.name}' has no logout URL in this directory."
        return sign_in_problem(request, desk, 400, "AADSTS50068", sentence)
    if visitor is not None and _other_person(desk, visitor, message):
        sentence = "AADSTS50070: The sign-out request names somebody else than the user who is signed in."
        return _answer(desk, message, relay_state, _status("Requester", sentence=sentence))
    others = [opened for opened, _ in desk.store.opened_by(token) if opened.object_id != application.object_id]
    desk.store.close_session(token)
    response = _answer(
        desk, message, relay_state, _status("Responder", "PartialLogout") if others else _status("Success")
    )
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax")
    return response


def _other_person(desk: Desk, visitor: SignedIn, message: Any) -> bool:
    named = (message.name_id.text if message.name_id else "") or ""
    return user_name_key(named.strip()) != user_name_key(desk.user_principal_name(visitor.person))


def _signs_out(desk: Desk, application: Application) -> bool:
    """Whether the application is the local service, the only one whose logout address is known here."""
    reply = resolve(application.reply_url, application.identifier, desk.settings.service)
    return not isinstance(reply, Unusable) and reply.entity_id == desk.settings.service.entity_id


def _logout_request(desk: Desk, visitor: SignedIn, session_indexes: list[str]) -> str:
    """The address that carries a signed LogoutRequest for exactly the sessions that this one opened."""
    now = desk.clock()
    message = samlp.LogoutRequest(
        **_head(desk),
        not_on_or_after=instant(now + VALID_BEFORE),
        name_id=saml.NameID(format=saml.NAMEID_FORMAT_EMAILADDRESS, text=desk.user_principal_name(visitor.person)),
        session_index=[samlp.SessionIndex(text=index) for index in session_indexes],
    )
    return desk.provider.redirect_address(message, desk.settings.sign_out_url)


def _answer(desk: Desk, request: Any, relay_state: str, status: Any) -> RedirectResponse:
    message = samlp.LogoutResponse(**_head(desk), in_response_to=request.id, status=status)
    address = desk.provider.redirect_address(message, desk.settings.sign_out_url, relay_state, response=True)
    return RedirectResponse(address, status_code=303)


def _head(desk: Desk) -> dict[str, Any]:
    return {
        "id": new_identifier(),
        "version": "2.0",
        "issue_instant": instant(desk.clock()),
        "destination": desk.settings.sign_out_url,
        "issuer": saml.Issuer(text=desk.provider.issuer),
    }


def _status(code: str, second: str = "", sentence: str = "") -> Any:
    below = samlp.StatusCode(value=_STATUS_URI + second) if second else None
    return samlp.Status(
        status_code=samlp.StatusCode(value=_STATUS_URI + code, status_code=below),
        status_message=samlp.StatusMessage(text=sentence) if sentence else None,
    )


def _signed_out(request: Request, desk: Desk, answer: str = "") -> HTMLResponse:
    response = desk.pages.render(request, "signed_out.html", answer=answer)
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax")
    return response
