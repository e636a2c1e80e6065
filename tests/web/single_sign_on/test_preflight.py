"""The preflight beside the SAML form: after a save, and while somebody types."""

from __future__ import annotations

import pytest
from browser import Browser
from cast import NOW
from responses import Idp

from sp.flows import account_setup
from sp.flows.account_setup import SsoDraft
from sp.store import accounts
from sp.store.engine import Database

PAGE = "/account-manager/business/accounts/single-sign-on"
LOOK = f"{PAGE}/preflight"
TENANT = "5f1f5cd5-3f2c-4b0e-9c1d-8a1b2c3d4e5f"
ENTRA = f"https://sts.windows.net/{TENANT}/"


def typed(browser: Browser, **fields: str | None) -> list[str]:
    """The rows that stand open, by code, for the page's form with these fields typed over."""
    browser.open(PAGE)
    shown = {name: value for name, value in browser.form(f"{PAGE}/saml").form_values() if isinstance(value, str)}
    sent = {name: value for name, value in (shown | fields).items() if value is not None}
    answer = browser.client.post(LOOK, data=sent)
    assert answer.status_code == 200, answer.text
    assert "<html" not in answer.text
    browser.page = answer
    return open_rows(browser)


def open_rows(browser: Browser) -> list[str]:
    found = browser.html.xpath("//details[starts-with(@id, 'preflight-')][@open]/@id")
    return [str(name).removeprefix("preflight-") for name in found]


def draft(database: Database) -> SsoDraft:
    with database.reading() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        return account_setup.draft_of(session, account)


@pytest.mark.usefixtures("connected")
def test_a_connected_account_has_nothing_in_the_way(alice: Browser) -> None:
    alice.open(PAGE)
    assert open_rows(alice) == []
    assert "Before the first sign-in" in alice.text()
    assert "Nothing stands in the way, as far as can be told." in alice.text()
    assert "Clocks agreeunknown until the first message" in alice.text()


@pytest.mark.usefixtures("connected")
def test_it_follows_what_alice_types_and_saves_nothing(alice: Browser, database: Database) -> None:
    before = draft(database)
    assert typed(alice, issuer=ENTRA.rstrip("/"), sign_in_url="") == ["issuer_exact"]
    assert "Issuer URL as its provider writes it" in alice.text()
    assert ENTRA in alice.text()
    assert typed(alice, issuer=ENTRA, sign_in_url="") == []
    assert draft(database) == before


@pytest.mark.usefixtures("connected")
def test_the_gravest_row_comes_first(alice: Browser) -> None:
    rows = typed(alice, sign_in_url="http://idp.contoso.example/sso", sign_out_url="https://sso.8x8.com/saml2")
    assert rows == ["sign_out_own", "sign_in_https"]
    assert "1 failed, 1 warning." in alice.text()


@pytest.mark.usefixtures("connected")
def test_a_private_key_is_told_and_never_shown(alice: Browser) -> None:
    assert typed(alice, certificate_text="-----BEGIN PRIVATE KEY-----\nc2VjcmV0") == ["savable"]
    assert "Identity Provider Certificate: This is a private key" in alice.text()
    assert "c2VjcmV0" not in alice.page.text


@pytest.mark.usefixtures("connected")
def test_a_new_certificate_is_looked_at_before_it_is_saved(alice: Browser) -> None:
    expired = Idp("https://idp.contoso.example/", "expired", not_after=NOW.replace(month=1, day=1))
    assert typed(alice, certificate_text=expired.certificate_pem.decode()) == ["certificate_time"]
    assert "expired on 2030-01-01" in alice.text()


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize(
    ("time", "rows"),
    [
        (str(int(NOW.timestamp() * 1000)), []),
        (str(int(NOW.timestamp() * 1000) + 300_000), ["browser_clock"]),
        ("9" * 15, []),
        ("9" * 400, []),
        ("-1", []),
        ("soon", []),
        ("１２", []),
    ],
)
def test_the_browsers_clock_is_a_hint(alice: Browser, time: str, rows: list[str]) -> None:
    assert typed(alice, browser_time=time) == rows


@pytest.mark.usefixtures("connected")
def test_without_script_a_refused_form_shows_it_too(alice: Browser) -> None:
    alice.open(PAGE)
    page = alice.submit(f"{PAGE}/saml", issuer="https://sso.8x8.com/saml2", sign_in_url="x")
    assert page.status_code == 422
    assert open_rows(alice) == ["savable", "issuer_own"]


@pytest.mark.usefixtures("connected")
def test_it_never_keeps_anybody_from_saving(alice: Browser, database: Database) -> None:
    alice.open(PAGE)
    alice.submit(f"{PAGE}/saml", issuer=ENTRA.rstrip("/"))
    assert draft(database).issuer == ENTRA.rstrip("/")
    assert "issuer_exact" in open_rows(alice)


def test_before_step_one_there_is_no_form_and_no_panel(alice: Browser) -> None:
    alice.open(PAGE)
    assert "Before the first sign-in" not in alice.text()


@pytest.mark.usefixtures("connected")
def test_markup_and_invisible_characters_stay_text(alice: Browser) -> None:
    assert "issuer_text" in typed(alice, issuer="urn:<script>alert(1)</script>\u202e")
    assert "<script>alert" not in alice.page.text
    assert "\u202e" not in alice.page.text


@pytest.mark.usefixtures("connected")
def test_only_a_form_of_this_browser_is_looked_at(alice: Browser) -> None:
    assert alice.client.post(LOOK, data={"issuer": ENTRA}).status_code == 403
