"""Commands that only read leave every file as it is. Each command of the program is classified here."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cast import NOW
from responses import Idp
from sqlalchemy import text
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner, Result

from sp.cli import app
from sp.flows.account_setup import SEEDED_SLUG
from sp.flows.installation import open_existing
from sp.flows.opening import open_database
from sp.flows.service_keys import ensure_encryption_key
from sp.settings import Settings
from sp.store import accounts
from sp.store.engine import DatabaseError, newest_revision
from sp.store.rows import required

REFERENCE = "23456789"
# What only reads, with arguments that get as far as the database.
READ_ONLY = {
    "apply --check": ["apply", "--check", "settings.yaml"],
    "compare": ["compare", REFERENCE, REFERENCE],
    "db backup": ["db", "backup", "copy.db"],
    "db check": ["db", "check"],
    "domain list": ["domain", "list"],
    "export": ["export"],
    "idp-certificates list": ["idp-certificates", "list"],
    "idp-config": ["idp-config", "--for", "keycloak"],
    "import-metadata --check": ["import-metadata", "--check", "metadata.xml"],
    "inspect --account": ["inspect", "message.xml", "--account", "business"],
    "issuer list": ["issuer", "list"],
    "judge-again": ["judge-again", REFERENCE],
    "keys certificate": ["keys", "certificate", "--purpose", "signing"],
    "keys list": ["keys", "list"],
    "metadata": ["metadata", "--signed"],
    "preflight": ["preflight"],
    "sessions list": ["sessions", "list"],
    "share": ["share", REFERENCE, "-o", "shared.html"],
    "sign-ins": ["sign-ins", "--json"],
    "token list": ["token", "list"],
    "users": ["users", "--json"],
    "workspace list": ["workspace", "list"],
}
# What needs no installation, and makes none: a file is read, or the running service is asked.
WITHOUT_INSTALLATION = {
    "healthcheck": ["healthcheck"],
    "inspect": ["inspect", "message.xml", "--list"],
}
CHANGES = {
    "account add",
    "administrator add",
    "administrator reset-password",
    "apply",
    "certificates",
    "configure",
    "db upgrade",
    "demo",
    "domain add",
    "domain remove",
    "expect",
    "idp-certificates add",
    "idp-certificates remove",
    "idp-certificates retire",
    "import-metadata",
    "issuer move",
    "keys begin-rollover",
    "keys complete-rollover",
    "serve",
    "sessions end",
    "token create",
    "token revoke",
    "user add",
    "user delete",
    "user disable",
    "user enable",
    "user release",
    "workspace create",
    "workspace delete",
    "workspace reset",
}
SETTINGS_FILE = "companies:\n  - name: Fabrikam\n    accounts:\n      - slug: fabrikam\n"
METADATA = """<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example/">
<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>
<ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
 Location="https://idp.example/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without an installation, in which the commands run; with the files that some of them read."""
    for name in os.environ:
        if name.startswith("VIRTUAL_OFFICE_"):
            monkeypatch.delenv(name)
    idp = Idp.make("https://idp.example/")
    lines = idp.certificate.pem.splitlines()[1:-1]
    (tmp_path / "message.xml").write_bytes(idp.response())
    (tmp_path / "settings.yaml").write_text(SETTINGS_FILE)
    (tmp_path / "metadata.xml").write_text(METADATA.format(certificate="".join(lines)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def commands(group: TyperGroup, *above: str) -> Iterator[str]:
    """The full name of every command, from the program itself."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, *above, name)
        else:
            yield " ".join((*above, name))


def tree(folder: Path) -> dict[str, tuple[int, bytes | None]]:
    """Every file and folder, with its permission bits and what is in it."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes() if path.is_file() else None)
        for path in sorted(folder.rglob("*"))
    }


def test_every_command_is_classified() -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    plain = {name.partition(" --")[0] for name in (*READ_ONLY, *WITHOUT_INSTALLATION)}
    assert set(commands(group)) == plain | CHANGES


@pytest.mark.parametrize("name", READ_ONLY)
def test_without_an_installation_it_says_where_there_is_none_and_makes_nothing(name: str, folder: Path) -> None:
    before = tree(folder)
    done = run(*READ_ONLY[name])
    assert done.exit_code == 2, done.output
    assert done.stderr == (
        f"There is no installation in the folder {folder / 'data'}: it has no database virtual-office.db. "
        "`virtual-office serve` makes one; VIRTUAL_OFFICE_DATA_DIR names another place.\n"
    )
    assert done.stdout.partition("\n")[0] in {"", "https://idp.example/"}
    assert tree(folder) == before


@pytest.mark.parametrize("name", WITHOUT_INSTALLATION)
def test_what_needs_no_installation_makes_none(name: str, folder: Path) -> None:
    before = tree(folder)
    assert "installation" not in run(*WITHOUT_INSTALLATION[name]).stderr
    assert tree(folder) == before


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of an installation, made once.

    With the account's encryption key, which `metadata` and `idp-config` make where nothing has asked for it before.
    """
    made = tmp_path_factory.mktemp("installed") / "data"
    settings = Settings(data_dir=made, admin_password="Adm1n!pass")
    with closing(open_database(settings)) as database:
        with database.reading() as session:
            account = accounts.account_by_slug(session, SEEDED_SLUG)
        assert account is not None
        ensure_encryption_key(database, settings, required(account.id), NOW)
    return made


@pytest.fixture
def installed(folder: Path, data: Path) -> Path:
    """The folder with an installation in it."""
    shutil.copytree(data, folder / "data")
    return folder


@pytest.mark.parametrize("name", READ_ONLY)
def test_an_installation_is_left_as_it_is(name: str, installed: Path) -> None:
    before = tree(installed / "data")
    done = run(*READ_ONLY[name])
    assert not isinstance(done.exception, Exception), done.output
    assert "installation" not in done.stderr
    assert tree(installed / "data") == before


@pytest.mark.parametrize("name", sorted(READ_ONLY.keys() - {"db backup", "db check"}))
def test_an_older_database_is_neither_upgraded_nor_read(name: str, installed: Path) -> None:
    with closing(sqlite3.connect(installed / "data" / "virtual-office.db")) as opened, opened:
        opened.execute("UPDATE alembic_version SET version_num = '0001'")
    before = tree(installed / "data")
    done = run(*READ_ONLY[name])
    assert done.exit_code == 1
    assert done.stderr == (
        f"The database is at version 0001; this program needs version {newest_revision()}: "
        "`virtual-office db upgrade` brings it there.\n"
    )
    assert tree(installed / "data") == before


def test_a_database_elsewhere_is_named_by_its_own_variable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_OFFICE_DATABASE_URL", f"sqlite:///{folder}/elsewhere/other.db")
    said = run("users").stderr
    assert f"{folder}/elsewhere: it has no database other.db" in said
    assert "VIRTUAL_OFFICE_DATABASE_URL names another place" in said
    assert not (folder / "elsewhere").exists()


def test_a_database_that_is_only_read_refuses_every_change(installed: Path) -> None:
    with (
        closing(open_existing(Settings(data_dir=installed / "data"))) as database,
        pytest.raises(DatabaseError, match="readonly database"),
        database.errors_in_one_sentence(),
        database.writing() as session,
    ):
        session.execute(text("DELETE FROM account"))
