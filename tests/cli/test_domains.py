"""`domain`, `issuer` and `user release`: what the operator gives, sees and takes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from cli.test_apply import first_start  # noqa: F401  (a fixture)
from typer.testing import CliRunner, Result

from sp.cli import app

ISSUER = "https://sts.example/tenant/"
PROFILE = ("--first-name", "A", "--last-name", "B")


@pytest.fixture(autouse=True)
def folder(first_start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: F811
    shutil.copytree(first_start, tmp_path / "data")
    monkeypatch.setenv("VIRTUAL_OFFICE_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


def run(*arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == code, done.output
    return done


def domains() -> dict[str, str]:
    return {row["domain"]: row["company"] for row in json.loads(run("domain", "list", "--json").stdout)}


def add_fabrikam(*options: str) -> Result:
    return run("account", "add", "--company", "Fabrikam", "--slug", "fabrikam", *options)


def test_contoso_owns_its_domains_from_the_start() -> None:
    assert domains() == {"contoso.com": "Contoso", "contoso.example": "Contoso"}


def test_domains_are_added_and_removed() -> None:
    assert "domain add --company 'Fabrikam'" in add_fabrikam().stdout
    said = run("domain", "add", "Fabrikam.com", "bücher.example", "--company", "Fabrikam").stdout
    assert "Added xn--bcher-kva.example" in said
    assert domains()["fabrikam.com"] == "Fabrikam"
    run("domain", "remove", "BÜCHER.example", "fabrikam.com")
    assert set(domains().values()) == {"Contoso"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("add", "contoso.com", "--company", "Fabrikam"), "belongs to the company 'Contoso'"),
        (("add", "new.example", "a b", "--company", "Fabrikam"), "This is not a domain such as contoso.com: 'a b'."),
        (("add", "new.example", "--company", "Nobody"), "There is no company 'Nobody'."),
        (("remove", "contoso.com", "new.example"), "No company owns the domain 'new.example'."),
    ],
)
def test_a_refusal_names_its_reason_and_changes_nothing(arguments: tuple[str, ...], sentence: str) -> None:
    add_fabrikam()
    before = domains()
    assert sentence in run("domain", *arguments, code=2).stderr
    assert domains() == before


def test_the_company_of_a_workspace_needs_no_domain() -> None:
    run("workspace", "create", "job-1")
    said = run("domain", "add", "new.example", "--company", "Workspace job-1", code=2).stderr
    assert "workspace" in said


def test_an_account_is_added_with_its_domains() -> None:
    add_fabrikam("--domain", "fabrikam.com", "--domain", "fabrikam.example")
    assert domains()["fabrikam.com"] == domains()["fabrikam.example"] == "Fabrikam"
    taken = run("account", "add", "--company", "Other", "--slug", "other", "--domain", "contoso.com", code=2)
    assert "A domain has one owner." in taken.stderr
    run("domain", "add", "other.example", "--company", "Other", code=2)  # nothing of it was kept


def test_users_outside_are_told_at_the_upgrade_and_in_the_list() -> None:
    run("user", "add", "--username", "guest@evil.example", *PROFILE)
    assert "guest" not in run("db", "upgrade").stdout
    add_fabrikam()
    for command in (("db", "upgrade"), ("domain", "list")):
        said = run(*command).stdout
        assert "1 user has a username outside" in said
        assert "guest@evil.example (Contoso)" in said


def test_a_deleted_name_is_released_for_its_owner() -> None:
    name = "guest@fabrikam.com"
    run("user", "add", "--username", name, *PROFILE)
    add_fabrikam("--domain", "fabrikam.com")
    add = ("user", "add", "--username", name, *PROFILE, "--account", "fabrikam")
    assert "not available" in run(*add, code=2).stderr
    assert "is not deleted" in run("user", "release", name, code=2).stderr
    run("user", "delete", name)
    assert "not available" in run(*add, code=2).stderr
    assert "Released" in run("user", "release", name.upper()).stdout
    run(*add)
    assert "There is no user" in run("user", "release", "nobody", code=2).stderr


def test_the_operator_sees_who_asked_for_an_issuer_and_moves_it() -> None:
    add_fabrikam()
    run("configure", "--issuer", ISSUER, "--sso", "off", "--account", "fabrikam")
    said = run("configure", "--issuer", ISSUER, "--sso", "off", code=2).stderr
    assert "virtual-office issuer list" in said
    (row,) = json.loads(run("issuer", "list", "--conflicts", "--json").stdout)
    assert (row["issuer"], row["account"], row["company"]) == (ISSUER, "fabrikam", "Fabrikam")
    assert [one["account"] for one in row["asked_for_by"]] == ["business"]
    assert "fabrikam" in run("issuer", "list").stdout
    assert "from 'fabrikam' to 'business'" in run("issuer", "move", ISSUER, "--to", "business").stdout
    (row,) = json.loads(run("issuer", "list", "--json").stdout)
    assert (row["account"], row["asked_for_by"]) == ("business", [])
    assert "No conflicts." in run("issuer", "list", "--conflicts").stdout
    assert "No other account has the issuer" in run("issuer", "move", ISSUER, "--to", "business", code=2).stderr
    run("issuer", "move", ISSUER, "--to", "fabrikam")
    assert "No conflicts." in run("issuer", "list", "--conflicts").stdout  # a settled one does not come back


def test_a_settings_file_gives_domains_and_an_export_has_them(folder: Path) -> None:
    file = folder / "settings.yaml"
    file.write_text(
        "companies: [{name: Fabrikam, domains: [Fabrikam.com], accounts: [{slug: fabrikam, users: "
        "[{username: c@fabrikam.com, first_name: C, last_name: C}]}]}]"
    )
    said = run("apply", str(file)).stdout
    assert "+ domain fabrikam.com of company Fabrikam" in said
    assert "Nothing to change." in run("apply", str(file)).stdout
    exported = run("export").stdout
    assert "fabrikam.com" in exported
    file.write_text(exported)
    assert "Nothing to change." in run("apply", str(file)).stdout


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("[contoso.com]", "companies[0].domains[0]: The domain 'contoso.com' belongs to the company 'Contoso'."),
        ("[a b]", "companies[0].domains[0]: This is not a domain such as contoso.com: 'a b'."),
        ("contoso", "companies[0].domains: A list is expected here"),
        ("[[x]]", "companies[0].domains[0]: One value is expected here"),
    ],
)
def test_a_wrong_domain_in_a_settings_file_is_named(folder: Path, given: str, sentence: str) -> None:
    file = folder / "settings.yaml"
    file.write_text(f"companies: [{{name: Fabrikam, domains: {given}}}]")
    assert sentence in run("apply", str(file), code=2).stderr
    assert set(domains().values()) == {"Contoso"}


def test_domains_of_an_account_are_no_key_of_a_settings_file(folder: Path) -> None:
    file = folder / "settings.yaml"
    file.write_text("companies: [{name: Fabrikam, accounts: [{slug: fabrikam, domains: [fabrikam.com]}]}]")
    assert "There is no such key" in run("apply", str(file), code=2).stderr
