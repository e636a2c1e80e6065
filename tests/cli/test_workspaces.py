"""`workspace` and `expect`, over a database on which no service runs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cast import BASE_URL, BRITTA
from house import House
from lxml import etree
from typer.testing import CliRunner, Result

from sp.cli import app
from sp.clock import system_clock
from sp.flows.opening import open_database
from sp.settings import Settings
from sp.store import accounts, sign_in_expectations
from sp.store.rows import required


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setenv("VIRTUAL_OFFICE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("VIRTUAL_OFFICE_BASE_URL", BASE_URL)
    settings = Settings(data_dir=tmp_path, base_url=BASE_URL)
    house = House(settings, open_database(settings))
    house.now = system_clock()
    house.configure()
    yield house
    house.database.close()


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.usefixtures("house")
def test_a_workspace_from_its_making_to_its_end() -> None:
    made = json.loads(run("workspace", "create", "job-1", "--json").stdout)
    assert made["acs_url"] == f"{BASE_URL}/w/job-1/saml2"
    assert made["token"].startswith("vo_")
    assert made["token"] not in run("workspace", "list").stdout
    assert [row["name"] for row in json.loads(run("workspace", "list", "--json").stdout)] == ["job-1"]
    assert run("workspace", "create", "job-1").exit_code == 2
    assert run("workspace", "reset", "job-1").exit_code == 0
    assert run("workspace", "delete", "job-1").exit_code == 0
    assert run("workspace", "delete", "job-1").exit_code == 2
    assert json.loads(run("workspace", "list", "--json").stdout) == []


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize("arguments", [("Job",), ("business",), ("job", "--lifetime", "5")])
def test_what_cannot_be_made_is_said(arguments: tuple[str, ...]) -> None:
    done = run("workspace", "create", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.endswith(".\n")


def expected(house: House, tmp_path: Path, wanted: dict[str, Any]) -> Result:
    """What `expect` says when Britta signs in as soon as it waits."""
    file = tmp_path / "expectation.json"
    file.write_text(json.dumps(wanted))
    signing_in = threading.Thread(target=_sign_in_when_awaited, args=(house,))
    signing_in.start()
    done = run("expect", file, "--wait", "30", "--junit", tmp_path / "junit.xml")
    signing_in.join()
    return done


def _sign_in_when_awaited(house: House) -> None:
    while True:
        with house.database.reading() as session:
            account = accounts.account_by_slug(session, "business")
            assert account is not None
            if sign_in_expectations.unanswered(session, required(account.id)):
                break
    house.now = system_clock()
    house.post(house.idp.response(now=house.now.replace(microsecond=0)))


def test_a_sign_in_as_expected_is_a_success(house: House, tmp_path: Path) -> None:
    done = expected(house, tmp_path, {"outcome": "accepted", "username": BRITTA.email})
    assert done.exit_code == 0, done.output
    assert "is as expected" in done.stdout
    assert etree.parse(tmp_path / "junit.xml").getroot().get("failures") == "0"


def test_another_sign_in_is_a_failure_that_names_what_differs(house: House, tmp_path: Path) -> None:
    done = expected(house, tmp_path, {"outcome": "refused"})
    assert done.exit_code == 1
    assert "outcome: expected refused, received accepted" in done.stdout
    assert etree.parse(tmp_path / "junit.xml").getroot().get("failures") == "1"


@pytest.mark.usefixtures("house")
def test_none_that_comes_is_a_failure(tmp_path: Path) -> None:
    file = tmp_path / "expectation.json"
    file.write_text("{}")
    done = run("expect", file, "--wait", "1")
    assert done.exit_code == 1
    assert "No sign-in came within 1 seconds." in done.stderr


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize("content", ["", "[]", '{"outcme": "accepted"}', '{"failed": ["no_such_check"]}'])
def test_a_file_that_asks_nothing_sensible_is_unusable(tmp_path: Path, content: str) -> None:
    file = tmp_path / "expectation.json"
    file.write_text(content)
    assert run("expect", file).exit_code == 2
    assert run("expect", tmp_path / "none.json").exit_code == 2
    assert run("expect", file, "--account", "nobody").exit_code == 2
