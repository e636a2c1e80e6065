"""The page "Sign-out": the options, versioned, and the log of logout messages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from browser import Browser, StillClock
from cast import BRITTA, MALLORY_ISSUER
from fastapi import FastAPI
from logouts import by_soap, posted_form, query, request, response, soap_body
from lxml import etree
from responses import Idp
from sqlalchemy import select

from sp.flows.judging_logouts import logout_evidence
from sp.models import SignOutMessage
from sp.saml import names
from sp.saml.logout_messages import Kind
from sp.store import accounts
from sp.store.engine import Database
from sp.web.state import Service

PAGE = "/account-manager/business/accounts/single-sign-on/sign-out"
Connect = Callable[..., Idp]


def send(app: FastAPI, idp: Idp, **given: object) -> None:
    octets = query(idp, request(idp, now=app.state.service.now(), signed=False, **given))  # type: ignore[arg-type]
    browser = Browser(app)
    browser.client.follow_redirects = False
    browser.open(f"/saml2/slo?{octets.decode()}")


def saved(service: Service) -> dict[str, object]:
    with service.database.reading() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        in_force = accounts.settings_in_force(session, account)
        return {name: value for name, value in in_force.model_dump().items() if name.startswith("sign_out")}


def references(database: Database) -> list[str]:
    with database.reading() as session:
        return [row.reference for row in session.execute(select(SignOutMessage)).scalars()]


def test_alice_chooses_how_sign_outs_travel(alice: Browser, connect: Connect, service: Service) -> None:
    connect()
    alice.open(PAGE)
    alice.submit(
        PAGE,
        sign_out_binding="redirect",
        sign_out_response_url=" https://idp.contoso.example/answers ",
        sign_out_issuer="https://login.contoso.example/",
    )
    assert "The options of sign-out have been saved." in alice.text()
    assert saved(service) == {
        "sign_out_url": "https://idp.contoso.example/sign-out",
        "sign_out_binding": "redirect",
        "sign_out_response_url": "https://idp.contoso.example/answers",
        "sign_out_issuer": "https://login.contoso.example/",
    }
    assert "Sign-out method" in alice.open("/account-manager/business/accounts/single-sign-on").text


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("sign_out_url", "javascript:alert(1)", "Enter a whole URL"),
        ("sign_out_response_url", "idp.example", "Enter a whole URL"),
        ("sign_out_issuer", "no uri", "entity ID"),
        ("sign_out_binding", "pigeon", "Choose one of"),
    ],
)
def test_what_cannot_be_saved_is_said_beside_the_field(
    alice: Browser, connect: Connect, service: Service, field: str, value: str, words: str
) -> None:
    connect()
    before = saved(service)
    alice.open(PAGE)
    typed: dict[str, Any] = {field: value}
    alice.submit(PAGE, **typed)
    assert (alice.page.status_code, saved(service)) == (422, before)
    assert words in alice.error_at(field)


def test_a_message_without_an_address_to_be_sent_to(alice: Browser, connect: Connect) -> None:
    connect(sign_out_url="")
    alice.open(PAGE)
    alice.submit(PAGE, sign_out_binding="redirect")
    assert "needs the Sign Out URL" in alice.error_at("sign_out_binding")


def test_bob_does_not_undo_what_alice_saved_meanwhile(alice: Browser, bob: Browser, connect: Connect) -> None:
    connect()
    bob.open(PAGE)
    alice.open(PAGE)
    alice.submit(PAGE, sign_out_binding="post")
    bob.submit(PAGE, sign_out_binding="redirect")
    assert (bob.page.status_code, "Somebody saved meanwhile" in bob.text()) == (409, True)


def test_the_addresses_for_the_identity_provider_stand_there(alice: Browser, connect: Connect) -> None:
    connect()
    text = alice.open(PAGE).text
    assert "http://localhost:8000/saml2/slo" in text
    assert "http://localhost:8000/saml2/slo/soap" in text


def test_the_log_leads_to_each_message(alice: Browser, connect: Connect, app: FastAPI, database: Database) -> None:
    idp = connect()
    send(app, idp)
    send(app, idp, destination="https://sp.example/slo")
    alice.open(PAGE)
    assert alice.text().count("LogoutRequest HTTP-Redirect") == 2
    first, second = references(database)
    alice.open(f"{PAGE}/log/{second}")
    assert "The message is meant for another address" in alice.text()
    assert "https://sp.example/slo" in alice.text()
    alice.open(f"{PAGE}/log/{first}")
    assert "The LogoutRequest is accepted." in alice.text()
    assert BRITTA.email in alice.text()


def test_the_download_has_no_signature_value(
    alice: Browser, connect: Connect, app: FastAPI, database: Database
) -> None:
    idp = connect()
    xml = request(idp, now=app.state.service.now())
    Browser(app).post("/saml2/slo", data=dict(posted_form(xml).fields), follow_redirects=False)
    (reference,) = references(database)
    answer = alice.open(f"{PAGE}/log/{reference}/message")
    values = [value.text or "" for value in etree.fromstring(xml).iter(names.SIGNATURE_VALUE)]
    assert values
    for shown in (answer.text, alice.open(f"{PAGE}/log/{reference}").text):
        assert BRITTA.email in shown
        assert not [value for value in values if value[:40] in shown]
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-type"] == "application/octet-stream"


def test_hostile_content_does_no_harm(alice: Browser, app: FastAPI, connect: Connect, database: Database) -> None:
    connect()
    hostile = (
        b'<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol">'
        b'<Issuer xmlns="urn:oasis:names:tc:SAML:2.0:assertion">https://idp.contoso.example/</Issuer>'
        b"<script>alert(1)</script>\xe2\x80\xae</samlp:LogoutRequest>"
    )
    Browser(app).post("/saml2/slo", data=dict(posted_form(hostile).fields))
    (reference,) = references(database)
    alice.open(f"{PAGE}/log/{reference}")
    assert alice.page.status_code == 200
    assert "<script>alert" not in alice.page.text
    assert "alert(1)" in alice.text()


def test_charlie_sees_nothing_of_it(charlie: Browser, connect: Connect, app: FastAPI, database: Database) -> None:
    send(app, connect())
    send(app, Idp.make(MALLORY_ISSUER))
    for reference in references(database):
        for page in (f"{PAGE}/log/{reference}", f"{PAGE}/log/{reference}".replace("/business/", "/fabrikam/")):
            assert charlie.open(page).status_code == 404
    assert charlie.open(PAGE).status_code == 404
    charlie.open(PAGE.replace("/business/", "/fabrikam/"))
    assert "No logout message yet" in charlie.text()


def test_many_messages_are_a_page_at_a_time(alice: Browser, connect: Connect, app: FastAPI) -> None:
    idp = connect()
    for number in range(52):
        send(app, idp, identifier=f"_{number}")
    alice.open(PAGE)
    assert len(alice.html.xpath("//table[@id='logout-messages']/tbody/tr")) == 50
    (older,) = alice.html.xpath("//a[.='Older']/@href")
    alice.open(f"{PAGE}{older.partition('#')[0]}")
    assert len(alice.html.xpath("//table[@id='logout-messages']/tbody/tr")) == 2
    assert alice.open(f"{PAGE}?before=x").status_code == 422


KINDS_OF_ARRIVAL = ("redirect", "form", "envelope", "answer", "no form", "large", "stranger", "no base64")


@pytest.mark.parametrize("kind", KINDS_OF_ARRIVAL)
def test_the_report_is_that_of_then(
    app: FastAPI, connect: Connect, clock: StillClock, database: Database, kind: str
) -> None:
    """Whatever came, and however the settings change afterwards, the log shows the verdict that was given."""
    idp = connect()
    browser = Browser(app)
    browser.client.follow_redirects = False
    signer = Idp.make(MALLORY_ISSUER) if kind == "stranger" else idp
    xml = request(signer, now=clock.now, signed=kind != "redirect")
    match kind:
        case "redirect":
            browser.open(f"/saml2/slo?{query(idp, xml).decode()}")
        case "envelope":
            browser.post("/saml2/slo/soap", content=by_soap(xml).body, headers={"Content-Type": "text/xml"})
        case "answer":
            answer = response(idp, now=clock.now)
            browser.post("/saml2/slo", data=dict(posted_form(answer, Kind.RESPONSE).fields))
        case "no form":
            browser.post("/saml2/slo", data={"other": "x"})
        case "large":
            body = soap_body(b"<a>" + b"x" * 20_000 + b"</a>")
            browser.post("/saml2/slo/soap", content=body, headers={"Content-Type": "text/xml"})
        case "no base64":
            browser.post("/saml2/slo", data={"SAMLRequest": "<a/>"})
        case _:
            browser.post("/saml2/slo", data=dict(posted_form(xml).fields))
    connect(sign_out_url="", allow_sha1=True)
    clock.now += timedelta(days=1)
    with database.reading() as session:
        (row,) = session.execute(select(SignOutMessage)).scalars()
        evidence = logout_evidence(session, row)
    report = evidence.judgement.report
    assert (list(report.failed), report.accepts) == (row.failed, row.outcome == "accepted")
    assert (row.message is None) is (kind in {"no form", "large", "no base64"})
    assert report.rows
