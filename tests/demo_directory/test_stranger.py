"""The demo directory shares no code with the service provider."""

import ast
from pathlib import Path

import pytest

import sp.demo_directory

MODULES = sorted(Path(sp.demo_directory.__file__).parent.glob("*.py"))


def imported(source: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("." * node.level + (node.module or ""))
    return names


@pytest.mark.parametrize("source", MODULES, ids=lambda path: path.name)
def test_nothing_of_the_service_provider_is_imported(source: Path) -> None:
    ours = {name for name in imported(source) if name == "sp" or name.startswith(("sp.", "."))}
    assert {name for name in ours if not name.startswith("sp.demo_directory")} == set()


def test_there_are_modules_to_look_at() -> None:
    assert len(MODULES) > 10
