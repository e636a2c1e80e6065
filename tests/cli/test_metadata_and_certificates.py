"""`import-metadata` and `idp-certificates`: what they print, change and refuse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cast import BASE_URL, CONTOSO_ISSUER
from house import House
from idp_metadata import SIGN_IN, aggregate, entity, key, role, signed
from metadata_server import MetadataServer, document, running_server
from responses import Idp
from typer.testing import CliRunner, Result

from sp.cli import app
from sp.clock import system_clock
from sp.flows.account_setup import SsoDraft, draft_of
from sp.flows.opening import open_database
from sp.models import IdpMetadata
from sp.settings import Settings
from sp.store import accounts, idp_metadata
from sp.store.rows import required

IDP = Idp.make(CONTOSO_ISSUER)
NEXT = IDP.with_key("next")
METADATA = entity(IDP)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setenv("VIRTUAL_OFFICE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("VIRTUAL_OFFICE_BASE_URL", BASE_URL)
    settings = Settings(data_dir=tmp_path, base_url=BASE_URL)
    made = House(settings, open_database(settings, system_clock))
    yield made
    made.database.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "metadata.xml").write_bytes(METADATA)
    return tmp_path / "metadata.xml"


@pytest.fixture(scope="module")
def server() -> Iterator[MetadataServer]:
    with running_server() as known:
        yield known


def run(*arguments: Any, given: bytes = b"") -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=given)


def draft(house: House) -> SsoDraft:
    with house.database.reading() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        return draft_of(session, account)


def followed(house: House) -> IdpMetadata | None:
    with house.database.reading() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        return idp_metadata.of_account(session, required(account.id))


def test_check_prints_the_difference_and_saves_nothing(house: House, file: Path) -> None:
    done = run("import-metadata", file, "--check")
    assert done.exit_code == 0
    assert f"Sign In URL: empty -> {SIGN_IN}" in done.stdout
    assert f"Certificate added: {IDP.certificate.subject}" in done.stdout
    assert IDP.certificate.fingerprint in done.stdout
    assert draft(house) == SsoDraft()


def test_a_file_is_taken_over(house: House, file: Path) -> None:
    done = run("import-metadata", file)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "Version 2 is in force.")
    assert (draft(house).issuer, draft(house).certificates) == (CONTOSO_ISSUER, (IDP.certificate,))
    assert followed(house) is None
    again = run("import-metadata", file)
    assert "Nothing would change." in again.stdout
    assert again.stdout.splitlines()[-1] == "Version 2 stays in force."


def test_standard_input_too(house: House) -> None:
    assert run("import-metadata", "-", given=METADATA).exit_code == 0
    assert draft(house).single_sign_on


def test_an_address_is_taken_over_and_followed(house: House, server: MetadataServer) -> None:
    url = server.says(document(METADATA))
    done = run("import-metadata", url)
    assert done.stdout.splitlines()[-1] == "Version 2 is in force, and the address is followed."
    row = followed(house)
    assert row is not None
    assert row.url == url
    assert run("import-metadata", url, "--no-follow").exit_code == 0
    assert followed(house) is None


def test_one_of_a_federation_is_named(house: House, tmp_path: Path) -> None:
    many = tmp_path / "federation.xml"
    many.write_bytes(aggregate(*(entity(IDP, entity_id=f"https://u{at}.example/") for at in range(25))))
    asked = run("import-metadata", many)
    assert asked.exit_code == 2
    assert "https://u19.example/" in asked.stderr
    assert "and 5 more" in asked.stderr
    assert run("import-metadata", many, "--entity-id", "https://u7.example/").exit_code == 0
    assert draft(house).issuer == "https://u7.example/"


def test_a_pinned_certificate_must_have_signed(house: House, tmp_path: Path, file: Path) -> None:
    pin, genuine = tmp_path / "pin.pem", tmp_path / "signed.xml"
    pin.write_bytes(NEXT.certificate_pem)
    genuine.write_bytes(signed(METADATA, NEXT))
    refused = run("import-metadata", file, "--pin", pin)
    assert (refused.exit_code, "is not signed" in refused.stderr) == (1, True)
    assert run("import-metadata", genuine, "--pin", pin).exit_code == 0
    assert draft(house).certificates == (IDP.certificate,)


@pytest.mark.parametrize(
    ("source", "code", "phrase"),
    [
        ("missing.xml", 2, "cannot be read"),
        ("https://169.254.169.254/", 1, "does not ask"),
        ("-", 1, "empty"),
    ],
)
@pytest.mark.usefixtures("house")
def test_what_cannot_be_used_is_one_sentence(source: str, code: int, phrase: str) -> None:
    done = run("import-metadata", source)
    assert (done.exit_code, phrase in done.stderr) == (code, True)


def test_a_proposal_that_cannot_be_saved_says_why(house: House, tmp_path: Path) -> None:
    house.add_account("Fabrikam", "fabrikam")
    bad = tmp_path / "bad.xml"
    bad.write_bytes(METADATA.replace(SIGN_IN.encode(), b"https://user:pw@idp.example/"))
    for options in (("--check",), ()):
        done = run("import-metadata", bad, "--account", "fabrikam", *options)
        assert (done.exit_code, "Sign In URL: Leave the user name" in done.stderr) == (1, True)
    assert run("import-metadata", bad, "--account", "nobody").exit_code == 2


@pytest.fixture
def two(house: House) -> House:
    """The account trusts two certificates."""
    text = entity(IDP, role(IDP, keys=key(IDP.certificate_der) + key(NEXT.certificate_der)))
    assert run("import-metadata", "-", given=text).exit_code == 0
    return house


@pytest.mark.usefixtures("two")
def test_certificates_are_listed_with_their_state() -> None:
    done = run("idp-certificates", "list")
    assert done.exit_code == 0
    assert IDP.certificate.fingerprint[:12] in done.stdout
    assert "never" in done.stdout


def test_one_is_retired_added_again_and_removed(two: House, tmp_path: Path) -> None:
    old = IDP.certificate
    assert run("idp-certificates", "retire", old.fingerprint[:14]).exit_code == 0
    assert draft(two).retired_certificates == (old,)
    again = tmp_path / "old.pem"
    again.write_bytes(IDP.certificate_pem)
    assert run("idp-certificates", "add", again).exit_code == 0
    assert draft(two).certificates == (NEXT.certificate, old)
    assert run("idp-certificates", "remove", old.sha256).exit_code == 0
    assert (draft(two).certificates, draft(two).retired_certificates) == ((NEXT.certificate,), ())


def test_the_only_one_and_unknown_ones_stay(two: House) -> None:
    assert run("idp-certificates", "retire", IDP.certificate.sha256).exit_code == 0
    last = run("idp-certificates", "remove", NEXT.certificate.sha256)
    assert (last.exit_code, "SAML needs" in last.stderr) == (2, True)
    for text in ("0" * 8, "", NEXT.certificate.sha256[:3]):
        unknown = run("idp-certificates", "retire", text)
        assert (unknown.exit_code, "0 certificates" in unknown.stderr) == (1, True)
    twice = run("idp-certificates", "retire", IDP.certificate.sha256)
    assert (twice.exit_code, "not in that state" in twice.stderr) == (1, True)
    assert draft(two).certificates == (NEXT.certificate,)
