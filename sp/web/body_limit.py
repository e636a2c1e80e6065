"""How much of a request's body is read, and in which character set.

Owns the bounds for every page. Never applies to the assertion consumer service, which has its own and answers with a
report.
"""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sp.saml.metadata_document import MAXIMUM_BYTES

MAX_BODY_BYTES = 256 * 1024  # a certificate has at most 64 KiB, and a form's texts are shorter
# What takes the metadata of a whole federation: one form, with what else is in it, and one address of the API.
METADATA_FORM = re.compile(r"/account-manager/[a-z0-9-]{1,64}/accounts/single-sign-on/metadata/preview")
METADATA_IN_API = "/api/v1/account/single-sign-on/metadata"
MAX_METADATA_BODY_BYTES = MAXIMUM_BYTES + MAX_BODY_BYTES
MAX_CAPTURE_BODY_BYTES = 17 * 1024 * 1024  # a browser's log of requests, and the other fields of its form
_CONSUMER_OF_WORKSPACE = re.compile(r"/w/[a-z0-9-]{1,64}/saml2")
_CAPTURES = re.compile(r"/account-manager/[^/]+/accounts/single-sign-on/sign-in-log/judge")


class BodyLimit:
    """Refuses a longer body with 413 before more than the limit is in memory, and any character set but UTF-8 with 415.

    The form parser decodes with whatever set the sender names, and some of them take minutes for a form this long.
    """

    def __init__(self, app: ASGIApp, exempt: frozenset[str], limit: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._exempt = exempt
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_consumer(scope["path"]):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        limit = self._limit_of(scope["path"], headers.get("content-type", ""))
        other_charset = not _utf8_or_unnamed(headers.get("content-type", ""))
        declared = headers.get("content-length", "")
        too_long = declared.isdecimal() and int(declared) > limit
        received = 0

        async def receive_within_limit() -> Message:
            nonlocal received
            if other_charset:
                raise HTTPException(415)
            if too_long:
                raise HTTPException(413)
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(413)
            return message

        await self._app(scope, receive_within_limit, send)

    def _is_consumer(self, path: str) -> bool:
        return path in self._exempt or _CONSUMER_OF_WORKSPACE.fullmatch(path) is not None

    def _limit_of(self, path: str, content_type: str) -> int:
        """More for metadata and an uploaded capture; of the latter not where it would have to be percent-decoded, which
        holds everybody up.
        """
        if path == METADATA_IN_API or METADATA_FORM.fullmatch(path):
            return MAX_METADATA_BODY_BYTES
        uploads = content_type.lower().startswith("multipart/form-data") and _CAPTURES.fullmatch(path)
        return MAX_CAPTURE_BODY_BYTES if uploads else self._limit


def _utf8_or_unnamed(content_type: str) -> bool:
    parameters = (part.partition("=") for part in content_type.lower().split(";")[1:])
    named = (value.strip().strip('"') for name, _, value in parameters if name.strip() == "charset")
    return all(value in {"utf-8", "utf8"} for value in named)
