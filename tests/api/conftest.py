"""Programs with tokens: of Contoso's account to read and to write, and of Fabrikam's.

Owns making the tokens and the client that sends them. Never opens a port.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from cast import ALICE, BASE_URL
from fastapi import FastAPI
from starlette.testclient import TestClient
from web.conftest import (  # noqa: F401  (fixtures)
    app,
    clock,
    connected,
    database,
    idp,
    make_app,
    service,
    two_companies,
)
from web.sign_in_log.conftest import door, lone_app, lone_door  # noqa: F401  (fixtures)

from sp.flows.api_tokens import MadeToken, make_token
from sp.models import TokenScope
from sp.service import Service
from sp.store import accounts

API = "/api/v1"


class Program:
    """A program that calls the API. `told` is the last answer."""

    told: httpx2.Response

    def __init__(self, app: FastAPI, token: str = "") -> None:  # noqa: F811
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self.token = token
        self.client = TestClient(
            app, base_url=BASE_URL, headers=headers, raise_server_exceptions=False, follow_redirects=False
        )

    def call(self, method: str, path: str, **options: Any) -> httpx2.Response:
        self.told = self.client.request(method, path if path.startswith(API) else API + path, **options)
        return self.told

    def get(self, path: str, **options: Any) -> Any:
        """What a GET answers, which has to be 200."""
        answer = self.call("GET", path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, method: str, path: str, body: Any = None, *, status: int = 200, **options: Any) -> Any:
        """What another method answers, which has to have this status."""
        given = {} if body is None else {"json": body}
        answer = self.call(method, path, **given, **options)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def refused(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, list[str]]:
        """The status of a problem and the fields that it names."""
        given = {} if body is None else {"json": body}
        answer = self.call(method, path, **given, **options)
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        problem = answer.json()
        assert problem["status"] == answer.status_code
        return answer.status_code, [error["field"] for error in problem.get("errors", [])]


Maker = Callable[..., str]


def made_token(
    service: Service,  # noqa: F811
    slug: str,
    *scopes: TokenScope,
    name: str = "nightly",
    lifetime: timedelta | None = None,
) -> str:
    with service.database.writing() as session:
        account = accounts.account_by_slug(session, slug)
        assert account is not None
        made = make_token(session, account, name, *scopes, lifetime=lifetime, created_by=ALICE.email, now=service.now())
    assert isinstance(made, MadeToken), made
    return made.token


@pytest.fixture
def token(service: Service) -> Maker:  # noqa: F811
    """A function that makes a token."""

    def make(
        slug: str = "business",
        scope: TokenScope = TokenScope.WRITE,
        *,
        name: str = "nightly",
        lifetime: timedelta | None = None,
    ) -> str:
        return made_token(service, slug, scope, name=name, lifetime=lifetime)

    return make


@pytest.fixture
def nobody(app: FastAPI) -> Program:  # noqa: F811
    return Program(app)


@pytest.fixture
def reader(app: FastAPI, token: Maker) -> Program:  # noqa: F811
    """Contoso's program that may only read."""
    return Program(app, token(scope=TokenScope.READ, name="dashboard"))


@pytest.fixture
def program(app: FastAPI, token: Maker) -> Program:  # noqa: F811
    """Contoso's program."""
    return Program(app, token())


@pytest.fixture
def fabrikams(app: FastAPI, service: Service) -> Program:  # noqa: F811
    """Charlie's program, of another company, which may do everything."""
    return Program(app, made_token(service, "fabrikam", TokenScope.WRITE, TokenScope.MESSAGES))


@pytest.fixture
def lone_program(lone_app: FastAPI) -> Program:  # noqa: F811
    """A program of the only company."""
    return Program(lone_app, made_token(lone_app.state.service, "business", TokenScope.WRITE))
