"""Makes sure that a Chromium is there for the browser journeys, and what its driver needs. Run by `make test`.

Takes one that is installed; else Debian's package when running as root there; else playwright's own download, which is
also taken where the pinned driver cannot start the one that is there: Debian's Chromium changes, the driver does not.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
DRIVER = (sys.executable, "-m", "playwright")
START = """
import sys
sys.path.insert(0, "tests")
from journeys.windows import launch
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    browser = launch(playwright)
    browser.new_page().goto("data:text/html,ready")
    browser.close()
"""


def has_chromium() -> bool:
    own = Path.home() / ".cache" / "ms-playwright"
    return any(shutil.which(program) for program in PROGRAMS) or any(own.glob("chromium*/**/chrome"))


def has_driver() -> bool:
    """Whether playwright's driver starts: its program wants a library that a minimal Debian lacks."""
    return run(*DRIVER, "--version")


def starts() -> bool:
    """Whether the driver can start the Chromium that the tests would take, and open a page in it."""
    return has_driver() and has_chromium() and run(sys.executable, "-c", START)


def run(*command: str) -> bool:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    quiet = subprocess.DEVNULL
    done = subprocess.run(command, check=False, stdout=quiet, stderr=quiet, env=environment, cwd=ROOT)
    return done.returncode == 0


def install() -> bool:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        packages = [] if has_driver() else ["libatomic1"]
        packages += [] if has_chromium() else ["chromium", "fonts-dejavu-core"]
        return run("apt-get", "-qq", "update") and run("apt-get", "-qq", "install", "-y", *packages)
    return run(*DRIVER, "install", "chromium")


def main() -> int:
    if starts():
        return 0
    print("Installing Chromium for the browser journeys …", file=sys.stderr)
    if not (has_driver() and has_chromium()):
        install()
    if starts() or (run(*DRIVER, "install", "chromium") and starts()):
        return 0
    print(
        "Playwright can start no Chromium here. Install one (Debian: `apt-get install chromium libatomic1`, or "
        "`.venv/bin/playwright install chromium`), then try again.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
