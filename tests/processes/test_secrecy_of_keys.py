"""Our private keys stay with their owner: in no file that others can read, no log and no output."""

from __future__ import annotations

import base64
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from processes.program import PASSWORD, Installation, Program

ADDRESSES = ("", "?signed=true", "/business", "/nobody")


@pytest.fixture(scope="module")
def talkative(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A running service that logs all it can, under the usual mask, with which a file is readable by everybody."""
    settings = {"ADMIN_PASSWORD": PASSWORD, "LOG_LEVEL": "debug"}
    place = Installation(tmp_path_factory.mktemp("talkative"), settings=settings)
    old = os.umask(0o022)
    try:
        with place.start("serve") as program:
            for address in ADDRESSES:
                httpx.get(f"{place.base_url}/saml2/metadata{address}", trust_env=False)
            yield program
    finally:
        os.umask(old)


def private_keys(place: Installation) -> list[bytes]:
    with closing(sqlite3.connect(place.data / "virtual-office.db")) as database:
        found = [bytes(key) for (key,) in database.execute("SELECT private_key FROM service_key")]
    assert len(found) >= 2
    return found


def spellings(key: bytes) -> list[str]:
    """How the middle of a key, which is secret through and through, looks in text: base64 at each offset, hex, repr."""
    middle = key[300:360]
    encoded = [base64.b64encode(middle[offset:])[4:-4].decode() for offset in range(3)]
    return [*encoded, middle.hex(), middle.hex(":"), repr(middle)[2:-1].replace("\\'", "'")]


def assert_secret(place: Installation, text: str) -> None:
    assert "PRIVATE KEY" not in text
    shown = text.lower().replace("\n", "").replace("\\'", "'")  # which quote repr escapes depends on all of the bytes
    for key in private_keys(place):
        assert not [spelling for spelling in spellings(key) if spelling.lower() in shown]


def test_the_search_would_find_a_key(talkative: Program) -> None:
    """Otherwise the stories below would prove nothing."""
    place = talkative.installation
    key = private_keys(place)[0]
    for offset in range(3):
        with pytest.raises(AssertionError):
            assert_secret(place, base64.b64encode(b"x" * offset + key).decode())
    with pytest.raises(AssertionError):
        assert_secret(place, repr(key))


def test_nobody_else_can_read_the_files_while_it_runs(talkative: Program) -> None:
    data = talkative.installation.data
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in data.iterdir()}
    assert {"virtual-office.db", "virtual-office.db-wal", "virtual-office.db-shm"} <= set(modes)
    assert modes == dict.fromkeys(modes, 0o600)


def test_no_log_and_no_command_says_a_key(talkative: Program, tmp_path: Path) -> None:
    place = talkative.installation
    commands = (
        ("keys", "begin-rollover", "--purpose", "signing"),
        ("keys", "begin-rollover", "--purpose", "signing"),
        ("keys", "complete-rollover", "--purpose", "signing", "--early"),
        ("keys", "list"),
        ("keys", "certificate", "--purpose", "encryption"),
        ("metadata", "--signed"),
        ("certificates",),
    )
    for command in commands:
        done = place.run(*command)
        assert done.stdout or done.stderr
        assert_secret(place, done.stdout + done.stderr)
    assert_secret(place, talkative.output)
    backup = tmp_path / "backup.db"
    assert place.run("db", "backup", str(backup)).returncode == 0
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
