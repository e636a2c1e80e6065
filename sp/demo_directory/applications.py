"""Owns the pages about applications: the list, the gallery, an application's own page and its users.

Never changes how an application signs people on: that is the wizard's.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sp.demo_directory.connect import GALLERY
from sp.demo_directory.desk import AtDesk, Desk
from sp.demo_directory.guard import FROM_OUR_PAGE
from sp.demo_directory.reply_url import resolve
from sp.demo_directory.responses import Subject, claims_of
from sp.demo_directory.tables import Application

router = APIRouter(prefix="/portal/directory/applications")

NOTICES = {
    "added": "8x8 Virtual Office has been added. Next, configure single sign-on.",
    "configured": "Single sign-on is configured. Next, assign the people who may use it.",
    "assigned": "Assigned. The application is on their Access Panel now.",
    "removed": "Removed. The application is gone from their Access Panel.",
    "deleted": "The application was deleted.",
}

_EXAMPLE = Subject("BrittaSimon@contoso.example", "Britta", "Simon", "Britta Simon", "(object ID)")


def find_application(desk: AtDesk, object_id: str) -> Application:
    """The application that the address names; 404 when there is none."""
    application = desk.store.application(object_id)
    if application is None:
        raise HTTPException(404)
    return application


Found = Annotated[Application, Depends(find_application)]


@router.get("")
def list_applications(request: Request, desk: AtDesk, done: str = "") -> HTMLResponse:
    return _list(request, desk, notice=NOTICES.get(done))


@router.get("/add")
def ask_what_to_do(request: Request, desk: AtDesk) -> HTMLResponse:
    return desk.pages.render(request, "add_application.html")


@router.get("/gallery")
def show_gallery(request: Request, desk: AtDesk, search: str = "") -> HTMLResponse:
    return _gallery(request, desk, search)


@router.post("/gallery", dependencies=FROM_OUR_PAGE)
def add_application(
    request: Request,
    desk: AtDesk,
    application: Annotated[str, Form()] = "",
    search: Annotated[str, Form()] = "",
) -> Response:
    if application not in GALLERY:
        return _gallery(request, desk, search, problem="Select 8x8 Virtual Office in the results first.")
    added = desk.store.add_application(application, desk.clock())
    if added is None:
        problem = f"{application} is in this directory already. Open it under Applications."
        return _gallery(request, desk, search, problem=problem)
    return RedirectResponse(f"{router.prefix}/{added.object_id}?done=added", status_code=303)


@router.get("/delete")
def ask_to_delete(request: Request, desk: AtDesk, application: str = "") -> HTMLResponse:
    found = desk.store.application(application)
    if found is None:
        return _list(request, desk, problem="Select an application first, then choose Delete.")
    return desk.pages.render(request, "delete_application.html", application=found)


@router.post("/delete", dependencies=FROM_OUR_PAGE)
def delete_application(desk: AtDesk, application: Annotated[str, Form()] = "") -> RedirectResponse:
    desk.store.delete_application(find_application(desk, application))
    return RedirectResponse(f"{router.prefix}?done=deleted", status_code=303)


@router.get("/{object_id}")
def show_application(request: Request, desk: AtDesk, application: Found, done: str = "") -> HTMLResponse:
    return desk.pages.render(
        request,
        "application.html",
        application=application,
        reply=resolve(application.reply_url, application.identifier, desk.settings.service),
        assigned=len(desk.store.assigned_people(application)),
        notice=NOTICES.get(done),
    )


@router.get("/{object_id}/attributes")
def show_attributes(request: Request, desk: AtDesk, application: Found) -> HTMLResponse:
    claims = claims_of(_EXAMPLE, desk.tenant.tenant_id)
    return desk.pages.render(request, "attributes.html", application=application, claims=claims)


@router.get("/{object_id}/users")
def list_users(request: Request, desk: AtDesk, application: Found, done: str = "") -> HTMLResponse:
    return _users(request, desk, application, notice=NOTICES.get(done))


@router.post("/{object_id}/users/assign", dependencies=FROM_OUR_PAGE)
def assign_users(
    request: Request, desk: AtDesk, application: Found, person: Annotated[list[str] | None, Form()] = None
) -> Response:
    if not person:
        return _users(request, desk, application, problem="Select somebody first, then choose Assign.")
    desk.store.assign(application, person)
    return RedirectResponse(f"{router.prefix}/{application.object_id}/users?done=assigned", status_code=303)


@router.post("/{object_id}/users/remove", dependencies=FROM_OUR_PAGE)
def remove_users(
    request: Request, desk: AtDesk, application: Found, person: Annotated[list[str] | None, Form()] = None
) -> Response:
    if not person:
        return _users(request, desk, application, problem="Select somebody first, then choose Remove.")
    desk.store.unassign(application, person)
    return RedirectResponse(f"{router.prefix}/{application.object_id}/users?done=removed", status_code=303)


def _list(request: Request, desk: Desk, *, notice: str | None = None, problem: str | None = None) -> HTMLResponse:
    return desk.pages.render(
        request,
        "applications.html",
        status=422 if problem else 200,
        applications=desk.store.applications(),
        notice=notice,
        problem=problem,
    )


def _gallery(request: Request, desk: Desk, search: str, problem: str | None = None) -> HTMLResponse:
    words = search.casefold().split()
    results = [name for name in GALLERY if all(word in name.casefold() for word in words)]
    return desk.pages.render(
        request,
        "gallery.html",
        status=422 if problem else 200,
        search=search,
        results=results,
        problem=problem,
    )


def _users(
    request: Request,
    desk: Desk,
    application: Application,
    *,
    notice: str | None = None,
    problem: str | None = None,
) -> HTMLResponse:
    people = [(person, desk.user_principal_name(person)) for person in desk.store.people()]
    return desk.pages.render(
        request,
        "application_users.html",
        status=422 if problem else 200,
        application=application,
        people=people,
        assigned=desk.store.assigned_people(application),
        notice=notice,
        problem=problem,
    )
