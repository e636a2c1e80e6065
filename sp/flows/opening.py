"""Opening the database for use.

Owns that it is upgraded and seeded before anybody asks it anything. Never answers a request.
"""

from __future__ import annotations

from sp.clock import Clock, system_clock
from sp.flows import account_setup
from sp.settings import Settings
from sp.store.engine import Database


def open_database(settings: Settings, clock: Clock = system_clock) -> Database:
    """The database, upgraded and seeded. Raises DatabaseError."""
    database = Database(settings.database_url)
    database.upgrade()
    with database.writing() as session:
        account_setup.seed(session, settings, clock())
    return database
