"""The cast of every story in the tests.

Owns names and addresses. Never makes a message or a key (see `responses`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

NOW = datetime(2030, 1, 31, 12, 0, tzinfo=UTC)

BASE_URL = "http://localhost:8000"
ENTITY_ID = "http://localhost:8000/saml2"
ACS_URL = "http://localhost:8000/saml2"

CONTOSO_ISSUER = "https://idp.contoso.example/"
FABRIKAM_ISSUER = "https://idp.fabrikam.example/"
MALLORY_ISSUER = "https://idp.mallory.example/"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an address at a company."""

    first_name: str
    last_name: str
    email: str


BRITTA = Person("Britta", "Simon", "britta@contoso.example")  # a user at Contoso
ALICE = Person("Alice", "Adams", "alice@contoso.example")  # an administrator of Contoso
BOB = Person("Bob", "Brown", "bob@contoso.example")  # another one
CHARLIE = Person("Charlie", "Clark", "charlie@fabrikam.example")  # the administrator of Fabrikam
MALLORY = Person("Mallory", "Evil", "mallory@evil.example")  # the attacker
