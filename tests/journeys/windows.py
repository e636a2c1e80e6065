"""Browser windows for the cast.

Owns starting Chromium, opening windows, what they complain about, and pictures of them. Never knows a page.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, BrowserType, ConsoleMessage, Page, Playwright

WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 390, "height": 844}
_PATIENCE = 10_000  # milliseconds
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = [
    "--no-sandbox",  # containers run tests as root, where Chromium's sandbox cannot start
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def launch(playwright: Playwright) -> Browser:
    """The Chromium that playwright downloaded for this driver when there is one, else the machine's own.

    Its clock is the machine's also in `make test-next-year`: with libfaketime it takes a minute to start.
    """
    return _launch(playwright.chromium)


def launch_another(browser: Browser, *flags: str) -> Browser:
    """A second browser of the same kind, started with these flags too."""
    return _launch(browser.browser_type, *flags)


def _launch(kind: BrowserType, *flags: str) -> Browser:
    matching = Path(kind.executable_path).exists()
    program = None if matching else next(filter(None, map(shutil.which, _PROGRAMS)), None)
    environment: dict[str, str | float | bool] = {
        name: value for name, value in os.environ.items() if name != "LD_PRELOAD"
    }
    return kind.launch(executable_path=program, args=[*_FLAGS, *flags], env=environment)


class Windows:
    """Windows of one browser. Each has cookies of its own, as a private window has."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def open(self, **options: Any) -> Page:
        """A new private window. Whatever its console complains about fails the journey at its end."""
        wanted: Mapping[str, Any] = {"viewport": WIDE, "locale": "en-US", "timezone_id": "UTC", **options}
        context = self._browser.new_context(**wanted)
        context.set_default_timeout(_PATIENCE)
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def leave_pictures(self, folder: Path, name: str) -> None:
        """One picture and the HTML of every page, for whoever looks into a failure."""
        folder.mkdir(parents=True, exist_ok=True)
        pages = [page for context in self._contexts for page in context.pages]
        for number, page in enumerate(pages, start=1):
            page.screenshot(path=folder / f"{name}-{number}.png")
            (folder / f"{name}-{number}.html").write_text(page.content(), encoding="utf-8")

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        self.assert_quiet()

    def assert_quiet(self) -> None:
        """That no console complained since this was asked last."""
        heard, self.complaints = self.complaints, []
        assert not heard, heard

    def _hear(self, message: ConsoleMessage) -> None:
        """Errors, but not Chromium's line about the page's own status: a refusal is a 403, and wanted.

        Nor about a service that is not there: stories stop it while a page still looks at what was typed last.
        """
        page = message.page
        own_status = page is not None and message.location["url"] == page.url and "Failed to load" in message.text
        stopped = "net::ERR_CONNECTION_REFUSED" in message.text
        if message.type in {"error", "warning"} and not own_status and not stopped:
            self.complaints.append(f"{message.text} ({message.location['url']})")
