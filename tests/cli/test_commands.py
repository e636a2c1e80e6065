"""The list of commands: each is where the list says, and costs nothing until somebody asks for it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from sp.cli import COMMANDS, app

HEAVY = ("fastapi", "httpx", "lxml", "rich", "saml2", "sqlalchemy", "yaml")
ASKED = """
import json, sys
from typer.testing import CliRunner
from sp.cli import app
done = CliRunner().invoke(app, {arguments!r})
assert done.exit_code == 0, done.output
print(json.dumps([name for name in {heavy!r} if name in sys.modules]))
"""


def loaded_by(*arguments: str) -> set[str]:
    """Which of the heavy packages a command loads, in a process of its own."""
    code = ASKED.format(arguments=list(arguments), heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_where_the_list_says_and_explains_itself(name: str) -> None:
    done = CliRunner().invoke(app, [name, "--help"])
    assert done.exit_code == 0, done.output
    assert f"virtual-office {name}" in done.output


def test_all_of_them_are_listed_with_a_sentence() -> None:
    told = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output
    lines = [line.strip("│ ").split(maxsplit=1) for line in told.splitlines()]
    assert [line[0] for line in lines if len(line) == 2 and line[0] in COMMANDS and "." in line[1]] == list(COMMANDS)


def test_a_misspelt_command_is_recognized() -> None:
    done = CliRunner().invoke(app, ["aply"])
    assert done.exit_code == 2
    assert "Did you mean 'apply'?" in done.output


def test_the_version_is_told_without_loading_anything() -> None:
    assert loaded_by("--version") == set()


def test_a_service_that_fetches_nothing_loads_no_client() -> None:
    """It takes as long to load as a tenth of all the rest."""
    code = "import sys, sp.app, sp.cli.server, sp.cli.service; print('httpx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_what_serves_loads_nothing_that_colors_a_terminal() -> None:
    """structlog would, eight megabytes of it, and be slower to start."""
    code = (
        "import sys; from sp.cli import _Commands; _Commands()['serve']; import sp.app, sp.cli.server; "
        "print(sorted({'structlog', 'rich', 'pygments'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['structlog']"
