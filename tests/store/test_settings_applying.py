"""A settings file with what a name cannot hold, on both databases."""

from __future__ import annotations

import pytest
from cast import NOW
from profiles import add_both_accounts

from sp.flows.settings_applying import apply_settings
from sp.flows.settings_file import Unreadable, Wanted, read_settings_file
from sp.settings import Settings
from sp.store.engine import Database


def no_file(_name: str) -> bytes:
    raise FileNotFoundError


@pytest.mark.parametrize(
    "text",
    [
        '{name: "Con\\0toso"}',
        '{name: Contoso, accounts: [{slug: "a\\0b"}]}',
        '{name: Contoso, accounts: [{slug: business, name: "a\\0b"}]}',
        '{name: Contoso, accounts: [{slug: business, users: [{username: "a\\0b"}]}]}',
    ],
    ids=["company", "account", "account's name", "user"],
)
def test_a_nul_is_a_fault_and_looked_up_nowhere(database: Database, text: str) -> None:
    """PostgreSQL takes none in a text, and would end the command without a word about the line."""
    add_both_accounts(database)
    wanted = read_settings_file(f"companies: [{text}]".encode(), no_file)
    assert isinstance(wanted, Wanted)
    with database.writing() as session:
        outcome = apply_settings(session, Settings(), wanted, NOW)
        session.rollback()
    assert isinstance(outcome, Unreadable)
    assert outcome.faults[0].place.line == 1
