"""Over HTTP, Fabrikam gets one answer about a name or an issuer of Contoso's and about one that does not exist."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import idp_metadata
import pytest
from api.conftest import Program
from attacks.traces import configure, send
from browser import Browser
from cast import BRITTA, CONTOSO_ISSUER, FABRIKAM_ISSUER
from fastapi import FastAPI
from log_settings import logging_as_before
from responses import Idp
from sqlalchemy import delete
from structlog.testing import capture_logs

from sp.flows.account_setup import Saved
from sp.logs import configure_logging
from sp.models import SignInAttempt, User
from sp.service import Service
from sp.store import issuer_conflicts
from sp.store.rows import column

MISSING = "carol@contoso.example"
CHARLIE = {"first_name": "C", "last_name": "C", "email": "charlie@fabrikam.example"}
SETTINGS = "/account/single-sign-on"
ANY = {"if-match": "*"}


def problem(program: Program, method: str, path: str, body: Any, **options: Any) -> Any:
    program.refused(method, path, body, **options)
    told = program.told.json()
    return {name: told.get(name) for name in ("status", "title", "detail", "errors")}


def by_adding(program: Program, _browser: Browser, name: str) -> Any:
    return problem(program, "POST", "/users", CHARLIE | {"username": name})


def by_renaming(program: Program, _browser: Browser, name: str) -> Any:
    user = program.send("POST", "/users", CHARLIE, status=201)
    return problem(program, "PATCH", f"/users/{user['id']}", {"username": name})


def by_looking_up(program: Program, _browser: Browser, name: str) -> Any:
    found = [program.get(f"/users?username={name}")["items"], program.get(f"/users?search={name}")["items"]]
    return [*found, program.get(f"/sign-ins?user={name}")["items"], program.get(f"/sessions?search={name}")["items"]]


def by_signing_in(program: Program, browser: Browser, name: str) -> Any:
    answer = send(browser, Idp.make(FABRIKAM_ISSUER).response(name_id=name))
    told = answer.json()
    (attempt,) = program.get("/sign-ins")["items"]
    report = program.get(f"/sign-ins/{attempt['reference']}")
    assert told["failed"] == ["user_link"]
    outcomes = [(row["code"], row["outcome"]) for row in report["report"]]
    rows = [row for row in report["report"] if row["code"] in {"username", "user_link", "user_active"}]
    return answer.status_code, told["message"], told["remedy"], outcomes, rows


@pytest.mark.parametrize("surface", [by_adding, by_renaming, by_looking_up, by_signing_in])
def test_a_username_of_another_company_is_answered_like_one_that_does_not_exist(
    app: FastAPI, service: Service, token: Callable[..., str], surface: Callable[[Program, Browser, str], Any]
) -> None:
    assert isinstance(configure(service, "fabrikam", Idp.make(FABRIKAM_ISSUER)), Saved)
    answers = []
    for name in (BRITTA.email, MISSING):
        program, browser = Program(app, token("fabrikam", name=f"of {name}")), Browser(app)
        answers.append(str(surface(program, browser, name)).replace(name, "NAME"))
        remove_what_came(service)
    assert answers[0] == answers[1]


def remove_what_came(service: Service) -> None:
    """The attempts and Fabrikam's user of the first round: the second one begins as the first did."""
    with service.database.writing() as session:
        session.execute(delete(SignInAttempt))
        session.execute(delete(User).where(column(User.username) == CHARLIE["email"]))


class TestIssuers:
    """Contoso trusts CONTOSO_ISSUER; Fabrikam enters it too."""

    def conflicts(self, service: Service) -> list[tuple[str, str, int]]:
        with service.database.reading() as session:
            return [(row.issuer, row.setting, row.times) for row in issuer_conflicts.every_conflict(session)]

    @pytest.mark.usefixtures("connected")
    @pytest.mark.parametrize("setting", ["issuer", "sign_out_issuer"])
    def test_a_refused_issuer_is_stored_and_logged_and_its_holder_is_not_named(
        self, fabrikams: Program, service: Service, setting: str
    ) -> None:
        with logging_as_before():
            configure_logging(service.settings)
            with capture_logs() as logged:
                assert fabrikams.refused("PATCH", SETTINGS, {setting: CONTOSO_ISSUER}, headers=ANY) == (422, [setting])
        assert "operator" in fabrikams.told.text
        assert not {"business", "contoso"} & set(fabrikams.told.text.lower().replace('"', " ").split())
        assert self.conflicts(service) == [(CONTOSO_ISSUER, setting, 1)]
        (event,) = [one for one in logged if one["event"] == "issuer_conflict"]
        assert (event["asked_by"], event["held_by"], event["issuer"]) == ("fabrikam", "business", CONTOSO_ISSUER)

    @pytest.mark.usefixtures("connected")
    def test_metadata_with_a_refused_issuer_is_stored_too_even_if_it_was_only_checked(
        self, fabrikams: Program, service: Service, idp: Idp
    ) -> None:
        body = {"xml": idp_metadata.entity(idp).decode()}
        path = f"{SETTINGS}/metadata"
        checked = fabrikams.send("POST", f"{path}?check=true", body)
        assert [error["field"] for error in checked["errors"]] == ["issuer"]
        assert self.conflicts(service) == [(CONTOSO_ISSUER, "issuer", 1)]
        assert fabrikams.refused("POST", path, body) == (422, ["issuer"])
        assert self.conflicts(service) == [(CONTOSO_ISSUER, "issuer", 2)]


@pytest.mark.parametrize("body", [{"domains": ["contoso.com"]}, {"domain": "contoso.com"}])
def test_no_account_gives_itself_a_domain(fabrikams: Program, body: Any) -> None:
    status, named = fabrikams.refused("PATCH", SETTINGS, body, headers=ANY)
    assert (status, named) == (422, list(body))
