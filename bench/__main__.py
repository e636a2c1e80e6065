"""Runs every benchmark, one after the other, each in a process of its own, and draws what they found.

    python -m bench [NAME …] [--full]

Without --full each is cut so that all of them together take some minutes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass

from bench import results


@dataclass(frozen=True)
class _Arguments:
    """Of one benchmark, in a quick run and in a full one."""

    quick: str = ""
    full: str = ""


BENCHMARKS = {
    "sign_ins": _Arguments("--number 360 --seconds 5", "--number 3000 --seconds 20"),
    "verification": _Arguments("--number 200"),
    "curves": _Arguments(
        "--users 100000 --accounts 10000 --attempts 100000 --number 120",
        "--users 1000000 --accounts 100000 --attempts 2000000 --number 450",
    ),
    "growth": _Arguments("--number 5000", "--number 200000"),
    "limits": _Arguments(),
    "hostile_bodies": _Arguments(),
    "user_profiles": _Arguments("--users 20000 --rounds 3"),
    "metadata": _Arguments(),
    "sign_in_log": _Arguments("20000", "200000"),
    "api": _Arguments("--users 10000 --attempts 50000 --rounds 5"),
    "retention": _Arguments("500 10000", "2000 100000"),
    "quotas": _Arguments("2500 200", "25000 2000"),
    "start": _Arguments("--rounds 2"),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--full", action="store_true", help="as large as the aims are, which takes an hour")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    found = [_run(name, full=options.full) for name in options.names or BENCHMARKS]
    subprocess.run([sys.executable, "-m", "bench.report"], check=True)
    return 0 if all(found) else 1


def _run(name: str, *, full: bool) -> bool:
    """Whether there are figures. That one is over its budget is said, and no failure: budgets are for one machine."""
    arguments = BENCHMARKS[name].full if full else BENCHMARKS[name].quick
    print(f"\n== {name} {arguments}".rstrip(), flush=True)
    started = time.time()
    code = subprocess.run([sys.executable, "-m", f"bench.{name}", *arguments.split()], check=False).returncode
    kept = results.FOLDER / f"{name}.json"
    found = kept.exists() and kept.stat().st_mtime >= started
    said = "" if found and code == 0 else ", over its budget" if found else f", failed with exit code {code}"
    print(f"== {name}: {time.time() - started:.0f} s{said}", flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
