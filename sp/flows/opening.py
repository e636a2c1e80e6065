"""Opening the database for use.

Owns that it is upgraded and seeded and holds the signing key before anybody asks it anything, and that a password
made meanwhile is not lost, whichever command was the first. Never answers a request.
"""

from __future__ import annotations

import os
from pathlib import Path

from sp.clock import Clock, system_clock
from sp.flows import account_setup, installation, service_keys
from sp.flows.key_check import broken_service_keys
from sp.settings import Settings
from sp.store import accounts
from sp.store.engine import Database, DatabaseError, DatabaseFileError, take_start_lock


def open_database(settings: Settings, clock: Clock = system_clock) -> Database:
    """The database, upgraded and seeded. Raises DatabaseError."""
    database = connect(settings)
    try:
        prepare(database, settings, clock)
    except BaseException:
        database.close()
        raise
    return database


def connect(settings: Settings) -> Database:
    """The database as it is; a SQLite file is made where none is.

    Raises DatabaseError, also for one that is empty now and held an installation before.
    """
    is_new = installation.require_database_file(settings)
    try:
        database = Database(settings.database_url)
    except DatabaseFileError as error:
        place = f"Make it writable, or name another place in {settings.database_variable}."
        raise DatabaseError(f"{error} {place}") from None
    try:
        with database.errors_in_one_sentence():
            installation.require_tables(settings, database, is_new=is_new)
    except BaseException:
        database.close()
        raise
    return database


def prepare(database: Database, settings: Settings, clock: Clock = system_clock) -> None:
    """Upgrade and seed; make the signing key; keep the generated password where its owner finds it.

    Raises DatabaseError.
    """
    database.upgrade()
    with database.errors_in_one_sentence():
        with database.writing() as session:
            take_start_lock(session.connection())  # two that start at once would both find nobody there
            installation.require_companies(settings, has_companies=accounts.has_companies(session))
            seeded = account_setup.seed(session, settings, clock())
            if seeded.password:
                _keep_password(settings, seeded.password)  # a password that cannot be kept seeds nothing
        service_keys.ensure_signing_key(database, settings, clock())
        _require_whole_keys(database)
    installation.Marker(settings).complete(database)
    if settings.admin_password:
        forget_password(settings)


def password_file(settings: Settings) -> Path:
    """Where the generated administrator's password lies, readable by its owner only."""
    return settings.data_dir / "administrator-password.txt"


def forget_password(settings: Settings) -> None:
    """Remove the file once another password counts."""
    password_file(settings).unlink(missing_ok=True)


def _require_whole_keys(database: Database) -> None:
    """Raise DatabaseError for a key that could not sign or decrypt: found now, not by somebody's sign-in."""
    with database.reading() as session:
        broken = broken_service_keys(session)
    if broken:
        raise DatabaseError(" ".join(key.sentence for key in broken) + " Restore a backup of the database.")


def _keep_password(settings: Settings, password: str) -> None:
    file = password_file(settings)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
            opened.write(password + "\n")
    except OSError as error:
        raise DatabaseError(
            f"The administrator's password cannot be written to {file} ({error.strerror}). Make the folder writable, "
            "name another one in VIRTUAL_OFFICE_DATA_DIR, or choose the password in VIRTUAL_OFFICE_ADMIN_PASSWORD."
        ) from None
