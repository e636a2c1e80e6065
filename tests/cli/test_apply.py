"""`apply` and `export`: what a settings file changes, what it leaves alone, and that a fault changes nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from cast import CONTOSO_ISSUER, FABRIKAM_ISSUER
from responses import Idp
from typer.testing import CliRunner, Result

from sp.cli import app

IDP = Idp.make(CONTOSO_ISSUER)
CONTOSO = f"""\
companies:
  - name: Contoso
    accounts:
      - slug: business
        settings:
          single_sign_on: on
          issuer: {CONTOSO_ISSUER}
          sign_in_url: https://idp.contoso.example/sign-in
          certificates:
            - certificate_file: idp.pem
        users:
          - username: britta@contoso.com
            first_name: Britta
            last_name: Simon
"""
FABRIKAM = """\
  - name: Fabrikam
    accounts:
      - slug: fabrikam
        name: Fabrikam's
        active: false
"""


@pytest.fixture(scope="module")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder after the first start, made once."""
    data = tmp_path_factory.mktemp("first-start") / "data"
    done = CliRunner().invoke(app, ["db", "upgrade"], env={"VIRTUAL_OFFICE_DATA_DIR": str(data)})
    assert done.exit_code == 0, done.output
    return data


@pytest.fixture(autouse=True)
def folder(first_start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(first_start, tmp_path / "data")
    monkeypatch.setenv("VIRTUAL_OFFICE_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "idp.pem").write_text(IDP.certificate.pem)
    return tmp_path


def run(*arguments: str, code: int = 0, given: str | None = None) -> Result:
    done = CliRunner().invoke(app, arguments, input=given)
    assert done.exit_code == code, done.output
    return done


def written(folder: Path, text: str) -> str:
    file = folder / "settings.yaml"
    file.write_text(text)
    return str(file)


def test_a_file_makes_everything_and_a_second_time_nothing(folder: Path) -> None:
    file = written(folder, CONTOSO + FABRIKAM)
    first = run("apply", file).stdout.splitlines()
    assert "+ company Fabrikam" in first
    assert "+ account fabrikam" in first
    assert "+ user britta@contoso.com" in first
    assert f"~ account business: issuer: (empty) → {CONTOSO_ISSUER}" in first
    assert "~ account business: single_sign_on: off → on" in first
    assert "~ account fabrikam: active: on → off" in first
    assert run("apply", file).stdout == "Nothing to change.\n"


def test_a_check_says_the_same_and_changes_nothing(folder: Path) -> None:
    file = written(folder, CONTOSO + FABRIKAM)
    said = run("apply", file, "--check", code=1).stdout
    assert run("apply", file, "--check", code=1).stdout == said
    assert run("apply", file).stdout == said
    assert run("apply", file, "--check").stdout == "Nothing to change.\n"


def test_what_the_file_leaves_out_stays(folder: Path) -> None:
    run("apply", written(folder, CONTOSO))
    run("configure", "--provider-name", "Kept", "--provisioning", "off")
    changed = CONTOSO.replace("last_name: Simon", "last_name: Simons").replace("sign-in\n", "other\n")
    assert run("apply", written(folder, changed)).stdout.splitlines() == [
        "~ account business: sign_in_url: https://idp.contoso.example/sign-in → https://idp.contoso.example/other",
        "~ user britta@contoso.com: last_name: Simon → Simons",
    ]
    assert "provider_name: Kept" in run("export").stdout


def test_an_export_applied_elsewhere_makes_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("apply", written(folder, CONTOSO + FABRIKAM))
    text = run("export", "--with-users").stdout
    assert run("apply", "-", "--check", given=text).stdout == "Nothing to change.\n"
    monkeypatch.setenv("VIRTUAL_OFFICE_DATA_DIR", str(folder / "elsewhere"))
    run("apply", "-", given=text)
    assert run("export", "--with-users").stdout == text


def test_an_export_holds_no_secret(folder: Path) -> None:
    run("apply", written(folder, CONTOSO))
    text = run("export", "--with-users").stdout
    generated = (folder / "data" / "administrator-password.txt").read_text().strip()
    for secret in ("PRIVATE", "argon2", "password:", generated):
        assert secret not in text


def test_users_come_only_when_asked_for(folder: Path) -> None:
    run("apply", written(folder, CONTOSO))
    assert "britta" not in run("export").stdout


def test_a_disabled_user_is_disabled_and_comes_back(folder: Path) -> None:
    run("apply", written(folder, CONTOSO))
    disabled = CONTOSO + "            status: disabled\n"
    said = run("apply", written(folder, disabled)).stdout
    assert said == "~ user britta@contoso.com: status: active → disabled\n"
    [britta] = json.loads(run("users", "--json").stdout)
    assert britta["status"] == "disabled"
    run("apply", written(folder, disabled.replace("disabled", "active")))


def test_the_letters_of_a_user_name_stay_as_first_written(folder: Path) -> None:
    run("apply", written(folder, CONTOSO))
    assert run("apply", written(folder, CONTOSO.replace("britta@", "BRITTA@"))).stdout == "Nothing to change.\n"


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "sentence"),
    [
        ("issuer: https", "issuer: javascript", 7, "settings.issuer", "A script or data address"),
        ("sign_in_url: https", "sign_in_url: ftp", 8, "settings.sign_in_url", "Enter a whole URL"),
        ("idp.pem", "gone.pem", 10, "settings.certificates[0]", "The certificate file cannot be read"),
        ("last_name: Simon", "last_name: ''", 14, "users[0].last_name", "Enter the Last Name."),
        ("            last_name: Simon\n", "", 12, "users[0].last_name", "Enter the Last Name."),
        ("britta@contoso.com", "'two words@contoso.com'", 12, "users[0].username", "This cannot be a Username"),
    ],
)
def test_a_fault_anywhere_changes_nothing_at_all(
    folder: Path, old: str, new: str, line: int, field: str, sentence: str
) -> None:
    """Fabrikam comes first in the file and is sound."""
    before = run("export", "--with-users").stdout
    broken = CONTOSO.replace(old, new)
    assert broken != CONTOSO
    head, _, rest = broken.partition("companies:\n")
    file = written(folder, f"{head}companies:\n{FABRIKAM}{rest}")
    said = run("apply", file, code=2).stderr.splitlines()
    shift = FABRIKAM.count("\n")
    assert any(
        one.startswith(f"{file}:{line + shift}: companies[1].accounts[0].{field}: {sentence}") for one in said
    ), said
    assert said[-1] == "Nothing was changed."
    assert run("export", "--with-users").stdout == before


def test_saml_cannot_be_switched_on_without_what_it_needs(folder: Path) -> None:
    bare = "companies: [{name: Contoso, accounts: [{slug: business, settings: {single_sign_on: on}}]}]"
    said = run("apply", written(folder, bare), code=2).stderr
    assert "settings.issuer: SAML needs the Issuer URL" in said
    assert "settings.certificates: SAML needs the identity provider's certificate" in said


def test_charlie_cannot_take_contosos_account_or_issuer_over(folder: Path) -> None:
    run("apply", written(folder, CONTOSO + FABRIKAM))
    taken = "companies: [{name: Fabrikam, accounts: [{slug: business}]}]"
    assert "An account of another company has this slug." in run("apply", written(folder, taken), code=2).stderr
    issuer = (
        f"companies: [{{name: Fabrikam, accounts: [{{slug: fabrikam, settings: {{issuer: '{CONTOSO_ISSUER}'}}}}]}}]"
    )
    assert "Ask the operator" in run("apply", written(folder, issuer), code=2).stderr
    free = issuer.replace(CONTOSO_ISSUER, FABRIKAM_ISSUER)
    assert run("apply", written(folder, free)).stdout.startswith("~ account fabrikam: issuer")


def test_a_terminal_is_not_commanded_by_a_file(folder: Path) -> None:
    said = run("apply", written(folder, 'companies: [{name: "a\\e[31m\\nb", "k\\e[0m": 1}]'), code=2).stderr
    assert "\x1b" not in said


def test_a_file_that_is_not_there_is_named(folder: Path) -> None:
    said = run("apply", str(folder / "gone.yaml"), code=2).stderr
    assert said.endswith("gone.yaml' cannot be read: No such file or directory.\n")


def test_a_workspace_cannot_be_taken_over_by_a_file(folder: Path) -> None:
    """It has an end, and a file is for what stays."""
    run("workspace", "create", "job-4711")
    taken = "companies: [{name: Workspace job-4711, accounts: [{slug: ours}]}]"
    said = run("apply", written(folder, taken), code=2).stderr
    assert ":1: companies[0].name: This is the company of a workspace, which has an end." in said
    theirs = "companies: [{name: Contoso, accounts: [{slug: job-4711}]}]"
    assert "An account of another company has this slug." in run("apply", written(folder, theirs), code=2).stderr
    assert "job-4711" not in run("export").stdout


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{name: "Con\\0toso"}', "companies[0].name: A company's name has 1 to 256 characters"),
        ('{name: Contoso, accounts: [{slug: "a\\0b"}]}', "companies[0].accounts[0].slug: A slug has"),
        (
            '{name: Contoso, accounts: [{slug: business, name: "a\\0b"}]}',
            "companies[0].accounts[0].name: An account's name has",
        ),
        (
            '{name: Contoso, accounts: [{slug: business, users: [{username: "a\\0b"}]}]}',
            "companies[0].accounts[0].users[0].username: This cannot be a Username",
        ),
    ],
    ids=["company", "account", "account's name", "user"],
)
def test_a_nul_is_told_and_looked_up_nowhere(folder: Path, text: str, fault: str) -> None:
    """PostgreSQL takes none in a text."""
    assert fault in run("apply", written(folder, f"companies: [{text}]"), code=2).stderr


def test_an_export_that_would_not_be_taken_back_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("apply", written(folder, CONTOSO))
    monkeypatch.setattr("sp.flows.settings_file.MAX_BYTES", 1024)
    done = run("export", code=1)
    assert done.stdout.startswith("# Single Sign On settings")
    assert "`apply` does not take this file as it is. A settings file has at most" in done.stderr
