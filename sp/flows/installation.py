"""Whether the database holds an installation, and noticing when one that was there is gone.

Without this a lost database would be followed by a new installation: with new keys, and with an empty replay record,
so that assertions that were used already would be accepted again.

The marker is a file in the data folder, one for each database. It is empty from the first start on until the
installation is complete, and holds a sentence from then on.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

import structlog
from sqlalchemy.engine import URL, make_url

from sp.settings import Settings
from sp.store import accounts
from sp.store.engine import Database, DatabaseError, newest_revision

NO_TABLES = "none"
_SUFFIX = ".installation"
_log = structlog.get_logger("sp.installation")


class NoInstallationError(DatabaseError):
    """There is no installation where the settings say. The text is one sentence for the operator."""


class Marker:
    """The file in the data folder that says that a database holds an installation."""

    def __init__(self, settings: Settings) -> None:
        self.file = settings.data_dir / f"{_file_name(settings)}{_SUFFIX}"

    @property
    def exists(self) -> bool:
        return _size(self.file) is not None

    @property
    def is_complete(self) -> bool:
        return bool(_size(self.file))

    def begin(self) -> None:
        """Make the empty file: from now on an empty database is one that is being set up."""
        with suppress(OSError):  # said once, when the installation is complete
            self._write("", os.O_CREAT)

    def complete(self, database: Database) -> None:
        """Say that the installation is complete; does nothing where the file says so already."""
        if self.is_complete:
            return
        sentences = (
            f"The database {database.shown_url} holds an installation of Virtual Office.\n"
            "Should the database be lost, the service does not start: it would make new keys and forget which\n"
            "assertions were used. To start anew on purpose, delete this file.\n"
        )
        try:
            self._write(sentences, os.O_CREAT | os.O_TRUNC)
        except OSError as error:  # with PostgreSQL a service may run without a folder that it can write
            _log.warning("installation_not_marked", file=str(self.file), reason=error.strerror)

    def _write(self, text: str, flags: int) -> None:
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(self.file, os.O_WRONLY | flags, 0o600), "w", encoding="utf-8") as opened:
            opened.write(text)


def require_database_file(settings: Settings) -> bool:
    """Whether there is no SQLite file yet, so that an installation may be set up; the marker then says so.

    Raises DatabaseError for a SQLite file that is gone or empty. Call it before anything makes that file.
    """
    marker, file = Marker(settings), database_file(settings)
    if file is None:
        return False
    # In this order: another process that starts now makes the marker, then the file, and completes the marker last.
    was_complete = marker.is_complete
    size = _size(file)
    if was_complete and not size:
        raise _lost(settings, marker)
    if size is None:
        marker.begin()
    elif size == 0 and not marker.exists:
        raise DatabaseError(f"The database {file} is empty. Restore a backup, or delete the file to start anew.")
    return size is None


def require_tables(settings: Settings, database: Database, *, is_new: bool) -> None:
    """Raise DatabaseError for a database whose tables are gone."""
    marker = Marker(settings)
    was_complete = marker.is_complete  # asked first, as in `require_database_file`
    if database.revision() != NO_TABLES:
        return
    if was_complete:
        raise _lost(settings, marker)
    file = database_file(settings)
    if file is not None and not is_new and not marker.exists:
        raise DatabaseError(f"The database {file} has no tables. Restore a backup, or delete the file to start anew.")


def require_companies(settings: Settings, *, has_companies: bool) -> None:
    """Raise DatabaseError for a database whose rows are gone: every installation has a company."""
    marker = Marker(settings)
    if marker.is_complete and not has_companies:
        raise _lost(settings, marker)


def open_existing(settings: Settings, *, any_version: bool = False) -> Database:
    """The database of an installation, to be read only: nothing is made, upgraded or seeded.

    Raises NoInstallationError, or DatabaseError where the installation is lost, damaged or of another version.
    """
    marker, file = Marker(settings), database_file(settings)
    if file is not None and not _size(file):
        raise _lost(settings, marker) if marker.is_complete else _none(settings)
    database = Database(settings.database_url, read_only=True)
    try:
        with database.errors_in_one_sentence():
            _require_revision(settings, marker, database.revision(), any_version=any_version)
            with database.reading() as session:
                require_companies(settings, has_companies=accounts.has_companies(session))
    except BaseException:
        database.close()
        raise
    return database


def _require_revision(settings: Settings, marker: Marker, found: str, *, any_version: bool) -> None:
    if found == NO_TABLES:
        raise _lost(settings, marker) if marker.is_complete else _none(settings)
    if not any_version and found != newest_revision():
        raise DatabaseError(
            f"The database is at version {found}; this program needs version {newest_revision()}: "
            "`virtual-office db upgrade` brings it there."
        )


def database_file(settings: Settings) -> Path | None:
    """The file of a SQLite database, None for PostgreSQL."""
    url = make_url(settings.database_url)
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def _size(file: Path) -> int | None:
    """The size of a file, None where there is none. Raises DatabaseError where its folder cannot be read."""
    try:
        return file.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise DatabaseError(f"{file} cannot be read ({error.strerror}).") from None


def _file_name(settings: Settings) -> str:
    """A name for the database that is one for each database: that of its file, or where the server has it."""
    file = database_file(settings)
    if file is None:
        return _as_file_name(_server_and_name(make_url(settings.database_url)))
    if file.parent == settings.data_dir:
        return file.name
    return _as_file_name(str(file.absolute()))


def _server_and_name(url: URL) -> str:
    port = f"-{url.port}" if url.port else ""
    return f"postgresql-{url.host or url.query.get('host') or 'local'}{port}-{url.database}"


def _as_file_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "-", text).strip("-")[-200:]


def _lost(settings: Settings, marker: Marker) -> DatabaseError:
    file = database_file(settings)
    shown = file or make_url(settings.database_url).render_as_string(hide_password=True)
    deleted = f"{marker.file} and {file}" if file is not None and file.exists() else f"{marker.file}"
    return DatabaseError(
        f"The database {shown} is gone or empty, but {marker.file} says that it held an installation. Restore a "
        f"backup. To start anew on purpose, with new keys and no record of used assertions, delete {deleted}."
    )


def _none(settings: Settings) -> NoInstallationError:
    file = database_file(settings)
    if file is None:
        shown = make_url(settings.database_url).render_as_string(hide_password=True)
        return NoInstallationError(f"The database {shown} holds no installation. `virtual-office serve` makes one.")
    return NoInstallationError(
        f"There is no installation in the folder {file.parent.absolute()}: it has no database {file.name}. "
        f"`virtual-office serve` makes one; {settings.database_variable} names another place."
    )
