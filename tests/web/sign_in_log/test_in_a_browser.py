"""The sign-in log in a real browser: rows appear by themselves, and every page is usable by everybody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import PASSWORD, StillClock
from cast import ALICE, NOW
from playwright.sync_api import Browser, Page, expect
from quiet_server import QuietServer, listening
from responses import Idp
from web.conftest import connect
from web.sign_in_log.conftest import LOG, Door

from sp.app import create_app
from sp.flows.opening import open_database
from sp.settings import Settings

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Door]]:
    """The address of a running service, and its door."""
    folder: Path = tmp_path_factory.mktemp("running")
    clock = StillClock(NOW)
    sockets, host = listening()
    settings = Settings(
        data_dir=folder, admin_username=ALICE.email, admin_password=PASSWORD, allowed_hosts=f"{host}, 127.0.0.1"
    )
    app = create_app(settings, open_database(settings, clock), clock)
    idp = Idp.make()
    connect(app.state.service, idp)
    with QuietServer(app, sockets) as server:
        yield server.base_url, Door(app.state.service, clock, idp)


def window(chromium: Browser, house: tuple[str, Door], **options: object) -> Page:
    page = chromium.new_context(base_url=house[0], **options).new_page()  # type: ignore[arg-type]
    page.goto("/")
    page.get_by_label("8x8 Username").or_(page.get_by_label("Username")).first.fill(ALICE.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Application Panel")).to_be_visible()
    return page


def test_an_attempt_appears_by_itself_and_not_while_paused(chromium: Browser, house: tuple[str, Door]) -> None:
    door = house[1]
    page = window(chromium, house)
    page.goto(LOG)
    expect(page.get_by_text("No sign-in has been tried yet")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="Live")).to_have_text("Live")
    first = door.refused()
    expect(page.get_by_role("link", name=first.reference)).to_be_visible()  # the page made itself anew
    expect(page.get_by_role("status").filter(has_text="Live")).to_have_text("Live")

    second = door.accepted()
    rows = page.get_by_role("table", name="Sign-in attempts").get_by_role("row")
    expect(rows.nth(1)).to_contain_text(second.reference)
    expect(rows).to_have_count(3)
    expect(page.get_by_text("2 attempts")).to_be_visible()
    expect(page.get_by_role("figure")).to_contain_text("1 accepted 1 refused")

    page.get_by_role("button", name="Pause").click()
    third = door.refused()
    page.wait_for_timeout(1500)
    expect(rows).to_have_count(3)
    page.get_by_role("button", name="Resume").click()
    expect(rows.nth(1)).to_contain_text(third.reference)
    page.context.close()


def test_what_a_stranger_sends_leaves_every_page_usable(chromium: Browser, house: tuple[str, Door]) -> None:
    door = house[1]
    hostile = door.refused(name_id="<b>\u202e" + "x" * 90, attributes={"urn:" + "y" * 90: ("z" * 500, "\u202e")})
    page = window(chromium, house, color_scheme="dark", viewport={"width": 390, "height": 900})
    for path in (
        LOG,
        f"{LOG}?outcome=refused&issuer=x",
        f"{LOG}/{door.accepted().reference}",
        f"{LOG}/{hostile.reference}",
    ):
        page.goto(path)
        check(page, path)
    page.get_by_role("button", name="Judge again").click()
    expect(page.get_by_role("heading", name="With these settings")).to_be_visible()
    check(page, "judged again")
    page.context.close()


def check(page: Page, path: str) -> None:
    violations = Axe().run(page).response["violations"]
    assert [violation["id"] for violation in violations] == [], path
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
