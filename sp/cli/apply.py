"""`apply` and `export`: the settings of every account as a file that can be kept beside other configuration.

Owns the options, the differences that are printed and the exit codes. Never decides what a value may be: the flows do.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from sp.cli.running import (
    REFUSED,
    UNUSABLE,
    database_for_a_trial,
    existing_database,
    printable,
    settings_in_force,
    stop,
)
from sp.clock import system_clock
from sp.flows.settings_applying import Applied, Change, apply_settings
from sp.flows.settings_export import exported
from sp.flows.settings_file import MAX_BYTES, Unreadable, Wanted, read_settings_file
from sp.saml.certificates import MAXIMUM_BYTES
from sp.settings import Settings

_STANDARD_INPUT = "-"
_SHOWN_CHARACTERS = 200


def apply(
    file: Annotated[str, typer.Argument(help="The settings file in YAML; - reads it from standard input.")],
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 when something would change.")] = False,
) -> None:
    """Make companies, accounts, settings and users as a file has them. Prints what changed; all of it or nothing."""
    wanted = _read(file)
    if isinstance(wanted, Unreadable):
        _stop_with(file, wanted)
    outcome = _applied(settings_in_force(), wanted, check=check)
    if isinstance(outcome, Unreadable):
        _stop_with(file, outcome)
    for change in outcome.changes:
        typer.echo(_line(change))
    if not outcome.changes:
        typer.echo("Nothing to change.")
    elif check:
        raise typer.Exit(REFUSED)


def export(
    with_users: Annotated[bool, typer.Option("--with-users", help="Everybody's profile too.")] = False,
) -> None:
    """Print the settings file that `apply` would make this installation's accounts from. Holds no secret.

    Exit 1 when `apply` would not take it, because it is too large for instance.
    """
    with existing_database(settings_in_force()) as database:
        text = exported(database, with_users=with_users)
    typer.echo(text, nl=False)
    again = read_settings_file(text.encode(), _no_file)
    if isinstance(again, Unreadable):
        stop(f"`apply` does not take this file as it is. {again.faults[0].sentence}", code=REFUSED)


def _no_file(_name: str) -> bytes:
    """What is exported has its certificates in it."""
    raise FileNotFoundError


def _applied(settings: Settings, wanted: Wanted, *, check: bool) -> Applied | Unreadable:
    """One transaction. A check takes every step and then takes all of them back, so that it says what would happen."""
    with database_for_a_trial(settings, is_trial=check) as database, database.writing() as session:
        outcome = apply_settings(session, settings, wanted, system_clock())
        if check or isinstance(outcome, Unreadable):
            session.rollback()
    return outcome


def _read(file: str) -> Wanted | Unreadable:
    folder = Path.cwd() if file == _STANDARD_INPUT else Path(file).parent

    def read_certificate_file(name: str) -> bytes:
        with (folder / name).open("rb") as opened:
            return opened.read(MAXIMUM_BYTES + 1)

    try:
        if file == _STANDARD_INPUT:
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(file).open("rb") as opened:
                content = opened.read(MAX_BYTES + 1)
    except OSError as error:
        stop(f"The settings file {file!r} cannot be read: {error.strerror}.", code=UNUSABLE)
    return read_settings_file(content, read_certificate_file)


def _stop_with(file: str, unreadable: Unreadable) -> NoReturn:
    """FILE:LINE: FIELD: SENTENCE, as compilers do, so that editors find the place."""
    lines = []
    for fault in unreadable.faults:
        where = f"{file}:{fault.place.line}: "
        lines.append(printable(where + (f"{fault.place.path}: " if fault.place.path else "") + fault.sentence))
    stop(*lines, "Nothing was changed.", code=UNUSABLE)


def _line(change: Change) -> str:
    if not change.field:
        return printable(f"+ {change.thing}")
    return printable(f"~ {change.thing}: {change.field}: {_shown(change.before)} → {_shown(change.after)}")


def _shown(value: str) -> str:
    if not value:
        return "(empty)"
    return value if len(value) <= _SHOWN_CHARACTERS else f"{value[:_SHOWN_CHARACTERS]}…"
