"""`preflight`: what will go wrong at an account's first sign-in, for a script."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from responses import Idp
from typer.testing import CliRunner, Result

from sp.cli import app

TENANT = "https://sts.windows.net/5f1f5cd5-3f2c-4b0e-9c1d-8a1b2c3d4e5f"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.chdir(tmp_path)
    return CliRunner(
        env={"VIRTUAL_OFFICE_DATA_DIR": str(tmp_path), "VIRTUAL_OFFICE_ADMIN_PASSWORD": "Right-1-password"}
    )


def configured(run: CliRunner, folder: Path, issuer: str) -> Result:
    certificate = folder / "idp.pem"
    certificate.write_bytes(Idp.make().certificate_pem)
    done = run.invoke(app, ["configure", "--issuer", issuer, "--certificate", str(certificate)])
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture
def installed(run: CliRunner) -> None:
    """A command that only reads needs an installation."""
    assert run.invoke(app, ["db", "upgrade"]).exit_code == 0


@pytest.mark.usefixtures("installed")
def test_a_fresh_account_is_not_ready(run: CliRunner) -> None:
    done = run.invoke(app, ["preflight"])
    assert done.exit_code == 1
    assert "SAML needs the Issuer URL" in done.output
    assert 'Tick "Single Sign On"' in done.output


def test_a_connected_account_is_ready(run: CliRunner, tmp_path: Path) -> None:
    configured(run, tmp_path, f"{TENANT}/")
    done = run.invoke(app, ["preflight"])
    assert done.exit_code == 0, done.output
    assert "unknown until the first message" in done.output


def test_a_missing_slash_is_told_as_json_with_its_remedy(run: CliRunner, tmp_path: Path) -> None:
    configured(run, tmp_path, TENANT)
    done = run.invoke(app, ["preflight", "--account", "business", "--json"])
    assert done.exit_code == 1
    told = json.loads(done.output)
    assert (told["account"], told["ready"]) == ("business", False)
    [row] = [row for row in told["rows"] if row["outcome"] == "failed"]
    assert (row["code"], row["expected"], row["received"]) == ("issuer_exact", f"{TENANT}/", TENANT)
    assert row["remedy"] == 'Enter the value expected as "Issuer URL".'


@pytest.mark.usefixtures("installed")
def test_an_account_that_is_not_there_is_an_unusable_argument(run: CliRunner) -> None:
    done = run.invoke(app, ["preflight", "--account", "nobody"])
    assert done.exit_code == 2
    assert "There is no account 'nobody'" in done.output
