"""Drives the kit in Chromium: every component, in both themes, wide and narrow, by keyboard, with and without script.

Never starts the service: the journeys do. The policy below is as strict as the service's.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from pages import kit
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'"
)
NAMES = (*kit.PAGES, "error")
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
READ = b"<p>CN=Contoso, RSA 2048 bits</p>"


class Handler(SimpleHTTPRequestHandler):
    """The kit's files under our policy; a posted certificate is always read, and the last post is kept."""

    posted = b""

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def do_POST(self) -> None:
        Handler.posted = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(READ)))
        self.end_headers()
        self.wfile.write(READ)

    def log_message(self, *_: object) -> None:
        """Says nothing: the test says what went wrong."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("kit")
    kit.render(folder)
    (folder / "favicon.ico").touch()  # asked for by the answers to posts, which name no icon
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    context = chromium.new_context(base_url=address, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(5000)
    complaints: list[str] = []
    tab = context.new_page()
    tab.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    yield tab
    context.close()
    assert complaints == []


@pytest.fixture
def plain_page(chromium: Browser, address: str) -> Iterator[Page]:
    """A browser whose script is off."""
    context = chromium.new_context(base_url=address, java_script_enabled=False)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(page: Page, theme: str) -> None:
    found = {}
    for name in NAMES:
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
        page.goto(f"/{name}.html")
        results = Axe().run(page)
        if results.violations_count:
            found[name] = results.generate_report()
    assert found == {}


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_no_page_is_wider_than_the_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    too_wide = {}
    for name in NAMES:
        page.goto(f"/{name}.html")
        excess = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if excess > 0:
            too_wide[name] = excess
    assert too_wide == {}


def test_success_takes_the_focus_and_gives_it_back(page: Page) -> None:
    page.goto("/form.html")
    page.evaluate("sessionStorage.setItem('window-return', '[\"Save\", \"\"]')")  # as pressing "Save" leaves it
    page.goto("/saved.html")
    window = page.get_by_role("dialog", name="Success")
    expect(window.get_by_role("button", name="OK")).to_be_focused()
    page.keyboard.press("Enter")
    expect(window).to_be_hidden()
    expect(page.get_by_role("button", name="Save")).to_be_focused()


def test_success_without_script_is_a_banner_that_closes(plain_page: Page) -> None:
    plain_page.goto("/saved.html")
    plain_page.get_by_role("button", name="OK").click()
    expect(plain_page.get_by_text("The SAML settings have been saved.")).to_be_hidden()


def test_deleting_asks_by_name_and_posts_only_after_yes(page: Page) -> None:
    page.goto("/users.html")
    delete = page.get_by_role("link", name="Delete Britta")
    delete.focus()
    page.keyboard.press("Enter")
    window = page.get_by_role("dialog", name="Delete Britta Simon?")
    expect(window.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(window).to_be_hidden()
    expect(delete).to_be_focused()
    delete.click()
    with page.expect_request(lambda request: request.method == "POST") as posted:
        window.get_by_role("button", name="Delete").click()
    assert posted.value.url.endswith("/users.html")
    assert posted.value.post_data == "csrf_token=token"


def test_deleting_without_script_goes_to_a_page_that_asks(plain_page: Page) -> None:
    plain_page.goto("/users.html")
    plain_page.get_by_role("link", name="Delete Britta").click()
    assert plain_page.url.endswith("#delete")


def test_the_first_tab_stop_skips_to_the_content(page: Page) -> None:
    page.goto("/accounts.html")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="View User Profiles")).to_be_focused()


def test_the_error_summary_takes_the_focus_and_leads_to_the_field(page: Page) -> None:
    page.goto("/form.html")
    expect(page.get_by_role("region", name="Please correct the following")).to_be_focused()
    page.get_by_role("link", name="Issuer URL already belongs to another account.").click()
    issuer = page.get_by_label("Issuer URL", exact=True)
    expect(issuer).to_be_focused()
    expect(issuer).to_have_accessible_description(
        "Error: This Issuer URL already belongs to another account. Issuer URL in Azure AD."
    )


def test_the_theme_is_remembered(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    page.goto("/accounts.html")
    page.get_by_role("button", name="Theme: system").click()
    page.get_by_role("button", name="Theme: light").click()
    page.goto("/users.html")
    expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 20, 26)"


def test_hidden_fields_appear_when_chosen_and_stay(page: Page) -> None:
    page.goto("/users.html")
    heading = page.get_by_role("columnheader", name="Username")
    expect(heading).to_be_hidden()
    page.get_by_text("Edit Viewable/Hidden Fields").click()
    page.get_by_role("checkbox", name="Username").check()
    expect(heading).to_be_visible()
    page.reload()
    expect(heading).to_be_visible()
    expect(page.get_by_role("cell", name="britta.simon@contoso.com")).to_have_count(2)


def test_a_copied_value_is_exactly_what_came(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/report.html")
    page.get_by_role("button", name="Copy user name").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "BrittaSimon@contoso.com "


def test_a_chosen_certificate_is_read_at_once(page: Page) -> None:
    page.goto("/form.html")
    with page.expect_response("**/certificates/preview"):
        page.get_by_label("Identity Provider Certificate", exact=True).set_input_files(
            {"name": "contoso.cer", "mimeType": "application/x-x509-ca-cert", "buffer": b"certificate"}
        )
    assert b'name="csrf_token"' in Handler.posted
    expect(page.get_by_text("CN=Contoso, RSA 2048 bits")).to_be_visible()
    expect(page.get_by_text("contoso.cer")).to_be_visible()


def test_a_pasted_certificate_replaces_the_chosen_file(page: Page) -> None:
    page.goto("/form.html")
    file = page.get_by_label("Identity Provider Certificate", exact=True)
    file.set_input_files({"name": "contoso.cer", "mimeType": "text/plain", "buffer": b"certificate"})
    page.get_by_text("Paste the certificate as text").click()
    with page.expect_request("**/certificates/preview"):
        page.get_by_label("Certificate as text", exact=True).fill("MIIC")
    assert file.evaluate("field => field.files.length") == 0


def test_the_report_opens_what_failed_and_folds_what_passed(page: Page) -> None:
    page.goto("/report.html")
    assert page.locator("#audience").get_attribute("open") is not None
    assert page.locator("#stage-1").get_attribute("open") is None
    page.goto("/report.html#form")
    expect(page.locator("#form .compare")).to_be_visible()
    page.get_by_role("button", name="Close all").click()
    expect(page.locator("#audience")).to_be_hidden()


def test_a_form_is_sent_once(page: Page) -> None:
    page.goto("/card.html")
    page.evaluate(
        """() => {
            window.sent = 0;
            addEventListener("submit", (event) => {
                if (!event.defaultPrevented) window.sent += 1;
                event.preventDefault();
            });
        }"""
    )
    page.get_by_role("button", name="Sign In").click()
    page.get_by_role("button", name="Signing in…").click()
    assert page.evaluate("sent") == 1
