"""Requests that nobody thought of: made up from the API's description, right ones and wrong ones.

Each has to be answered as the description says: never by an error of ours, and a wrong one never as if it were right.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from api.conftest import made_token
from browser import StillClock
from cast import ALICE, BASE_URL
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from responses import Idp
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.datastructures import State
from web.conftest import connect, two_companies  # noqa: F401  (a fixture)
from web.sign_in_log.conftest import Door

from sp.api.app import create_api
from sp.app import create_app
from sp.flows.api_tokens import API
from sp.models import TokenScope
from sp.settings import Settings
from sp.store.engine import Database

EXAMPLES = 5  # of each kind for each operation
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
LABELS = [
    f"{method.upper()} {path}"
    for path, operations in create_api(State()).openapi()["paths"].items()
    for method in operations
]


@pytest.fixture(scope="module")
def stopping(two_companies: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:  # noqa: F811
    """A service that is about to stop, so that no stream and no wait takes long."""
    folder = tmp_path_factory.mktemp("any-request")
    chosen = Settings(
        base_url=BASE_URL, data_dir=folder, admin_username=ALICE.email, allowed_hosts="localhost, testserver"
    )
    clock = StillClock()
    database = Database(f"sqlite:///{shutil.copy(two_companies, folder / 'virtual-office.db')}")
    app = create_app(chosen, database, clock)
    idp = Idp.make()
    connect(app.state.service, idp)
    door = Door(app.state.service, clock, idp)
    for _ in range(3):
        door.accepted()
    app.state.stopping = True
    yield app
    database.close()


@pytest.fixture(scope="module")
def described(stopping: FastAPI) -> Any:
    return schemathesis.openapi.from_asgi(f"{API}/openapi.json", stopping)


@pytest.fixture(scope="module")
def headers(stopping: FastAPI) -> dict[str, str]:
    return {"Authorization": f"Bearer {made_token(stopping.state.service, 'business', TokenScope.WRITE)}"}


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("label", LABELS)
def test_it_is_answered_as_described(described: Any, headers: dict[str, str], label: str, mode: GenerationMode) -> None:
    operation = next(found.ok() for found in described.get_all_operations() if found.ok().label == label)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def answered(case: Any) -> None:
        answer = case.call(headers=headers)
        refused_unread = [negative_data_rejection] if answer.status_code == 413 else []
        case.validate_response(answer, checks=CHECKS, excluded_checks=refused_unread)

    answered()
