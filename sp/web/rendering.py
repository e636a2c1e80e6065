"""Templates to responses.

Owns what every page is given (see `templates/base.html`) and that every value is escaped. Never queries.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sp import __version__
from sp.paths import STATIC, TEMPLATES
from sp.web import cookies, csrf, viewer
from sp.web.drawing import DRAWING
from sp.web.flash import flash_of, forget_flash
from sp.web.state import service_of
from sp.web.times import exact


@cache
def _static_version(path: str) -> str:
    file = Path(STATIC, path)
    return hashlib.sha256(file.read_bytes()).hexdigest()[:10] if file.is_file() else __version__


def static(path: str) -> str:
    """The URL of a static file, with a mark that changes when its bytes do."""
    return f"/static/{path}?v={_static_version(path)}"


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,  # everywhere: every value may come from a stranger's assertion
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"static": static, **DRAWING}
    return environment


templates = _environment()


def render(request: Request, template: str, *, status: int = 200, **context: object) -> Response:
    """The page as a response that nobody may cache, with the browser's cookie when it is new."""
    watching = viewer.viewer_of(request)
    fixed_time = getattr(request.state, "fixed_time", None) or (watching and watching.fixed_time)
    frame: dict[str, object] = {
        "csrf_token": csrf.form_token(request),
        "viewer": watching,
        "fixed_time": exact(fixed_time) if fixed_time else "",
        "account": None,
        "active_tab": None,
        "active_menu": None,
        "flash": flash_of(request),
        "path": request.url.path,
        "status": status,
        "version": __version__,
    }
    response = HTMLResponse(templates.get_template(template).render(frame | context), status_code=status)
    response.headers["Cache-Control"] = "no-store"
    forget_flash(request, response)
    if hasattr(request.state, "new_browser_token"):
        settings = service_of(request).settings
        cookies.set_cookie(response, settings, cookies.BROWSER, request.state.new_browser_token)
    return response
