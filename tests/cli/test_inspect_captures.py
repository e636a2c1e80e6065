"""`inspect` with captures of every kind, with options alone and with an account's settings; `judge-again`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from cast import ACS_URL, BRITTA, ENTITY_ID, NOW
from house import House
from responses import Idp, form, post_field
from sqlalchemy import func, select
from typer.testing import CliRunner, Result

from sp.cli import app
from sp.flows.opening import open_database
from sp.models import ConsumedAssertion, SignInAttempt, SsoSettings, User, UserSession
from sp.saml.times import written
from sp.settings import Settings

IDP = Idp.make()
TRUSTED = ["--issuer", IDP.entity_id, "--certificate", "idp.pem", "--at", written(NOW)]
OURS = ["--entity-id", ENTITY_ID, "--acs-url", ACS_URL]


def entry(body: dict[str, str]) -> dict[str, Any]:
    posted = {"mimeType": "application/x-www-form-urlencoded", "text": urlencode(body)}
    return {"request": {"method": "POST", "url": ACS_URL, "postData": posted}}


def har(*bodies: dict[str, str]) -> str:
    return json.dumps({"log": {"entries": [entry(body) for body in bodies]}})


@dataclass
class Desk:
    """A folder with a certificate, where commands run and know the cast's service."""

    folder: Path

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    def inspect(self, capture: bytes | str, *options: str) -> Result:
        data = capture if isinstance(capture, bytes) else capture.encode()
        (self.folder / "capture").write_bytes(data)
        return self.run("inspect", "capture", *OURS, *options)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    for name, value in {"DATA_DIR": str(tmp_path), "ENTITY_ID": ENTITY_ID, "ACS_URL": ACS_URL}.items():
        monkeypatch.setenv(f"VIRTUAL_OFFICE_{name}", value)
    (tmp_path / "idp.pem").write_bytes(IDP.certificate_pem)
    return Desk(tmp_path)


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database after the first start, made once and copied: migrating and hashing take longer than a story."""
    folder = tmp_path_factory.mktemp("seeded")
    open_database(Settings(data_dir=folder, admin_password="Adm1n!pass"), lambda: NOW).close()
    return folder / "virtual-office.db"


@pytest.fixture
def house(desk: Desk, seeded: Path) -> Iterator[House]:
    shutil.copy(seeded, desk.folder / "virtual-office.db")
    settings = Settings(data_dir=desk.folder, entity_id=ENTITY_ID, acs_url=ACS_URL)
    database = open_database(settings, lambda: NOW)
    made = House(settings, database)
    made.configure()
    yield made
    database.close()


def rows(house: House) -> list[int]:
    tables = (User, UserSession, ConsumedAssertion, SignInAttempt, SsoSettings)
    with house.database.reading() as session:
        return [int(session.execute(select(func.count()).select_from(table)).scalar_one()) for table in tables]


class TestCaptures:
    def test_the_last_response_of_a_har_file_is_judged(self, desk: Desk) -> None:
        old, new = (post_field(IDP.response(name_id=name)) for name in ("old@contoso.example", BRITTA.email))
        capture = har({"SAMLResponse": old}, {"SAMLResponse": new}, {"SAMLRequest": "PHg+"})
        done = desk.inspect(capture, *TRUSTED, "--json")
        told = json.loads(done.stdout)
        assert (done.exit_code, told["username"]) == (0, BRITTA.email)
        assert told["captured"]["capture"] == "har"
        assert (told["captured"]["number"], told["captured"]["messages"]) == (2, 3)

    def test_another_message_can_be_named(self, desk: Desk) -> None:
        capture = har({"SAMLResponse": "PHg+"}, {"SAMLResponse": post_field(IDP.response())})
        assert desk.inspect(capture, *TRUSTED, "--message", "1").exit_code == 1
        assert desk.inspect(capture, *TRUSTED, "--message", "2").exit_code == 0
        for number in ("0", "3", "-1"):
            done = desk.inspect(capture, *TRUSTED, "--message", number)
            assert (done.exit_code, done.stdout) == (2, "")
            assert "has 1 to 2" in done.stderr

    def test_they_are_listed_without_being_judged(self, desk: Desk) -> None:
        capture = har({"SAMLRequest": "PHg+"}, {"SAMLResponse": post_field(IDP.response())})
        done = desk.inspect(capture, "--list")
        assert done.exit_code == 0
        assert "This is a HAR file" in done.stdout
        assert "a SAML 2.0 Response" in done.stdout
        told = json.loads(desk.inspect(capture, "--list", "--json").stdout)
        assert [row["kind"] for row in told["messages"]] == ["other_xml", "response"]

    def test_a_note_is_printed_and_told(self, desk: Desk) -> None:
        address = f"{ACS_URL}?{urlencode({'SAMLResponse': post_field(IDP.response())})}"
        done = desk.inspect(address, *TRUSTED)
        assert done.exit_code == 0
        assert "would refuse this transport" in " ".join(done.stdout.split())
        assert "GET request" in json.loads(desk.inspect(address, *TRUSTED, "--json").stdout)["captured"]["note"]

    @pytest.mark.parametrize(
        ("capture", "word"),
        [("", "nothing in it"), ("[" * 500_000, "nested"), (har({"a": "b"}), "Preserve log"), ("{", "cannot be read")],
    )
    def test_where_nothing_is_found_a_sentence_says_what_it_is(self, desk: Desk, capture: str, word: str) -> None:
        done = desk.inspect(capture, *TRUSTED)
        assert (done.exit_code, done.stdout) == (2, "")
        assert word in done.stderr
        assert len(done.stderr.splitlines()) == 1

    def test_a_terminal_does_not_act_on_what_a_capture_says(self, desk: Desk) -> None:
        log = {"log": {"entries": [entry({"SAMLResponse": "PHg+"})]}}
        log["log"]["entries"][0]["request"]["url"] = "https://x/\x1b[31m\u202e"
        for options in (["--list"], TRUSTED):
            done = desk.inspect(json.dumps(log), *options)
            assert "\x1b[31m" not in done.stdout
            assert "\u202e" not in done.stdout

    @pytest.mark.parametrize("options", [[], ["--issuer", "urn:x"], ["--certificate", "idp.pem"]])
    def test_without_settings_it_asks_for_them(self, desk: Desk, options: list[str]) -> None:
        done = desk.inspect(IDP.response(), *options)
        assert (done.exit_code, done.stdout) == (2, "")
        assert len(done.stderr.splitlines()) == 1


class TestWithAnAccount:
    def test_its_settings_count_and_nothing_is_stored(self, desk: Desk, house: House) -> None:
        before = rows(house)
        done = desk.inspect(IDP.response(), "--account", "business", "--at", written(NOW), "--json")
        assert (done.exit_code, json.loads(done.stdout)["username"]) == (0, BRITTA.email)
        assert rows(house) == before

    def test_what_was_used_here_is_a_replay(self, desk: Desk, house: House) -> None:
        xml = IDP.response()
        assert house.post(xml).accepted
        done = desk.inspect(xml, "--account", "business", "--at", written(NOW), "--json")
        assert (done.exit_code, json.loads(done.stdout)["failed"]) == (1, ["replay"])

    def test_options_change_a_part_of_them(self, desk: Desk, house: House) -> None:
        assert house.idp == IDP
        rolled = IDP.with_key("rolled over")
        (desk.folder / "new.pem").write_bytes(rolled.certificate_pem)
        given = ["--account", "business", "--at", written(NOW)]
        assert desk.inspect(rolled.response(), *given).exit_code == 1
        assert desk.inspect(rolled.response(), *given, "--certificate", "new.pem").exit_code == 0
        assert desk.inspect(IDP.response(), *given, "--signed", "response").exit_code == 1
        assert desk.inspect(IDP.response(in_response_to="_q"), *given).exit_code == 1
        assert desk.inspect(IDP.response(in_response_to="_q"), *given, "--in-response-to", "_q").exit_code == 0

    @pytest.mark.usefixtures("house")
    def test_an_account_that_is_not_there(self, desk: Desk) -> None:
        done = desk.inspect(IDP.response(), "--account", "nobody")
        assert (done.exit_code, done.stdout) == (2, "")
        assert "'nobody'" in done.stderr


class TestJudgeAgain:
    def test_old_and_new_stand_side_by_side(self, desk: Desk, house: House) -> None:
        refused = house.post(IDP.response(audience="urn:another"))
        before = rows(house)
        same = desk.run("judge-again", refused.reference)
        assert same.exit_code == 1
        assert "changed" not in same.stdout
        helped = desk.run("judge-again", refused.reference.lower(), "--entity-id", "urn:another")
        assert helped.exit_code == 0
        (line,) = [line for line in helped.stdout.splitlines() if "audience" in line and "changed" in line]
        assert "failed" in line
        assert "passed" in line
        assert rows(house) == before

    def test_the_differences_as_json(self, desk: Desk, house: House) -> None:
        refused = house.post(IDP.response(audience="urn:another"))
        told = json.loads(desk.run("judge-again", refused.reference, "--entity-id", "urn:another", "--json").stdout)
        assert (told["then"]["outcome"], told["now"]["outcome"]) == ("refused", "accepted")
        assert {row["code"]: (row["then"]["outcome"], row["now"]["outcome"]) for row in told["differences"]}[
            "audience"
        ] == ("failed", "passed")

    @pytest.mark.parametrize(
        ("options", "accepted"),
        [
            (["--at", "2031-01-01T00:00:00Z"], False),
            (["--issuer", "urn:other"], False),
            (["--acs-url", "https://other.example/"], False),
            (["--signed", "both"], False),
            (["--settings-version", "1"], False),
            (["--settings-version", "2"], True),
            (["--account", "business"], True),
        ],
    )
    def test_each_option_changes_its_part(self, desk: Desk, house: House, options: list[str], accepted: bool) -> None:
        sign_in = house.post(IDP.response())
        assert sign_in.accepted
        assert desk.run("judge-again", sign_in.reference, *options).exit_code == (0 if accepted else 1)

    def test_another_certificate(self, desk: Desk, house: House) -> None:
        rolled = IDP.with_key("rolled over")
        (desk.folder / "new.pem").write_bytes(rolled.certificate_pem)
        sign_in = house.post(rolled.response())
        assert desk.run("judge-again", sign_in.reference, "--certificate", "new.pem").exit_code == 0

    def test_an_attempt_of_no_account_needs_one(self, desk: Desk, house: House) -> None:
        sign_in = house.post(Idp.make("urn:stranger").response())
        unnamed = desk.run("judge-again", sign_in.reference, "--issuer", "urn:stranger")
        assert (unnamed.exit_code, unnamed.stdout) == (2, "")
        assert "--account" in unnamed.stderr
        named = desk.run(
            "judge-again", sign_in.reference, "--issuer", "urn:stranger", "--account", "business", "--json"
        )
        assert json.loads(named.stdout)["now"]["failed"] == ["signing_key"]

    @pytest.mark.parametrize(
        ("options", "word"),
        [
            (["AAAAAAAA"], "There is no sign-in attempt"),
            (["no-reference"], "There is no sign-in attempt"),
            (["REF", "--settings-version", "99"], "has no version 99"),
            (["REF", "--settings-version", "0"], "has no version 0"),
            (["REF", "--settings-version", "-5"], "has no version -5"),
            (["REF", "--account", "nobody"], "'nobody'"),
            (["REF", "--at", "noon"], "is no time"),
            (["REF", "--certificate", "nowhere.pem"], "cannot be read"),
        ],
    )
    def test_what_cannot_be_used_is_a_sentence(self, desk: Desk, house: House, options: list[str], word: str) -> None:
        reference = house.post(IDP.response()).reference
        done = desk.run("judge-again", *(reference if option == "REF" else option for option in options))
        assert (done.exit_code, done.stdout) == (2, "")
        assert word in done.stderr

    def test_an_attempt_without_a_message(self, desk: Desk, house: House) -> None:
        sign_in = house.post(b"", form=form(("SAMLResponse", "!!")))
        done = desk.run("judge-again", sign_in.reference)
        assert (done.exit_code, done.stdout) == (2, "")
        assert "no message to judge again" in done.stderr
