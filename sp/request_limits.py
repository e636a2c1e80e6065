"""How large a request may be, by its address: one table for the pages and the API.

The limits keep the event loop free: forms and JSON are parsed by Python code that holds the interpreter, in another
thread too. 15 MiB of `%41` as a form took 2.7 s and 1.4 GB, 8 KiB take 2 ms.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.exceptions import HTTPException

from sp.saml.metadata_document import MAXIMUM_BYTES as MAX_METADATA_BYTES

KIB = 1024
MIB = 1024 * KIB
MAX_PATH_BYTES = 4 * KIB
MAX_PARAMETERS = 100  # of a query
MAX_HEADERS = 100
MAX_COOKIE_BYTES = 16 * KIB
LARGE_BODY_BYTES = 256 * KIB  # above this few bodies are read at once: `sp.web.body_limit`
MAX_CAPTURE_BODY_BYTES = 17 * MIB  # a browser's log of requests, and the other fields of its form
_QUERY_BYTES = 8 * KIB
_MAX_SAML_QUERY_BYTES = 64 * KIB  # a message by the Redirect binding, signed; as much as a request's head may have
_UPLOADS = frozenset(("multipart/form-data", "application/samlmetadata+xml", "application/xml", "text/xml"))


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """The most bytes of a body and of a query.

    `upload` is for what is read piece by piece: multipart forms and XML documents. It is at least `body`.
    """

    body: int
    upload: int = 0
    query: int = _QUERY_BYTES

    def of_body(self, content_type: str) -> int:
        kind = content_type.partition(";")[0].strip().lower()
        return max(self.body, self.upload) if kind in _UPLOADS else self.body


_SINGLE_SIGN_ON = r"/account-manager/[^/]+/accounts/single-sign-on"
_CERTIFICATE_FORMS = r"/(?:saml|certificate|certificates|preflight|sign-in-log/[^/]+/judge-again|metadata)"

# The first row whose expression matches the whole path holds.
_TABLE: tuple[tuple[re.Pattern[str], RequestLimits], ...] = tuple(
    (re.compile(path, re.DOTALL), limits)
    for path, limits in (
        # Forms that anybody can send.
        (r"(?:/w/[^/]+)?/sso/(?:login|start)(?:/.*)?|/sign-out", RequestLimits(8 * KIB)),
        # SAML messages; the assertion consumer service has a limit of its own and answers with a report.
        (r"(?:/w/[^/]+)?/saml2(?:/slo(?:/soap)?)?", RequestLimits(256 * KIB, query=_MAX_SAML_QUERY_BYTES)),
        # The API.
        (r"/api/v1/account/single-sign-on/metadata", RequestLimits(256 * KIB, upload=MAX_METADATA_BYTES)),
        (r"/api/v1/expectations(?:/.*)?", RequestLimits(16 * KIB)),
        (r"/api/v1/workspaces(?:/.*)?", RequestLimits(8 * KIB)),
        (r"/api/v1/.*", RequestLimits(256 * KIB)),
        # Forms of administrators. A certificate has at most 64 KiB.
        (_SINGLE_SIGN_ON + r"/metadata/preview", RequestLimits(64 * KIB, upload=MAX_METADATA_BYTES + 256 * KIB)),
        (_SINGLE_SIGN_ON + r"/sign-in-log/judge", RequestLimits(64 * KIB, upload=MAX_CAPTURE_BODY_BYTES)),
        # An AuthnRequest of at most 64 KiB, written by hand: nearly every character of XML may be escaped.
        (_SINGLE_SIGN_ON + r"/requests/bench", RequestLimits(256 * KIB)),
        (_SINGLE_SIGN_ON + _CERTIFICATE_FORMS, RequestLimits(128 * KIB, upload=256 * KIB)),
    )
)
_EVERYTHING_ELSE = RequestLimits(32 * KIB)


def limits_of(path: str) -> RequestLimits:
    """The limits of an address."""
    return next((limits for pattern, limits in _TABLE if pattern.fullmatch(path)), _EVERYTHING_ELSE)


class LimitError(HTTPException):
    """A request beyond a limit: its status, and a sentence for the client in `detail`."""


def body_too_large(limit: int) -> LimitError:
    return LimitError(413, f"A body sent to this address has at most {_readable(limit)}.")


def head_fault(path: str, query: bytes, headers: list[tuple[bytes, bytes]]) -> LimitError | None:
    """Why the address or the headers of a request are refused: 414 or 431, or None."""
    if len(path) > MAX_PATH_BYTES:
        return LimitError(414, f"The path of an address has at most {_readable(MAX_PATH_BYTES)}.")
    if query.count(b"&") >= MAX_PARAMETERS:
        return LimitError(414, f"An address has at most {MAX_PARAMETERS} parameters.")
    if len(query) > _QUERY_BYTES and len(query) > (most := limits_of(path).query):  # most queries are short
        return LimitError(414, f"The query of this address has at most {_readable(most)}.")
    if len(headers) > MAX_HEADERS:
        return LimitError(431, f"A request has at most {MAX_HEADERS} headers.")
    if sum(len(value) for name, value in headers if name == b"cookie") > MAX_COOKIE_BYTES:
        return LimitError(431, f"The cookies of a request have at most {_readable(MAX_COOKIE_BYTES)}.")
    return None


def _readable(size: int) -> str:
    return f"{size // MIB} MiB" if size % MIB == 0 else f"{size // KIB} KiB"
