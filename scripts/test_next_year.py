"""Runs the tests with the clock a year ahead, to find what expires: certificates, dates, pinned years.

Usage: .venv/bin/python scripts/test_next_year.py [PYTEST ARGUMENT ...]

The clock is libfaketime's, in the tests and in every process that they start. Monotonic clocks run as always:
time-outs of threads would never come otherwise.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

AHEAD = "+366d"
LIBRARIES = ("/usr/lib", "/usr/local/lib")
# libfaketime 0.9.10 (Debian 12) moves the absolute time to which Python's time.sleep() sleeps by the monotonic clock,
# although it does not move that clock: every sleep fails. A wait for no file for so long does the same.
SLEEP = (
    "import os, select, time; os.environ.get('FAKETIME') and "
    "setattr(time, 'sleep', lambda seconds, wait=select.select: wait([], [], [], seconds) and None)\n"
)


def library() -> Path | None:
    """libfaketime for programs with threads, where Debian's package or `make install` puts it."""
    found = (file for folder in LIBRARIES for file in sorted(Path(folder).glob("**/faketime/libfaketimeMT.so.1")))
    return next(found, None)


@contextmanager
def sleep_that_works() -> Iterator[None]:
    """Repairs time.sleep() in every Python of this environment that has FAKETIME set; others see no change."""
    file = Path(sysconfig.get_path("purelib"), "sleep_with_libfaketime.pth")
    file.write_text(SLEEP, encoding="utf-8")
    try:
        yield
    finally:
        file.unlink()


def main(arguments: list[str]) -> int:
    """The exit code of pytest."""
    preload = library()
    if preload is None:
        print("The clock cannot be set ahead without libfaketime: apt-get install faketime.", file=sys.stderr)
        return 1
    clock = {"LD_PRELOAD": str(preload), "FAKETIME": AHEAD, "DONT_FAKE_MONOTONIC": "1"}
    with sleep_that_works():
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
        return subprocess.run(command, env=os.environ | clock, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
