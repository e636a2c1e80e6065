"""What a process remembers of an account never outlives it: other processes change settings too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from cast import CONTOSO_ISSUER
from house import House
from responses import Idp
from sqlalchemy import update

from sp.models import Account
from sp.store.engine import Database


@pytest.fixture
def elsewhere(house: House) -> Iterator[House]:
    """The same service in another process, which has a memory of its own."""
    other = replace(house, database=Database(house.database.url))
    yield other
    other.database.close()


def test_a_certificate_that_was_taken_away_elsewhere_signs_nobody_in(house: House, elsewhere: House) -> None:
    assert house.post(house.idp.response()).accepted
    elsewhere.idp = Idp(CONTOSO_ISSUER, "another key")
    elsewhere.configure()
    assert house.post(house.idp.response()).judgement.report.failed == ("signing_key",)
    assert house.post(elsewhere.idp.response()).accepted


def test_an_account_that_was_switched_off_elsewhere_signs_nobody_in(house: House, elsewhere: House) -> None:
    assert house.post(house.idp.response()).accepted
    with elsewhere.database.writing() as session:
        session.execute(update(Account).values(active=False))
    assert not house.post(house.idp.response()).accepted


def test_an_issuer_that_another_account_took_over_is_that_accounts(house: House, elsewhere: House) -> None:
    assert house.post(house.idp.response()).account_slug == "business"
    elsewhere.add_account("Fabrikam", "fabrikam")
    elsewhere.configure("business", issuer="https://elsewhere.example/")
    elsewhere.configure("fabrikam")
    assert house.post(house.idp.response(name_id="carol@fabrikam.example")).account_slug == "fabrikam"
