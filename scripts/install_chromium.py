"""Makes sure that a Chromium is there for the browser journeys. Run by `make test`.

Takes one that is installed; else Debian's package when running as root there; else playwright's own download.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def installed() -> bool:
    own = Path.home() / ".cache" / "ms-playwright"
    return any(shutil.which(program) for program in PROGRAMS) or any(own.glob("chromium*/**/chrome"))


def run(*command: str) -> bool:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, check=False, stdout=subprocess.DEVNULL, env=environment).returncode == 0


def main() -> int:
    if installed():
        return 0
    print("Installing Chromium for the browser journeys …", file=sys.stderr)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        packages = ("chromium", "fonts-dejavu-core")
        done = run("apt-get", "-qq", "update") and run("apt-get", "-qq", "install", "-y", *packages)
    else:
        done = run(sys.executable, "-m", "playwright", "install", "chromium")
    if not done:
        print(
            "Chromium could not be installed. Install it (Debian: `apt-get install chromium`), then try again.",
            file=sys.stderr,
        )
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main())
