"""HEAD wherever GET is answered: the same status and headers without a body (RFC 9110, 9.3.2)."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ASKED_BY_HEAD = "virtual_office.asked_by_head"


def is_head(request: Request) -> bool:
    """Whether the client sent HEAD, for an address whose GET is not safe."""
    return request.method == "HEAD" or _ASKED_BY_HEAD in request.scope


class HeadRequests:
    """Answers HEAD as GET is answered and drops the body.

    FastAPI adds HEAD to no route of its own; added there, it would be a second operation in the API's description.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["method"] == "HEAD":
            await self._app({**scope, "method": "GET", _ASKED_BY_HEAD: True}, receive, _without_body(send))
        else:
            await self._app(scope, receive, _with_head_allowed(send))


def _without_body(send: Send) -> Send:
    """End the answer at the first piece of the body: a live page would never come to its last one."""
    is_over = False

    async def send_headers(message: Message) -> None:
        nonlocal is_over
        if message["type"] == "http.response.start":
            await send(message)
        elif not is_over:
            is_over = True
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return send_headers


def _with_head_allowed(send: Send) -> Send:
    """Name HEAD beside GET in the Allow header of a 405."""

    async def send_with_allow(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 405:
            headers = MutableHeaders(scope=message)
            allowed = [method.strip() for method in headers.get("allow", "").split(",")]
            if "GET" in allowed and "HEAD" not in allowed:
                headers["allow"] = ", ".join([*allowed, "HEAD"])
        await send(message)

    return send_with_allow
