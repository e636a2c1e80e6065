"""Every page of both applications: usable by everybody, in light and dark, on a desk and in a hand.

With `make pictures` each leaves its pictures in `test-results/pages/`, to be looked at by eye.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from cast import NOW
from journeys import steps
from journeys.conftest import RESULTS, leave_pictures_of_a_failure
from journeys.views import EMPTY, FILLED, View
from journeys.windows import NARROW, WIDE, Windows
from playwright.sync_api import Browser, Page, StorageState, expect
from processes.program import PASSWORD, Installation, Program
from profiles import profile
from responses import Idp, post_field

from sp.client import VirtualOffice, Workspaces
from sp.models import UserSource, UserStatus
from sp.store import accounts, users
from sp.store.engine import Database

pytestmark = pytest.mark.browser

PICTURES = RESULTS / "pages"
WANTED = "PICTURES" in os.environ  # four of every page take longer than all that is asked of it
ALL_RULES: dict[str, object] = {"resultTypes": ["violations"]}
OF_COLORS = ALL_RULES | {"runOnly": {"type": "rule", "values": ["color-contrast"]}}  # only colors change with the theme
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
TALLEST = 6000  # pixels


@dataclass
class Tour:
    """A running pair, where its pages are, and who is signed in."""

    places: dict[str, str]
    signed_in: dict[str, StorageState | None] = field(default_factory=lambda: {"nobody": None})

    @classmethod
    def of(cls, place: Installation) -> Tour:
        return cls({"service": place.base_url, "directory": place.demo_url})

    def remember(self, who: str, page: Page) -> None:
        self.signed_in[who] = page.context.storage_state()


@pytest.fixture(scope="module")
def empty(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    settings = {"ADMIN_PASSWORD": PASSWORD, "DETAILS_PUBLIC": "false"}
    place = Installation(tmp_path_factory.mktemp("empty"), settings=settings)
    with place.start("demo"):
        windows, tour = Windows(chromium), Tour.of(place)
        administrator = windows.open()
        steps.sign_in_administrator(administrator, place, PASSWORD)
        tour.remember("administrator", administrator)
        windows.close()
        yield tour


@pytest.fixture(scope="module")
def filled(chromium: Browser, connected: Program) -> Tour:
    windows, place = Windows(chromium), connected.installation
    tour = Tour.of(place)
    britta, bob, administrator, tester = (windows.open() for _ in range(4))
    visit_as_britta(britta, connected, tour)
    visit_as_bob(bob, place, tour)
    visit_workspace(tester, place, tour)
    add_crowd(place)
    assert place.run("keys", "begin-rollover", "--purpose", "signing").returncode == 0
    steps.sign_in_administrator(administrator, place, PASSWORD)
    administrator.goto(f"{place.base_url}/account-manager/business/accounts/user-profiles?q=BrittaSimon")
    tour.places["user"] = last_part(administrator, "Edit Britta Simon")
    tour.remember("administrator", administrator)
    windows.close()
    return tour


def visit_as_britta(page: Page, connected: Program, tour: Tour) -> None:
    user_name, password = connected.printed("user name", 1), connected.printed("password", 1)
    steps.sign_in_to_access_panel(page, connected.installation, user_name, password)
    tour.places["application"] = last_part(page, steps.APPLICATION)
    with page.expect_request(connected.installation.acs_url) as caught:
        steps.click_tile(page)
    steps.expect_application_panel(page, connected.installation, "Britta Simon")
    sent = parse_qs(caught.value.post_data or "")["SAMLResponse"][0]
    changed = base64.b64decode(sent).replace(b">Britta<", b">Mallory<")
    tour.places |= {"replay": sent, "changed": base64.b64encode(changed).decode("ascii")}
    tour.remember("britta", page)


def visit_as_bob(page: Page, place: Installation, tour: Tour) -> None:
    """Bob is in the directory, and not assigned."""
    steps.open_directory(page, place)
    password = steps.create_user(page, "BobOnTour", "Bob", "Brown")
    tour.places["person"] = page.get_by_role("radio", name="Bob Brown").first.get_attribute("value") or ""
    steps.sign_in_to_access_panel(page, place, "BobOnTour", password)
    tour.remember("bob", page)


def visit_workspace(page: Page, place: Installation, tour: Tour) -> None:
    """A workspace with the longest name, whose clock stands where the messages of the cast are sound."""
    idp, workspaces = Idp.make(), Workspaces(place.base_url)
    made = workspaces.create("x" * 64)
    workspaces.close()
    with VirtualOffice(place.base_url, made.token) as office:
        office.configure(issuer=idp.entity_id, certificates=[idp.certificate_pem.decode()], single_sign_on=True)
    mine = Workspaces(place.base_url, made.token)
    mine.stop_clock(made.name, NOW)
    mine.close()
    response = idp.response(audience=made.entity_id, recipient=made.acs_url, destination=made.acs_url)
    httpx.post(made.acs_url, data={"SAMLResponse": post_field(response)}, trust_env=False)
    page.goto(place.base_url)
    page.get_by_label("Username").fill(made.administrator["username"])
    page.get_by_label("Password").fill(made.administrator["password"])
    page.get_by_role("button", name="Sign In").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Application Panel")
    tour.places["workspace"] = made.name
    tour.remember("tester", page)


def last_part(page: Page, link: str) -> str:
    address = page.get_by_role("link", name=link).first.get_attribute("href") or ""
    return address.partition("?")[0].rpartition("/")[2]


def add_crowd(place: Installation) -> None:
    """Enough users for a second page, some disabled, and one whose values do not fit anywhere."""
    database, now = Database(f"sqlite:///{place.data}/virtual-office.db"), datetime.now(UTC)
    with database.writing() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        for number in range(60):
            name = f"user{number:02}@contoso.example"
            user = profile(account, username=name, email=name, created_at=now - timedelta(hours=number))
            user.status = UserStatus.DISABLED if number % 9 == 0 else UserStatus.ACTIVE
            user.source = UserSource.SUPPORT if number % 4 == 0 else UserSource.JUST_IN_TIME
            users.store_user(session, user)
        long = "x" * 200 + "@contoso.example"
        users.store_user(
            session, profile(account, username=long, email=long, first_name="\u202eא " * 30, created_at=now)
        )
    database.close()


@pytest.fixture(scope="module")
def one_window(chromium: Browser) -> Iterator[tuple[Windows, Page]]:
    """For all views one after another: a new window for each takes longer than all that is asked of it."""
    windows = Windows(chromium)
    yield windows, windows.open(reduced_motion="reduce")
    windows.close()


@pytest.fixture
def window(one_window: tuple[Windows, Page], request: pytest.FixtureRequest) -> Iterator[Page]:
    """The window with nobody signed in and nothing remembered."""
    windows, page = one_window
    page.context.clear_cookies()
    page.emulate_media(color_scheme="light")
    yield page
    leave_pictures_of_a_failure(windows, request)
    page.evaluate("localStorage.clear(); sessionStorage.clear()")
    windows.assert_quiet()


def look_at(page: Page, tour: Tour, view: View) -> None:
    sign_in(page, tour.signed_in[view.who])
    page.goto(view.address.format_map(tour.places))
    for deed in view.deeds:
        deed(page, tour.places)
    page.wait_for_load_state()
    found = [fault for theme in THEMES for fault in faults(page, view.name, theme)]
    assert found == []


def sign_in(page: Page, state: StorageState | None) -> None:
    if state is not None:
        page.context.add_cookies(state["cookies"])  # type: ignore[arg-type]


def faults(page: Page, name: str, theme: Theme) -> Iterator[str]:
    """What axe finds, and the width, which is the same in both themes."""
    page.emulate_media(color_scheme=theme)
    for size in (NARROW, WIDE) if theme == "light" or WANTED else ():
        page.set_viewport_size(size)  # type: ignore[arg-type]
        width = size["width"]
        excess = page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
        if excess > 0:
            yield f"{excess} px wider than {width} px"
        if WANTED:
            take_picture(page, PICTURES / f"{name}-{width}-{theme}.png")
    result = Axe().run(page, options=OF_COLORS if theme == "dark" else ALL_RULES)
    if result.violations_count:
        yield f"{theme}: {result.generate_report()}"


def take_picture(page: Page, file: Path) -> None:
    """The whole page; of a very long list only what the window shows: the rest looks the same."""
    whole = page.evaluate("document.scrollingElement.scrollHeight") <= TALLEST
    page.screenshot(path=file, full_page=whole)


@pytest.mark.parametrize("view", EMPTY, ids=str)
def test_before_anything_is_set_up(window: Page, empty: Tour, view: View) -> None:
    look_at(window, empty, view)


@pytest.mark.parametrize("view", FILLED, ids=str)
def test_when_both_sides_are_connected(window: Page, filled: Tour, view: View) -> None:
    look_at(window, filled, view)


def test_every_page_has_its_pictures_under_another_name() -> None:
    names = [view.name for view in EMPTY + FILLED]
    assert sorted(set(names)) == sorted(names)
    assert Path(PICTURES).name == "pages"
