"""Users and their sessions, by the API.

Owns these calls of the client. Never decides anything: what is refused comes as ProblemError.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sp.client.answers import Session, User, read, read_session
from sp.client.http import Api, given


class PeopleCalls:
    """Part of `VirtualOffice`: users and sessions."""

    _api: Api

    def users(
        self,
        *,
        search: str | None = None,
        username: str | None = None,
        federation_id: str | None = None,
        status: str | None = None,
    ) -> Iterator[User]:
        """In the order of their creation."""
        wanted = {"search": search, "username": username, "federation_id": federation_id, "status": status}
        return (read(User, item) for item in self._api.items("/users", **wanted))

    def user(self, user_id: int) -> User:
        return read(User, self._api.get(f"/users/{user_id}"))

    def create_user(
        self,
        *,
        first_name: str,
        last_name: str,
        email: str,
        username: str | None = None,
        federation_id: str | None = None,
        password: str | None = None,
    ) -> User:
        """As 8x8's support would; the user name is the e-mail address where none is given."""
        profile = {
            "first_name": first_name,
            "last_name": last_name,
            "email": email,
            "username": username,
            "federation_id": federation_id,
            "password": password,
        }
        return read(User, self._api.send("POST", "/users", json=given(profile)).json())

    def change_user(self, user_id: int, **profile: Any) -> User:
        """Change first_name, last_name, email, username or federation_id."""
        return read(User, self._api.send("PATCH", f"/users/{user_id}", json=profile).json())

    def disable_user(self, user_id: int) -> User:
        """No more sign-ins; the sessions end."""
        return read(User, self._api.send("POST", f"/users/{user_id}/disable").json())

    def enable_user(self, user_id: int) -> User:
        return read(User, self._api.send("POST", f"/users/{user_id}/enable").json())

    def delete_user(self, user_id: int) -> None:
        """A tombstone keeps the name, so that no sign-in brings the user back."""
        self._api.send("DELETE", f"/users/{user_id}")

    def end_sessions_of(self, user_id: int) -> int:
        """How many ended."""
        return int(self._api.send("DELETE", f"/users/{user_id}/sessions").json()["ended"])

    def sessions(self, *, user: int | None = None, search: str | None = None) -> Iterator[Session]:
        """Who is signed in, the newest first."""
        return (read_session(item) for item in self._api.items("/sessions", user=user, search=search))

    def end_session(self, session_id: int) -> None:
        self._api.send("DELETE", f"/sessions/{session_id}")

    def end_sessions(self) -> int:
        """End every session of the account; how many there were."""
        return int(self._api.send("DELETE", "/sessions").json()["ended"])
