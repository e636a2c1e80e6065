"""`compare` and `share` over a database in which Britta has signed in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cast import BASE_URL, NOW
from house import House
from typer.testing import CliRunner, Result

from sp.cli import app
from sp.flows.opening import open_database
from sp.settings import Settings


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setenv("VIRTUAL_OFFICE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("VIRTUAL_OFFICE_BASE_URL", BASE_URL)
    settings = Settings(data_dir=tmp_path, base_url=BASE_URL)
    house = House(settings, open_database(settings, lambda: NOW))
    house.configure()
    yield house
    house.database.close()


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_compare_prints_what_differs(house: House) -> None:
    good = house.post(house.idp.response())
    bad = house.post(house.idp.response(audience="urn:another"))
    done = run("compare", good.reference.lower(), bad.reference)
    assert done.exit_code == 0
    assert "Assertion: Audience" in done.stdout
    assert "urn:another" in done.stdout
    assert "NameID" not in done.stdout


def test_compare_says_that_nothing_differs(house: House) -> None:
    _, *references = (house.post(house.idp.response()).reference for _ in range(3))
    assert run("compare", *references).stdout == "Nothing differs in meaning.\n"
    assert json.loads(run("compare", *references, "--json").stdout) == []
    assert "NameID" in run("compare", *references, "--all").stdout


def test_compare_tells_a_new_user_from_one_who_was_there(house: House) -> None:
    first, second = (house.post(house.idp.response()).reference for _ in range(2))
    (line,) = json.loads(run("compare", first, second, "--json").stdout)
    assert (line["a"]["values"][1], line["b"]["values"][1]) == ("a new user", "an existing user")


def test_compare_for_a_program(house: House) -> None:
    good = house.post(house.idp.response())
    bad = house.post(house.idp.response(audience="urn:another", signed="response", tamper=lambda xml: xml + b"\n"))
    (line,) = (
        line
        for line in json.loads(run("compare", good.reference, bad.reference, "--json").stdout)
        if line["key"] == "conditions.audience"
    )
    assert line["b"] == {"values": ["urn:another"], "unverified": False}
    assert line["differs"] is True


@pytest.mark.parametrize("reference", ["AAAAAAAA", "", "no reference", "\x1b[31m"])
def test_compare_needs_two_attempts(house: House, reference: str) -> None:
    good = house.post(house.idp.response())
    done = run("compare", good.reference, reference)
    assert done.exit_code == 2
    assert "There is no sign-in attempt" in done.output
    assert "\x1b" not in done.output


def test_a_stranger_cannot_write_to_the_terminal(house: House) -> None:
    good = house.post(house.idp.response())
    bad = house.post(house.idp.response(name_id="\u202eevil", attributes={"a\u2066": ("\u200b",)}))
    printed = run("compare", good.reference, bad.reference).stdout
    assert not set("\u202e\u2066\u200b").intersection(printed)


def test_share_writes_a_file_without_names(house: House, tmp_path: Path) -> None:
    bad = house.post(house.idp.response(audience="urn:another"))
    file = tmp_path / "for them.html"
    done = run("share", bad.reference, "-o", file)
    assert done.exit_code == 0, done.output
    assert "1 user name" in done.stdout
    content = file.read_text("utf-8")
    assert "user-1@example-1.invalid" in content
    assert "britta" not in content.lower()
    assert house.idp.entity_id not in content


def test_share_keeps_host_names_when_told_to(house: House, tmp_path: Path) -> None:
    good = house.post(house.idp.response())
    assert run("share", good.reference, "-o", tmp_path / "a.html", "--keep-host-names").exit_code == 0
    assert house.idp.entity_id in (tmp_path / "a.html").read_text("utf-8")


def test_share_overwrites_nothing(house: House, tmp_path: Path) -> None:
    good, file = house.post(house.idp.response()), tmp_path / "kept.html"
    file.write_text("precious")
    done = run("share", good.reference, "-o", file)
    assert (done.exit_code, file.read_text()) == (2, "precious")
    assert run("share", good.reference, "-o", tmp_path / "nowhere" / "x.html").exit_code == 1
    assert run("share", "AAAAAAAA", "-o", tmp_path / "x.html").exit_code == 2
    assert not (tmp_path / "x.html").exists()
