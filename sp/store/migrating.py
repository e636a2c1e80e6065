"""The migrations, run by alembic.

Owns bringing a database from its version to this program's. Never goes back: a newer database is refused.
"""

from __future__ import annotations

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from sp.store.engine import DatabaseError


def configuration() -> Config:
    """Alembic's configuration, without a file of its own."""
    config = Config()
    config.set_main_option("script_location", str(files("sp.store") / "migrations"))
    return config


def upgrade(connection: Connection) -> tuple[str, ...]:
    """Run what is missing, in the caller's transaction; what the migrations say that somebody should know.

    Raises DatabaseError for a database of a newer release.
    """
    config = configuration()
    _refuse_newer(connection, config)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return tuple(config.attributes.get("notes", ()))


def _refuse_newer(connection: Connection, config: Config) -> None:
    revision = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise DatabaseError(
            f"The database has version {revision!r}, which this program does not know: it was written by a newer "
            "release. Start that release, or restore an older backup."
        )
