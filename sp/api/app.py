"""create_api(state): the application behind /api/v1.

Owns the list of its resources and its description (OpenAPI). Never shares a handler with the pages: here everything
that goes wrong is a problem in JSON.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.datastructures import MutableHeaders, State
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sp import __version__
from sp.api import (
    account,
    certificates,
    expectations,
    idp_metadata,
    metadata,
    sessions,
    sign_in_events,
    sign_ins,
    single_sign_on,
    users,
    workspaces,
)
from sp.api.problems import Problem, install_problems
from sp.flows.api_tokens import API

ROUTERS: tuple[APIRouter, ...] = (
    account.router,
    metadata.router,
    single_sign_on.router,
    idp_metadata.router,
    certificates.router,
    users.router,
    workspaces.router,
    expectations.router,
    sessions.router,
    sign_in_events.router,  # before the router that takes any word for a reference
    sign_ins.router,
)


def create_api(state: State) -> FastAPI:
    """`state` is that of the whole application: it has the service, and tells when that is about to stop."""
    api = FastAPI(
        title="Virtual Office",
        summary="A stand-in for the 8x8 Virtual Office SAML service provider, for programs.",
        version=__version__,
        docs_url=None,  # FastAPI's pages load their scripts from a content network
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        servers=[{"url": API}],
        root_path_in_servers=False,
    )
    api.state = state
    api.add_middleware(NeverStored)
    install_problems(api)
    for router in ROUTERS:
        api.router.routes.extend(router.routes)  # as they are: see `sp.app`
    api.openapi = lambda: _described(api)  # type: ignore[method-assign]
    return api


class NeverStored:
    """What one account's program was told is no business of a cache on the way."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_header(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_header)


def _described(api: FastAPI) -> dict[str, Any]:
    """With the schemas to which descriptions written by hand refer by name."""
    if api.openapi_schema is None:
        described = FastAPI.openapi(api)
        schemas = described.setdefault("components", {}).setdefault("schemas", {})
        for model in (Problem, idp_metadata.MetadataBody):
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= schema.pop("$defs", {}) | {model.__name__: schema}
        api.openapi_schema = described
    return api.openapi_schema
