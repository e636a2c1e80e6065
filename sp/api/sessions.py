"""/sessions: who is signed in to the account.

Owns the addresses and the schema of a session. Never tells a cookie, of which only the hash is kept.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import ConfigDict, Field

from sp.api.authorization import ReaderDep, WriterDep
from sp.api.problems import BY_ANY, not_found
from sp.api.schemas import MAX_ID, Answer, NextLink, Paging, Time, examples, next_link
from sp.api.users import Ended
from sp.models import User, UserSession
from sp.service import ServiceDep
from sp.store import session_listing, sessions
from sp.store.rows import required
from sp.store.session_listing import OpenSessions
from sp.store.user_listing import words_of

router = APIRouter(prefix="/sessions", tags=["sessions"], responses=BY_ANY)
SessionId = Annotated[int, Path(ge=1, le=MAX_ID)]

EXAMPLE = {
    "id": 12,
    "user": {"id": 7, "username": "britta@contoso.example"},
    "method": "saml",
    "sign_in": "7F3KXMPQ",
    "issuer": "https://idp.contoso.example/",
    "name_id": "britta@contoso.example",
    "session_index": "_s1",
    "created_at": "2030-01-31T12:00:00Z",
    "last_seen_at": "2030-01-31T12:00:00Z",
    "expires_at": "2030-02-01T00:00:00Z",
}


class WantedSessions(Paging):
    """Which sessions."""

    user: int | None = Field(None, ge=1, le=MAX_ID, description="The id of a user.")
    search: str = Field("", max_length=200, description="Words, all of which occur in the user's profile.")


class UserOfSession(Answer):
    """Whose session it is."""

    id: int
    username: str


class SessionAnswer(Answer):
    """A session that is open."""

    model_config = ConfigDict(json_schema_extra=examples(EXAMPLE))

    id: int
    user: UserOfSession
    method: Literal["saml", "password"]
    sign_in: str = Field(description="The reference of the sign-in that opened it; empty after a password.")
    issuer: str
    name_id: str
    session_index: str
    created_at: Time
    last_seen_at: Time
    expires_at: Time


class SessionPage(Answer):
    """Sessions, the newest first."""

    model_config = ConfigDict(json_schema_extra=examples({"items": [EXAMPLE], "next": "/api/v1/sessions?after=12"}))

    items: list[SessionAnswer]
    next: NextLink


@router.get("")
def list_sessions(
    caller: ReaderDep, service: ServiceDep, request: Request, wanted: Annotated[WantedSessions, Query()]
) -> SessionPage:
    """The open sessions of the account's users."""
    which = OpenSessions(
        caller.account_id,
        service.now(),
        service.settings.session_idle,
        words_of(wanted.search),
        wanted.user,
    )
    with service.database.reading() as session:
        found, more = session_listing.some(session, which, before=wanted.after, size=wanted.limit)
    items = [_told(user, opened) for user, opened in found]
    return SessionPage(items=items, next=next_link(request, after=items[-1].id) if more else None)


@router.delete("/{session_id}", status_code=204)
def end_session(caller: WriterDep, service: ServiceDep, session_id: SessionId) -> None:
    """Sign this browser out."""
    with service.database.writing() as session:
        if session_listing.session_of(session, caller.account_id, session_id) is None:
            raise not_found("session")
        sessions.end_these(session, [session_id])


@router.delete("")
def end_every_session(caller: WriterDep, service: ServiceDep) -> Ended:
    """Sign everybody of the account out."""
    with service.database.writing() as session:
        return Ended(ended=sessions.end_all_of_account(session, caller.account_id))


def _told(user: User, opened: UserSession) -> SessionAnswer:
    return SessionAnswer(
        id=required(opened.id),
        user=UserOfSession(id=required(user.id), username=user.username),
        method="saml" if opened.method == "saml" else "password",
        sign_in=opened.attempt_reference,
        issuer=opened.issuer,
        name_id=opened.name_id,
        session_index=opened.session_index,
        created_at=opened.created_at,
        last_seen_at=opened.last_seen_at,
        expires_at=opened.expires_at,
    )
