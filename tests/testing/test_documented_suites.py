"""docs/testing.md tells the truth: every example on it is run as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from testing.suites import examples, run

PLUGIN, PLAYED, CLIENT, PLAIN = examples("testing.md")
SHOWN_ADDRESS = "http://localhost:8000"


def test_the_examples_of_the_plugin_start_a_service_and_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that the tester has lying about are for another service."""
    monkeypatch.setenv("VIRTUAL_OFFICE_SESSION_MAX_HOURS", "0")
    (tmp_path / ".env").write_text("VIRTUAL_OFFICE_SESSION_IDLE_MINUTES=0\n")
    done = run(tmp_path, PLUGIN + "\n\n" + PLAYED)
    assert (done.code, done.passed) == (0, 6), done.output


@pytest.mark.parametrize("suite", [f"def test_it():\n    {'    '.join(CLIENT.splitlines(keepends=True))}", PLAIN])
def test_the_examples_of_the_client_and_of_plain_http_pass(tmp_path: Path, virtual_office_url: str, suite: str) -> None:
    assert SHOWN_ADDRESS in suite
    done = run(tmp_path, suite.replace(SHOWN_ADDRESS, virtual_office_url), "-p", "no:virtual_office")
    assert (done.code, done.passed) == (0, 1), done.output


def test_plain_http_needs_fewer_than_20_lines() -> None:
    assert len([line for line in PLAIN.splitlines() if line.strip()]) < 20
