"""Signing out here.

Owns ending the session of this browser. Never tells the identity provider.
"""

from __future__ import annotations

from sp.store import sessions
from sp.store.engine import Database


def sign_out(database: Database, token: str) -> None:
    """The session ends on the server, so a copied cookie is worth nothing afterwards."""
    with database.writing() as session:
        sessions.end(session, token)
