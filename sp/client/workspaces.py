"""Workspaces, by the API: a realm for each test, so that jobs that run at once do not meet.

Owns making, emptying and ending them, and their clocks. Never looks into one: `VirtualOffice` does, with its token.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from sp.client.answers import read
from sp.client.http import Api, given


@dataclass(frozen=True)
class Workspace:
    """A workspace and its addresses. `fixed_time` is where its clock stands, None while it goes."""

    name: str
    expires_at: datetime
    fixed_time: datetime | None
    entity_id: str
    acs_url: str
    metadata_url: str
    sign_out_url: str
    sign_in_url: str


@dataclass(frozen=True)
class MadeWorkspace(Workspace):
    """A new workspace. `token` and the password of its administrator are told this once."""

    token: str = field(repr=False)
    administrator: dict[str, str] = field(repr=False)


class Workspaces:
    """The workspaces of a service. `token` is the one in VIRTUAL_OFFICE_WORKSPACE_TOKEN, or a workspace's own."""

    def __init__(self, base_url: str, token: str = "", client: httpx.Client | None = None) -> None:
        self._api = Api(base_url, token, client)

    def create(self, name: str | None = None, *, lifetime_seconds: int | None = None) -> MadeWorkspace:
        """A new one, for an hour where no lifetime is given."""
        body = given({"name": name, "lifetime_seconds": lifetime_seconds})
        return read(MadeWorkspace, self._api.send("POST", "/workspaces", json=body).json())

    def get(self, name: str) -> Workspace:
        return read(Workspace, self._api.get(f"/workspaces/{name}"))

    def reset(self, name: str) -> Workspace:
        """Take away its users, sessions, sign-ins and settings."""
        return self._answered("POST", f"/workspaces/{name}/reset")

    def stop_clock(self, name: str, at: datetime) -> Workspace:
        """Judge every message by that time."""
        return self._answered("PUT", f"/workspaces/{name}/clock", json={"time": at.isoformat()})

    def start_clock(self, name: str) -> Workspace:
        """Judge by the real time again."""
        return self._answered("DELETE", f"/workspaces/{name}/clock")

    def delete(self, name: str) -> None:
        """Remove it with everything in it."""
        self._api.send("DELETE", f"/workspaces/{name}")

    def close(self) -> None:
        """Give the connections back."""
        self._api.close()

    def _answered(self, method: str, path: str, **given: Any) -> Workspace:
        return read(Workspace, self._api.send(method, path, **given).json())
