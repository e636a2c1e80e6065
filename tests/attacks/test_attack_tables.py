"""The tables of docs/engine.md say what the tests hold."""

from __future__ import annotations

import sys
from pathlib import Path
from subprocess import run

from attack import Attack, summary
from attacks.elsewhere import HELD_ELSEWHERE, NOT_BUILT

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_page_is_up_to_date() -> None:
    """In a process of its own, because it collects the tests once more."""
    script = str(ROOT / "scripts" / "attack_tables.py")
    ran = run([sys.executable, script, "--check"], capture_output=True, text=True, check=False, cwd=ROOT)
    assert ran.stdout == "Up to date.\n", ran.stdout + ran.stderr


def test_what_is_held_elsewhere_exists() -> None:
    assert [file for _, file in HELD_ELSEWHERE.values() if not (ROOT / file).is_file()] == []


def test_nothing_is_both_held_and_missing() -> None:
    missing = [row for _, rows in NOT_BUILT.values() for row in rows]
    assert len(set(missing)) == len(missing)
    assert not set(missing) & set(HELD_ELSEWHERE)


class _Report:
    def __init__(self, count: int, *, failed: bool = False) -> None:
        self.user_properties = [("attack", count), ("other", 1)]
        self.failed = failed
        self.nodeid = "test"


def test_the_summary_counts() -> None:
    assert summary([]) == ""
    assert summary([_Report(3), _Report(0), _Report(4)]) == "7 attacks, none accepted"
    assert "1 tests of them failed" in summary([_Report(3), _Report(4, failed=True)])
    assert Attack("SIG-01", "story").count == 1
