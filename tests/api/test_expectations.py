"""Expectations: what the next sign-in must look like, and what is told when it does not."""

from __future__ import annotations

import time
from typing import Any

import pytest
from api.conftest import Program
from browser import StillClock
from cast import BRITTA, FABRIKAM_ISSUER
from fastapi import FastAPI
from lxml import etree
from responses import BRITTAS_ATTRIBUTES, Idp, with_attribute
from sqlalchemy import select
from workspaces import Workspace

from sp.flows import expectations
from sp.flows.housekeeping import tidy_up
from sp.models import SignInExpectation
from sp.saml import names
from sp.service import Service

AUTHN_CONTEXT = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"


@pytest.fixture
def job(app: FastAPI, idp: Idp) -> Workspace:
    made = Workspace(app, "job-1")
    made.connect(idp)
    return made


def declared(program: Program, **wanted: Any) -> str:
    return str(program.send("POST", "/expectations", wanted, status=201)["reference"])


def told(program: Program, reference: str, query: str = "") -> tuple[str, list[str]]:
    """The status, and the fields that differ."""
    answer = program.get(f"/expectations/{reference}{query}")
    return answer["status"], [difference["field"] for difference in answer["differences"]]


FULL = {
    "outcome": "accepted",
    "failed": [],
    "warnings": [],
    "name_id": {"value": BRITTA.email, "format": EMAIL},
    "username": BRITTA.email,
    "attributes": {
        "groups": {"equals": ["staff", "admins"]},
        "mail": {"matches": r"[a-z]+@contoso\.example"},
        "password": {"absent": True},
    },
    "signed": {"assertion": True, "response": False, "algorithm": names.RSA_SHA256, "digest": names.SHA256},
    "encrypted": False,
    "authn_context": AUTHN_CONTEXT,
    "lifetime": {"min_seconds": 300, "max_seconds": 300},
    "session_lifetime": "absent",
    "issuer": "https://idp.contoso.example/",
    "in_response_to": "absent",
    "provisioned": True,
}
SENT = BRITTAS_ATTRIBUTES | {"groups": ("admins", "staff"), "mail": (BRITTA.email,)}


def test_all_that_was_asked_is_so(job: Workspace, idp: Idp) -> None:
    reference = declared(job.program, **FULL, certificate={"sha256": idp.certificate.sha256})
    assert told(job.program, reference) == ("waiting", [])
    sign_in = job.verdict(job.response(idp, attributes=SENT))["reference"]
    answer = job.program.get(f"/expectations/{reference}")
    assert (answer["status"], answer["sign_in"], answer["differences"]) == ("met", sign_in, [])


@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        ({"outcome": "refused"}, ["outcome"]),
        ({"failed": ["audience"]}, ["failed"]),
        ({"failed": {"includes": ["audience"]}}, ["failed"]),
        ({"warnings": ["attributes"]}, ["warnings"]),
        ({"name_id": {"value": "bob"}}, ["name_id.value"]),
        ({"name_id": {"format": ""}}, ["name_id.format"]),
        ({"username": "bob"}, ["username"]),
        ({"attributes": {"groups": {"equals": ["staff"]}}}, ["attributes.groups"]),
        ({"attributes": {"groups": {"matches": "staff"}}}, ["attributes.groups"]),
        ({"attributes": {"none": {"matches": ".*"}}}, ["attributes.none"]),
        ({"attributes": {"mail": {"absent": True}}}, ["attributes.mail"]),
        ({"signed": {"assertion": False, "response": True}}, ["signed.assertion", "signed.response"]),
        ({"signed": {"algorithm": "x", "digest": "y"}}, ["signed.algorithm", "signed.digest"]),
        ({"encrypted": True}, ["encrypted"]),
        ({"authn_context": "x"}, ["authn_context"]),
        ({"lifetime": {"min_seconds": 301, "max_seconds": 299}}, ["lifetime.min_seconds", "lifetime.max_seconds"]),
        ({"session_lifetime": {"min_seconds": 1}}, ["session_lifetime.min_seconds"]),
        ({"certificate": {"sha256": "0" * 64}}, ["certificate.sha256"]),
        ({"issuer": FABRIKAM_ISSUER}, ["issuer"]),
        ({"in_response_to": "present"}, ["in_response_to"]),
        ({"provisioned": False}, ["provisioned"]),
    ],
)
def test_what_is_not_so_is_named(job: Workspace, idp: Idp, asked: dict[str, Any], fields: list[str]) -> None:
    reference = declared(job.program, **asked)
    job.verdict(job.response(idp, attributes=SENT))
    assert told(job.program, reference) == ("not_met", fields)


def test_many_long_values_do_not_keep_the_service_busy(job: Workspace, idp: Idp) -> None:
    slow = {"matches": "[a-z0-9]{1,1000}b"}
    reference = declared(job.program, attributes={"groups": slow, "mail": slow | {"matches": ".*"}, "unit": slow})
    job.verdict(
        job.response(idp, attributes=SENT | {"groups": tuple(f"{number:02}{'a' * 1000}" for number in range(40))})
    )
    began = time.process_time()
    answer = job.program.get(f"/expectations/{reference}")
    assert time.process_time() - began < 1
    assert "too many long values" in answer["differences"][0]["received"]


@pytest.mark.parametrize("query", ["", ".junit"])
def test_an_expression_that_is_allowed_no_more_never_runs(
    job: Workspace, idp: Idp, service: Service, query: str
) -> None:
    reference = declared(job.program, attributes={"mail": {"matches": ".*"}})
    with service.database.writing() as session:
        kept = session.execute(select(SignInExpectation)).scalar_one()
        kept.wanted = kept.wanted | {"attributes": {"mail": {"matches": "(?=a)a"}}}
    assert job.program.call("GET", f"/expectations/{reference}{query}").status_code == 200
    job.verdict(job.response(idp, attributes=SENT | {"mail": ("a" * 1000,)}))
    assert job.program.call("GET", f"/expectations/{reference}{query}").status_code == 200
    assert told(job.program, reference) == ("not_met", ["attributes.mail.matches"])


def test_nothing_counts_as_said_that_no_trusted_signature_covers(job: Workspace, idp: Idp) -> None:
    said = {
        "name_id": {"value": BRITTA.email},
        "attributes": {"groups": {"equals": ["admins", "staff"]}, "password": {"absent": True}},
        "lifetime": {"max_seconds": 300},
        "username": BRITTA.email,
    }
    reference = declared(job.program, outcome="refused", failed={"includes": ["signing_key"]}, **said)
    job.verdict(job.response(idp.with_key("mallory"), attributes=SENT))
    assert told(job.program, reference) == (
        "not_met",
        ["username", "name_id.value", "attributes.groups", "attributes.password", "lifetime.max_seconds"],
    )


def test_the_length_of_a_session(job: Workspace, idp: Idp) -> None:
    reference = declared(job.program, session_lifetime={"min_seconds": 3600, "max_seconds": 3600})
    ends = with_attribute("saml:Assertion/saml:AuthnStatement", "SessionNotOnOrAfter", "2030-01-31T13:00:00Z")
    job.verdict(job.response(idp, mutate=ends))
    assert told(job.program, reference) == ("met", [])


def test_each_sign_in_answers_one_in_the_order_of_declaration(job: Workspace, idp: Idp) -> None:
    first, second = declared(job.program, outcome="accepted"), declared(job.program, outcome="refused")
    third = declared(job.program)
    job.verdict(job.response(idp))
    job.verdict(job.response(idp, audience="urn:other"))
    assert told(job.program, second) == ("met", [])  # whichever is asked about first
    assert told(job.program, first) == ("met", [])
    assert told(job.program, third) == ("waiting", [])


def test_what_came_before_does_not_count(job: Workspace, idp: Idp) -> None:
    job.verdict(job.response(idp))
    assert told(job.program, declared(job.program)) == ("waiting", [])


def test_only_sign_ins_that_match_count(job: Workspace, idp: Idp) -> None:
    bobs = declared(job.program, matching={"username": "BOB@contoso.example"})
    anyones = declared(job.program, username=BRITTA.email)
    elsewhere = declared(job.program, matching={"issuer": FABRIKAM_ISSUER})
    job.verdict(job.response(idp))
    assert told(job.program, bobs) == ("waiting", [])
    assert told(job.program, anyones) == ("met", [])
    job.verdict(job.response(idp, name_id="bob@contoso.example"))
    assert told(job.program, bobs) == ("met", [])
    assert told(job.program, elsewhere) == ("waiting", [])


def test_whoever_waits_is_told_when_it_is_over(job: Workspace, idp: Idp, clock: StillClock) -> None:
    reference = declared(job.program, outcome="accepted", expires_in_seconds=5)
    clock.advance(seconds=6)
    job.verdict(job.response(idp))
    assert told(job.program, reference, "?wait=30") == ("expired", [])


def test_a_sign_in_that_came_in_time_counts_whenever_somebody_asks(job: Workspace, idp: Idp, clock: StillClock) -> None:
    reference = declared(job.program, outcome="accepted", expires_in_seconds=5)
    job.verdict(job.response(idp))
    clock.advance(seconds=60)
    assert told(job.program, reference) == ("met", [])


def test_the_answer_outlives_the_sign_in(job: Workspace, idp: Idp, service: Service, clock: StillClock) -> None:
    reference = declared(job.program, outcome="refused")
    job.verdict(job.response(idp))
    before = told(job.program, reference)
    job.program.send("DELETE", "/sessions")
    clock.advance(days=2)
    while tidy_up(service.database, service.settings, service.now()):
        pass
    assert before == ("not_met", ["outcome"])
    assert job.program.call("GET", f"/expectations/{reference}").status_code == 401  # with its workspace


def test_another_accounts_expectations_are_not_here(app: FastAPI, job: Workspace, nobody: Program) -> None:
    reference = declared(job.program)
    other = Workspace(app, "job-2")
    assert other.program.refused("GET", f"/expectations/{reference}") == (404, [])
    assert other.program.refused("GET", "/expectations/none") == (404, [])
    assert nobody.refused("GET", f"/expectations/{reference}") == (401, [])


def test_another_accounts_sign_ins_answer_nothing(app: FastAPI, job: Workspace, idp: Idp) -> None:
    other = Workspace(app, "job-2")
    other.connect(idp)
    reference = declared(job.program)
    other.verdict(other.response(idp))
    assert told(job.program, reference) == ("waiting", [])


def test_a_token_that_may_read_declares_nothing(reader: Program) -> None:
    assert reader.refused("POST", "/expectations", {}) == (403, [])


def test_an_account_waits_for_only_so_many(job: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expectations, "MAX_WAITING", 1)
    declared(job.program)
    assert job.program.refused("POST", "/expectations", {}) == (409, [])


def test_an_account_has_only_so_many_that_are_over(
    job: Workspace, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expectations, "MAX_KEPT", 1)
    declared(job.program, expires_in_seconds=60)
    clock.advance(minutes=5)
    assert job.program.refused("POST", "/expectations", {}) == (409, [])
    assert job.program.told.json()["detail"].startswith("The account has 1 expectations already.")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"outcme": "accepted"}, ["outcme"]),
        ({"outcome": "maybe"}, ["outcome"]),
        ({"signed": {"asertion": True}}, ["signed.asertion"]),
        ({"signed": {"assertion": "yes"}}, ["signed.assertion"]),
        ({"attributes": {"a": {}}}, ["attributes.a"]),
        ({"attributes": {"a": {"equals": ["x"], "absent": True}}}, ["attributes.a"]),
        ({"attributes": {"a": {"matches": "("}}}, ["attributes.a.matches"]),
        ({"attributes": {"a": {"matches": "(a)\\1"}}}, ["attributes.a.matches"]),
        ({"attributes": {"a": {"matches": "(?=a)"}}}, ["attributes.a.matches"]),
        ({"attributes": {"a": {"matches": "a" * 201}}}, ["attributes.a.matches"]),
        ({"attributes": {"a": {"matches": "a{1001}"}}}, ["attributes.a.matches"]),
        ({"username": "a\0"}, ["username"]),
        ({"matching": {"username": "a\0"}}, ["matching.username"]),
        ({"certificate": {"sha256": "AB"}}, ["certificate.sha256"]),
        ({"expires_in_seconds": 0}, ["expires_in_seconds"]),
        ({"lifetime": {"max_seconds": 10**30}}, ["lifetime.max_seconds"]),
    ],
)
def test_what_cannot_be_asked_is_said_by_field(program: Program, body: dict[str, Any], fields: list[str]) -> None:
    assert program.refused("POST", "/expectations", body) == (422, fields)


def test_a_check_that_there_is_none_of_is_named(program: Program) -> None:
    status, fields = program.refused("POST", "/expectations", {"failed": ["audiense"]})
    assert status == 422
    assert any(field.startswith("failed") for field in fields)


# As JUnit XML.


@pytest.mark.parametrize(("path", "accept"), [("", "application/xml"), (".junit", "*/*")])
def test_a_ci_service_reads_junit(job: Workspace, idp: Idp, path: str, accept: str) -> None:
    reference = declared(job.program, outcome="refused", username=BRITTA.email)
    before = _junit(job, f"{reference}{path}", accept)
    job.verdict(job.response(idp))
    after = _junit(job, f"{reference}{path}", accept)
    assert before == {
        "sign_in": "No sign-in has come yet.",
        "outcome": "No sign-in has come yet.",
        "username": "No sign-in has come yet.",
    }
    assert after == {"sign_in": None, "outcome": "expected refused, received accepted", "username": None}


def test_whatever_an_attribute_holds_the_xml_is_well_formed(job: Workspace, idp: Idp) -> None:
    name = "a<&\"'\u2028\ufffe]]>"
    reference = declared(job.program, attributes={name: {"equals": [name]}})
    job.verdict(job.response(idp))
    assert len(_junit(job, f"{reference}.junit", "*/*")) == 2


def test_a_refusal_names_its_problems_to_programs(job: Workspace, idp: Idp) -> None:
    reference = declared(job.program, outcome="accepted")
    job.verdict(job.response(idp, audience="urn:other"))
    answer = job.program.call("GET", f"/expectations/{reference}").json()
    assert answer["differences"][0]["problems"] == ["audience.different"]
    xml = job.program.call("GET", f"/expectations/{reference}.junit", headers={"accept": "*/*"}).content
    failure = etree.fromstring(xml).find("testsuite/testcase[@name='outcome']/failure")
    assert failure is not None
    assert failure.get("type") == "audience.different"


def _junit(job: Workspace, path: str, accept: str) -> dict[str, str | None]:
    answer = job.program.call("GET", f"/expectations/{path}", headers={"accept": accept})
    assert answer.headers["content-type"] == "application/xml"
    root = etree.fromstring(answer.content)
    failures = root.findall("testsuite/testcase/failure")
    assert (root[0].get("tests"), root[0].get("failures")) == (str(len(root[0])), str(len(failures)))
    return {
        case.get("name", ""): None if (failure := case.find("failure")) is None else failure.get("message")
        for case in root.findall("testsuite/testcase")
    }
