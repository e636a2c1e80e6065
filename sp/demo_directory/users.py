"""Owns the pages about people: the list, "Add User" in its steps, a new temporary password, deleting.

Never assigns an application: that is the application's own page.
"""

import re
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sp.demo_directory.desk import AtDesk, Desk
from sp.demo_directory.guard import FROM_OUR_PAGE
from sp.demo_directory.passwords import hash_password, new_temporary_password
from sp.demo_directory.store import NewPerson
from sp.demo_directory.tables import Person

router = APIRouter(prefix="/portal/directory/users")

TYPES = (
    "New user in your organization",
    "User with an existing Microsoft account",
    "User in another Microsoft Azure AD directory",
)
ROLES = ("User", "Global Administrator", "Billing Administrator", "Service Administrator", "User Administrator")
NOTICES = {"deleted": "The user was deleted."}

_USER_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._'-]*[A-Za-z0-9_-])?")
_MAX_NAME = 64


@dataclass(frozen=True)
class Draft:
    """Somebody who is about to be added, as typed so far."""

    kind: str = TYPES[0]
    user_name: str = ""
    first_name: str = ""
    last_name: str = ""
    display_name: str = ""
    role: str = ROLES[0]


def read_draft(
    kind: Annotated[str, Form()] = TYPES[0],
    user_name: Annotated[str, Form()] = "",
    first_name: Annotated[str, Form()] = "",
    last_name: Annotated[str, Form()] = "",
    display_name: Annotated[str, Form()] = "",
    role: Annotated[str, Form()] = ROLES[0],
) -> Draft:
    return Draft(kind, user_name.strip(), first_name.strip(), last_name.strip(), display_name.strip(), role)


DraftForm = Annotated[Draft, Depends(read_draft)]


def account_errors(desk: Desk, draft: Draft) -> dict[str, str]:
    """What is wrong with "Tell us about this user": field name to sentence."""
    errors = {}
    if draft.kind != TYPES[0]:
        errors["kind"] = "Only new users of this organization are part of the stand-in."
    if not draft.user_name:
        errors["user_name"] = "Type a user name, for example BrittaSimon."
    elif len(draft.user_name) > _MAX_NAME or not _USER_NAME.fullmatch(draft.user_name):
        errors["user_name"] = (
            f'Use at most {_MAX_NAME} letters, digits, ".", "_", "-" or "\'", without spaces and without the '
            f"@{desk.tenant.domain} that follows."
        )
    elif desk.store.person_named(draft.user_name):
        errors["user_name"] = f"There is a user {draft.user_name}@{desk.tenant.domain} already. Type another name."
    return errors


def profile_errors(draft: Draft) -> dict[str, str]:
    """What is wrong with "User Profile": field name to sentence."""
    errors = {}
    if not draft.display_name:
        errors["display_name"] = "Type a display name, for example Britta Simon."
    for name in ("first_name", "last_name", "display_name"):
        value = getattr(draft, name)
        if len(value) > _MAX_NAME or not value.isprintable():
            errors[name] = f"Use at most {_MAX_NAME} characters on one line."
    if draft.role not in ROLES:
        errors["role"] = "Choose a role from the list."
    return errors


@router.get("")
def list_users(request: Request, desk: AtDesk, done: str = "") -> HTMLResponse:
    return _list(request, desk, notice=NOTICES.get(done))


@router.get("/add")
def begin_adding(request: Request, desk: AtDesk) -> HTMLResponse:
    return _account_step(request, desk, Draft(), {})


@router.post("/add", dependencies=FROM_OUR_PAGE)
def return_to_account(request: Request, desk: AtDesk, draft: DraftForm) -> HTMLResponse:
    return _account_step(request, desk, draft, {})


@router.post("/add/profile", dependencies=FROM_OUR_PAGE)
def ask_profile(request: Request, desk: AtDesk, draft: DraftForm) -> HTMLResponse:
    errors = account_errors(desk, draft)
    if errors:
        return _account_step(request, desk, draft, errors)
    return _profile_step(request, desk, draft, {})


@router.post("/add/password", dependencies=FROM_OUR_PAGE)
def offer_password(request: Request, desk: AtDesk, draft: DraftForm) -> HTMLResponse:
    return _first_refusal(request, desk, draft) or desk.pages.render(request, "add_user_password.html", draft=draft)


@router.post("/add/create", dependencies=FROM_OUR_PAGE)
def create_user(request: Request, desk: AtDesk, draft: DraftForm) -> HTMLResponse:
    """Add the person and show the temporary password, this once."""
    refusal = _first_refusal(request, desk, draft)
    if refusal:
        return refusal
    password = new_temporary_password()
    person = desk.store.add_person(_new_person(draft, password), desk.clock())
    if person is None:  # two windows added the same name at once
        return _account_step(request, desk, draft, account_errors(desk, draft))
    return _show_password(request, desk, person, password)


@router.get("/add/{step}")
def restart_adding(step: str) -> RedirectResponse:  # noqa: ARG001  every step's address begins again
    """A step's address opened by itself has nothing to show."""
    return RedirectResponse("/portal/directory/users/add", status_code=303)


@router.get("/reset-password")
def ask_to_reset(request: Request, desk: AtDesk, person: str = "") -> Response:
    found = desk.store.person(person)
    if found is None:
        return _list(request, desk, problem="Select a user first, then choose Reset Password.")
    return desk.pages.render(request, "reset_password.html", person=found, upn=desk.user_principal_name(found))


@router.post("/reset-password", dependencies=FROM_OUR_PAGE)
def reset_password(request: Request, desk: AtDesk, person: Annotated[str, Form()] = "") -> HTMLResponse:
    """Set a new temporary password and show it, this once; the person is signed out everywhere."""
    found = _known(desk, person)
    password = new_temporary_password()
    desk.store.set_password(found, hash_password(password))
    return _show_password(request, desk, found, password)


@router.get("/delete")
def ask_to_delete(request: Request, desk: AtDesk, person: str = "") -> Response:
    found = desk.store.person(person)
    if found is None:
        return _list(request, desk, problem="Select a user first, then choose Delete.")
    return desk.pages.render(request, "delete_user.html", person=found, upn=desk.user_principal_name(found))


@router.post("/delete", dependencies=FROM_OUR_PAGE)
def delete_user(desk: AtDesk, person: Annotated[str, Form()] = "") -> RedirectResponse:
    desk.store.delete_person(_known(desk, person))
    return RedirectResponse("/portal/directory/users?done=deleted", status_code=303)


def _known(desk: Desk, object_id: str) -> Person:
    person = desk.store.person(object_id)
    if person is None:
        raise HTTPException(404)
    return person


def _first_refusal(request: Request, desk: Desk, draft: Draft) -> HTMLResponse | None:
    """The earliest step whose fields do not hold: every step's fields travel through the browser."""
    errors = account_errors(desk, draft)
    if errors:
        return _account_step(request, desk, draft, errors)
    errors = profile_errors(draft)
    return _profile_step(request, desk, draft, errors) if errors else None


def _new_person(draft: Draft, password: str) -> NewPerson:
    return NewPerson(
        user_name=draft.user_name,
        first_name=draft.first_name,
        last_name=draft.last_name,
        display_name=draft.display_name,
        role=draft.role,
        password_hash=hash_password(password),
    )


def _list(request: Request, desk: Desk, *, notice: str | None = None, problem: str | None = None) -> HTMLResponse:
    people = [(person, desk.user_principal_name(person)) for person in desk.store.people()]
    status = 422 if problem else 200
    return desk.pages.render(request, "users.html", status=status, people=people, notice=notice, problem=problem)


def _account_step(request: Request, desk: Desk, draft: Draft, errors: dict[str, str]) -> HTMLResponse:
    status = 422 if errors else 200
    return desk.pages.render(request, "add_user_account.html", status=status, draft=draft, types=TYPES, errors=errors)


def _profile_step(request: Request, desk: Desk, draft: Draft, errors: dict[str, str]) -> HTMLResponse:
    status = 422 if errors else 200
    known = draft if draft.role in ROLES else replace(draft, role=ROLES[0])
    return desk.pages.render(request, "add_user_profile.html", status=status, draft=known, roles=ROLES, errors=errors)


def _show_password(request: Request, desk: Desk, person: Person, password: str) -> HTMLResponse:
    return desk.pages.render(
        request,
        "new_password.html",
        person=person,
        upn=desk.user_principal_name(person),
        password=password,
    )
