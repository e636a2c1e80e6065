"""The `virtual-office` command.

Owns the words of the command line and its exit codes: 0 done, 1 refused or failed, 2 unusable arguments or settings.
Never decides: it calls the same flows as the pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from sp import __version__
from sp.cli.loading import loading

# Where each command is: the module below this package, and its name there. A module is imported when somebody asks for
# its command, because what all of them import takes longer to load than most of them run, and stays in memory.
COMMANDS = {
    "serve": ("service", "serve"),
    "demo": ("service", "demo"),
    "configure": ("setup", "configure"),
    "preflight": ("preflight", "preflight"),
    "account": ("setup", "account"),
    "domain": ("domains", "domain"),
    "issuer": ("issuers", "issuer"),
    "administrator": ("people", "administrator"),
    "user": ("people", "user"),
    "users": ("people", "users"),
    "sign-ins": ("people", "sign_ins"),
    "sessions": ("sessions", "sessions"),
    "inspect": ("inspection", "inspect"),
    "judge-again": ("judging_again", "judge_again"),
    "compare": ("attempts", "compare"),
    "share": ("attempts", "share"),
    "import-metadata": ("idp_metadata", "import_metadata"),
    "idp-certificates": ("idp_certificates", "idp_certificates"),
    "keys": ("keys", "keys"),
    "metadata": ("keys", "metadata"),
    "certificates": ("certificates", "certificates"),
    "token": ("tokens", "token"),
    "workspace": ("workspaces", "workspace"),
    "expect": ("expectations", "expect"),
    "db": ("database", "db"),
    "apply": ("apply", "apply"),
    "export": ("apply", "export"),
    "idp-config": ("idp_config", "idp_config"),
    "healthcheck": ("healthcheck", "healthcheck"),
}


class _Commands(Mapping[str, Any]):
    """Every command by its name, loaded when it is looked up."""

    def __getitem__(self, name: str) -> Any:
        return _loaded(name, *COMMANDS[name])

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class _Group(TyperGroup):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"commands": _Commands()})


@cache
def _loaded(name: str, module: str, attribute: str) -> Any:
    with loading():
        found = getattr(import_module(f"{__name__}.{module}"), attribute)
    if isinstance(found, typer.Typer):
        group = get_group(found)
        group.name = name
        return group
    alone = typer.Typer(add_completion=False)
    alone.command(name)(found)
    return get_command(alone)


app = typer.Typer(
    cls=_Group,
    name="virtual-office",
    help="A stand-in for the 8x8 Virtual Office service provider. Not affiliated with 8x8.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def _version(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    app()
