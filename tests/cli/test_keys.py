"""Our keys, our metadata and https on the command line."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from cast import NOW
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from lxml import etree
from responses import private_key
from typer.testing import CliRunner, Result

from sp.cli import app
from sp.cli.tls import settings_with_tls
from sp.settings import SettingsError, load_settings


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIRTUAL_OFFICE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "data"


def run(*arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == code, done.output
    return done


def fingerprint(*options: str, purpose: str = "signing") -> str:
    pem = run("keys", "certificate", "--purpose", purpose, *options).stdout
    assert "PRIVATE" not in pem
    return x509.load_pem_x509_certificate(pem.encode()).fingerprint(hashes.SHA256()).hex(":").upper()


@pytest.fixture
def installed() -> None:
    """Commands that only read need an installation."""
    run("db", "upgrade")


@pytest.mark.usefixtures("installed")
def test_a_rollover_from_begin_to_end() -> None:
    old = fingerprint()
    said = run("keys", "begin-rollover", "--purpose", "signing").stdout
    new = fingerprint("--upcoming")
    assert new in said
    assert fingerprint() == old
    refused = run("keys", "complete-rollover", "--purpose", "signing", code=1).stderr
    assert "may not know the upcoming signing key yet" in refused
    run("keys", "complete-rollover", "--purpose", "signing", "--early")
    assert fingerprint() == new
    listed = run("keys", "list").stdout
    assert [line for line in listed.splitlines() if "retired" in line and old in line], listed
    assert [line for line in listed.splitlines() if "active" in line and new in line], listed


@pytest.mark.usefixtures("installed")
def test_a_fingerprint_is_listed_as_it_is(data_dir: Path) -> None:
    """Whatever stands between two colons: some of it is the name of a picture, such as CD."""
    key = private_key("picture")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "picture")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    made = (builder.serial_number(number).sign(key, hashes.SHA256()) for number in range(1, 1000))
    certificate = next(found for found in made if ":CD:" in found.fingerprint(hashes.SHA256()).hex(":").upper())
    with closing(sqlite3.connect(data_dir / "virtual-office.db")) as database, database:
        database.execute("UPDATE service_key SET certificate = ?", [certificate.public_bytes(Encoding.DER)])
    assert certificate.fingerprint(hashes.SHA256()).hex(":").upper() in run("keys", "list").stdout


def test_a_step_out_of_order_says_so() -> None:
    refused = run("keys", "complete-rollover", "--purpose", "encryption", code=1)
    assert refused.stderr == "There is no upcoming encryption key. Begin a rollover first.\n"
    assert run("keys", "certificate", "--purpose", "encryption", "--upcoming", code=1).stdout == ""


def test_each_account_has_an_encryption_key_with_a_rollover_of_its_own() -> None:
    run("account", "add", "--company", "Fabrikam", "--slug", "fabrikam")
    contosos, fabrikams = (fingerprint("--account", slug, purpose="encryption") for slug in ("business", "fabrikam"))
    assert contosos != fabrikams
    assert fingerprint(purpose="encryption") == contosos, "the default"
    run("keys", "begin-rollover", "--purpose", "encryption", "--account", "fabrikam")
    following = fingerprint("--account", "fabrikam", "--upcoming", purpose="encryption")
    run("keys", "complete-rollover", "--purpose", "encryption", "--account", "fabrikam")
    assert fingerprint("--account", "fabrikam", purpose="encryption") == following
    assert fingerprint(purpose="encryption") == contosos
    listed = run("keys", "list", "--account", "fabrikam").stdout
    assert fabrikams in listed
    assert following in listed
    assert contosos not in listed
    assert [line for line in run("keys", "list").stdout.splitlines() if "business" in line and contosos in line]


@pytest.mark.usefixtures("installed")
def test_the_metadata_and_the_configuration_have_the_accounts_key() -> None:
    """Also where nothing has asked for either before."""
    configuration = "".join(run("idp-config", "--for", "keycloak").stdout.split())
    own = run("keys", "certificate", "--purpose", "encryption").stdout
    base64 = "".join(line for line in own.splitlines() if "CERTIFICATE" not in line)
    assert base64 in configuration
    for options in ((), ("--account", "business")):
        assert base64 in "".join(run("metadata", *options).stdout.split())


def test_an_account_that_is_not_there_or_does_not_count_is_named() -> None:
    for command in ("begin-rollover", "complete-rollover", "certificate"):
        options = ("--purpose", "encryption", "--account", "nobody")
        assert "'nobody'" in run("keys", command, *options, code=2).stderr
    assert "'nobody'" in run("keys", "list", "--account", "nobody", code=2).stderr
    refused = run("keys", "begin-rollover", "--purpose", "signing", "--account", "business", code=2)
    assert "Leave --account out" in refused.stderr


@pytest.mark.usefixtures("installed")
def test_metadata_is_printed_for_everybody_and_for_an_account() -> None:
    for options in ((), ("--account", "business"), ("--signed",)):
        entity = etree.fromstring(run("metadata", *options).stdout.encode())
        assert entity.get("entityID") == "http://localhost:8000/saml2"
    assert "'nobody'" in run("metadata", "--account", "nobody", code=2).stderr


def test_certificates_are_made_once_and_what_to_do_next_is_said(data_dir: Path) -> None:
    first, second = run("certificates").stdout, run("certificates").stdout
    assert first.startswith("Made a certificate for sso.8x8.com and localhost")
    assert second.startswith("The certificate still holds for sso.8x8.com")
    assert "127.0.0.1 sso.8x8.com" in first
    assert str(data_dir / "tls" / "authority.pem") in first
    assert "PRIVATE" not in first


def test_certificates_elsewhere_say_which_settings_name_them(tmp_path: Path) -> None:
    said = run("certificates", "--out", str(tmp_path / "mine"), "--host", "acme.8x8pilot.com").stdout
    assert f"VIRTUAL_OFFICE_TLS_KEY={tmp_path / 'mine' / 'server-key.pem'}" in said
    assert "DNS name" in run("certificates", "--host", "no name", code=2).stderr


def test_tls_chooses_the_name_and_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    run("certificates")
    settings = settings_with_tls()
    assert (settings.base_url, settings.port) == ("https://sso.8x8.com", 443)
    assert (settings.entity_id, settings.acs_url) == ("https://sso.8x8.com/saml2", "https://sso.8x8.com/saml2")
    assert settings_with_tls(port=8443).base_url == "https://sso.8x8.com:8443"
    monkeypatch.setenv("VIRTUAL_OFFICE_PORT", "9443")
    monkeypatch.setenv("VIRTUAL_OFFICE_BASE_URL", "https://sso.8x8.com")
    chosen = settings_with_tls()
    assert (chosen.base_url, chosen.port) == ("https://sso.8x8.com", 9443)


def test_tls_without_certificates_says_how_to_make_them() -> None:
    assert "virtual-office certificates" in run("serve", "--tls", code=1).stderr


def test_tls_under_an_http_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    run("certificates")
    monkeypatch.setenv("VIRTUAL_OFFICE_BASE_URL", "http://localhost:8000")
    assert "must begin with https" in run("serve", "--tls", code=2).stderr


@pytest.mark.parametrize("harm", ["another key", "no PEM", "missing"])
def test_files_that_do_not_belong_together_are_named(data_dir: Path, tmp_path: Path, harm: str) -> None:
    run("certificates")
    key = data_dir / "tls" / "server-key.pem"
    if harm == "another key":
        run("certificates", "--out", str(tmp_path / "other"))
        key.write_bytes((tmp_path / "other" / "server-key.pem").read_bytes())
    elif harm == "no PEM":
        key.write_text("harmed")
    else:
        key.unlink()
    stderr = run("serve", "--tls", code=1).stderr
    assert str(data_dir / "tls" / "server.pem") in stderr
    assert (f"VIRTUAL_OFFICE_TLS_KEY: {key}" in stderr) is (harm == "missing")
    assert "Traceback" not in stderr


def test_one_file_without_the_other_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_OFFICE_TLS_KEY", "server-key.pem")
    with pytest.raises(SettingsError, match=r"VIRTUAL_OFFICE_TLS_CERTIFICATE: is missing: .* need each other"):
        load_settings()
