"""Makes sure that a Chromium is there for the browser journeys, and what its driver needs. Run by `make test`.

Takes one that is installed; else Debian's package when running as root there; else playwright's own download.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
DRIVER = (sys.executable, "-m", "playwright")


def has_chromium() -> bool:
    own = Path.home() / ".cache" / "ms-playwright"
    return any(shutil.which(program) for program in PROGRAMS) or any(own.glob("chromium*/**/chrome"))


def has_driver() -> bool:
    """Whether playwright's driver starts: its program wants a library that a minimal Debian lacks."""
    return run(*DRIVER, "--version")


def run(*command: str) -> bool:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    quiet = subprocess.DEVNULL
    return subprocess.run(command, check=False, stdout=quiet, stderr=quiet, env=environment).returncode == 0


def install() -> bool:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        packages = [] if has_driver() else ["libatomic1"]
        packages += [] if has_chromium() else ["chromium", "fonts-dejavu-core"]
        return run("apt-get", "-qq", "update") and run("apt-get", "-qq", "install", "-y", *packages)
    return run(*DRIVER, "install", "chromium")


def main() -> int:
    if has_driver() and has_chromium():
        return 0
    print("Installing Chromium for the browser journeys …", file=sys.stderr)
    if install() and has_driver() and has_chromium():
        return 0
    print(
        "Chromium could not be installed. Install it (Debian: `apt-get install chromium libatomic1`), then try again.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
