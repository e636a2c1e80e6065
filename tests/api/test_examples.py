"""The answers that the pages show are those that the service gives: asked for, one by one, in one story.

What differs from run to run (times, references, numbers, hashes, certificates) only has to be of the same kind.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from api.conftest import Program, made_token
from browser import StillClock
from fastapi import FastAPI
from idp_metadata import entity, named, role, sign_in_services
from responses import BRITTAS_ATTRIBUTES, Idp
from web.sign_in_log.conftest import Door

from sp.flows.account_setup import SEEDED_SLUG
from sp.models import TokenScope

DOCS = Path(__file__).resolve().parents[2] / "docs"
SETTINGS = "/account/single-sign-on"
SIGN_IN = "https://idp.contoso.example/sign-in"
SHORTER = "http://localhost:8000/saml"  # a mistyped Audience
GROUPS = {"groups": ("staff", "admins")}
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
KINDS = (
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",  # a time
    r"[0-9a-f]{64}",  # a hash
    r"[2-9A-HJ-NP-Z]{8}",  # a reference
    r"_\w+",  # an ID
)


def shown(page: str, heading: str) -> Any:
    """The first JSON below a heading."""
    section = (DOCS / page).read_text(encoding="utf-8").partition(f"{heading}\n")[2]
    found = re.search(r"```json\n(.+?)```", section, re.DOTALL)
    assert found, heading
    return json.loads(found[1])


def differences(documented: Any, told: Any, place: str = "") -> list[str]:
    """Where an answer differs from the documented one. Of a list the page may show a part."""
    if isinstance(documented, dict) and isinstance(told, dict):
        if list(documented) != list(told):
            return [f"{place}: the page has {list(documented)}, the service {list(told)}"]
        return [line for key in documented for line in differences(documented[key], told[key], f"{place}.{key}")]
    if isinstance(documented, list) and isinstance(told, list):
        return [line for number, item in enumerate(documented) for line in _nearest(item, told, f"{place}.{number}")]
    if documented == told or (type(documented) is int and type(told) is int):
        return []
    if isinstance(documented, str) and isinstance(told, str) and _alike(documented, told):
        return []
    return [f"{place}: the page says {documented!r}, the service {told!r}"]


def _nearest(item: Any, told: list[Any], place: str) -> list[str]:
    """How the item differs from the one that it differs least from."""
    return min((differences(item, other, place) for other in told), key=len, default=[f"{place}: nothing is there"])


def _alike(documented: str, told: str) -> bool:
    """Of the same kind, or the same but for what the page leaves out."""
    begin, leaves_out, end = documented.partition("…")
    if leaves_out:
        return told.startswith(begin) and told.endswith(end)
    return any(re.fullmatch(kind, documented) and re.fullmatch(kind, told) for kind in KINDS)


@pytest.fixture
def nightly(lone_app: FastAPI) -> Program:
    return Program(lone_app, made_token(lone_app.state.service, SEEDED_SLUG, TokenScope.WRITE))


@pytest.fixture
def lone_door(lone_app: FastAPI, clock: StillClock, idp: Idp) -> Door:
    """Where nobody is connected yet."""
    return Door(lone_app.state.service, clock, idp)


def test_the_pages_show_what_the_service_says(nightly: Program, lone_door: Door, idp: Idp) -> None:
    wrong = {
        place: found
        for place, answer in told_in_order(nightly, lone_door, idp).items()
        if (found := differences(shown(*place), answer, "answer"))
    }
    assert wrong == {}, "\n".join(line for found in wrong.values() for line in found)


def told_in_order(nightly: Program, door: Door, idp: Idp) -> dict[tuple[str, str], Any]:
    """What the service answers, by page and heading."""
    told: dict[tuple[str, str], Any] = {}

    def ask(page: str, heading: str, method: str, path: str, body: Any = None) -> None:
        answer = nightly.call(method, path, **({} if body is None else {"json": body}))
        told[page, heading] = answer.json()

    def api(method: str, path: str, body: Any = None, *, where: str = "") -> None:
        ask("api.md", f"### `{method} {path}`", method, where or path, body)

    contoso = role(idp, before=named("Contoso"), sign_in=sign_in_services(SIGN_IN), sign_out="")
    api("POST", f"{SETTINGS}/metadata", {"xml": entity(idp, contoso).decode()})
    sign_in(door)
    api("GET", "/sessions")
    wanted = {"attributes": {"groups": {"equals": ["staff", "admins"]}}}
    declared = nightly.send("POST", "/expectations", wanted, status=201)["reference"]
    staff = sign_in(door, attributes=BRITTAS_ATTRIBUTES | {"groups": ("staff",)}, name_id_format=PERSISTENT)
    ask("expectations.md", "## Reading the result", "GET", f"/expectations/{declared}")
    both = sign_in(door)
    wrong = sign_in(door, audience=SHORTER)
    api("GET", "/sign-ins")
    api("GET", "/sign-ins/{reference}", where=f"/sign-ins/{wrong}")
    api("POST", "/sign-ins/{reference}/judge-again", {"entity_id": SHORTER}, where=f"/sign-ins/{wrong}/judge-again")
    api("GET", "/sign-ins/compare", where=f"/sign-ins/compare?a={both}&b={staff}")
    for path in ("/account", "/metadata", SETTINGS, f"{SETTINGS}/versions", f"{SETTINGS}/certificates", "/users"):
        api("GET", path)
    ask("api.md", "## General rules", "POST", "/users", {"first_name": "Bob", "last_name": "Brown", "email": ""})
    ask("workspaces.md", "## Creating a workspace", "POST", "/workspaces", {"name": "job-4711"})
    return told


def sign_in(door: Door, **changes: Any) -> str:
    """The reference of a sign-in from this machine."""
    xml = door.response(**({"attributes": BRITTAS_ATTRIBUTES | GROUPS} | changes))
    return door.post(xml, address="127.0.0.1").reference
