"""A form that a page of ours posts once more, because a cookie stayed behind with the first post.

Owns telling such a post and that page. A browser that drops the SameSite=None cookie, as on plain http, sends its
twin with a post from a page of ours. Never decides whether the cookie matters: the endpoints do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from fastapi import Request, Response

from sp.hosts import is_own_origin
from sp.web.rendering import render
from sp.web.state import service_of

AGAIN = "again"  # marks a form that came by a page of ours, so that it is asked for once only

Fields = Iterable[tuple[str, str]]


def from_elsewhere(request: Request) -> bool:
    """Whether a browser says that the form came from another origin; programs say nothing."""
    origin = request.headers.get("origin")
    return origin is not None and not is_own_origin(service_of(request).settings, origin)


def post_again(request: Request, fields: Fields, kept: Collection[str], *, title: str, sentence: str) -> Response:
    """A page that posts the fields of these names once more, to the same address."""
    return render(
        request,
        "sso/post_form.html",
        action=request.url.path,
        fields=[*((name, value) for name, value in fields if name in kept), (AGAIN, "1")],
        title=title,
        sentence=sentence,
    )
