"""How much of a request's body is read, and in which character set.

Owns the bounds for every page. Never applies to the assertion consumer service, which has its own and answers with a
report.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 256 * 1024  # a certificate has at most 64 KiB, and a form's texts are shorter


class BodyLimit:
    """Refuses a longer body with 413 before more than the limit is in memory, and any character set but UTF-8 with 415.

    The form parser decodes with whatever set the sender names, and some of them take minutes for a form this long.
    """

    def __init__(self, app: ASGIApp, exempt: frozenset[str], limit: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._exempt = exempt
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._exempt:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        other_charset = not _utf8_or_unnamed(headers.get("content-type", ""))
        declared = headers.get("content-length", "")
        too_long = declared.isdecimal() and int(declared) > self._limit
        received = 0

        async def receive_within_limit() -> Message:
            nonlocal received
            if other_charset:
                raise HTTPException(415)
            if too_long:
                raise HTTPException(413)
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                raise HTTPException(413)
            return message

        await self._app(scope, receive_within_limit, send)


def _utf8_or_unnamed(content_type: str) -> bool:
    parameters = (part.partition("=") for part in content_type.lower().split(";")[1:])
    named = (value.strip().strip('"') for name, _, value in parameters if name.strip() == "charset")
    return all(value in {"utf-8", "utf8"} for value in named)
