"""Values that are longer than a column: a trusted provider may send them, and each gets a verdict (AUT-10, CND-26).

On both databases, because only one of them minds the length of a text.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from attack import attack
from cast import ACS_URL, ENTITY_ID
from house import House
from responses import Mutation, with_attribute, with_text
from saml.one_flaw import AUTHN, NAME_ID
from store.conftest import (  # noqa: F401
    database,
    postgresql_database,
    postgresql_url,
    sqlite_database,
    upgraded_file,
    upgraded_postgresql,
)

from sp.flows import account_setup
from sp.settings import Settings
from sp.store.engine import Database

LONG = "x" * 10_000
RANDOM = "".join(chr(0x4E00 + (at * 7919) % 20_000) for at in range(10_000))  # nothing that would compress

VALUES: dict[str, tuple[str, Mutation]] = {
    "AUT-10 index": ("a SessionIndex of 10 000 characters", with_attribute(AUTHN, "SessionIndex", RANDOM)),
    "AUT-05 long": ("a context of 10 000 characters", with_text(".//saml:AuthnContextClassRef", LONG)),
    "SUB-28 long": ("a Format of 10 000 characters", with_attribute(NAME_ID, "Format", f"urn:{LONG}")),
    "CND-26 index": ("an ID of 10 000 characters", with_attribute("saml:Assertion", "ID", f"_{RANDOM}")),
}


@pytest.fixture
def house(tmp_path: Path, database: Database) -> House:  # noqa: F811
    settings = Settings(data_dir=tmp_path, entity_id=ENTITY_ID, acs_url=ACS_URL, admin_password="Adm1n!pass")
    made = House(settings, database)
    with database.writing() as session:
        account_setup.seed(session, settings, made.now)
    made.configure()
    return made


@pytest.mark.parametrize(
    "mutation",
    [pytest.param(change, id=name, marks=attack(name, story, 0)) for name, (story, change) in VALUES.items()],
)
def test_a_long_value_breaks_nothing(mutation: Mutation, house: House) -> None:
    xml = house.idp.response(mutate=mutation)
    assert house.post(xml).judgement.report.failed == ()
    assert house.post(xml).judgement.report.failed == ("replay",)


def test_the_same_sign_in_on_both_databases(house: House) -> None:
    """A first use is one, a second is a replay: what the database counts differs from one to the other."""
    xml = house.idp.response()
    assert house.post(xml).judgement.report.failed == ()
    assert house.post(xml).judgement.report.failed == ("replay",)
