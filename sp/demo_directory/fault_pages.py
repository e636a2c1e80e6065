"""Owns the page "Faults" of an application: who signs in to it with which flaw.

Never makes a response; this page is the demo directory's own and has no counterpart at Azure AD.
"""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sp.demo_directory.applications import Found
from sp.demo_directory.desk import AtDesk, Desk
from sp.demo_directory.faults import FAULTS, fault_named
from sp.demo_directory.guard import FROM_OUR_PAGE
from sp.demo_directory.tables import Application

router = APIRouter(prefix="/portal/directory/applications/{object_id}/faults")

NOTICES = {
    "on": "The fault is on: sign in from the Access Panel to send it.",
    "off": "Switched off. The next response is sound.",
}

People = Annotated[list[str] | None, Form()]


@router.get("")
def list_faults(request: Request, desk: AtDesk, application: Found, done: str = "") -> HTMLResponse:
    return _faults(request, desk, application, notice=NOTICES.get(done))


@router.post("/switch-on", dependencies=FROM_OUR_PAGE)
def switch_on(
    request: Request,
    desk: AtDesk,
    application: Found,
    person: People = None,
    fault: Annotated[str, Form()] = "",
) -> Response:
    """Every sign-in of these people to the application carries the fault until it is switched off."""
    if not person:
        return _faults(request, desk, application, problem="Select somebody first, then choose Switch on.")
    if fault_named(fault) is None:
        return _faults(request, desk, application, problem="Select a fault first, then choose Switch on.")
    desk.store.choose_fault(application, person, fault)
    return _done(application, "on")


@router.post("/switch-off", dependencies=FROM_OUR_PAGE)
def switch_off(request: Request, desk: AtDesk, application: Found, person: People = None) -> Response:
    if not person:
        return _faults(request, desk, application, problem="Select somebody first, then choose Switch off.")
    desk.store.end_fault(application, person)
    return _done(application, "off")


def _done(application: Application, what: str) -> RedirectResponse:
    address = f"/portal/directory/applications/{application.object_id}/faults?done={what}"
    return RedirectResponse(address, status_code=303)


def _faults(
    request: Request,
    desk: Desk,
    application: Application,
    *,
    notice: str | None = None,
    problem: str | None = None,
) -> HTMLResponse:
    assigned = desk.store.assigned_people(application)
    people = [
        (person, desk.user_principal_name(person)) for person in desk.store.people() if person.object_id in assigned
    ]
    return desk.pages.render(
        request,
        "faults.html",
        status=422 if problem else 200,
        application=application,
        people=people,
        chosen=desk.store.faults_for(application),
        faults=FAULTS,
        notice=notice,
        problem=problem,
    )
