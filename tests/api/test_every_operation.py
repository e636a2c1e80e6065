"""Every operation of the API in turn, also one that is added tomorrow: who may not use it, and what it does not take.

Each is called with what the API's description gives as example, so that nothing but the flaw is in its way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from api.conftest import Program, made_token
from fastapi import FastAPI
from responses import Idp
from starlette.datastructures import State
from web.sign_in_log.conftest import Door
from workspaces import Workspace

from sp.api.app import create_api
from sp.models import TokenScope
from sp.service import Service

DESCRIPTION: dict[str, Any] = create_api(State()).openapi()
FREE = ("POST", "/workspaces")  # on this machine everybody may make one
JUDGES = ("POST", "/sign-ins/{reference}/judge-again")  # it leaves no trace
LARGE = b" " * (257 * 1024)
JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Operation:
    """A method and a path, with the example of its body."""

    method: str
    path: str
    body: Any
    takes_query: bool

    @property
    def name(self) -> tuple[str, str]:
        return self.method, self.path

    @property
    def of_workspace(self) -> bool:
        return self.path.startswith("/workspaces/")


def operations() -> Iterator[Operation]:
    for path, methods in DESCRIPTION["paths"].items():
        for method, described in methods.items():
            queried = any(parameter["in"] == "query" for parameter in described.get("parameters", ()))
            yield Operation(method.upper(), path, _example(described), queried)


def _example(described: Any) -> Any:
    """The first example of the schema of the body; None where there is no body."""
    schema = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    named = re.search(r"schemas/(\w+)", str(schema))
    return DESCRIPTION["components"]["schemas"][named[1]]["examples"][0] if named else None


OPERATIONS = tuple(operations())
WITH_BODY = tuple(operation for operation in OPERATIONS if operation.body is not None)


@dataclass(frozen=True)
class Contoso:
    """Contoso's account with one of everything, and a workspace."""

    program: Program
    job: Workspace
    places: dict[str, str]

    def address(self, operation: Operation) -> str:
        noun = operation.path.split("/")[1]
        return operation.path.replace("{reference}", f"{{{noun}}}").format_map(self.places)

    def state(self) -> Any:
        kept = [self.program.get(path) for path in ("/account/single-sign-on", "/users", "/sessions", "/sign-ins")]
        return [*kept, self.program.get(f"/expectations/{self.places['expectations']}"), self.job.program.get("/users")]

    def refusals(self, caller: Program, chosen: tuple[Operation, ...], **options: Any) -> dict[tuple[str, str], int]:
        """What the caller is told by each, with a body in which nothing is wrong."""
        told = {}
        for operation in chosen:
            sent = options or ({} if operation.body is None else {"json": operation.body})
            told[operation.name] = caller.call(operation.method, self.address(operation), **sent).status_code
        return told


@pytest.fixture
def contoso(app: FastAPI, program: Program, door: Door, connected: Idp) -> Contoso:
    sign_in = door.accepted().reference
    declared = program.send("POST", "/expectations", {"outcome": "accepted"}, status=201)
    (opened,) = program.get("/sessions")["items"]
    job = Workspace(app, "job-1")
    places = {
        "sign-ins": sign_in,
        "expectations": declared["reference"],
        "session_id": str(opened["id"]),
        "user_id": str(opened["user"]["id"]),
        "sha256": connected.certificate.sha256,
        "name": job.name,
    }
    return Contoso(program, job, places)


def test_without_a_token_none_of_them_answers(contoso: Contoso, nobody: Program) -> None:
    before = contoso.state()
    told = contoso.refusals(nobody, tuple(operation for operation in OPERATIONS if operation.name != FREE))
    assert {name: status for name, status in told.items() if status != 401} == {}
    assert contoso.state() == before


def test_a_token_that_may_read_changes_nothing_by_any_of_them(
    contoso: Contoso, reader: Program, app: FastAPI, service: Service
) -> None:
    before = contoso.state()
    writing = tuple(one for one in OPERATIONS if one.method != "GET" and one.name not in {FREE, JUDGES})
    jobs_reader = Program(app, made_token(service, contoso.job.name, TokenScope.READ))
    told = contoso.refusals(reader, tuple(one for one in writing if not one.of_workspace))
    told |= contoso.refusals(jobs_reader, tuple(one for one in writing if one.of_workspace))
    assert len(told) >= 18
    assert {name: status for name, status in told.items() if status != 403} == {}
    assert contoso.state() == before


def test_what_is_contosos_is_nowhere_for_fabrikam(contoso: Contoso, fabrikams: Program) -> None:
    before = contoso.state()
    told = contoso.refusals(fabrikams, tuple(operation for operation in OPERATIONS if "{" in operation.path))
    assert len(told) >= 18
    assert {name: status for name, status in told.items() if status != 404} == {}
    assert contoso.state() == before


@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda operation: " ".join(operation.name))
def test_a_body_is_bounded_and_its_fields_are_named(contoso: Contoso, operation: Operation) -> None:
    caller, before = contoso.job.program if operation.of_workspace else contoso.program, contoso.state()
    address = contoso.address(operation)
    if not address.endswith("/metadata"):  # which takes more, see test_idp_metadata
        assert caller.refused(operation.method, address, content=LARGE, headers=JSON)[0] == 413
    assert caller.refused(operation.method, address, content=b"{", headers=JSON)[0] == 400
    assert caller.refused(operation.method, address, content=b"{}", headers={"content-type": "text/plain"})[0] in {
        415,
        422,
    }
    status, named = caller.refused(
        operation.method, address, operation.body | {"nonsense": 1}, headers={"if-match": "*"}
    )
    assert (status, named) == (422, ["nonsense"])
    assert contoso.state() == before


def test_a_parameter_that_nobody_knows_is_named(contoso: Contoso) -> None:
    asked = [one for one in OPERATIONS if one.takes_query and one.method == "GET"]
    told = {one.name: contoso.program.refused("GET", contoso.address(one) + "?nonsense=1") for one in asked}
    assert len(told) >= 8
    assert {name: answer for name, answer in told.items() if answer[0] != 422 or "nonsense" not in answer[1]} == {}
