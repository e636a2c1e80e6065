"""Takes the README's pictures: starts the connected demo, walks through it in Chromium, writes docs/images/*.png.

Usage: .venv/bin/python scripts/take_pictures.py. Needs what `make test` needs, and no network.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from journeys import steps  # noqa: E402  (the tests' words for the pages)
from journeys.windows import launch  # noqa: E402
from playwright.sync_api import Page, sync_playwright  # noqa: E402
from processes.program import PASSWORD, Installation, Program  # noqa: E402

IMAGES = ROOT / "docs" / "images"
WIDTH = 1200
PEOPLE = [("Alice", "Adams"), ("Bob", "Brown"), ("Carol", "Clark"), ("Dave", "Doe")]


def main() -> int:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        place = Installation(Path(folder), 8000, 8001, {"ADMIN_PASSWORD": PASSWORD})
        add_people(place)
        browser = launch(playwright)
        with place.start("demo", "--connected") as program:
            take_them(browser.new_page(color_scheme="light", locale="en-US"), program)
        browser.close()
    return 0


def add_people(place: Installation) -> None:
    for first_name, last_name in PEOPLE:
        names = ("--first-name", first_name, "--last-name", last_name)
        place.run("user", "add", "--username", f"{first_name.lower()}@contoso.example", *names)


def take_them(page: Page, program: Program) -> None:
    place = program.installation
    page.set_viewport_size({"width": WIDTH, "height": 800})
    steps.sign_in_to_access_panel(page, place, program.printed("user name", 1), program.printed("password", 1))
    take(page, "access-panel", height=320)
    steps.click_tile(page)
    steps.expect_application_panel(page, place, "Britta Simon")
    page.get_by_role("button", name="Sign Out").click()

    steps.sign_in_administrator(page, place, PASSWORD)
    steps.manage_business(page)
    steps.open_box(page, "User Profiles")
    hide_federation_id(page)
    take(page, "user-profiles", height=640)
    steps.open_box(page, "Single Sign On")
    page.get_by_role("heading", name="SAML Single Sign on").evaluate("heading => heading.scrollIntoView()")
    take(page, "single-sign-on", height=860)

    forget_the_last_slash(page, place)
    page.goto(f"{place.demo_url}/access-panel")
    steps.click_tile(page)
    page.get_by_role("heading", name="We couldn't sign you in.").wait_for()
    take(page, "refused", height=1060)


def hide_federation_id(page: Page) -> None:
    page.get_by_text("Edit Viewable/Hidden Fields").click()
    page.get_by_role("checkbox", name="Federation ID").uncheck()
    page.get_by_role("button", name="Save the viewable fields").click()
    page.get_by_role("columnheader", name="Federation ID").wait_for(state="detached")


def forget_the_last_slash(page: Page, place: Installation) -> None:
    """The commonest mistake with Azure AD: its Issuer URL ends with a slash."""
    issuer = page.get_by_label("Issuer URL").input_value()
    place.run("configure", "--issuer", issuer.removesuffix("/"))


def take(page: Page, name: str, *, height: int) -> None:
    page.set_viewport_size({"width": WIDTH, "height": height})
    page.screenshot(path=IMAGES / f"{name}.png", animations="disabled")
    print(f"docs/images/{name}.png")


if __name__ == "__main__":
    sys.exit(main())
