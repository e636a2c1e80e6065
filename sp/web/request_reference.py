"""The reference of a request: in every log line that it causes, on its error page, in its answer's header.

Owns making it, and counting how long the answer took. Never takes one that a stranger sent.
"""

from __future__ import annotations

import secrets
import time

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sp.metrics import Metrics

HEADER = "X-Request-Id"
_KEY = "request_reference"
_log = structlog.get_logger("sp.web")


def reference_of(request: Request) -> str:
    """The reference of this request; a new one where no request was begun, as in a test of one page."""
    reference: str = request.scope.get(_KEY) or secrets.token_hex(4)
    return reference


class RequestReference:
    """Gives each request its reference. Plain ASGI: what is logged in the request's task and its threads carries it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[_KEY] = reference = secrets.token_hex(4)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=reference)
        began, status = time.perf_counter(), 500

        async def send_with_reference(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = reference
            await send(message)

        try:
            await self._app(scope, receive, send_with_reference)
        finally:
            seconds = time.perf_counter() - began
            self._metrics.answered(scope["method"], status, seconds)
            _log.debug(
                "request", method=scope["method"], path=scope["path"], status=status, ms=round(seconds * 1000, 1)
            )
