"""The headers that every response carries.

Owns what a browser may load, frame and send along. Never overrides a header that a response set itself.
"""

from __future__ import annotations

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action {forms}; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": _POLICY.format(forms="'self'"),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_AS_SENT = tuple((name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items())


def allow_forms_to(response: Response, url: str) -> None:
    """Let the forms of this one page lead to an identity provider.

    To its scheme rather than to its host: Chromium holds every redirect after the form to the same rule, and many
    providers pass the browser on to another host of theirs. Never to http from one that is on https.
    """
    schemes = "https:" if url.startswith("https:") else "http: https:"
    response.headers["Content-Security-Policy"] = _POLICY.format(forms=f"'self' {schemes}")


class SecurityHeaders:
    """Adds the headers to every response that has none of its own. Plain ASGI: it costs no task per request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message["headers"])
                own = {name.lower() for name, _ in headers}
                message["headers"] = headers + [header for header in _AS_SENT if header[0] not in own]
            await send(message)

        await self._app(scope, receive, send_with_headers)
