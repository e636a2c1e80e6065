"""Logout messages at the running pages: which sessions end, and which go on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from attack import attack
from attacks.traces import configure
from browser import Browser, StillClock
from cast import ALICE, BOB, BRITTA, CONTOSO_ISSUER, FABRIKAM_ISSUER
from fastapi import FastAPI
from logouts import posted_form, query, request, response, soap_body
from responses import EMAIL_FORMAT, Idp, all_of, post_field, with_attribute
from sqlalchemy import select

from sp.flows.account_setup import Saved
from sp.models import SignOutMessage, UserSession
from sp.saml.logout_messages import Kind
from sp.saml.messages import Limits
from sp.saml.redirect_binding import Carried, RedirectMessage, read_query
from sp.store.engine import Database
from sp.web.state import Service

SIGN_OUT = "https://idp.contoso.example/sign-out"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"


@pytest.fixture
def idp(service: Service) -> Idp:
    """Contoso's identity provider, which has a sign-out by Redirect; Fabrikam has another one."""
    contoso = Idp.make(CONTOSO_ISSUER)
    connect(service, contoso, sign_out_url=SIGN_OUT, sign_out_binding="redirect")
    return contoso


def connect(service: Service, idp: Idp, slug: str = "business", **changes: Any) -> None:
    assert isinstance(configure(service, slug, idp, **changes), Saved)


@pytest.fixture
def sign_in(app: FastAPI, idp: Idp) -> Callable[..., Browser]:
    """Somebody with a new session of their own; the assertion's ID is its SessionIndex too."""

    def opened(index: str | None = "_one", signer: Idp = idp, **given: Any) -> Browser:
        browser = Browser(app)
        nameless = {"mutate": with_attribute(AUTHN, "SessionIndex", None)}
        given = ({"assertion_id": index} if index else nameless) | given
        browser.post("/saml2", data={"SAMLResponse": post_field(signer.response(**given))})
        assert is_signed_in(browser)
        return browser

    return opened


AUTHN = "saml:Assertion/saml:AuthnStatement"


def is_signed_in(browser: Browser) -> bool:
    return browser.client.get("/my-profile", follow_redirects=False).status_code == 200


def rows(database: Database) -> list[SignOutMessage]:
    with database.reading() as session:
        return list(session.execute(select(SignOutMessage).order_by(SignOutMessage.id)).scalars())  # type: ignore[arg-type]


def ask(app: FastAPI, idp: Idp, *, relay_state: str | None = None, **given: Any) -> Any:
    """The identity provider's LogoutRequest by Redirect, in a browser without any cookie."""
    stranger = Browser(app)
    stranger.client.follow_redirects = False
    octets = query(
        idp, request(idp, **{"now": app.state.service.now(), **given}, signed=False), relay_state=relay_state
    )
    return stranger.client.get(f"/saml2/slo?{octets.decode()}")


def answered(answer: Any, idp: Idp = Idp.make(CONTOSO_ISSUER)) -> tuple[str, str]:  # noqa: ARG001, B008
    """Where the LogoutResponse goes, and the codes of its status."""
    parts = urlsplit(answer.headers["location"])
    message = read_query(parts.query.encode(), Carried.RESPONSE, Limits())
    assert isinstance(message, RedirectMessage)
    codes = [part.split('"')[0].rpartition(":")[2] for part in message.xml.decode().split('StatusCode Value="')[1:]]
    return parts._replace(query="").geturl(), "/".join(codes)


Opens = Callable[..., Browser]


@attack("SLO-09", "A LogoutRequest ends the session that it names, and no other of that person's")
def test_only_the_named_session_ends(app: FastAPI, idp: Idp, sign_in: Opens) -> None:
    first, second = sign_in("_one"), sign_in("_two")
    assert answered(ask(app, idp, session_indexes=("_two",))) == (SIGN_OUT, "Success")
    assert (is_signed_in(first), is_signed_in(second)) == (True, False)


def test_without_an_index_every_session_of_the_person_ends(app: FastAPI, idp: Idp, sign_in: Opens) -> None:
    first, second, bob = sign_in("_one"), sign_in("_two"), sign_in("_three", name_id=BOB.email)
    ask(app, idp)
    assert [is_signed_in(browser) for browser in (first, second, bob)] == [False, False, True]


@attack("SLO-09.other", "The SessionIndex of somebody else under one's own name")
def test_an_index_of_somebody_else_ends_nothing(app: FastAPI, idp: Idp, sign_in: Opens) -> None:
    britta, bob = sign_in("_brittas"), sign_in("_bobs", name_id=BOB.email)
    assert answered(ask(app, idp, name_id=BOB.email, session_indexes=("_brittas",)))[1] == "Success"
    assert (is_signed_in(britta), is_signed_in(bob)) == (True, True)


@attack("SLO-09.company", "Another company's identity provider names Britta")
def test_another_company_cannot_sign_her_out(app: FastAPI, service: Service, sign_in: Opens) -> None:
    britta = sign_in("_one")
    fabrikam = Idp.make(FABRIKAM_ISSUER)
    connect(service, fabrikam, "fabrikam", sign_out_url="https://idp.fabrikam.example/sign-out")
    assert answered(ask(app, fabrikam))[0] == "https://idp.fabrikam.example/sign-out"
    assert is_signed_in(britta)


def test_a_session_with_a_password_is_not_the_identity_providers(app: FastAPI, idp: Idp, britta: Browser) -> None:
    ask(app, idp)
    assert is_signed_in(britta)


@attack("SLO-10", "The same name under another Format or qualifier", count=4)
@pytest.mark.parametrize(
    "attributes",
    [
        {"Format": PERSISTENT},
        {},
        {"Format": EMAIL_FORMAT, "NameQualifier": "https://idp.mallory.example/"},
        {"Format": EMAIL_FORMAT, "SPNameQualifier": "https://sp.example/"},
    ],
    ids=["format", "no format", "name qualifier", "sp name qualifier"],
)
def test_another_name_is_somebody_else(
    app: FastAPI, idp: Idp, sign_in: Opens, database: Database, attributes: dict[str, str]
) -> None:
    britta = sign_in()
    ask(app, idp, name_id_attributes=attributes)
    assert is_signed_in(britta)
    (row,) = rows(database)
    assert (row.outcome, row.sessions_ended) == ("accepted", 0)


@pytest.mark.parametrize("written_out", ["in the assertion", "in the request"])
def test_a_qualifier_that_is_left_out_is_what_the_context_says(
    app: FastAPI, idp: Idp, sign_in: Opens, written_out: str
) -> None:
    """Core 8.3.7: the issuer, and the service that the message is meant for."""
    whole = {"NameQualifier": CONTOSO_ISSUER, "SPNameQualifier": "http://localhost:8000/saml2"}
    named = all_of(*(with_attribute("saml:Assertion/saml:Subject/saml:NameID", *pair) for pair in whole.items()))
    britta = sign_in(None) if written_out == "in the request" else sign_in("", mutate=named)
    ask(app, idp, name_id_attributes={"Format": EMAIL_FORMAT} | (whole if written_out == "in the request" else {}))
    assert not is_signed_in(britta)


@attack("SLO-09.spelling", "The name with a space, or with what only case folding makes the same", count=3)
@pytest.mark.parametrize("name", [f"{BRITTA.email} ", BRITTA.email.replace("s", "\u017f"), f"{BRITTA.email}\u0345"])
def test_another_name_ends_nothing(app: FastAPI, idp: Idp, sign_in: Opens, name: str) -> None:
    britta = sign_in()
    ask(app, idp, name_id=name)
    assert is_signed_in(britta)


def test_the_username_in_another_case_is_hers_at_the_sign_out_too(app: FastAPI, idp: Idp, sign_in: Opens) -> None:
    """She signs in by it, so a session of hers must not go on because it is spelled otherwise at the end."""
    britta = sign_in()
    ask(app, idp, name_id=BRITTA.email.upper())
    assert not is_signed_in(britta)


@attack("SLO-08.twice", "A LogoutRequest once more, after Britta has signed in again")
def test_a_request_works_once(app: FastAPI, idp: Idp, sign_in: Opens, database: Database) -> None:
    sign_in("_one")
    ask(app, idp, identifier="_same")
    again = sign_in("_two")
    assert answered(ask(app, idp, identifier="_same"))[1] == "Requester"
    assert is_signed_in(again)
    assert [row.failed for row in rows(database)] == [[], ["logout_replay"]]


@attack("SLO-13", "A LogoutRequest in a frame, without any cookie: no hindrance, and no other session ends", count=0)
@pytest.mark.parametrize("binding", ["redirect", "post", "soap"])
def test_no_cookie_is_needed(app: FastAPI, idp: Idp, sign_in: Opens, binding: str) -> None:
    britta, stranger = sign_in(), Browser(app)
    stranger.client.follow_redirects = False
    now = app.state.service.now()
    if binding == "redirect":
        ask(app, idp)
    elif binding == "post":
        fields = dict(posted_form(request(idp, now=now), Kind.REQUEST).fields)
        assert stranger.post("/saml2/slo", data=fields).status_code == 303
    else:
        body = soap_body(request(idp, now=now, destination=None))
        answer = stranger.post("/saml2/slo/soap", content=body, headers={"Content-Type": "text/xml"})
        assert (answer.status_code, "status:Success" in answer.text) == (200, True)
    assert not is_signed_in(britta)


@attack("SLO-14", "A copied cookie, the back button and another window after the sign-out")
def test_a_session_that_ended_is_over_for_every_copy_of_its_cookie(app: FastAPI, idp: Idp, sign_in: Opens) -> None:
    britta = sign_in()
    copied = Browser(app)
    copied.client.cookies = britta.client.cookies
    window = Browser(app)
    window.client.cookies.update(dict(britta.client.cookies))
    ask(app, idp)
    assert [is_signed_in(browser) for browser in (britta, copied, window)] == [False] * 3


@attack("SLO-14.here", "The same after a sign-out that began here")
def test_the_session_ends_before_the_identity_provider_is_asked(app: FastAPI, sign_in: Opens) -> None:
    britta = sign_in()
    window = Browser(app)
    window.client.cookies.update(dict(britta.client.cookies))
    britta.open("/my-profile")
    britta.client.follow_redirects = False
    britta.submit("/sign-out")
    assert not is_signed_in(window)


@attack("SLO-16", "A RelayState that would lead elsewhere: it only ever goes back to the identity provider", count=2)
@pytest.mark.parametrize("state", ["https://evil.example/", "//evil.example"])
def test_a_relay_state_leads_nowhere(app: FastAPI, idp: Idp, sign_in: Opens, state: str) -> None:
    sign_in()
    answer = ask(app, idp, relay_state=state)
    parts = urlsplit(answer.headers["location"])
    assert parts._replace(query="").geturl() == SIGN_OUT
    assert parse_qs(parts.query)["RelayState"] == [state]


@attack("SLO-16.answer", "The same with the answer to a sign-out that began here")
def test_the_relay_state_of_an_answer_is_never_followed(app: FastAPI, idp: Idp, clock: StillClock) -> None:
    browser = Browser(app)
    browser.client.follow_redirects = False
    octets = query(
        idp, response(idp, now=clock.now, signed=False), Kind.RESPONSE, relay_state="https://evil.example/"
    ).decode()
    answer = browser.open(f"/saml2/slo?{octets}")
    assert "location" not in answer.headers
    assert "evil.example" not in answer.text


@attack("SLO-04.nowhere", "Whoever is not verified is sent nowhere and gets no signature of ours", count=4)
@pytest.mark.parametrize("flaw", ["stranger", "forged", "unsigned", "changed"])
def test_an_unverified_request_gets_a_page(app: FastAPI, idp: Idp, sign_in: Opens, flaw: str) -> None:
    britta = sign_in()
    signer = {"stranger": Idp.make("https://idp.mallory.example/"), "forged": idp.with_key("mallory")}.get(flaw, idp)
    octets = query(signer, request(signer, now=app.state.service.now(), signed=False), signed=flaw != "unsigned")
    if flaw == "changed":
        octets = octets.replace(b"SigAlg", b"RelayState=added&SigAlg")
    stranger = Browser(app)
    stranger.client.follow_redirects = False
    answer = stranger.open(f"/saml2/slo?{octets.decode()}")
    assert answer.status_code in {400, 403}
    assert "location" not in answer.headers
    assert 'name="SAMLResponse"' not in answer.text
    assert is_signed_in(britta)


@attack("SLO-05.page", "A request that came too late ends nothing; its sender is told so")
def test_a_late_request_is_answered_and_ends_nothing(app: FastAPI, idp: Idp, sign_in: Opens) -> None:
    britta = sign_in()
    assert answered(ask(app, idp, valid_for=timedelta(minutes=-4)))[1] == "Requester"
    assert is_signed_in(britta)


@attack("AUT-10", "A SessionIndex of ten thousand characters is kept, and told from another that begins alike")
def test_a_long_session_index(app: FastAPI, idp: Idp, sign_in: Opens, database: Database) -> None:
    long, alike = "x" * 10_000, "x" * 9_999 + "y"
    britta = sign_in("_a", mutate=with_attribute(AUTHN, "SessionIndex", long))
    ask(app, idp, session_indexes=(alike,))
    assert is_signed_in(britta)
    ask(app, idp, session_indexes=(long,))
    assert not is_signed_in(britta)
    with database.reading() as session:
        assert session.execute(select(UserSession)).scalars().all() == []


def test_a_session_without_an_index_cannot_be_named_by_one(app: FastAPI, idp: Idp, sign_in: Opens) -> None:
    """The identity provider hears that something of the person goes on here."""
    nameless, named = sign_in(None), sign_in("_two")
    assert answered(ask(app, idp, session_indexes=("_two",)))[1] == "Responder/PartialLogout"
    assert (is_signed_in(nameless), is_signed_in(named)) == (True, False)


@attack("SLO-11.browser", "Mallory's answer to Britta's sign-out, in Mallory's browser and in hers", count=2)
def test_an_answer_counts_in_the_browser_that_asked(idp: Idp, sign_in: Opens, clock: StillClock) -> None:
    britta, mallory = sign_in(), sign_in("_m", name_id=BOB.email)
    sign_out_here(mallory)  # a browser of which something waits too
    identifier = sign_out_here(britta)
    answer = query(idp, response(idp, now=clock.now, in_response_to=identifier, signed=False), Kind.RESPONSE).decode()
    stolen = mallory.open(f"/saml2/slo?{answer}")
    assert (stolen.status_code, "a sign-out that this browser has begun" in stolen.text) == (403, True)
    assert "confirmed" in britta.open(f"/saml2/slo?{answer}").text
    assert britta.open(f"/saml2/slo?{answer}").status_code == 403


def sign_out_here(browser: Browser) -> str:
    """Press "Sign Out"; the ID of the LogoutRequest that the page leads on with."""
    browser.open("/my-profile")
    browser.submit("/sign-out")
    (link,) = browser.html.xpath("//main//a/@href")
    message = read_query(urlsplit(link).query.encode(), Carried.REQUEST, Limits())
    assert isinstance(message, RedirectMessage)
    return message.xml.decode().partition(' ID="')[2].partition('"')[0]


@attack("SLO-19", "A sign-out issuer that another company uses")
def test_a_sign_out_issuer_belongs_to_one_account(service: Service, idp: Idp) -> None:
    connect(service, idp, sign_out_issuer="https://login.contoso.example/")
    fabrikam = Idp.make(FABRIKAM_ISSUER)
    for taken in (CONTOSO_ISSUER, "https://login.contoso.example/"):
        refused = configure(service, "fabrikam", fabrikam, sign_out_issuer=taken)
        assert not isinstance(refused, Saved)
        assert list(refused.errors) == ["sign_out_issuer"]
    assert not isinstance(configure(service, "fabrikam", Idp.make("https://login.contoso.example/")), Saved)


@attack("SLO-20", "A name that was signed in by the provider before is not told to its successor")
def test_the_next_identity_provider_hears_nothing_of_old_sessions(service: Service, idp: Idp, sign_in: Opens) -> None:
    britta = sign_in()
    connect(service, Idp.make("https://idp.successor.example/"), sign_out_url=SIGN_OUT, sign_out_binding="redirect")
    britta.open("/my-profile")
    britta.submit("/sign-out")
    assert "idp.contoso.example" not in britta.page.text
    assert idp.entity_id not in britta.page.text


def test_alice_reads_whom_it_was_about(app: FastAPI, idp: Idp, sign_in: Opens, database: Database) -> None:
    sign_in()
    ask(app, idp)
    (row,) = rows(database)
    assert (row.kind, row.binding, row.outcome, row.name_id) == ("request", "redirect", "accepted", BRITTA.email)
    assert (row.sessions_ended, row.issuer) == (1, CONTOSO_ISSUER)
    assert ALICE.email not in str(row.model_dump())
