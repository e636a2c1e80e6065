""" "Judge again" on an attempt's page."""

from __future__ import annotations

import pytest
from browser import Browser
from responses import Idp
from sqlalchemy import func, select
from web.sign_in_log.conftest import LOG, Door

from sp.flows.assertion_consumer import SignIn
from sp.models import ConsumedAssertion, SignInAttempt, SsoSettings, User, UserSession
from sp.saml import names
from sp.web.state import Service


def judged(browser: Browser, sign_in: SignIn, **typed: str) -> Browser:
    browser.open(f"{LOG}/{sign_in.reference}")
    browser.submit(f"{LOG}/{sign_in.reference}/judge-again", files=None, **typed)
    return browser


def side(browser: Browser, title: str) -> str:
    (found,) = browser.html.xpath("//section[@aria-label=$title]", title=title)
    return " ".join(found.text_content().split())


def changed(browser: Browser) -> list[str]:
    """The titles of the checks that are shown as different."""
    return [str(title) for title in browser.html.xpath("//table[@id='different-checks']/tbody//strong/text()")]


def rows(service: Service) -> list[int]:
    tables = (User, UserSession, ConsumedAssertion, SignInAttempt, SsoSettings)
    with service.database.reading() as session:
        return [int(session.execute(select(func.count()).select_from(table)).scalar_one()) for table in tables]


def test_without_a_change_it_is_the_same(alice: Browser, door: Door) -> None:
    for sign_in in (door.accepted(), door.refused()):
        judged(alice, sign_in)
        assert alice.page.status_code == 200
        assert "No check comes out differently" in alice.text()


@pytest.mark.parametrize(
    ("response", "typed", "title"),
    [
        ({"audience": "urn:x"}, {"entity_id": "urn:x"}, "Audience"),
        ({"recipient": "https://x/", "destination": "https://x/"}, {"acs_url": "https://x/"}, "Recipient"),
        ({"method": names.RSA_SHA1}, {"allow_sha1": "yes"}, "Signature algorithms"),
    ],
)
def test_what_would_have_helped(
    alice: Browser, door: Door, response: dict[str, str], typed: dict[str, str], title: str
) -> None:
    judged(alice, door.refused(**({"audience": "http://localhost:8000/saml2"} | response)), **typed)
    assert "Refused" in side(alice, "Then")
    assert "Accepted" in side(alice, "With these settings")
    assert title in changed(alice)


def test_another_time(alice: Browser, door: Door) -> None:
    judged(alice, door.accepted(), at="2030-02-01T12:00:00Z")
    assert "Accepted" in side(alice, "Then")
    assert "Refused" in side(alice, "With these settings")
    assert "Not on or after" in changed(alice)


def test_a_pasted_certificate(alice: Browser, door: Door) -> None:
    rolled = door.idp.with_key("rolled over")
    judged(alice, door.post(rolled.response()), certificate_text=rolled.certificate_pem.decode())
    assert "Accepted" in side(alice, "With these settings")


def test_an_uploaded_certificate(alice: Browser, door: Door) -> None:
    rolled = door.idp.with_key("rolled over")
    sign_in = door.post(rolled.response())
    alice.open(f"{LOG}/{sign_in.reference}")
    alice.submit(f"{LOG}/{sign_in.reference}/judge-again", files={"certificate": rolled.certificate_der})
    assert "Accepted" in side(alice, "With these settings")


def test_another_version(alice: Browser, door: Door) -> None:
    sign_in = door.accepted()
    judged(alice, sign_in, version="1")
    assert "Refused" in side(alice, "With these settings")
    assert {"Issuer"} <= set(changed(alice))


def test_another_signed_part(alice: Browser, door: Door) -> None:
    judged(alice, door.accepted(signed="assertion"), signed_part="both")
    assert changed(alice)[0] == "Signature present"


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("at", "yesterday"),
        ("version", "99"),
        ("version", "x"),
        ("certificate", ""),
        ("entity_id", "x" * 3000),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(alice: Browser, door: Door, field: str, typed: str) -> None:
    sent = {"certificate_text": "no certificate"} if field == "certificate" else {field: typed}
    judged(alice, door.accepted(), **sent, issuer="urn:kept")
    assert alice.page.status_code == 422
    assert alice.error_at(field)
    assert alice.value_of("issuer") == "urn:kept"


def test_a_private_key_is_not_shown_again(alice: Browser, door: Door) -> None:
    key = door.idp.key_pem.decode()
    judged(alice, door.accepted(), certificate_text=key)
    assert alice.page.status_code == 422
    assert key.splitlines()[1] not in alice.page.text


def test_nothing_is_left_behind(alice: Browser, door: Door) -> None:
    sign_in = door.refused()
    before = rows(door.service)
    judged(alice, sign_in, entity_id="urn:another")
    assert "Accepted" in side(alice, "With these settings")
    assert rows(door.service) == before
    assert door.attempt(sign_in).outcome == "refused"


def test_it_takes_a_form_of_ours(alice: Browser, door: Door) -> None:
    sign_in = door.refused()
    assert alice.post(f"{LOG}/{sign_in.reference}/judge-again", data={"entity_id": "urn:x"}).status_code == 403


def test_the_address_alone_leads_back(alice: Browser, door: Door) -> None:
    sign_in = door.refused()
    assert alice.open(f"{LOG}/{sign_in.reference}/judge-again").url.path == f"{LOG}/{sign_in.reference}"


def test_charlie_cannot_judge_contosos(charlie: Browser, door: Door) -> None:
    sign_in = door.refused()
    charlie.open("/account-manager")
    page = charlie.post(f"{LOG}/{sign_in.reference}/judge-again", data={"csrf_token": charlie.token})
    assert page.status_code == 404


def test_charlies_versions_cannot_be_chosen_by_alice(alice: Browser, door: Door) -> None:
    """The form names versions by their number within the account, so no other account's can be named."""
    sign_in = door.post(Idp.make().response())
    judged(alice, sign_in)
    assert alice.html.xpath("//select[@name='version']/option/@value") == ["2", "1"]


def test_hostile_words_are_text(alice: Browser, door: Door) -> None:
    judged(alice, door.accepted(), entity_id="<script>alert(1)</script>\u202e")
    assert "<script>alert" not in alice.page.text
    assert not any("\u202e" in text for text in alice.html.xpath("//main//text()"))
