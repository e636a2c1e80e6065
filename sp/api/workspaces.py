"""/workspaces: realms of their own for tests that run at once.

Owns the addresses and who may use them: whoever may make a workspace, and, for one that is there, its own token or the
workspace token of the settings. Never decides what a workspace is: `sp.flows.workspaces` does.
"""

from __future__ import annotations

import hmac
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import ConfigDict, Field

from sp.api.problems import BY_ANY, ApiError, documented
from sp.api.schemas import Answer, Body, GivenTime, Number, Time, examples
from sp.flows import workspaces
from sp.flows.account_setup import Invalid
from sp.flows.api_tokens import recognize
from sp.flows.workspaces import (
    MAX_WORKSPACES,
    USUAL,
    FullError,
    Sender,
    SenderLimitError,
    addresses_of,
    live_workspace,
)
from sp.hosts import is_own_origin
from sp.models import Realm
from sp.senders import sender_of
from sp.service import Service, ServiceDep

router = APIRouter(prefix="/workspaces", tags=["workspaces"], responses=BY_ANY)
_MADE_BY = "API"
_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="workspace",
    description="The workspace's own token, or the one in VIRTUAL_OFFICE_WORKSPACE_TOKEN, which makes them too.",
)
_REALM = {"WWW-Authenticate": 'Bearer realm="virtual-office"'}
_NONE = "There is no such workspace, or it is over."
_EXAMPLE = {
    "name": "job-4711",
    "created_at": "2030-01-31T12:00:00Z",
    "expires_at": "2030-01-31T13:00:00Z",
    "fixed_time": "2030-01-31T12:00:00Z",
    "entity_id": "http://localhost:8000/w/job-4711/saml2",
    "acs_url": "http://localhost:8000/w/job-4711/saml2",
    "metadata_url": "http://localhost:8000/w/job-4711/saml2/metadata",
    "sign_out_url": "http://localhost:8000/w/job-4711/saml2/slo",
    "sign_in_url": "http://localhost:8000/w/job-4711/sso/login",
}

Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
Name = Annotated[str, Path(max_length=64, description="The workspace's name.")]


class NewWorkspace(Body):
    """What may be chosen of a workspace."""

    model_config = ConfigDict(json_schema_extra=examples({"name": "job-4711", "lifetime_seconds": 600}))

    name: str = Field("", max_length=64, description="Lower-case letters, digits, hyphens; made up where left out.")
    lifetime_seconds: Number = Field(int(USUAL.total_seconds()), description="60 to 86400; an hour where left out.")


class FixedClock(Body):
    """At which time the clock stands."""

    model_config = ConfigDict(json_schema_extra=examples({"time": "2030-01-31T12:00:00Z"}))

    time: GivenTime


class WorkspaceAnswer(Answer):
    """A workspace and what an identity provider has to know of it."""

    model_config = ConfigDict(json_schema_extra=examples(_EXAMPLE))

    name: str
    created_at: Time | None
    expires_at: Time | None
    fixed_time: Time | None = Field(description="Where its clock stands; null while it goes.")
    entity_id: str
    acs_url: str
    metadata_url: str
    sign_out_url: str
    sign_in_url: str = Field(description="Where a sign-in that begins here begins.")


class AdministratorAnswer(Answer):
    """Who may look at the workspace's pages."""

    username: str
    password: str


class MadeWorkspace(WorkspaceAnswer):
    """A new workspace. The token and the password are told this once."""

    model_config = ConfigDict(
        json_schema_extra=examples(
            {
                **_EXAMPLE,
                "token": "vo_…",
                "administrator": {"username": "admin@job-4711.workspace", "password": "…"},
            }
        )
    )

    token: str = Field(description="For everything under /api/v1 that belongs to the workspace's account.")
    administrator: AdministratorAnswer


def maker(request: Request, service: ServiceDep, sent: Credentials) -> Sender | None:
    """The sender whom the limit per address holds for: nobody with the token, and nobody on a service for one machine.

    Raises ApiError: 403 where nobody makes workspaces, or a page of another site asks; 401 without the token."""
    allowed = service.settings.makes_workspaces
    if allowed == "off":
        raise ApiError(403, "Workspaces are switched off (VIRTUAL_OFFICE_WORKSPACES).")
    if _is_operator(service, sent):
        return None
    if allowed == "token":
        raise ApiError(401, "Send the token in VIRTUAL_OFFICE_WORKSPACE_TOKEN.", headers=_REALM)
    if not is_own_origin(service.settings, request.headers.get("origin", service.settings.base_url)):
        # Without a token nothing else tells a page somewhere in the developer's browser from a program.
        raise ApiError(403, "Pages of other sites make no workspaces.")
    if service.settings.on_loopback:
        return None
    settings = service.settings
    return Sender(sender_of(request.scope), settings.workspaces_per_address, settings.workspaces_per_minute)


SenderDep = Annotated[Sender | None, Depends(maker)]


def managed(name: Name, service: ServiceDep, sent: Credentials) -> Realm:
    """Raises ApiError: 401 without a token that holds, 404 for another workspace's and for one that is over."""
    if sent is None:
        raise ApiError(401, headers=_REALM)
    with service.database.reading() as session:
        found = live_workspace(session, name, service.now())
    if found is None:
        raise ApiError(404, _NONE)
    if _is_operator(service, sent):
        return found
    caller = recognize(service.database, sent.credentials, service.now())
    if caller is None:
        raise ApiError(401, "This token is unknown, was revoked or has expired.", headers=_REALM)
    if caller.account_slug != name:
        raise ApiError(404, _NONE)
    if not caller.may_write:
        raise ApiError(403)
    return found


ManagedDep = Annotated[Realm, Depends(managed)]


@router.post(
    "",
    status_code=201,
    responses=documented(409, 429),
    openapi_extra={"security": [{"workspace": []}, {}]},  # where the settings leave it open, no token is needed
)
def make_workspace(
    sender: SenderDep, service: ServiceDep, response: Response, body: NewWorkspace | None = None
) -> MadeWorkspace:
    """A realm of its own, with a company, an account, an administrator and a token."""
    wanted = body or NewWorkspace()
    lifetime = timedelta(seconds=min(max(wanted.lifetime_seconds, 0), 10**9))
    try:
        made = workspaces.make_workspace(
            service.database, service.now(), wanted.name, lifetime, made_by=_MADE_BY, sender=sender
        )
    except SenderLimitError as error:
        raise _beyond_limit(service, error) from None
    except FullError:
        raise ApiError(409, f"There are {MAX_WORKSPACES} already. Delete one, or wait until one is over.") from None
    if isinstance(made, Invalid):
        raise ApiError(422, errors=made.errors)
    response.headers["Location"] = f"/api/v1/workspaces/{made.workspace.name}"
    response.headers["Cache-Control"] = "no-store"
    return MadeWorkspace(
        **_told(service, made.workspace),
        token=made.token,
        administrator=AdministratorAnswer(username=made.administrator, password=made.password),
    )


@router.get("/{name}")
def get_workspace(found: ManagedDep, service: ServiceDep) -> WorkspaceAnswer:
    """The workspace, without its token."""
    return WorkspaceAnswer(**_told(service, found))


@router.post("/{name}/reset")
def reset_workspace(found: ManagedDep, service: ServiceDep) -> WorkspaceAnswer:
    """Take away its users, sessions, sign-ins, settings and expectations. Its token and its end stay."""
    if not workspaces.reset_workspace(service.database, found.name, service.now()):
        raise ApiError(404, _NONE)
    found.fixed_time = None
    return WorkspaceAnswer(**_told(service, found))


@router.delete("/{name}", status_code=204)
def delete_workspace(found: ManagedDep, service: ServiceDep) -> None:
    """Remove it with everything in it."""
    if not workspaces.delete_workspace(service.database, found.name, service.now()):
        raise ApiError(404, _NONE)


@router.put("/{name}/clock")
def stop_clock(found: ManagedDep, service: ServiceDep, body: FixedClock) -> WorkspaceAnswer:
    """Judge every message in it by this time. Sessions and the log go by the real one."""
    if not service.settings.fixes_clocks:
        raise ApiError(403, "Clocks go here: VIRTUAL_OFFICE_FIXED_CLOCK does not allow one to stand.")
    return _with_clock(service, found, body)


@router.delete("/{name}/clock")
def start_clock(found: ManagedDep, service: ServiceDep) -> WorkspaceAnswer:
    """Judge by the real time again."""
    return _with_clock(service, found, None)


def _beyond_limit(service: Service, error: SenderLimitError) -> ApiError:
    if error.too_fast:
        most_per_minute = service.settings.workspaces_per_minute
        detail = f"Your address made {most_per_minute} workspaces within a minute. Wait a minute, then try again."
        return ApiError(429, detail, headers={"Retry-After": "60"})
    most = service.settings.workspaces_per_address
    return ApiError(409, f"Your address has {most} workspaces already. Delete one, or wait until one is over.")


def _with_clock(service: Service, found: Realm, body: FixedClock | None) -> WorkspaceAnswer:
    changed = workspaces.set_clock(service.database, found.name, service.now(), body.time if body else None)
    if changed is None:
        raise ApiError(404, _NONE)
    return WorkspaceAnswer(**_told(service, changed))


def _is_operator(service: Service, sent: HTTPAuthorizationCredentials | None) -> bool:
    known = service.settings.workspace_token
    if known is None or sent is None:
        return False
    return hmac.compare_digest(sent.credentials.encode(), known.get_secret_value().encode())


def _told(service: Service, workspace: Realm) -> dict[str, object]:
    return {
        "name": workspace.name,
        "created_at": workspace.created_at,
        "expires_at": workspace.expires_at,
        "fixed_time": workspace.fixed_time,
        **asdict(addresses_of(service.settings, workspace.name)),
    }
