""" "Judge a message": what Alice has in a file or on her clipboard, judged without a trace."""

from __future__ import annotations

import asyncio
import base64
import json
import zlib
from typing import Any
from urllib.parse import urlencode

import pytest
from browser import Browser
from cast import BRITTA, FABRIKAM_ISSUER
from fastapi import FastAPI
from responses import Idp, post_field
from sqlalchemy import func, select
from starlette.types import Message
from web.sign_in_log.conftest import FABRIKAMS_LOG, LOG, Door

from sp.diagnosis.captures import MAX_CAPTURE_BYTES
from sp.models import ConsumedAssertion, SignInAttempt, SsoSettings, User, UserSession
from sp.web.admin import capture_form
from sp.web.state import Service

JUDGE = f"{LOG}/judge"


def judge(browser: Browser, capture: str | bytes = b"", *, file: bytes = b"", **typed: str) -> Browser:
    """Open the page and send its form: what is pasted, or a file."""
    browser.open(JUDGE)
    return again(browser, capture, file=file, **typed)


def again(browser: Browser, capture: str | bytes = b"", *, file: bytes = b"", **typed: str) -> Browser:
    text = capture.decode() if isinstance(capture, bytes) else capture
    browser.submit(JUDGE, files={"capture": ("capture", file)}, **{"capture_text": text, **typed})
    return browser


def outcome(browser: Browser) -> str:
    found = browser.html.xpath("//*[@id='verdict-title']/text()")
    return str(found[0]) if found else ""


def har(*bodies: dict[str, str], **entry: Any) -> str:
    """A browser's log with a post for each of `bodies`, one a minute."""
    entries = [
        {
            "startedDateTime": f"2030-01-31T12:{minute:02}:00.000Z",
            "request": {
                "method": "POST",
                "url": "https://sso.8x8.com/saml2?secret=1",
                "headers": [{"name": "Cookie", "value": "session=topsecret"}],
                "postData": {"mimeType": "application/x-www-form-urlencoded", "text": urlencode(body)},
            },
            **entry,
        }
        for minute, body in enumerate(bodies)
    ]
    return json.dumps({"log": {"version": "1.2", "entries": entries}})


def rows(service: Service) -> list[int]:
    tables = (User, UserSession, ConsumedAssertion, SignInAttempt, SsoSettings)
    with service.database.reading() as session:
        return [int(session.execute(select(func.count()).select_from(table)).scalar_one()) for table in tables]


def test_a_message_is_judged_and_nothing_is_left_behind(alice: Browser, door: Door) -> None:
    before = rows(door.service)
    judge(alice, door.response())
    assert alice.page.status_code == 200
    assert outcome(alice) == "It would be accepted"
    assert BRITTA.email in alice.text()
    assert rows(door.service) == before


def test_a_message_that_was_judged_still_signs_britta_in_once(alice: Browser, door: Door) -> None:
    xml = door.response()
    judge(alice, xml)
    judge(alice, xml)
    assert outcome(alice) == "It would be accepted"
    assert door.post(xml).accepted
    judge(alice, xml)
    assert outcome(alice) == "It would be refused"
    assert "Replay" in alice.text()


def test_a_refusal_names_the_cause_the_line_and_the_remedy(alice: Browser, door: Door) -> None:
    judge(alice, door.response(audience="urn:another"))
    assert outcome(alice) == "It would be refused"
    (remedy,) = alice.html.xpath("//*[@class='verdict-remedy']/p/text()")
    assert remedy
    (line,) = alice.html.xpath("//*[@class='xml-index']//a")
    assert "Audience" in line.text_content()
    (marked,) = alice.html.xpath("//*[@id=$id]", id=line.get("href").removeprefix("#"))
    assert "urn:another" in marked.text_content()


def test_the_certificates_inside_are_told_apart(alice: Browser, door: Door) -> None:
    judge(alice, door.idp.with_key("mallory").response())
    assert "In the message only: not trusted" in alice.text()
    assert "Not verified" in alice.text()


@pytest.mark.parametrize("how", ["pasted", "uploaded"])
def test_a_har_file_offers_its_messages_and_takes_the_last_response(alice: Browser, door: Door, how: str) -> None:
    first, last = (post_field(door.response(name_id=name)) for name in ("old@contoso.example", BRITTA.email))
    capture = har({"SAMLResponse": first}, {"password": "hunter2"}, {"SAMLResponse": last, "RelayState": "/x"})
    judge(alice, capture) if how == "pasted" else judge(alice, file=capture.encode())
    assert "This is a HAR file" in alice.text()
    assert BRITTA.email in alice.html.xpath("string(//*[@class='facts'])")
    assert alice.html.xpath("//input[@name='message'][@checked]/@value") == ["2"]
    again(alice, message="1")
    assert "old@contoso.example" in alice.html.xpath("string(//*[@class='facts'])")
    assert alice.html.xpath("//input[@name='message'][@checked]/@value") == ["1"]


def test_what_else_a_har_file_holds_is_left_behind(alice: Browser, door: Door) -> None:
    judge(alice, har({"password": "hunter2", "SAMLResponse": post_field(door.response())}))
    assert outcome(alice) == "It would be accepted"
    for secret in ("hunter2", "topsecret", "secret=1"):
        assert secret not in alice.page.text


def test_the_same_message_with_other_settings(alice: Browser, door: Door) -> None:
    judge(alice, har({"SAMLResponse": post_field(door.response(audience="urn:x"))}, {"SAMLResponse": "PHg+"}))
    assert outcome(alice) == "It would be refused"
    again(alice, message="1", entity_id="urn:x")
    assert outcome(alice) == "It would be accepted"
    assert alice.value_of("entity_id") == "urn:x"
    again(alice, entity_id="urn:x", at="2031-01-01T00:00:00Z")
    assert outcome(alice) == "It would be refused"


def test_a_pasted_certificate_counts_instead(alice: Browser, door: Door) -> None:
    rolled = door.idp.with_key("rolled over")
    judge(alice, rolled.response(), certificate_text=rolled.certificate_pem.decode())
    assert outcome(alice) == "It would be accepted"


def test_another_message_replaces_the_first(alice: Browser, door: Door) -> None:
    judge(alice, door.response(audience="urn:x"))
    again(alice, door.response())
    assert outcome(alice) == "It would be accepted"


def test_what_only_leniency_finds_carries_a_note(alice: Browser, door: Door) -> None:
    deflated = base64.b64encode(zlib.compress(door.response())[2:-4]).decode()
    judge(alice, f"https://sso.8x8.com/saml2?{urlencode({'SAMLResponse': deflated})}")
    assert outcome(alice) == "It would be accepted"
    assert "The assertion consumer service would refuse this transport" in alice.text()


@pytest.mark.parametrize(
    ("capture", "sentence"),
    [
        ("", "Paste a message or a capture"),
        ("eyJhbGciOi.eyJhbGciOi.abc", "JSON Web Token"),
        ("hello", "No SAML message was found"),
        ("[" * 200_000, "nested more deeply"),
        (har({"user": "britta"}), "Preserve log"),
        ("<html><body>Sign in</body></html>", "sign-in or error page"),
    ],
)
def test_where_nothing_is_found_the_page_says_what_it_is(alice: Browser, capture: str, sentence: str) -> None:
    judge(alice, capture)
    assert alice.page.status_code == 422
    assert sentence in alice.error_at("capture_text")
    assert outcome(alice) == ""


def test_what_was_typed_stays_beside_an_error(alice: Browser, door: Door) -> None:
    judge(alice, "hello there", issuer="urn:kept")
    assert alice.value_of("capture_text").strip() == "hello there"
    assert alice.value_of("issuer") == "urn:kept"
    judge(alice, door.response(), at="yesterday")
    assert alice.page.status_code == 422
    assert alice.error_at("at")
    again(alice, at="")
    assert outcome(alice) == "It would be accepted"


def test_a_private_key_is_not_shown_again(alice: Browser) -> None:
    key = Idp.make().key_pem.decode()
    judge(alice, key)
    assert "private key" in alice.error_at("capture_text")
    assert key.splitlines()[1] not in alice.page.text


@pytest.mark.parametrize(
    "carried",
    [
        "x",
        "[]",
        "[" * 5000,
        '["har",0,[]]',
        '["har",0,[["response","","","xml","!"]]]',
        '["nothing","0",[["response","","","value",1]]]',
        '["har",0,[["<script>","","","value","x"]]]',
        '["har",0,[["response","","","form",[]]]]',
        '["har",0,[["response","","","form",["POST","x",["a"]]]]]',
        '["har",0,[["response","","","other","x"]]]',
        '["har",0,[{"a":1}]]',
        '[["har"],0,[["response","","","value","x"]]]',
    ],
)
def test_a_carried_field_that_somebody_changed_is_a_sentence(alice: Browser, door: Door, carried: str) -> None:
    judge(alice, door.response())
    again(alice, carried=carried)
    assert alice.page.status_code == 422
    assert "cannot be read" in alice.error_at("capture_text")


def test_a_carried_field_with_hostile_texts_is_only_text(alice: Browser, door: Door) -> None:
    judge(alice, door.response())
    source = ["POST", "x", ["SAMLResponse", "<script>alert(1)</script>\u202e\ud800"]]
    hostile = "<script>alert(2)</script>\u202e\ud800\0"
    again(alice, carried=json.dumps(["har", 0, [["response", hostile, hostile, "form", source]]]))
    assert alice.page.status_code == 200
    assert "<script>alert" not in alice.page.text
    assert not any("\u202e" in text for text in alice.html.xpath("//main//text()"))


@pytest.mark.parametrize(
    "capture",
    [
        b"<samlp:Response xmlns:samlp='urn:oasis:names:tc:SAML:2.0:protocol' ID='<script>alert(1)</script>'/>",
        b"<samlp:Response xmlns:samlp='urn:oasis:names:tc:SAML:2.0:protocol'>\x00\x1b[31m\xff\xfe\xe2\x80\xae",
        b"<samlp:Response xmlns:samlp='urn:oasis:names:tc:SAML:2.0:protocol' a='" + b"x" * 1_000_000 + b"'/>",
        b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
        b"\x89PNG\r\n\x1a\n\x00\xff",
        b"\xff\xfe<\x00",
        b'{"log":{"entries":[{"request":{"method":"POST","url":"https://x/\\ud800\\u202e","postData":{"text":"SAMLResponse=PHg%2B%ff"}}}]}}',
        b'{"log":{"entries":[{"request":{"method":"POST","url":"javascript:<script>","postData":{"params":[{"name":"SAMLResponse","value":"\\ud800"}]}}}]}}',
    ],
)
def test_hostile_captures_are_harmless(alice: Browser, capture: bytes) -> None:
    judge(alice, file=capture)
    assert alice.page.status_code in {200, 422}
    assert "<script>alert" not in alice.page.text
    assert "root:x" not in alice.page.text
    assert not any("\u202e" in text for text in alice.html.xpath("//main//text()"))


def test_hostile_names_in_a_message_are_text(alice: Browser, door: Door) -> None:
    judge(alice, door.response(name_id="<b>\u202eevil", attributes={"<script>": ("x" * 1000, "\u202e")}))
    assert not alice.html.xpath("//main//script")
    assert not any("\u202e" in text for text in alice.html.xpath("//main//text()"))


def test_a_capture_that_is_too_large_is_a_sentence(alice: Browser) -> None:
    judge(alice, file=b"x" * (MAX_CAPTURE_BYTES + 1))
    assert alice.page.status_code == 422
    assert "larger than 16 MiB" in alice.error_at("capture_text")


def test_a_paste_of_more_than_a_mebibyte_is_taken(alice: Browser, door: Door) -> None:
    padding = [{"request": {"method": "GET", "url": "https://x/" + "a" * 1000}}] * 1200
    log = json.loads(har({"SAMLResponse": post_field(door.response())}))
    log["log"]["entries"] += padding
    judge(alice, json.dumps(log))
    assert outcome(alice) == "It would be accepted"


def test_it_takes_a_form_of_ours(alice: Browser) -> None:
    assert alice.post(JUDGE, data={"capture_text": "x"}).status_code == 403


def test_charlie_judges_with_his_own_settings_only(charlie: Browser, door: Door) -> None:
    assert charlie.open(JUDGE).status_code == 404
    charlie.open("/account-manager")
    assert charlie.post(JUDGE, data={"csrf_token": charlie.token, "capture_text": "PHg+"}).status_code == 404
    charlie.open(f"{FABRIKAMS_LOG}/judge")
    charlie.submit(f"{FABRIKAMS_LOG}/judge", files={"capture": b""}, capture_text=door.response().decode())
    assert outcome(charlie) == "It would be refused"
    assert charlie.html.xpath("//select[@name='version']/option/@value") == ["1"]


def test_another_companys_issuer_is_not_named(charlie: Browser, door: Door) -> None:
    charlie.open(f"{FABRIKAMS_LOG}/judge")
    charlie.submit(
        f"{FABRIKAMS_LOG}/judge", files={"capture": b""}, capture_text=Idp.make(FABRIKAM_ISSUER).response().decode()
    )
    assert outcome(charlie) == "It would be refused"
    assert door.idp.entity_id not in charlie.page.text


def test_nobody_gets_a_body_read_without_a_session(app: FastAPI) -> None:
    """A stranger could otherwise have us take 17 MiB in for each request."""
    statuses = []

    async def receive() -> Message:
        raise AssertionError("something was read")

    async def send(message: Message) -> None:
        statuses.append(message.get("status"))

    headers = [(b"host", b"localhost:8000"), (b"content-type", b"multipart/form-data; boundary=x")]
    scope = {"type": "http", "method": "POST", "path": JUDGE, "headers": headers, "query_string": b""}
    asyncio.run(app({**scope, "http_version": "1.1", "scheme": "http", "raw_path": JUDGE.encode()}, receive, send))
    assert statuses[0] in {303, 403}


@pytest.mark.parametrize(
    ("path", "status"), [(JUDGE, 422), (JUDGE.replace("sign-in-log/judge", "certificate"), 413), ("/sso/login/", 413)]
)
def test_no_other_page_takes_as_much(alice: Browser, path: str, status: int) -> None:
    alice.open(JUDGE)
    page = alice.post(path, data={"csrf_token": alice.token}, files={"capture": b"x" * 300_000})
    assert page.status_code == status


def test_a_long_body_comes_as_a_file_only(alice: Browser) -> None:
    """Percent-decoding so much would hold up everybody else."""
    alice.open(JUDGE)
    page = alice.post(JUDGE, data={"csrf_token": alice.token, "capture_text": "x" * 300_000})
    assert page.status_code == 413


def test_too_long_a_body_is_turned_away(alice: Browser) -> None:
    alice.open(JUDGE)
    page = alice.post(JUDGE, data={"csrf_token": alice.token}, files={"capture": b"x" * (18 * 1024 * 1024)})
    assert page.status_code == 413


def test_large_captures_are_read_one_after_the_other(alice: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_form, "_PATIENCE", 0.01)
    with capture_form._one_at_a_time:
        judge(alice, file=b"x" * 1_100_000)
        assert alice.page.status_code == 503
        judge(alice, file=b"x" * 1000)
        assert alice.page.status_code == 422
    judge(alice, file=b"x" * 1_100_000)
    assert alice.page.status_code == 422


def test_the_log_leads_here(alice: Browser, door: Door) -> None:
    alice.open(LOG)
    assert JUDGE in alice.html.xpath("//main//a/@href")
    door.accepted()
    alice.open(LOG)
    assert JUDGE in alice.html.xpath("//main//a/@href")
