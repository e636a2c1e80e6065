"""A user profile as the pages show it.

Owns the words for what a row holds. Never shows a character that nobody can see without a mark in its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sp.models import User, UserSource
from sp.store.rows import required
from sp.web.times import ShownTime, shown_time

SOURCES = {UserSource.JUST_IN_TIME: "Just-in-time", UserSource.SUPPORT: "Support"}
_NAME_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class UserView:
    """A row of the list. `name` is for headings and for questions that ask by name."""

    id: int
    name: str
    first_name: str
    last_name: str
    email: str
    username: str
    federation_id: str
    source: str
    created: ShownTime
    last_sign_in: ShownTime | None
    status: str

    @property
    def nameless(self) -> bool:
        """Whether nothing but the user name tells who this is: no attribute came with the sign-in."""
        return not (self.first_name or self.last_name or self.email)


def user_view(user: User, now: datetime) -> UserView:
    return UserView(
        id=required(user.id),
        name=display_name(user),
        first_name=user.first_name,
        last_name=user.last_name,
        email=user.email,
        username=user.username,
        federation_id=user.federation_id,
        source=SOURCES[UserSource(user.source)],
        created=shown_time(user.created_at, now),
        last_sign_in=shown_time(user.last_sign_in_at, now) if user.last_sign_in_at else None,
        status=user.status,
    )


def display_name(user: User) -> str:
    """First and last name, else the user name; short, and safe to stand inside a sentence of ours.

    A name may hold marks that turn the direction of writing, and would turn the rest of the question too.
    """
    name = f"{user.first_name} {user.last_name}".strip() or user.username
    plain = "".join(mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in name)
    return plain if len(plain) <= _NAME_CHARACTERS else f"{plain[: _NAME_CHARACTERS - 1]}…"
