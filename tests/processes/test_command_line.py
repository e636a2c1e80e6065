"""Setting SAML up, judging messages and being "support", by the command line, while the service runs.

The identity provider's key and certificate are made by the program openssl, as somebody with their own provider would.
"""

from __future__ import annotations

import base64
import json
import sqlite3
import stat
import subprocess
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import xmlsec
from cast import BRITTA, MALLORY
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from processes.program import PASSWORD, Installation
from responses import Idp

ISSUER = "https://idp.openssl.example/metadata"
SIGN_IN_URL = "https://idp.openssl.example/sso"
Json = Any


@dataclass(frozen=True)
class OpensslIdp:
    """An identity provider whose key and certificate are files."""

    place: Installation
    key: Path
    certificate: Path

    @classmethod
    def make(cls, place: Installation) -> OpensslIdp:
        key, certificate = place.folder / "idp.key", place.folder / "idp.pem"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=idp"]
        subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
        return cls(place, key, certificate)

    def response(self, **changes: Any) -> bytes:
        """A response for now, to this installation, signed with the key in the file."""
        acs_url = self.place.acs_url
        certificate = load_pem_x509_certificate(self.certificate.read_bytes())
        return Idp.make(ISSUER).response(
            now=datetime.now(UTC).replace(microsecond=0),
            audience=acs_url,
            recipient=acs_url,
            destination=acs_url,
            key=xmlsec.Key.from_file(str(self.key), xmlsec.constants.KeyDataFormatPem),
            key_info=(certificate.public_bytes(Encoding.DER),),
            **changes,
        )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A service that runs while the stories use the command line, connected to the openssl identity provider."""
    place = Installation(tmp_path_factory.mktemp("command-line"), settings={"ADMIN_PASSWORD": PASSWORD})
    with place.start("serve"):
        yield place


@pytest.fixture(scope="module")
def idp(running: Installation) -> OpensslIdp:
    made = OpensslIdp.make(running)
    done = running.run(
        *("configure", "--account", "business", "--issuer", ISSUER),
        *("--sign-in-url", SIGN_IN_URL, "--certificate", str(made.certificate)),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Single Sign On with SAML is on for 'business'" in done.stdout
    assert f"ACS (Reply URL) {running.acs_url}, entity ID {running.acs_url}" in done.stdout
    return made


def posted(place: Installation, xml: bytes) -> tuple[int, Json]:
    """The status and the verdict that a program gets."""
    answer = httpx.post(
        place.acs_url,
        data={"SAMLResponse": base64.b64encode(xml).decode("ascii")},
        headers={"Accept": "application/json"},
        timeout=30,
        trust_env=False,
    )
    return answer.status_code, answer.json()


def listed(place: Installation, command: str) -> list[Json]:
    done = place.run(command, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    rows: list[Json] = json.loads(done.stdout)
    return rows


# configure


def test_a_response_by_openssls_key_signs_britta_in(running: Installation, idp: OpensslIdp) -> None:
    status, verdict = posted(running, idp.response())
    assert (status, verdict["outcome"], verdict["failed"]) == (200, "accepted", [])
    assert verdict["username"] == BRITTA.email
    attempt = next(row for row in listed(running, "sign-ins") if row["reference"] == verdict["reference"])
    assert (attempt["outcome"], attempt["account"], attempt["issuer"]) == ("accepted", "business", ISSUER)


def test_mallory_cannot_put_her_name_into_it(running: Installation, idp: OpensslIdp) -> None:
    old, new = (f"{person.email}</saml:NameID>".encode() for person in (BRITTA, MALLORY))
    changed = idp.response(tamper=lambda xml: xml.replace(old, new))
    status, verdict = posted(running, changed)
    assert (status, verdict["outcome"], verdict["failed"]) == (403, "refused", ["signature"])
    assert MALLORY.email not in {row["username"] for row in listed(running, "users")}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--account", "nobody", "--sso", "off"], "'nobody'"),
        (["--certificate", "idp.key"], "private key"),
        (["--sign-in-url", "ftp://idp.example/"], "Sign In URL"),
    ],
    ids=["account", "private-key", "url"],
)
def test_configure_says_what_it_cannot_use(
    running: Installation, idp: OpensslIdp, options: list[str], named: str
) -> None:
    assert idp.key.exists()
    done = running.run("configure", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert named in done.stderr


# inspect


@pytest.mark.parametrize("shape", ["xml-in-a-file", "base64-in-a-pipe"])
def test_inspect_reads_a_message_in_any_shape(running: Installation, idp: OpensslIdp, shape: str) -> None:
    file, trusted = running.folder / "response.xml", ("--issuer", ISSUER, "--certificate", str(idp.certificate))
    file.write_bytes(idp.response())
    if shape == "xml-in-a-file":
        done = running.run("inspect", str(file), *trusted, "--json")
    else:
        done = running.run("inspect", "-", *trusted, "--json", given=base64.encodebytes(file.read_bytes()))
    assert (done.returncode, done.stderr) == (0, "")
    verdict = json.loads(done.stdout)
    assert (verdict["outcome"], verdict["username"]) == ("accepted", BRITTA.email)


def test_a_captured_redirect_is_inspected_with_the_accounts_settings(running: Installation, idp: OpensslIdp) -> None:
    """While the service runs, and without leaving it an attempt or a used assertion."""
    xml, before = idp.response(), listed(running, "sign-ins")
    deflated = base64.b64encode(zlib.compress(xml)[2:-4]).decode()
    address = f"{running.acs_url}?{urlencode({'SAMLResponse': deflated})}"
    done = running.run("inspect", "-", "--account", "business", "--json", given=address)
    assert (done.returncode, done.stderr) == (0, "")
    verdict = json.loads(done.stdout)
    assert verdict["username"] == BRITTA.email
    assert "would refuse this transport" in verdict["captured"]["note"]
    assert listed(running, "sign-ins") == before
    assert posted(running, xml)[1]["outcome"] == "accepted"


def test_a_sign_in_is_judged_again_as_if_we_had_another_name(running: Installation, idp: OpensslIdp) -> None:
    accepted = posted(running, idp.response())[1]
    done = running.run("judge-again", accepted["reference"], "--entity-id", "urn:another")
    assert (done.returncode, done.stderr) == (1, "")
    (line,) = [line for line in done.stdout.splitlines() if " changed " in line]
    assert "audience" in line


def test_inspect_tells_a_refusal_as_a_table_and_by_its_exit_code(running: Installation, idp: OpensslIdp) -> None:
    trusted = ("--issuer", ISSUER, "--certificate", str(idp.certificate))
    done = running.run("inspect", "-", *trusted, "--entity-id", "https://sso.8x8.com/saml2", given=idp.response())
    assert done.returncode == 1
    failed = [line for line in done.stdout.splitlines() if " failed " in line]
    assert len(failed) == 1
    assert "audience" in failed[0]
    assert "https://sso.8x8.com/saml2" in done.stdout


@pytest.mark.parametrize("options", [[], ["--certificate", "idp.pem", "--at", "noon"]], ids=["certificate", "time"])
def test_inspect_says_what_it_cannot_use(running: Installation, idp: OpensslIdp, options: list[str]) -> None:
    done = running.run("inspect", str(idp.certificate), "--issuer", ISSUER, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


# user: what 8x8's support does


def test_support_adds_disables_enables_and_deletes_a_user(running: Installation, idp: OpensslIdp) -> None:
    carol = "carol@contoso.example"

    def support(*arguments: str) -> None:
        done = running.run("user", *arguments)
        assert (done.returncode, done.stderr) == (0, "")

    def carol_signs_in() -> list[str]:
        failed: list[str] = posted(running, idp.response(name_id=carol))[1]["failed"]
        return failed

    support("add", "--username", carol, "--first-name", "Carol", "--last-name", "Clark")
    assert carol_signs_in() == []
    support("disable", carol)
    assert carol_signs_in() == ["user_active"]
    support("enable", carol.upper())
    assert carol_signs_in() == []
    support("delete", carol)
    assert carol_signs_in() == ["user_active"]
    assert carol not in {row["username"] for row in listed(running, "users")}


def test_support_is_told_who_is_unknown_or_taken(running: Installation) -> None:
    dave = ("user", "add", "--username", "dave@contoso.example", "--first-name", "Dave", "--last-name", "Doe")
    assert running.run(*dave).returncode == 0
    taken = running.run(*dave)
    unknown = running.run("user", "disable", "nobody@contoso.example")
    assert taken.returncode == 2
    assert taken.stderr.startswith("This username is not available:")
    assert (unknown.returncode, unknown.stderr) == (2, "There is no user 'nobody@contoso.example'.\n")


# account and administrator


def test_a_second_company_gets_its_account_and_administrator(running: Installation) -> None:
    fabrikam = ("account", "add", "--company", "Fabrikam", "--slug", "fabrikam")
    charlie = ("administrator", "add", "--company", "Fabrikam", "--username", "charlie@fabrikam.example")
    assert running.run(*fabrikam).returncode == 0
    added = running.run(*charlie)
    assert added.returncode == 0
    assert "Password: " in added.stdout
    assert running.run(*fabrikam).returncode == 2
    assert running.run(*charlie).returncode == 2


# db


def test_the_database_is_checked_and_copied_while_the_service_runs(running: Installation) -> None:
    copy = running.folder / "copy.db"
    checked = running.run("db", "check")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "is sound" in checked.stdout
    assert running.run("db", "backup", str(copy)).returncode == 0
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing(sqlite3.connect(copy)) as database:
        assert database.execute("SELECT count(*) FROM account").fetchone()[0] >= 1
    again = running.run("db", "backup", str(copy))
    assert (again.returncode, again.stderr) == (2, f"{str(copy)!r} exists already; name a new file.\n")


def test_nothing_given_is_help_and_nonsense_is_2(install: Callable[..., Installation]) -> None:
    place = install()
    assert "configure" in place.run("--help").stdout
    assert place.run("nonsense").returncode == 2
    assert not place.data.exists()
