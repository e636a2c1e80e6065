"""`token`: made, listed and revoked on the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sp.cli import app


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_OFFICE_DATA_DIR", str(tmp_path / "data"))


def run(*arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(app, ["token", *arguments])
    assert done.exit_code == code, done.output
    return done


def listed() -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(run("list", "--json").stdout)
    return found


def test_the_token_stands_alone_on_standard_output() -> None:
    said = run("create", "--name", "nightly", "--scope", "write").stdout
    assert re.fullmatch(r"vo_[\w-]{43}\n", said)
    assert said.strip() not in run("list").stdout


def test_tokens_are_listed_and_revoked() -> None:
    run("create", "--name", "nightly")
    run("create", "--name", "other", "--scope", "write", "--scope", "messages", "--expires-days", "7")
    assert [(row["name"], row["scope"], row["last_used_at"]) for row in listed()] == [
        ("other", "write messages", None),
        ("nightly", "read", None),
    ]
    assert [row["expires_at"] is None for row in listed()] == [False, True]
    assert "Revoked" in run("revoke", "nightly").stdout
    assert [row["name"] for row in listed()] == ["other"]


def test_what_is_wrong_is_said_in_a_sentence() -> None:
    run("create", "--name", "nightly")
    assert "already" in run("create", "--name", "nightly", code=2).stderr
    assert "name" in run("create", "--name", " ", code=2).stderr
    assert "account" in run("create", "--name", "x", "--account", "nobody", code=2).stderr
    assert "token" in run("revoke", "nobody", code=2).stderr
    run("create", "--name", "y", "--expires-days", "0", code=2)
    run("create", "--name", "y", "--scope", "all", code=2)
