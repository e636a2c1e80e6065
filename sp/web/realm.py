"""Whose address was asked: the shared realm's, or that of a workspace under /w/{workspace}.

Owns turning the name in an address into the service as that workspace has it. Never tells a workspace that is over from
one that never was.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request

from sp.flows.workspaces import live_workspace
from sp.web.errors import PageError, not_found
from sp.web.state import Service, service_of

WORKSPACE = "/w/{workspace}"  # where the addresses of a workspace begin


def service_here(request: Request) -> Service:
    """The service with the settings of the realm that the address names. Raises PageError (404)."""
    service, name = service_of(request), request.path_params.get("workspace")
    if name is None:
        return service
    with service.database.reading() as session:
        workspace = live_workspace(session, name, service.now())
    if workspace is None:
        raise gone()
    if not service.settings.fixes_clocks:
        workspace.fixed_time = None  # it was allowed before; the row that was read is not written back
    request.state.fixed_time = workspace.fixed_time
    return replace(service, settings=service.settings.in_realm(name), workspace=workspace)


def gone() -> PageError:
    """What is told of a workspace that is over, also where it was removed while a message was on its way."""
    return not_found("There is no such workspace")


ServiceHereDep = Annotated[Service, Depends(service_here)]
