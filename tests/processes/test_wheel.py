"""The wheel holds everything, and works outside the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import replace
from importlib.metadata import distributions
from pathlib import Path

import httpx
import pytest
from lxml import html
from processes.program import ROOT, Installation

PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
INSTALLED = "/* the installed file, not the checkout's */"
CARRIED = [
    "sp/py.typed",
    "sp/_bundled/templates/base.html",
    "sp/_bundled/templates/demo_directory/base.html",
    "sp/_bundled/static/css/tokens.css",
    "sp/_bundled/static/js/dialog.js",
    "sp/_bundled/static/demo_directory/demo.css",
    "sp/store/migrations/env.py",
    "sp/store/migrations/script.py.mako",
    "sp/store/migrations/versions/0001_the_first_tables.py",
    "sp/saml/schemas/response.xsd",
    "sp/saml/schemas/exc-c14n.xsd",
]


def pip(*arguments: str | Path) -> None:
    done = subprocess.run([*PIP, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as CONTRIBUTING says: with the locked hatchling, so that nothing is fetched."""
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", ROOT, "--no-deps", "--no-build-isolation", "--wheel-dir", folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The wheel's files in a folder of their own, and nothing of the checkout on the way."""
    folder = tmp_path_factory.mktemp("installed")
    pip("install", wheel, "--no-deps", "--target", folder / "site")
    with (folder / "site/sp/_bundled/static/css/tokens.css").open("a") as tokens:
        tokens.write(INSTALLED)
    return replace(Installation(folder), code=folder / "site")


def test_the_wheel_carries_what_the_program_reads(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
        points = [opened.read(name).decode() for name in names if name.endswith("/entry_points.txt")]
    assert [name for name in CARRIED if name not in names] == []
    commands = "[console_scripts]\nvirtual-office = sp.cli:main\n"
    assert points == [f"{commands}\n[pytest11]\nvirtual_office = sp.testing.plugin\n"]
    assert not any(name.startswith(("tests/", "bench/", "scripts/", "docs/")) for name in names)


def test_the_driver_of_postgresql_is_an_extra(wheel: Path) -> None:
    [found] = distributions(name="virtual-office-sp", path=[str(wheel)])
    required = [requirement for requirement in found.requires or [] if requirement.startswith("psycopg")]
    assert required == ["psycopg[binary]; extra == 'postgresql'"]


def test_it_serves_pages_with_styles_from_outside_the_checkout(installed: Installation) -> None:
    with installed.start("serve"), httpx.Client(base_url=installed.base_url, trust_env=False) as client:
        page = client.get("/")
        assert page.status_code == 200
        links = html.document_fromstring(page.text).iterfind(".//link[@rel='stylesheet']")
        sheets = [link.get("href", "") for link in links]
        assert sheets
        for sheet in sheets:
            answer = client.get(sheet)
            assert (answer.status_code, answer.headers["content-type"]) == (200, "text/css; charset=utf-8")
        tokens = next(sheet for sheet in sheets if "tokens" in sheet)
        assert client.get(tokens).text.endswith(INSTALLED)
