"""create_app(settings): the one place where the parts meet.

Owns putting settings, database, clock and pages together. Never holds a rule.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from sp import __version__
from sp.api.app import create_api
from sp.api.problems import problem
from sp.clock import Clock, system_clock
from sp.flows.api_tokens import API
from sp.flows.election import Election
from sp.flows.housekeeping import tidy_up, trim_logs
from sp.flows.metadata_refresh import refresh_due
from sp.flows.opening import open_database
from sp.flows.trusted_time import TrustedTime
from sp.paths import STATIC
from sp.request_limits import LimitError
from sp.service import Service
from sp.settings import Settings
from sp.store.engine import Database, is_passing
from sp.web import admin, home, metadata, my_profile, operations, sign_in_page, sign_in_start, sign_out, slo, sso
from sp.web.allowed_hosts import AllowedHosts
from sp.web.body_limit import BodyLimit, HeadLimit
from sp.web.body_timeout import BodyTimeout
from sp.web.error_pages import install_error_pages
from sp.web.errors import PageError
from sp.web.forwarded import ForwardedAddress
from sp.web.head_requests import HeadRequests
from sp.web.overload import RETRY_SECONDS, BusyError, Overload, busy_page, page_without_database
from sp.web.realm import WORKSPACE
from sp.web.request_reference import RequestReference
from sp.web.security_headers import SecurityHeaders
from sp.web.sign_in_desk import SignInDesk
from sp.web.viewer import SignInNeededError, to_sign_in

_ROUTERS = (
    operations.router,
    metadata.router,
    sign_in_page.router,
    sign_in_start.router,
    sign_out.router,
    slo.router,
    home.router,
    my_profile.router,
    *admin.routers,
)
_SHOWN_CHARACTERS = 100
_ACS_PATH = "/saml2"
_TIDY_UP_EVERY_SECONDS = 600
_TRIM_LOGS_EVERY_SECONDS = 2
_LOOK_FOR_METADATA_EVERY_SECONDS = 60
_LOOK_FOR_A_VACANCY_EVERY_SECONDS = 30
_REST_SECONDS = 0.05  # between two rounds while there is more: whoever waits for the database gets it
Chore = Callable[[Database, Settings, datetime], bool]  # one round; whether there may be more
_log = structlog.get_logger("sp.app")


def create_app(settings: Settings, database: Database | None = None, clock: Clock = system_clock) -> FastAPI:
    """The service provider's application. Opens, upgrades and seeds the database unless one is given."""
    database = database or open_database(settings, clock)
    service = Service(settings, database, clock)
    desk = SignInDesk(database)
    trusted_time = TrustedTime(database)

    def remove_old(database: Database, settings: Settings, now: datetime) -> bool:
        return tidy_up(database, settings, trusted_time.read(now))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        election = Election(database)
        chores = [
            asyncio.create_task(_forever(service, election, work, every))
            for work, every in (
                (remove_old, _TIDY_UP_EVERY_SECONDS),
                (trim_logs, _TRIM_LOGS_EVERY_SECONDS),
                (refresh_due, _LOOK_FOR_METADATA_EVERY_SECONDS),
            )
        ]
        yield
        for chore in chores:
            chore.cancel()
            with suppress(asyncio.CancelledError):
                await chore
        with suppress(SQLAlchemyError):  # a database that is away: the lease runs out by itself
            await run_in_threadpool(election.step_down)
        await run_in_threadpool(desk.close)
        database.close()

    app = FastAPI(
        title="Virtual Office",
        version=__version__,
        docs_url=None,  # FastAPI's pages load their scripts from a content network
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
    )
    app.state.service = service
    app.state.sign_in_desk = desk
    _install(app, service)
    return app


async def _forever(service: Service, election: Election, work: Chore, every: float) -> None:
    """While this process is the one that keeps house; in short rounds, so that a shutdown waits for one at most."""
    while True:
        elected = more = False
        try:
            elected = await run_in_threadpool(election.holds, service.now())
            # Not in the threads that the pages share: a metadata server that never answers holds one for ten seconds.
            more = elected and await asyncio.to_thread(work, service.database, service.settings, service.now())
        except Exception as error:  # noqa: BLE001  whatever it was this time is no reason never to try again
            _tell_of(error, work.__name__)
        await asyncio.sleep(_REST_SECONDS if more else every if elected else _LOOK_FOR_A_VACANCY_EVERY_SECONDS)


def _tell_of(error: Exception, chore: str) -> None:
    """A full disk, a lock or a server that is away is one clear line, as where a person is told of it."""
    if isinstance(error, OperationalError) and is_passing(error):
        _log.error("database_unavailable", chore=chore, reason=str(error.orig))
    else:
        _log.error("chore_failed", chore=chore, exc_info=error)


def _install(app: FastAPI, service: Service) -> None:
    settings = service.settings
    consumer_paths = frozenset({_ACS_PATH, urlsplit(settings.acs_url).path or "/"})
    app.add_middleware(HeadRequests)  # the first one is the innermost: logs and metrics keep the method that was sent
    app.add_middleware(BodyLimit, exempt=consumer_paths)
    app.add_middleware(BodyTimeout, seconds=settings.body_timeout_seconds)
    app.add_middleware(Overload, at_once=settings.requests_at_once, busy=_busy)
    app.add_middleware(AllowedHosts, settings=settings, refuse=partial(_misdirected, settings))
    app.add_middleware(HeadLimit, refuse=_beyond_limit)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestReference, metrics=service.metrics)
    app.add_middleware(ForwardedAddress, proxies=settings.proxies)
    install_error_pages(app)

    @app.exception_handler(BusyError)
    async def busy(request: Request, _error: BusyError) -> Response:
        return _busy(request)

    @app.exception_handler(SignInNeededError)
    async def sign_in_needed(request: Request, _error: SignInNeededError) -> Response:
        return to_sign_in(request)

    for path in (*consumer_paths, WORKSPACE + _ACS_PATH):
        # Without what FastAPI looks up for an endpoint's parameters: this one reads its form itself.
        app.router.routes.append(Route(path, sso.assertion_consumer_service, methods=["GET", "POST"]))
    for router in _ROUTERS:
        # Their routes as they are. To include a router is to read every signature once more, for a prefix that none
        # needs: a third of a second of the first visitor's time.
        app.router.routes.extend(router.routes)
    app.router.routes.append(_mounted_api(app))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")


def _busy(request: Request) -> Response:
    answer = problem(request, 503) if _is_program(request) else busy_page(request)
    answer.headers["Retry-After"] = str(RETRY_SECONDS)
    return answer


def _misdirected(settings: Settings, request: Request) -> Response:
    """Names the base URL and nothing else: a page whose own name leads here (DNS rebinding) can read this answer."""
    host = request.headers.get("host", "")[:_SHOWN_CHARACTERS]
    step = (
        f"The request names the host {host!r}. Open {settings.base_url}, or add the host to "
        "VIRTUAL_OFFICE_ALLOWED_HOSTS."
    )
    if _is_program(request):
        return problem(request, 421, step)
    return page_without_database(request, PageError(421, next_step=step))


def _beyond_limit(request: Request, error: LimitError) -> Response:
    """Made outside the application that has the error pages, since it would parse what is too long."""
    if _is_program(request):
        return problem(request, error.status_code, error.detail)
    return page_without_database(request, PageError(error.status_code, next_step=error.detail))


def _is_program(request: Request) -> bool:
    return request.url.path.startswith(API) or "application/json" in request.headers.get("accept", "")


def _mounted_api(app: FastAPI) -> Mount:
    """Everything below its path: also an address with a line break in it, which would else be answered by a page."""
    mount = Mount(API, create_api(app.state))
    mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)
    return mount
