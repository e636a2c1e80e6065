"""What makes a stored attempt small: bytes that can be counted, whatever the machine."""

from __future__ import annotations

from typing import Any

import pytest
from house import House
from responses import BRITTAS_ATTRIBUTES
from sqlalchemy import text

from sp.models import SignInAttempt

GROUPS = "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups"
ROW_OF_ONE_PAGE = 4096 - 35  # bytes that SQLite keeps in a page of the table before it takes another for the rest


def group(number: int) -> str:
    """A group's id as a directory makes them: nothing in it repeats."""
    digits = f"{pow(7, number + 40, 2**128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


SIX_KILOBYTES: dict[str, dict[str, Any]] = {
    "two signatures": {"signed": "both"},
    "many groups": {"attributes": {**BRITTAS_ATTRIBUTES, GROUPS: tuple(group(number) for number in range(24))}},
}


@pytest.mark.parametrize("shape", SIX_KILOBYTES)
def test_the_row_of_a_message_of_six_kilobytes_fits_on_one_page(house: House, shape: str) -> None:
    xml = house.idp.response(**SIX_KILOBYTES[shape])
    assert 6000 < len(xml) < 7000
    house.post(xml)
    assert row_length(house) < ROW_OF_ONE_PAGE


@pytest.mark.parametrize("message", [b"<x/>", b"", b"garbage"])
def test_a_message_that_is_none_leaves_little(house: House, message: bytes) -> None:
    house.post(message)
    assert row_length(house) < 1024


def test_what_an_attempt_was_held_against_is_no_longer_than_a_tenth_of_the_row(house: House) -> None:
    house.post(house.idp.response(signed="both"))
    with house.database.reading() as session:
        assert session.execute(text("SELECT length(expectations) FROM sign_in_attempt")).scalar_one() < 450


def test_every_index_is_free_of_what_is_large() -> None:
    large = {"message", "expectations", "failed", "warnings", "issuer", "username"}
    indexed = {column.name for index in SignInAttempt.__table__.indexes for column in index.columns}  # type: ignore[attr-defined]
    assert indexed & large == set()


def row_length(house: House) -> int:
    """The bytes of the only attempt's columns, numbers and times at their longest."""
    with house.database.reading() as session:
        rows = session.execute(text("SELECT * FROM sign_in_attempt")).mappings().all()
    assert len(rows) == 1
    return sum(len(value) if isinstance(value, str | bytes) else 9 for value in rows[0].values())
