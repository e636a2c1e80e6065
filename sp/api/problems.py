"""What a program is told when something is wrong: problem details (RFC 9457).

Owns the types of problems and how every error becomes one. Never shows a stack trace, and never a page.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from sp.disconnects import ignore_disconnects
from sp.request_limits import LimitError
from sp.store.engine import is_passing

MEDIA_TYPE = "application/problem+json"
_TYPE = "urn:virtual-office:problem:"
_RETRY_SECONDS = 5
_FIELD_CHARACTERS = 200
_MOST_ERRORS = 50
_log = structlog.get_logger("sp.api")

# The type of a problem by its status, its title, and what is told where nothing more is known.
KINDS: Mapping[int, tuple[str, str, str]] = {
    400: ("unreadable", "The request cannot be read", "The body is no JSON text in UTF-8, or nests too deep."),
    401: ("unauthenticated", "A token is needed", "Send a token that holds: Authorization: Bearer vo_…"),
    403: ("forbidden", "The token may not do that", "The token may read only. Make one with the scope write."),
    404: ("not-found", "There is no such thing", "Check the address. What belongs to others is not here either."),
    405: ("method", "This address does not take that method", "The header Allow names those that it takes."),
    409: ("conflict", "That is not possible as things stand", "Read it again, then decide."),
    412: ("stale", "Somebody else changed it meanwhile", "Read it again, and send the new ETag in If-Match."),
    413: ("too-large", "That is too large", "Send less."),
    414: ("address-too-long", "The address is too long", "Shorten the query."),
    415: ("media-type", "That kind of content is not understood", "Send application/json in UTF-8."),
    421: ("misdirected", "This service has another name", "Ask it by the name in VIRTUAL_OFFICE_BASE_URL."),
    422: ("invalid", "Something in the request is not right", "Each of the errors names its field."),
    428: ("precondition", "If-Match is needed", "Send the ETag of what you read in If-Match."),
    429: ("too-many", "Too many requests", "Wait, then try again."),
    431: ("headers-too-long", "The headers are too long", "Send fewer headers and cookies."),
    500: ("unexpected", "Something broke on our side", "The log names the cause under this reference."),
    503: ("busy", "The service is busy", "Try again in a moment."),
}


class FieldError(BaseModel):
    """One field of the request and what is wrong with it."""

    field: str = Field(description="The field of the body or the query, or the name of a header.")
    message: str = Field(description="One sentence for a person.")


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": f"{_TYPE}invalid",
                    "title": KINDS[422][1],
                    "status": 422,
                    "detail": KINDS[422][2],
                    "instance": "/api/v1/users",
                    "errors": [{"field": "email", "message": "Enter the Email Address."}],
                }
            ]
        }
    )

    type: str = Field(description="What kind of problem it is, the same each time.")
    title: str
    status: int
    detail: str = Field(description="What to do about it.")
    instance: str = Field(description="The path that was asked for.")
    errors: list[FieldError] = Field(default_factory=list, description="The fields that are wrong.")
    reference: str = Field("", description="How the service's log names what happened, where it is the one to blame.")


class ApiError(Exception):
    """What an endpoint raises when it cannot do what was asked. `errors` are sentences by field."""

    def __init__(
        self,
        status: int,
        detail: str = "",
        *,
        errors: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = dict(errors or {})
        self.headers = dict(headers or {})


def not_found(what: str) -> ApiError:
    """Also the answer about another account's things: whether they exist is not told."""
    return ApiError(404, f"There is no such {what} in this account.")


def invalid(errors: Mapping[str, str]) -> ApiError:
    return ApiError(422, errors=errors)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers of these statuses, for the description of an operation."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": KINDS[status][1], "content": content} for status in statuses}


# What any operation may answer. Those that change settings name 412 and 428 themselves.
BY_ANY = documented(400, 401, 403, 404, 413, 414, 415, 422, 431, 503)


def install_problems(api: FastAPI) -> None:
    ignore_disconnects(api)

    @api.exception_handler(ApiError)
    async def api_error(request: Request, error: ApiError) -> Response:
        return problem(request, error.status, error.detail, error.errors.items(), headers=error.headers)

    @api.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        sentence = error.detail if isinstance(error, LimitError) else ""
        return problem(request, error.status_code, sentence, headers=error.headers)

    @api.exception_handler(RequestValidationError)
    async def validation_error(request: Request, error: RequestValidationError) -> Response:
        faults = error.errors()
        if any(fault["type"] == "json_invalid" for fault in faults):
            return problem(request, 400)
        return problem(request, 422, errors=map(_told, faults))

    @api.exception_handler(OperationalError)
    async def database_unavailable(request: Request, error: OperationalError) -> Response:
        if not is_passing(error):
            raise error
        reference = _logged("database_unavailable", request, reason=str(error.orig))
        return problem(request, 503, reference=reference, headers={"Retry-After": str(_RETRY_SECONDS)})

    @api.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        return problem(request, 500, reference=_logged("unexpected_error", request, exc_info=error))


def problem(
    request: Request,
    status: int,
    detail: str = "",
    errors: Iterable[tuple[str, str]] = (),
    *,
    reference: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Escaped to ASCII: a field's name may hold what no encoding of text takes, such as half a surrogate pair."""
    kind, title, usual = KINDS.get(status, KINDS[400])
    told: dict[str, Any] = {
        "type": _TYPE + kind,
        "title": title,
        "status": status,
        "detail": detail or usual,
        "instance": request.url.path,
    }
    if listed := [{"field": field, "message": message} for field, message in islice(errors, _MOST_ERRORS)]:
        told["errors"] = listed
    if reference:
        told["reference"] = reference
    return Response(json.dumps(told), status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def _logged(event: str, request: Request, **what: Any) -> str:
    reference = secrets.token_hex(4)
    _log.error(event, reference=reference, path=request.url.path, **what)
    return reference


_SENTENCES = {
    "missing": "This is needed.",
    "extra_forbidden": "There is no such field.",
    "string_unicode": "This is no text: it holds half a surrogate pair.",
}


def _told(fault: Mapping[str, Any]) -> tuple[str, str]:
    """A fault that pydantic found, as the field and a sentence."""
    where: Sequence[int | str] = fault["loc"]
    inside = where[1:] if where and where[0] in {"body", "query", "path", "header"} else where
    field = ".".join(str(part) for part in inside)[:_FIELD_CHARACTERS] or "body"
    message = _SENTENCES.get(fault["type"]) or str(fault["msg"]).removeprefix("Value error, ")
    return field, re.sub(r"[^.!?]\Z", r"\g<0>.", message)
