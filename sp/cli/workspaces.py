"""`workspace`: realms of their own for tests that run at once.

Owns the options and the table. Never decides what a workspace is: `sp.flows.workspaces` does.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated

import typer
from rich.table import Table

from sp.cli.running import UNUSABLE, existing_database, opened_database, settings_in_force, stop, wide_console
from sp.clock import system_clock
from sp.flows import workspaces
from sp.flows.account_setup import Invalid
from sp.flows.workspaces import USUAL, FullError, Made, addresses_of
from sp.models import Realm
from sp.settings import Settings
from sp.store import realms

workspace = typer.Typer(help="Workspaces, for tests that must not meet.", no_args_is_help=True)
_MADE_BY = "command line"

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The workspace's name.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@workspace.command()
def create(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Its name; made up where left out.")] = "",
    lifetime: Annotated[int, typer.Option(help="How long it lasts, in seconds.")] = int(USUAL.total_seconds()),
    as_json: JsonFlag = False,
) -> None:
    """Make a workspace; prints its addresses, its token and its administrator, this once."""
    settings = settings_in_force()
    with opened_database(settings) as database:
        lasts = timedelta(seconds=min(max(lifetime, 0), 10**9))
        try:
            made = workspaces.make_workspace(database, system_clock(), name, lasts, made_by=_MADE_BY)
        except FullError:
            stop(f"There are {workspaces.MAX_WORKSPACES} workspaces already. Delete one, or wait until one is over.")
    if isinstance(made, Invalid):
        stop(*made.errors.values(), code=UNUSABLE)
    told = _told(settings, made)
    lines = [json.dumps(told, indent=2)] if as_json else [f"{key:18}{value}" for key, value in told.items()]
    typer.echo("\n".join(lines))


@workspace.command("list")
def list_workspaces(as_json: JsonFlag = False) -> None:
    """List the workspaces that are not over."""
    with existing_database(settings_in_force()) as database, database.reading() as session:
        rows = [_row(found) for found in realms.workspaces(session, system_clock())]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table("Name", "Made", "Over", "Clock stands at")
    for row in rows:
        table.add_row(*(value or "" for value in row.values()))
    wide_console().print(table)


@workspace.command()
def reset(name: NameArgument) -> None:
    """Take away what happened in a workspace: users, sign-ins, settings. Its token stays."""
    with opened_database(settings_in_force()) as database:
        if not workspaces.reset_workspace(database, name, system_clock()):
            _stop_without(name)
    typer.echo(f"The workspace {name!r} is as it was made.")


@workspace.command()
def delete(name: NameArgument) -> None:
    """Remove a workspace with everything in it."""
    with opened_database(settings_in_force()) as database:
        if not workspaces.delete_workspace(database, name, system_clock()):
            _stop_without(name)
    typer.echo(f"Removed the workspace {name!r}.")


def _stop_without(name: str) -> None:
    stop(f"There is no workspace {name!r}, or it is over.", code=UNUSABLE)


def _told(settings: Settings, made: Made) -> dict[str, str]:
    return {
        "name": made.workspace.name,
        "expires_at": _time(made.workspace.expires_at) or "",
        **asdict(addresses_of(settings, made.workspace.name)),
        "token": made.token,
        "administrator": made.administrator,
        "password": made.password,
    }


def _row(found: Realm) -> dict[str, str | None]:
    return {
        "name": found.name,
        "created_at": _time(found.created_at),
        "expires_at": _time(found.expires_at),
        "fixed_time": _time(found.fixed_time),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"
