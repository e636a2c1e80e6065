"""Owns the dialog "Configure single sign-on" in its four steps.

Never sends an assertion: it only keeps where one may go.
"""

import re
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sp.demo_directory.applications import Found
from sp.demo_directory.connect import TUTORIAL_REPLY_URL
from sp.demo_directory.desk import AtDesk, Desk
from sp.demo_directory.guard import FROM_OUR_PAGE
from sp.demo_directory.reply_url import Unusable, resolve
from sp.demo_directory.tables import Application

router = APIRouter(prefix="/portal/directory/applications/{object_id}/configure-single-sign-on")

_MAX_IDENTIFIER = 1024
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")


@router.get("")
def ask_how(request: Request, desk: AtDesk, application: Found) -> HTMLResponse:
    return desk.pages.render(request, "sso_how.html", application=application, problem=None)


@router.post("", dependencies=FROM_OUR_PAGE)
def choose_how(request: Request, desk: AtDesk, application: Found, mode: Annotated[str, Form()] = "") -> Response:
    if mode != "federated":
        problem = "Select Microsoft Azure AD Single Sign-On: the other ways are not part of the stand-in."
        return desk.pages.render(request, "sso_how.html", status=422, application=application, problem=problem)
    desk.store.change_application(application, federated=True)
    return _step(application, "settings")


@router.get("/settings")
def ask_settings(request: Request, desk: AtDesk, application: Found) -> HTMLResponse:
    return _settings(request, desk, application, application.reply_url, application.identifier, {})


@router.post("/settings", dependencies=FROM_OUR_PAGE)
def save_settings(
    request: Request,
    desk: AtDesk,
    application: Found,
    reply_url: Annotated[str, Form()] = "",
    identifier: Annotated[str, Form()] = "",
) -> Response:
    """Keep the Reply URL and the Identifier as typed; where they lead is worked out when it is needed."""
    reply_url, identifier = reply_url.strip(), identifier.strip()
    errors = settings_errors(desk, reply_url, identifier)
    if errors:
        return _settings(request, desk, application, reply_url, identifier, errors)
    desk.store.change_application(application, reply_url=reply_url, identifier=identifier)
    return _step(application, "certificate")


def settings_errors(desk: Desk, reply_url: str, identifier: str) -> dict[str, str]:
    """What is wrong with "Configure App Settings": field name to sentence."""
    errors = {}
    if not reply_url:
        errors["reply_url"] = f"Type the Reply URL. The tutorial's value is {TUTORIAL_REPLY_URL}."
    else:
        reply = resolve(reply_url, identifier, desk.settings.service)
        if isinstance(reply, Unusable):
            errors["reply_url"] = reply.sentence
    if len(identifier) > _MAX_IDENTIFIER or not identifier.isprintable() or " " in identifier:
        errors["identifier"] = f"Use at most {_MAX_IDENTIFIER} characters without spaces, or leave it empty."
    return errors


@router.get("/certificate")
def show_certificate(request: Request, desk: AtDesk, application: Found) -> Response:
    return _unready(desk, application) or _certificate(request, desk, application)


@router.post("/certificate", dependencies=FROM_OUR_PAGE)
def confirm_configured(
    request: Request, desk: AtDesk, application: Found, confirmed: Annotated[str, Form()] = ""
) -> Response:
    problem = "Tick the box when you have configured single sign-on at 8x8 Virtual Office."
    if not confirmed:
        return _unready(desk, application) or _certificate(request, desk, application, problem)
    return _unready(desk, application) or _step(application, "confirmation")


@router.get("/confirmation")
def ask_to_complete(request: Request, desk: AtDesk, application: Found) -> Response:
    return _unready(desk, application) or _confirmation(request, desk, application, application.notification_email)


@router.post("/confirmation", dependencies=FROM_OUR_PAGE)
def complete(
    request: Request, desk: AtDesk, application: Found, notification_email: Annotated[str, Form()] = ""
) -> Response:
    email = notification_email.strip()
    if email and (len(email) > 254 or not _EMAIL.fullmatch(email)):
        problem = "Type an e-mail address, for example alice@contoso.example, or leave it empty."
        return _confirmation(request, desk, application, email, problem)
    unready = _unready(desk, application)
    if unready:
        return unready
    desk.store.change_application(application, configured_at=desk.clock(), notification_email=email)
    address = f"/portal/directory/applications/{application.object_id}?done=configured"
    return RedirectResponse(address, status_code=303)


def _step(application: Application, step: str) -> RedirectResponse:
    address = f"/portal/directory/applications/{application.object_id}/configure-single-sign-on/{step}"
    return RedirectResponse(address, status_code=303)


def _unready(desk: Desk, application: Application) -> RedirectResponse | None:
    """Back to the settings when a later step is opened without a usable Reply URL."""
    reply = resolve(application.reply_url, application.identifier, desk.settings.service)
    return _step(application, "settings") if isinstance(reply, Unusable) else None


def _settings(
    request: Request,
    desk: Desk,
    application: Application,
    reply_url: str,
    identifier: str,
    errors: dict[str, str],
) -> HTMLResponse:
    return desk.pages.render(
        request,
        "sso_settings.html",
        status=422 if errors else 200,
        application=application,
        reply_url=reply_url,
        identifier=identifier,
        errors=errors,
        tutorial_reply_url=TUTORIAL_REPLY_URL,
        service=desk.settings.service,
    )


def _certificate(request: Request, desk: Desk, application: Application, problem: str | None = None) -> HTMLResponse:
    return desk.pages.render(
        request,
        "sso_certificate.html",
        status=422 if problem else 200,
        application=application,
        reply=resolve(application.reply_url, application.identifier, desk.settings.service),
        provider=desk.provider,
        key=desk.key,
        problem=problem,
    )


def _confirmation(
    request: Request, desk: Desk, application: Application, email: str, problem: str | None = None
) -> HTMLResponse:
    return desk.pages.render(
        request,
        "sso_confirmation.html",
        status=422 if problem else 200,
        application=application,
        email=email,
        problem=problem,
    )
