"""Starting and stopping, as whoever runs it sees it on the terminal."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from processes.program import ADMINISTRATOR, PASSWORD, Installation

from sp import __version__
from sp.cli import sockets


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_greeting_says_where_to_go_and_who_to_be(place: Installation) -> None:
    with place.start("demo") as program:
        assert program.printed("Virtual Office") == place.base_url
        assert program.printed("user name") == ADMINISTRATOR
        assert len(program.printed("password")) >= 12
        assert program.printed("Demo directory") == place.demo_url
        assert program.printed("Data") == str(place.data)
        for url in (place.base_url, place.demo_url):
            assert httpx.get(url, trust_env=False).status_code == 200


def test_the_second_start_tells_the_same_password(place: Installation) -> None:
    with place.start("serve") as program:
        password = program.printed("password")
    with place.start("serve") as program:
        assert program.printed("password") == password


def test_a_chosen_password_is_not_printed(install: Callable[..., Installation]) -> None:
    with install(ADMIN_PASSWORD=PASSWORD).start("serve") as program:
        assert PASSWORD not in program.output
        assert "VIRTUAL_OFFICE_ADMIN_PASSWORD" in program.printed("password")


def test_secrets_are_for_their_owner_only(place: Installation) -> None:
    old = os.umask(0o022)
    try:
        with place.start("demo"):
            pass
    finally:
        os.umask(old)
    kept = {file.name: mode(file) for file in place.data.iterdir() if file.name != "demo-directory-certificate.pem"}
    assert {"virtual-office.db", "administrator-password.txt", "demo-directory-key.pem"} <= set(kept)
    assert kept == dict.fromkeys(kept, 0o600)


@pytest.mark.parametrize(
    ("command", "by"), [("serve", signal.SIGTERM), ("demo", signal.SIGTERM), ("demo", signal.SIGINT)]
)
def test_it_ends_cleanly(place: Installation, command: str, by: signal.Signals) -> None:
    """Every other story ends by SIGINT too, and `Program.end_well` looks at the same."""
    program = place.start(command)
    assert program.stop(by) == 0
    assert "Traceback" not in program.output
    assert place.processes() == []
    assert (listening(place.port), listening(place.demo_port)) == (False, False)


def test_the_service_ends_with_the_demo_directory(place: Installation) -> None:
    program = place.start("demo")
    os.kill(place.process("sp.demo_directory"), signal.SIGKILL)
    assert program.ended() == 1
    assert "The demo directory ended unexpectedly" in program.output
    assert (place.processes(), listening(place.port)) == ([], False)


# What cannot start says why, in one sentence for each reason


def test_a_taken_port(place: Installation) -> None:
    with socket.create_server(("127.0.0.1", place.port)):
        done = place.run("serve")
    assert (done.returncode, done.stdout) == (1, "")
    said = re.fullmatch(
        rf"Port {place.port} on localhost is already in use\. Stop the program that uses it, or choose another port "
        r"with --port (\d+) or VIRTUAL_OFFICE_PORT=\1\.\n",
        done.stderr,
    )
    assert said
    for free in sockets.listen("localhost", int(said[1])):
        free.close()


def test_a_taken_port_that_the_base_url_names(place: Installation) -> None:
    """It does not follow, so that the person has to change it."""
    chosen = Installation(place.folder, port=place.port, settings={"BASE_URL": place.base_url})
    with socket.create_server(("127.0.0.1", place.port)):
        done = chosen.run("serve")
    assert done.stderr.endswith(" Change it in VIRTUAL_OFFICE_BASE_URL, too.\n")


def test_a_taken_port_of_the_demo_directory(place: Installation) -> None:
    with socket.create_server(("127.0.0.1", place.demo_port)):
        done = place.run("demo")
    assert done.returncode == 1
    assert re.fullmatch(
        rf"Port {place.demo_port} on 127\.0\.0\.1 is already in use\. Stop the program that uses it, or choose another "
        r"port with VIRTUAL_OFFICE_DEMO_URL=http://127\.0\.0\.1:\d+\.\n",
        done.stderr,
    )


def test_a_data_folder_that_is_a_file(place: Installation) -> None:
    place.data.write_text("not a folder")
    done = place.run("serve")
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert str(place.data) in done.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_database_of_a_newer_release(place: Installation, workers: str) -> None:
    assert place.run("db", "upgrade").returncode == 0
    with closing(sqlite3.connect(place.data / "virtual-office.db")) as opened, opened:
        opened.execute("UPDATE alembic_version SET version_num = '9999'")
    done = place.run("serve", "--workers", workers)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "The database has version '9999', which this program does not know: it was written by a newer release. "
        "Start that release, or restore an older backup.\n"
    )


def test_files_that_others_can_read_are_named(place: Installation) -> None:
    assert place.run("db", "upgrade").returncode == 0
    database = place.data / "virtual-office.db"
    database.chmod(0o644)
    with place.start("serve") as program:
        [line] = [line for line in program.output.splitlines() if "exposed_to_other_users" in line]
    assert f"run `chmod 600 {database}`" in line


@pytest.mark.parametrize(("how", "workers"), [("gone", "1"), ("damaged", "2")])
def test_a_lost_database_is_no_new_installation(place: Installation, how: str, workers: str) -> None:
    assert place.run("db", "upgrade").returncode == 0
    database = place.data / "virtual-office.db"
    if how == "gone":
        database.unlink()
    else:
        os.truncate(database, 8192)
    done = place.run("serve", "--workers", workers)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert database.exists() is (how != "gone")


def test_all_faults_of_the_settings_at_once(install: Callable[..., Installation]) -> None:
    place = install(PORT="80000", BASE_URL="sso.8x8.com", LOG_LEVEL="loud", SESION_MAX_HOURS="1")
    done = place.run("serve")
    assert (done.returncode, done.stdout) == (2, "")
    told = {line.split(maxsplit=1)[0].rstrip(":") for line in done.stderr.splitlines()}
    assert told == {f"VIRTUAL_OFFICE_{name}" for name in ("PORT", "BASE_URL", "LOG_LEVEL", "SESION_MAX_HOURS")}


def test_a_misspelt_setting_alone_stops_the_start(install: Callable[..., Installation]) -> None:
    done = install(ADMIN_PASWORD=PASSWORD).run("serve")
    assert done.returncode == 2
    assert done.stderr == (
        "VIRTUAL_OFFICE_ADMIN_PASWORD is not a setting; did you mean VIRTUAL_OFFICE_ADMIN_PASSWORD?\n"
    )


def test_the_version(place: Installation) -> None:
    assert place.run("--version").stdout == f"{__version__}\n"
