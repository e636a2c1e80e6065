"""What is written about the API is true: its description for tools, and the page for people."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api.conftest import Program
from jsonschema import Draft202012Validator
from starlette.datastructures import State

from sp.api.app import create_api

DOCS = Path(__file__).resolve().parents[2] / "docs"
DESCRIPTION: dict[str, Any] = create_api(State()).openapi()
OPERATIONS = [
    (method.upper(), path, operation)
    for path, operations in DESCRIPTION["paths"].items()
    for method, operation in operations.items()
]


def faults(schema: dict[str, Any], value: Any) -> list[str]:
    whole = schema | {"components": DESCRIPTION["components"]}
    return [error.message for error in Draft202012Validator(whole).iter_errors(value)]


def documented_answers() -> Iterator[tuple[str, str, Any]]:
    """Method, path and the first JSON below each heading of the page."""
    for section in (DOCS / "api.md").read_text().split("\n### ")[1:]:
        heading = re.match(r"`([A-Z]+) (\S+)`", section)
        shown = re.search(r"```json\n(.+?)```", section, re.DOTALL)
        if heading and shown:
            yield heading[1], heading[2], json.loads(shown[1])


def described(method: str, path: str) -> dict[str, Any]:
    """The description of the operation, whatever its parameters are called."""
    shape = re.sub(r"\{\w+\}", "{}", path)
    return next(
        operation
        for other, known, operation in OPERATIONS
        if other == method and re.sub(r"\{\w+\}", "{}", known) == shape
    )


@pytest.mark.parametrize(("method", "path", "answer"), list(documented_answers()), ids=lambda value: str(value)[:40])
def test_the_answers_on_the_page_are_those_of_the_description(method: str, path: str, answer: Any) -> None:
    responses = described(method, path)["responses"]
    schema = responses.get("200", responses.get("201"))["content"]["application/json"]["schema"]
    assert faults(schema, answer) == []


def test_the_page_has_enough_of_them() -> None:
    assert len(list(documented_answers())) >= 12


@pytest.mark.parametrize("name", sorted(DESCRIPTION["components"]["schemas"]))
def test_every_example_of_the_description_fits_its_schema(name: str) -> None:
    schema = DESCRIPTION["components"]["schemas"][name]
    assert [fault for example in schema.get("examples", ()) for fault in faults(schema, example)] == []


def test_every_operation_is_on_a_page() -> None:
    written = re.sub(r"\{\w+\}", "{}", "".join(page.read_text() for page in DOCS.glob("*.md")))
    paths = {re.sub(r"\{\w+\}", "{}", path) for _, path, _ in OPERATIONS}
    endings = {path: "…/" + path.rpartition("/")[2] for path in paths}
    assert [path for path in sorted(paths) if path not in written and endings[path] not in written] == []


def test_every_operation_says_what_it_does_and_how_it_fails() -> None:
    for method, path, operation in OPERATIONS:
        assert operation["description"], (method, path)
        assert {"401", "422"} <= set(operation["responses"]), (method, path)
        problems = [answer for status, answer in operation["responses"].items() if status >= "400"]
        assert all(list(answer["content"]) == ["application/problem+json"] for answer in problems), (method, path)


def test_every_operation_but_one_needs_a_token() -> None:
    free = [(method, path) for method, path, operation in OPERATIONS if {} in operation.get("security", [{}])]
    assert free == [("POST", "/workspaces")]


def test_the_description_is_served_without_a_token(nobody: Program) -> None:
    told = nobody.get("/openapi.json")
    assert told["openapi"] == "3.1.0"
    assert told["servers"] == [{"url": "/api/v1"}]
    assert told == DESCRIPTION
