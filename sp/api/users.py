"""/users: the user profiles of the account.

Owns the addresses and the schema of a user. Never decides what a profile may hold: `sp.flows.user_profiles` does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import ConfigDict, Field
from sqlmodel import Session

from sp.api.authorization import ReaderDep, WriterDep, account_of
from sp.api.preconditions import IfMatch, check_match, etag
from sp.api.problems import BY_ANY, documented, invalid, not_found
from sp.api.schemas import MAX_ID, Answer, Body, NextLink, Paging, Text, Time, examples, next_link
from sp.flows import user_profiles
from sp.flows.account_setup import Invalid
from sp.flows.api_tokens import Caller
from sp.flows.passwords import hash_password, password_fault
from sp.flows.user_profiles import Profile, mark_of, profile_of
from sp.models import User, UserSource, UserStatus
from sp.service import Service, ServiceDep
from sp.store import sessions, user_listing, users
from sp.store.rows import required
from sp.store.user_listing import LISTED, Listing, Position, SortBy

router = APIRouter(prefix="/users", tags=["users"], responses=BY_ANY)
_PASSWORD_CHARACTERS = 1024

UserId = Annotated[int, Path(ge=1, le=MAX_ID)]
BRITTA = {
    "id": 7,
    "username": "britta@contoso.example",
    "first_name": "Britta",
    "last_name": "Simon",
    "email": "britta@contoso.example",
    "federation_id": "",
    "source": "just_in_time",
    "status": "active",
    "created_at": "2030-01-31T12:00:00Z",
    "last_sign_in_at": "2030-01-31T12:00:00Z",
}


class WantedUsers(Paging):
    """Which users."""

    search: str = Field("", max_length=200, description="Words, all of which occur somewhere in a profile.")
    username: str = Field("", max_length=256, description="The user of this name, without regard to case.")
    federation_id: str = Field("", max_length=256, description="Those with exactly this Federation ID.")
    status: Literal["", "active", "disabled"] = ""


class NewUser(Body):
    """A user as support adds one."""

    model_config = ConfigDict(
        json_schema_extra=examples({"first_name": "Britta", "last_name": "Simon", "email": "britta@contoso.example"})
    )

    first_name: Text
    last_name: Text
    email: Text
    username: Text = Field("", description="The e-mail address where it is left out.")
    federation_id: Text = ""
    password: str | None = Field(
        None, max_length=_PASSWORD_CHARACTERS, description="For 8x8 Username and Password; none by default."
    )


class UserPatch(Body):
    """What shall be different; what is left out stays."""

    model_config = ConfigDict(json_schema_extra=examples({"federation_id": "bsimon"}))

    first_name: Text = ""
    last_name: Text = ""
    email: Text = ""
    username: Text = ""
    federation_id: Text = ""


class UserAnswer(Answer):
    """A user profile."""

    model_config = ConfigDict(json_schema_extra=examples(BRITTA))

    id: int
    username: str
    first_name: str
    last_name: str
    email: str
    federation_id: str
    source: UserSource
    status: UserStatus
    created_at: Time
    last_sign_in_at: Time | None


class UserPage(Answer):
    """Users in the order of their creation."""

    model_config = ConfigDict(json_schema_extra=examples({"items": [BRITTA], "next": "/api/v1/users?after=7"}))

    items: list[UserAnswer]
    next: NextLink


class Ended(Answer):
    """How many sessions were ended."""

    model_config = ConfigDict(json_schema_extra=examples({"ended": 2}))

    ended: int


@router.get("")
def list_users(
    caller: ReaderDep, service: ServiceDep, request: Request, wanted: Annotated[WantedUsers, Query()]
) -> UserPage:
    """The users of the account."""
    with service.database.reading() as session:
        found, more = _page(session, caller, wanted)
    following = next_link(request, after=found[-1].id) if more else None
    return UserPage(items=[_told(user) for user in found], next=following)


@router.post("", status_code=201)
def add_user(caller: WriterDep, service: ServiceDep, request: Request, response: Response, body: NewUser) -> UserAnswer:
    """Add a user, or bring a deleted one of this account back."""
    fault = password_fault(body.password) if body.password is not None else None
    if fault:
        raise invalid({"password": fault})
    profile = Profile(body.first_name, body.last_name, body.email, body.username or body.email, body.federation_id)
    password_hash = hash_password(body.password) if body.password is not None else None
    with service.database.writing() as session:
        account = account_of(session, caller)
        added = user_profiles.add_user(session, account, profile, service.now(), password_hash=password_hash)
        if isinstance(added, Invalid):
            raise invalid(added.errors)
    response.headers["Location"] = f"{request.url.path}/{added.id}"
    response.headers["ETag"] = _etag(added)
    return _told(added)


@router.get("/{user_id}")
def get_user(caller: ReaderDep, service: ServiceDep, response: Response, user_id: UserId) -> UserAnswer:
    """One user."""
    with service.database.reading() as session:
        user = _user_of(session, caller, user_id)
    response.headers["ETag"] = _etag(user)
    return _told(user)


@router.patch("/{user_id}", responses=documented(412))
def change_user(
    caller: WriterDep,
    service: ServiceDep,
    response: Response,
    user_id: UserId,
    body: UserPatch,
    if_match: IfMatch = None,
) -> UserAnswer:
    """Change what is given of the profile."""
    given = {name: getattr(body, name) for name in body.model_fields_set}
    with service.database.writing() as session:
        user = _user_of(session, caller, user_id, lock=True)
        current = profile_of(user)
        check_match(if_match, mark_of(current))
        edited = user_profiles.edit(session, user, replace(current, **given), mark=mark_of(current))
        if isinstance(edited, Invalid):
            raise invalid(edited.errors)
    response.headers["ETag"] = _etag(user)
    return _told(user)


@router.post("/{user_id}/disable")
def disable_user(caller: WriterDep, service: ServiceDep, user_id: UserId) -> UserAnswer:
    """Refuse their sign-ins and end their sessions."""
    return _changed(service, caller, user_id, user_profiles.disable)


@router.post("/{user_id}/enable")
def enable_user(caller: WriterDep, service: ServiceDep, user_id: UserId) -> UserAnswer:
    """Let them sign in again."""
    return _changed(service, caller, user_id, user_profiles.enable)


@router.delete("/{user_id}", status_code=204)
def delete_user(caller: WriterDep, service: ServiceDep, user_id: UserId) -> None:
    """Delete the profile. A tombstone keeps the name, so that no sign-in brings the user back."""
    _changed(service, caller, user_id, user_profiles.delete)


@router.delete("/{user_id}/sessions")
def end_sessions_of_user(caller: WriterDep, service: ServiceDep, user_id: UserId) -> Ended:
    """Sign the user out everywhere."""
    with service.database.writing() as session:
        user = _user_of(session, caller, user_id, lock=True)
        return Ended(ended=sessions.end_all_of_user(session, required(user.id)))


def _page(session: Session, caller: Caller, wanted: WantedUsers) -> tuple[Sequence[User], bool]:
    """Some of those that are wanted, and whether there are more."""
    statuses = (UserStatus(wanted.status),) if wanted.status else LISTED
    if wanted.username:
        return _named(session, caller, wanted, statuses), False
    if wanted.federation_id:
        sought = _without_nul(wanted.federation_id)
        found = user_listing.with_federation_id(
            session, caller.account_id, sought, statuses=statuses, after=wanted.after or 0, limit=wanted.limit + 1
        )
        return found[: wanted.limit], len(found) > wanted.limit
    words = user_listing.words_of(wanted.search)
    listing = Listing(caller.account_id, words, statuses, SortBy.CREATED, descending=False)
    return user_listing.some(session, listing, _start(session, caller, listing, wanted.after), size=wanted.limit)


def _start(session: Session, caller: Caller, listing: Listing, after: int | None) -> Position | None:
    if after is None:
        return None
    last = users.user_of_account(session, caller.account_id, after)
    if last is None:
        raise invalid({"after": "There is no such user in this account. Begin with the first page."})
    return user_listing.position_of(listing, last)


def _named(session: Session, caller: Caller, wanted: WantedUsers, statuses: tuple[UserStatus, ...]) -> list[User]:
    """The one of this user name, if the rest fits too."""
    user = users.user_named(session, account_of(session, caller).realm_id, _without_nul(wanted.username))
    if user is None or user.account_id != caller.account_id or user.status not in statuses:
        return []
    return [user] if wanted.federation_id in {"", user.federation_id} else []


def _without_nul(text: str) -> str:
    """PostgreSQL takes no NUL in a text, and nobody has one."""
    return text.replace("\0", " ")


def _user_of(session: Session, caller: Caller, user_id: int, *, lock: bool = False) -> User:
    """Raises ApiError (404) for another account's user and for a deleted one."""
    user = users.user_of_account(session, caller.account_id, user_id, lock=lock)
    if user is None or user.status == UserStatus.DELETED:
        raise not_found("user")
    return user


def _changed(service: Service, caller: Caller, user_id: int, change: Callable[[Session, User], None]) -> UserAnswer:
    with service.database.writing() as session:
        user = _user_of(session, caller, user_id, lock=True)
        change(session, user)
        return _told(user)


def _etag(user: User) -> str:
    return etag(mark_of(profile_of(user)))


def _told(user: User) -> UserAnswer:
    return UserAnswer(
        id=required(user.id),
        username=user.username,
        first_name=user.first_name,
        last_name=user.last_name,
        email=user.email,
        federation_id=user.federation_id,
        source=UserSource(user.source),
        status=UserStatus(user.status),
        created_at=user.created_at,
        last_sign_in_at=user.last_sign_in_at,
    )
