"""What every command starts with: settings, the database, and how a fault is told.

Owns exit codes for faults of the surroundings. Never prints a stack trace for one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from sp.cli.service_address import known_base_url
from sp.clock import system_clock
from sp.flows.installation import NoInstallationError, open_existing
from sp.flows.opening import open_database
from sp.saml.own_keys import OwnKeyError
from sp.settings import Settings, SettingsError, load_settings
from sp.store.engine import Database, DatabaseError

if TYPE_CHECKING:
    from rich.console import Console

REFUSED = 1
UNUSABLE = 2
_WIDTH_WITHOUT_TERMINAL = 160


def stop(*sentences: str, code: int = REFUSED) -> NoReturn:
    """Say what is wrong on standard error, one sentence a line, and exit."""
    for sentence in sentences:
        typer.echo(sentence, err=True)
    raise typer.Exit(code)


def printable(value: str) -> str:
    """The value on one line without control characters: a terminal must not act on what a stranger sent."""
    return "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in value)


def wide_console() -> Console:
    """As wide as the terminal; where there is none, as in a file or a pipe, wide enough for a table."""
    from rich.console import Console  # noqa: PLC0415  what serves draws no table

    console = Console()
    return console if console.is_terminal else Console(width=_WIDTH_WITHOUT_TERMINAL)


def settings_in_force(**overrides: Any) -> Settings:
    """The settings of a command, which speaks of the installation at the address where it runs or ran last."""
    settings = chosen_settings(**overrides)
    base_url = known_base_url(settings)
    return chosen_settings(**overrides, base_url=base_url) if base_url else settings


def chosen_settings(**overrides: Any) -> Settings:
    """The settings as they are chosen: those of a service, whose address follows its host and port."""
    try:
        return load_settings(**overrides)
    except SettingsError as error:
        stop(*error.faults, code=UNUSABLE)


@contextmanager
def opened_database(settings: Settings) -> Iterator[Database]:
    """The database, upgraded and seeded, closed at the end. A database that cannot be used ends the command."""
    with _usable(lambda: open_database(settings, system_clock)) as database:
        for note in database.upgrade_notes:
            typer.echo(note, err=True)  # standard output may be read by a program
        yield database


@contextmanager
def existing_database(settings: Settings, *, any_version: bool = False) -> Iterator[Database]:
    """The database of an installation, to be read only: nothing is made, upgraded or seeded.

    Exit code 2 where there is no installation, 1 where it is of another version and that matters.
    """
    with _usable(lambda: open_existing(settings, any_version=any_version)) as database:
        yield database


@contextmanager
def changeable_database(settings: Settings) -> Iterator[Database]:
    """The database of an installation, to be changed. Exit code 2 where there is no installation."""
    with existing_database(settings):
        pass  # the command has ended here where there is none
    with _usable(lambda: Database(settings.database_url)) as database:
        yield database


@contextmanager
def database_for_a_trial(settings: Settings, *, is_trial: bool) -> Iterator[Database]:
    """The database for changes, or for a trial of changes that are taken back, which needs an installation."""
    with changeable_database(settings) if is_trial else opened_database(settings) as database:
        yield database


@contextmanager
def _usable(opened: Callable[[], Database]) -> Iterator[Database]:
    """What `opened` returns, closed at the end; what makes it unusable ends the command with one sentence."""
    try:
        with closing(opened()) as database, database.errors_in_one_sentence():
            yield database
    except NoInstallationError as error:
        stop(str(error), code=UNUSABLE)
    except (DatabaseError, OwnKeyError) as error:
        stop(str(error))
