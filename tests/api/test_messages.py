"""Messages by the API: shown without what makes them usable, and handed out for good to a token with the scope."""

from __future__ import annotations

import json

import pytest
from api.conftest import Maker, Program
from browser import Browser
from cast import BRITTA, NOW
from fastapi import FastAPI
from lxml import etree
from responses import Idp, post_field
from web.sign_in_log.conftest import Door
from workspaces import Workspace

from sp.flows.api_tokens import scopes_in
from sp.models import TokenScope
from sp.saml import names


@pytest.fixture
def auditor(app: FastAPI, token: Maker) -> Program:
    """Contoso's program that may fetch exact messages."""
    return Program(app, token(scope=TokenScope.MESSAGES, name="audit"))


def test_a_reader_sees_the_message_without_its_signature_and_leaves_it_usable(reader: Program, door: Door) -> None:
    xml = door.response()
    (secret,) = (value.text or "" for value in etree.fromstring(xml).iter(names.SIGNATURE_VALUE))
    reference = door.post(xml).reference
    answer = reader.call("GET", f"/sign-ins/{reference}/message")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/xml")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert secret[:40] not in answer.text
    assert BRITTA.email in answer.text
    assert etree.fromstring(answer.content).tag == names.RESPONSE


def test_what_a_reader_sees_of_anything_signs_nobody_in(reader: Program, door: Door, app: FastAPI) -> None:
    """The attack: a refused message, its cause mended, read by a token that may read."""
    xml = door.response(destination="https://sp.example/other", signed="assertion")
    (secret,) = (value.text or "" for value in etree.fromstring(xml).iter(names.SIGNATURE_VALUE))
    reference = door.post(xml).reference
    read = ["", "/message", f"/../compare?a={reference}&b={reference}&all=true"]
    told = [reader.call("GET", f"/sign-ins/{reference}{path}") for path in read]
    told.append(reader.call("POST", f"/sign-ins/{reference}/judge-again", json={}))
    told.append(reader.call("GET", "/sign-ins"))
    assert {answer.status_code for answer in told} == {200}
    assert not [answer.url for answer in told if secret[:40] in answer.text]
    stolen = etree.fromstring(told[1].content)
    stolen.set("Destination", door.service.settings.acs_url)
    Browser(app).post("/saml2", data={"SAMLResponse": post_field(etree.tostring(stolen))})
    assert reader.get("/sign-ins")["items"][0]["outcome"] == "refused"
    assert door.post(door.response()).accepted


@pytest.mark.parametrize("scope", [TokenScope.READ, TokenScope.WRITE])
def test_exact_bytes_need_their_scope(app: FastAPI, token: Maker, door: Door, scope: TokenScope) -> None:
    reference = door.refused().reference
    program = Program(app, token(scope=scope, name="other"))
    assert program.refused("POST", f"/sign-ins/{reference}/message") == (403, [])
    assert 'scope="messages"' in program.told.headers["www-authenticate"]


def test_exact_bytes_are_handed_out_and_refused_afterwards(auditor: Program, door: Door) -> None:
    xml = door.response(now=NOW.replace(minute=30))
    reference = door.post(xml).reference
    answer = auditor.call("POST", f"/sign-ins/{reference}/message")
    assert (answer.status_code, answer.content) == (200, xml)
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("application/xml", "no-store")
    door.clock.advance(minutes=30)
    refused = door.post(xml).reference
    told = auditor.get(f"/sign-ins/{refused}")
    assert told["failed"] == ["replay"]
    assert "2030-01-31T12:00:00Z to API token audit" in told["message"]


def test_to_read_claims_nothing(auditor: Program, door: Door) -> None:
    xml = door.response(now=NOW.replace(minute=30))
    reference = door.post(xml).reference
    auditor.call("GET", f"/sign-ins/{reference}/message")
    door.clock.advance(minutes=30)
    assert door.post(xml).accepted


def test_a_message_that_cannot_be_parsed_is_shown_as_text(lone_program: Program, lone_door: Door) -> None:
    xml = lone_door.response()
    (secret,) = (value.text or "" for value in etree.fromstring(xml).iter(names.SIGNATURE_VALUE))
    reference = lone_door.post(xml[:-3]).reference
    answer = lone_program.call("GET", f"/sign-ins/{reference}/message")
    assert answer.headers["content-type"].startswith("text/plain")
    assert secret[:40] not in answer.text
    assert BRITTA.email in answer.text


def test_another_accounts_message_is_not_there(fabrikams: Program, auditor: Program, door: Door) -> None:
    reference = door.refused().reference
    assert fabrikams.refused("GET", f"/sign-ins/{reference}/message") == (404, [])
    assert auditor.refused("POST", "/sign-ins/22222222/message") == (404, [])


def test_a_workspaces_own_token_has_every_scope_and_claims_too(app: FastAPI) -> None:
    idp, job = Idp.make("https://idp.job.example/"), Workspace(app)
    xml = job.response(idp, now=NOW)
    reference = job.verdict(xml)["reference"]
    assert job.program.call("POST", f"/sign-ins/{reference}/message").content == xml
    job.connect(idp)
    assert job.verdict(xml)["failed"] == ["replay"]
    told = job.program.get("/account")["token"]
    assert scopes_in(told["scope"]) == frozenset(TokenScope)


def test_live_events_and_lists_tell_no_message(reader: Program, door: Door) -> None:
    door.refused()
    entry = reader.get("/sign-ins")["items"][0]
    assert "Signature" not in json.dumps(entry)
