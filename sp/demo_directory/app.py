"""Owns the demo directory's application: what it opens at the start, its routes and its error pages.

Never chooses a port and never prints: that is the command line's.
"""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.routing import Route

from sp.demo_directory import access_panel, applications, fault_pages, portal, sign_on, token_encryption, users, wizard
from sp.demo_directory.clock import Clock, utc_now
from sp.demo_directory.desk import Desk
from sp.demo_directory.guard import FormExpiredError, guard, with_headers
from sp.demo_directory.identity_provider import IdentityProvider
from sp.demo_directory.keys import open_signing_key
from sp.demo_directory.passwords import GuessThrottle
from sp.demo_directory.places import static_folder
from sp.demo_directory.problems import problem_page, status_page
from sp.demo_directory.rendering import Pages
from sp.demo_directory.settings import Settings, check_settings
from sp.demo_directory.store import DirectoryStore

_log = logging.getLogger(__name__)


def create_app(settings: Settings, clock: Clock = utc_now) -> FastAPI:
    """Build the application on the data folder of `settings`, making what is missing there.

    Raises SettingsError, KeyFileError, or what SQLAlchemy raises for a folder that cannot be used.
    """
    check_settings(settings)
    app = FastAPI(title="Demo directory", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.desk = open_desk(settings, clock)
    app.middleware("http")(guard)
    app.mount("/static", StaticFiles(directory=static_folder()), name="static")
    for page in (portal, users, wizard, applications, fault_pages, token_encryption, access_panel, sign_on):
        app.router.routes.extend(page.router.routes)  # as they are: including them reads every signature once more
    _answer_head(app)
    _add_error_pages(app)
    return app


def _answer_head(app: FastAPI) -> None:
    """Answer HEAD wherever GET is answered (RFC 9110, 9.3.2), which FastAPI leaves to its users."""
    for route in app.router.routes:
        if isinstance(route, Route) and route.methods and "GET" in route.methods:
            route.methods.add("HEAD")


def open_desk(settings: Settings, clock: Clock) -> Desk:
    store = DirectoryStore.open(settings.database_file)
    tenant = store.tenant()
    key = open_signing_key(settings.key_file, settings.certificate_file, clock())
    provider = IdentityProvider(settings.base_url, tenant.tenant_id, key)
    pages = Pages(
        tenant.form_secret,
        tenant=tenant,
        service_url=settings.service_url,
        metadata_path=f"/{tenant.tenant_id}/federationmetadata/2007-06/federationmetadata.xml",
    )
    return Desk(settings, store, tenant, key, provider, clock, GuessThrottle(), pages)


def _add_error_pages(app: FastAPI) -> None:
    app.exception_handler(HTTPException)(_on_http_error)
    app.exception_handler(RequestValidationError)(_on_unreadable_form)
    app.exception_handler(FormExpiredError)(_on_expired_form)
    app.exception_handler(Exception)(_on_surprise)


async def _on_http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return status_page(request, status)


async def _on_unreadable_form(request: Request, _error: Exception) -> Response:
    return status_page(request, 422)


async def _on_expired_form(request: Request, _error: Exception) -> Response:
    sentence = "The form did not come from a page that this browser was given. Go back, reload, send it again."
    return problem_page(request, 403, "The form has expired", sentence)


async def _on_surprise(request: Request, error: Exception) -> Response:
    _log.error("a page failed", exc_info=error)
    return with_headers(status_page(request, 500))
