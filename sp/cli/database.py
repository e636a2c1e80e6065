"""`db`: the database by hand.

Owns upgrade, check and backup. Never deletes anything.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.engine import make_url

from sp.cli.running import UNUSABLE, opened_database, settings_in_force, stop

db = typer.Typer(help="The database: upgrade, check, backup.", no_args_is_help=True)


@db.command()
def upgrade() -> None:
    """Bring the schema to this program's version; `serve` does so by itself."""
    settings = settings_in_force()
    with opened_database(settings) as database:
        typer.echo(f"{database.shown_url} is at version {database.revision()}.")


@db.command()
def check() -> None:
    """Say whether the database can be read, written and trusted."""
    settings = settings_in_force()
    with opened_database(settings) as database:
        faults = database.faults()
        if faults:
            stop(*faults)
        typer.echo(f"{database.shown_url} is sound, at version {database.revision()}.")


@db.command()
def backup(file: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")]) -> None:
    """Copy the SQLite database to a file, also while the service runs."""
    settings = settings_in_force()
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite":
        stop("This database is PostgreSQL: back it up with pg_dump.", code=UNUSABLE)
    if file.exists():
        stop(f"{str(file)!r} exists already; name a new file.", code=UNUSABLE)
    with opened_database(settings):
        try:
            file.touch(mode=0o600)
            with closing(sqlite3.connect(str(url.database))) as source, closing(sqlite3.connect(file)) as target:
                source.backup(target)
        except OSError as error:
            stop(f"{str(file)!r} cannot be written: {error.strerror}.")
    typer.echo(f"Written to {file}.")
