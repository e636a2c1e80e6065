"""Owns the last step of a sign-in: the page that carries a response to the service by the browser.

Never delivers to an address that is not on this computer, nor for somebody who is not assigned.
"""

from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse

from sp.demo_directory.desk import Desk
from sp.demo_directory.encryption import encrypted_for
from sp.demo_directory.faults import SOUND, Fault, fault_named
from sp.demo_directory.problems import problem_page, sign_in_problem
from sp.demo_directory.reply_url import Reply, Unusable, resolve
from sp.demo_directory.responses import Subject, make_response, new_identifier
from sp.demo_directory.sessions import SESSION_COOKIE
from sp.demo_directory.store import SignedIn
from sp.demo_directory.tables import Application, Person


class UndeliverableError(Exception):
    """There is nothing to send; the text is one sentence."""


def deliver(
    request: Request,
    desk: Desk,
    visitor: SignedIn,
    application: Application,
    *,
    relay_state: str = "",
    in_response_to: str | None = None,
) -> HTMLResponse:
    """Answer with the page that posts a signed response to the application, or with the reason why not."""
    refusal = _not_assigned(request, desk, visitor, application)
    if refusal:
        return refusal
    reply = resolve(application.reply_url, application.identifier, desk.settings.service)
    if application.configured_at is None or isinstance(reply, Unusable):
        return _not_configured(request, application, reply)
    fault = fault_named(desk.store.faults_of(visitor.person).get(application.object_id, "")) or SOUND
    assertion_id = new_identifier()
    message = _message(desk, visitor, application, reply, fault, in_response_to, assertion_id)
    desk.store.remember_opened(request.cookies.get(SESSION_COOKIE, ""), application, assertion_id)
    return desk.pages.render(
        request,
        "auto_post.html",
        post_to=_origin(reply.acs_url),
        application=application,
        reply=reply,
        saml_response=fault.field(message),
        fault=fault.code,
        relay_state=relay_state,
    )


def saml_response(desk: Desk, person: Person, application: Application, fault: Fault) -> str:
    """The value of SAMLResponse that a click on the tile would send now, for programs.

    Raises UndeliverableError where the tile would send none.
    """
    reply = resolve(application.reply_url, application.identifier, desk.settings.service)
    if application.configured_at is None or isinstance(reply, Unusable):
        raise UndeliverableError(f"Single sign-on is not configured for {application.name}.")
    if person.object_id not in desk.store.assigned_people(application):
        raise UndeliverableError(f"{desk.user_principal_name(person)} is not assigned to {application.name}.")
    return fault.field(_message(desk, SignedIn(person, desk.clock()), application, reply, fault))


def _message(
    desk: Desk,
    visitor: SignedIn,
    application: Application,
    reply: Reply,
    fault: Fault,
    in_response_to: str | None = None,
    assertion_id: str = "",
) -> bytes:
    """The signed response, encrypted where the application's tokens are; a fault stays in the open, to be seen."""
    message = make_response(
        desk.provider,
        subject_of(desk, visitor.person),
        reply,
        now=desk.clock(),
        authenticated_at=visitor.authenticated_at,
        in_response_to=in_response_to,
        fault=fault,
        assertion_id=assertion_id,
    )
    certificate = desk.store.encryption_certificate(application)
    return message if certificate is None or fault is not SOUND else encrypted_for(message, certificate)


def subject_of(desk: Desk, person: Person) -> Subject:
    return Subject(
        user_principal_name=desk.user_principal_name(person),
        first_name=person.first_name,
        last_name=person.last_name,
        display_name=person.display_name,
        object_id=person.object_id,
    )


def _not_assigned(request: Request, desk: Desk, visitor: SignedIn, application: Application) -> HTMLResponse | None:
    if visitor.person.object_id in desk.store.assigned_people(application):
        return None
    sentence = (
        f"The signed in user '{desk.user_principal_name(visitor.person)}' is not assigned to a role for the "
        f"application '{application.object_id}'({application.name})."
    )
    return sign_in_problem(request, desk, 403, "AADSTS50105", sentence)


def _not_configured(request: Request, application: Application, reply: Reply | Unusable) -> HTMLResponse:
    detail = f" {reply.sentence}" if isinstance(reply, Unusable) and application.reply_url else ""
    sentence = (
        f"Single sign-on is not configured for {application.name}.{detail} The administrator of this directory "
        "opens the application in the portal, chooses Configure single sign-on, and follows it to Complete."
    )
    return problem_page(request, 409, "Single sign-on is not configured", sentence)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
