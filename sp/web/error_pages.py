"""Turns errors into pages.

Owns the last word on every request that failed. Never shows a stack trace.
"""

from __future__ import annotations

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from sp.disconnects import ignore_disconnects
from sp.request_limits import LimitError
from sp.store.engine import is_passing
from sp.web.errors import PageError
from sp.web.rendering import render
from sp.web.request_reference import HEADER, reference_of
from sp.web.security_headers import SECURITY_HEADERS

_RETRY_SECONDS = 5
_MOST_NAMES = 50
_log = structlog.get_logger("sp.web")


def install_error_pages(app: FastAPI) -> None:
    ignore_disconnects(app)

    @app.exception_handler(PageError)
    def page_error(request: Request, error: PageError) -> Response:
        return _page(request, error)

    app.add_exception_handler(LimitError, _limit_error)

    @app.exception_handler(HTTPException)
    def http_error(request: Request, error: HTTPException) -> Response:
        response = _page(request, PageError(error.status_code))
        for name, value in (error.headers or {}).items():
            response.headers[name] = value
        return response

    @app.exception_handler(RequestValidationError)
    def validation_error(request: Request, error: RequestValidationError) -> Response:
        names = ", ".join(dict.fromkeys(str(fault["loc"][-1]) for fault in error.errors()[:_MOST_NAMES]))
        return _page(request, PageError(422, "", f"Check these and try again: {names}."))

    @app.exception_handler(OperationalError)
    def database_unavailable(request: Request, error: OperationalError) -> Response:
        if not is_passing(error):
            raise error
        reference = reference_of(request)
        _log.error("database_unavailable", reference=reference, path=request.url.path, reason=str(error.orig))
        request.state.viewer = getattr(request.state, "viewer", None)
        return _page(request, PageError(503, retry_after=_RETRY_SECONDS), reference=reference)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        reference = reference_of(request)
        _log.error("unexpected_error", reference=reference, path=request.url.path, exc_info=error)
        request.state.viewer = getattr(request.state, "viewer", None)  # the database may be what broke
        response = _page(request, PageError(500), reference=reference)
        response.headers.update({**SECURITY_HEADERS, HEADER: reference})  # this handler stands outside every middleware
        return response


async def _limit_error(request: Request, error: Exception) -> Response:
    """Without a thread: whoever sends sixty bodies that are too large would have sixty of them."""
    if not isinstance(error, LimitError):
        raise error
    request.state.viewer = getattr(request.state, "viewer", None)
    response = _page(request, PageError(error.status_code, next_step=error.detail))
    response.headers.update(error.headers or {})
    return response


def _page(request: Request, error: PageError, reference: str = "") -> Response:
    """For a person a page, for a program that asks for JSON the same as problem details (RFC 9457)."""
    response = _problem(error, reference) if _asks_for_json(request) else drawn(request, error, reference)
    if error.retry_after:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _asks_for_json(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted


def _problem(error: PageError, reference: str) -> Response:
    told = {"type": "about:blank", "title": error.title, "status": error.status, "detail": error.next_step}
    if reference:
        told["reference"] = reference
    headers = {"Cache-Control": "no-store"}
    return JSONResponse(told, error.status, headers=headers, media_type="application/problem+json")


def drawn(request: Request, error: PageError, reference: str = "") -> Response:
    """The page of an error, without what belongs to its answer besides."""
    return render(
        request,
        "errors/error.html",
        status=error.status,
        error_title=error.title,
        next_step=error.next_step,
        reference=reference,
    )
