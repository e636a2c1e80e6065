"""`sessions` and the options of sign-out on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cast import ACS_URL, BOB, BRITTA, ENTITY_ID
from house import House
from typer.testing import CliRunner, Result

from sp.cli import app
from sp.clock import system_clock
from sp.flows.opening import open_database
from sp.settings import Settings


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A service in the folder that the commands look into, with three open sessions."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIRTUAL_OFFICE_ADMIN_PASSWORD", "Adm1n!pass")
    monkeypatch.setenv("VIRTUAL_OFFICE_DATA_DIR", str(tmp_path))
    settings = Settings(data_dir=tmp_path, entity_id=ENTITY_ID, acs_url=ACS_URL)
    made = House(settings, open_database(settings, system_clock), now=system_clock())
    made.configure()
    for person in (BRITTA, BRITTA, BOB):
        assert made.post(made.idp.response(now=made.now, name_id=person.email)).accepted
    yield made
    made.database.close()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def listed() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads(run("sessions", "list", "--json").stdout)
    return rows


@pytest.mark.usefixtures("house")
def test_everybody_who_is_signed_in_is_listed() -> None:
    rows = listed()
    assert [row["username"] for row in rows] == [BOB.email, BRITTA.email, BRITTA.email]
    assert {row["method"] for row in rows} == {"saml"}
    assert "britta" in run("sessions", "list").stdout


@pytest.mark.usefixtures("house")
def test_one_a_users_and_all_of_them_end() -> None:
    one = run("sessions", "end", str(listed()[0]["id"]))
    assert (one.exit_code, one.stdout) == (0, "Ended 1 session.\n")
    assert run("sessions", "end", "--user", BRITTA.email.upper()).stdout == "Ended 2 sessions.\n"
    assert run("sessions", "end", "--all").stdout == "Ended 0 sessions.\n"
    assert run("sessions", "list").stdout == "Nobody is signed in.\n"


@pytest.mark.usefixtures("house")
def test_an_account_that_is_switched_off_signs_everybody_out(tmp_path: Path) -> None:
    off = "companies: [{name: Contoso, accounts: [{slug: business, active: off}]}]"
    (tmp_path / "settings.yaml").write_text(off)
    done = run("apply", str(tmp_path / "settings.yaml"))
    assert (done.exit_code, done.stdout) == (0, "~ account business: active: on → off\n")
    assert listed() == []


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Name one session"),
        (("1", "--all"), "Name one session"),
        (("--user", "mallory"), "There is no user 'mallory'"),
        (("99",), "There is no session 99"),
        (("--all", "--account", "nowhere"), "There is no account 'nowhere'"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(arguments: tuple[str, ...], words: str) -> None:
    done = run("sessions", "end", *arguments)
    assert (done.exit_code, words in done.stderr) == (2, True)
    assert len(listed()) == 3


def test_another_accounts_sessions_are_out_of_reach(house: House) -> None:
    house.add_account("Fabrikam", "fabrikam")
    assert run("sessions", "end", str(listed()[0]["id"]), "--account", "fabrikam").exit_code == 2
    assert run("sessions", "end", "--user", BRITTA.email, "--account", "fabrikam").exit_code == 2
    assert run("sessions", "end", "--all", "--account", "fabrikam").stdout == "Ended 0 sessions.\n"
    assert len(listed()) == 3


@pytest.mark.usefixtures("house")
def test_sign_out_is_configured() -> None:
    given = ("--sign-out-url", "https://idp.contoso.example/out", "--sign-out-binding", "post")
    done = run("configure", *given, "--sign-out-issuer", "https://login.contoso.example/")
    assert done.exit_code == 0, done.stderr
    refused = run("configure", "--sign-out-url", "")
    assert (refused.exit_code, "Sign-out method" in refused.stderr) == (2, True)
    cleared = run("configure", "--sign-out-issuer", "", "--sign-out-binding", "plain")
    assert cleared.exit_code == 0
