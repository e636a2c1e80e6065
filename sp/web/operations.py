"""/healthz, /readyz and /metrics: what those who run the service ask.

Owns the three addresses and who may read the numbers. Never tells a stranger where the database is, or why it fails.
"""

from __future__ import annotations

import hmac

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from sp.logs import dropped_lines
from sp.metrics import Moment
from sp.settings import Settings
from sp.store import session_counts
from sp.store.engine import newest_revision
from sp.web.state import Service, ServiceDep

router = APIRouter()
_log = structlog.get_logger("sp.web")
_FRESH = {"Cache-Control": "no-store"}


@router.api_route("/healthz", methods=["GET", "HEAD"])
async def health() -> Response:
    """Answers as long as the process takes requests; whether it can do its work, `/readyz` says."""
    return JSONResponse({"status": "ok"}, headers=_FRESH)


@router.api_route("/readyz", methods=["GET", "HEAD"])
def ready(service: ServiceDep) -> Response:
    """200 when the database answers, has this program's tables and can grow, else 503 with a sentence."""
    reason = _reason_not_ready(service)
    if reason:
        return JSONResponse({"status": "unavailable", "reason": reason}, 503, headers=_FRESH | {"Retry-After": "5"})
    return JSONResponse({"status": "ready"}, headers=_FRESH)


@router.get("/metrics")
def metrics(request: Request, service: ServiceDep) -> Response:
    """The numbers of this process in Prometheus' text format."""
    _require_reader(request, service.settings)
    return Response(service.metrics.exposition(_moment(service)), headers=_FRESH, media_type=CONTENT_TYPE_LATEST)


def _reason_not_ready(service: Service) -> str:
    try:
        found = service.database.revision()
    except SQLAlchemyError as error:
        _log.error("database_unavailable", reason=str(getattr(error, "orig", error)))
        return "The database does not answer."
    if found != newest_revision():
        return f"The database is at version {found}; this program needs version {newest_revision()}."
    if fault := service.database.disk_fault():
        _log.error("disk_unavailable", reason=fault)
        return f"Nothing can be written to the data folder: {fault}."
    return ""


def _require_reader(request: Request, settings: Settings) -> None:
    """Raises HTTPException: 404 where the numbers are nobody's business, 401 for a wrong token."""
    if settings.metrics_token is None:
        if not settings.on_loopback:
            raise HTTPException(404)
        return
    scheme, _, sent = request.headers.get("authorization", "").partition(" ")
    right = hmac.compare_digest(sent.strip().encode(), settings.metrics_token.get_secret_value().encode())
    if scheme.lower() != "bearer" or not right:
        raise HTTPException(401, headers={"WWW-Authenticate": 'Bearer realm="metrics"'})


def _moment(service: Service) -> Moment:
    with service.database.reading() as session:
        sessions = session_counts.unexpired(session, service.now())
    connections = service.database.connections()
    return Moment(
        sessions=sessions,
        connections={"in_use": connections.in_use, "idle": connections.idle},
        connections_limit=connections.limit,
        workers=service.settings.workers,
        dropped_log_lines=dropped_lines(),
    )
