"""`db`: the database by hand.

Owns upgrade, check and backup. Never deletes anything.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from sp.cli.domains import tell_users_outside
from sp.cli.running import UNUSABLE, existing_database, opened_database, settings_in_force, stop
from sp.flows.installation import database_file
from sp.flows.key_check import broken_keys
from sp.store.engine import newest_revision

db = typer.Typer(help="The database: upgrade, check, backup.", no_args_is_help=True)


@db.command()
def upgrade() -> None:
    """Bring the schema to this program's version; `serve` does so by itself."""
    settings = settings_in_force()
    with opened_database(settings) as database:
        typer.echo(f"{database.shown_url} is at version {database.revision()}.")
        tell_users_outside(database)


@db.command()
def check() -> None:
    """Say whether the database can be read and trusted, and is at this program's version. Changes nothing."""
    with existing_database(settings_in_force(), any_version=True) as database:
        revision, faults = database.revision(), database.faults()
        if revision == newest_revision():
            with database.reading() as session:
                faults += [key.sentence for key in broken_keys(session)]
        else:
            needed = f"this program needs version {newest_revision()}: `virtual-office db upgrade` brings it there"
            faults = [f"{database.shown_url} is at version {revision}; {needed}.", *faults]
    if faults:
        stop(*faults)
    typer.echo(f"{database.shown_url} is sound, at version {revision}.")


@db.command()
def backup(file: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")]) -> None:
    """Copy the SQLite database to a file, also while the service runs."""
    settings = settings_in_force()
    original = database_file(settings)
    if original is None:
        stop("This database is PostgreSQL: back it up with pg_dump.", code=UNUSABLE)
    with existing_database(settings, any_version=True):
        _make_private(file)
    try:
        with closing(sqlite3.connect(original)) as source, closing(sqlite3.connect(file)) as target:
            source.backup(target)  # one step, one snapshot: what is written meanwhile is all in or all out
    except sqlite3.Error as error:
        file.unlink(missing_ok=True)
        stop(f"The copy could not be made: {error}.")
    typer.echo(f"Written to {file}.")


def _make_private(file: Path) -> None:
    """An empty file that only its owner reads, from the first moment: it will hold private keys and password hashes."""
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        stop(f"{str(file)!r} exists already; name a new file.", code=UNUSABLE)
    except OSError as error:
        stop(f"{str(file)!r} cannot be written: {error.strerror}.")
