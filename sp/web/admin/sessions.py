"""Sessions: who is signed in, since when and by what, and ending that.

Owns what each address answers. Never signs anybody out at the identity provider: that takes the person's browser.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from sp.models import User, UserSession
from sp.store import session_listing, sessions, users
from sp.store.rows import required
from sp.store.session_listing import OpenSessions
from sp.store.user_listing import words_of
from sp.web import csrf
from sp.web.admin.managed import AccountView, ManagedAccountDep
from sp.web.admin.user_view import display_name
from sp.web.errors import PageError, not_found
from sp.web.flash import redirect_with_flash
from sp.web.rendering import render
from sp.web.state import ServiceDep
from sp.web.times import ShownTime, shown_time

router = APIRouter(prefix="/account-manager/{slug}/accounts/sessions")
_FORM = [Depends(csrf.require_form_token)]
_ON_A_PAGE = 50
_ID_DIGITS = 18  # as many as every database's ids can have
_METHODS = {"saml": "SAML", "password": "Password"}


@dataclass(frozen=True, slots=True)
class SessionRow:
    """`name` is for headings and questions; `reference` is that of the sign-in, "" for one with a password."""

    id: int
    user_id: int
    name: str
    username: str
    method: str
    reference: str
    name_id: str
    session_index: str
    began: ShownTime
    seen: ShownTime
    ends: ShownTime


def address_of(account: AccountView) -> str:
    return f"/account-manager/{account.slug}/accounts/sessions"


def row_id(text: str) -> int:
    """The id in an address. Raises PageError (404) for anything that can be no id."""
    if not (text.isascii() and text.isdigit() and len(text) <= _ID_DIGITS):
        raise not_found("There is no such session")
    return int(text)


def _first_of_page(before: str = "") -> int | None:
    """Where the page begins. Raises PageError (422) for a key that is none."""
    if not before:
        return None
    if not (before.isascii() and before.isdigit() and len(before) <= _ID_DIGITS):
        raise PageError(422, "There is no such page of the list", "Open Sessions again and go on from there.")
    return int(before)


BeforeDep = Annotated[int | None, Depends(_first_of_page)]


@router.get("")
def list_sessions(
    request: Request,
    account: ManagedAccountDep,
    service: ServiceDep,
    before: BeforeDep,
    q: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    wanted = OpenSessions(account.id, service.now(), service.settings.session_idle, words_of(q))
    with service.database.reading() as session:
        page = session_listing.page(session, wanted, before=before, size=_ON_A_PAGE)
    query = {"q": q.strip()} if q.strip() else {}
    if before is not None and not page.rows:  # the last ones of this page ended meanwhile
        return RedirectResponse(address_of(account) + (f"?{urlencode(query)}" if query else ""), status_code=303)
    return _render(
        request,
        "list",
        account,
        rows=[_row(user, row, wanted.now) for user, row in page.rows],
        total=page.total,
        q=q.strip(),
        first_url=f"?{urlencode(query)}" if before is not None else "",
        older_url=f"?{urlencode(query | {'before': str(page.last_id)})}" if page.older else "",
    )


@router.get("/end-all")
def ask_to_end_all(request: Request, account: ManagedAccountDep) -> Response:
    return _confirm(request, account, "all", name="")


@router.post("/end-all", dependencies=_FORM)
def end_all(account: ManagedAccountDep, service: ServiceDep) -> Response:
    with service.database.writing() as session:
        sessions.end_all_of_account(session, account.id)
    return redirect_with_flash(address_of(account), "sessions-ended", service.settings)


@router.get("/of-user/{user_id}/end")
def ask_to_end_of_user(request: Request, account: ManagedAccountDep, service: ServiceDep, user_id: str) -> Response:
    with service.database.reading() as session:
        user = _user(session, account, user_id)
    return _confirm(request, account, "user", name=display_name(user))


@router.post("/of-user/{user_id}/end", dependencies=_FORM)
def end_of_user(account: ManagedAccountDep, service: ServiceDep, user_id: str) -> Response:
    with service.database.writing() as session:
        sessions.end_all_of_user(session, required(_user(session, account, user_id).id))
    return redirect_with_flash(address_of(account), "sessions-of-user-ended", service.settings)


@router.get("/{session_id}/end")
def ask_to_end(request: Request, account: ManagedAccountDep, service: ServiceDep, session_id: str) -> Response:
    with service.database.reading() as session:
        user, _ = _session(session, account, session_id)
    return _confirm(request, account, "one", name=display_name(user))


@router.post("/{session_id}/end", dependencies=_FORM)
def end(account: ManagedAccountDep, service: ServiceDep, session_id: str) -> Response:
    with service.database.writing() as session:
        _, row = _session(session, account, session_id)
        sessions.end_these(session, [required(row.id)])
    return redirect_with_flash(address_of(account), "session-ended", service.settings)


def _session(session: Session, account: AccountView, session_id: str) -> tuple[User, UserSession]:
    """Raises PageError (404) for another account's session, and for one that has ended."""
    found = session_listing.session_of(session, account.id, row_id(session_id))
    if found is None:
        raise not_found("This session has ended")
    return found


def _user(session: Session, account: AccountView, user_id: str) -> User:
    user = users.user_of_account(session, account.id, row_id(user_id))
    if user is None:
        raise not_found("There is no such user")
    return user


def _row(user: User, row: UserSession, now: datetime) -> SessionRow:
    return SessionRow(
        id=required(row.id),
        user_id=required(user.id),
        name=display_name(user),
        username=user.username,
        method=_METHODS[row.method],
        reference=row.attempt_reference,
        name_id=row.name_id,
        session_index=row.session_index,
        began=shown_time(row.created_at, now),
        seen=shown_time(row.last_seen_at, now),
        ends=shown_time(row.expires_at, now),
    )


def _confirm(request: Request, account: AccountView, which: str, *, name: str) -> Response:
    return _render(request, "confirm", account, which=which, name=name)


def _render(request: Request, page: str, account: AccountView, **context: Any) -> Response:
    return render(
        request,
        f"admin/sessions/{page}.html",
        account=account,
        active_tab="accounts",
        active_menu="sessions",
        address=address_of(account),
        log_address=f"/account-manager/{account.slug}/accounts/single-sign-on/sign-in-log",
        **context,
    )
