"""Which process keeps house, when it is renewed, and who takes over."""

from __future__ import annotations

from datetime import timedelta

from house import House
from sqlalchemy import event

from sp.flows.election import LEASE, Election


def test_one_of_two_processes_keeps_house(house: House) -> None:
    first, second = Election(house.database), Election(house.database)
    assert [first.holds(house.now), second.holds(house.now)] == [True, False]


def test_it_stays_the_one_for_as_long_as_it_asks(house: House) -> None:
    first, second = Election(house.database), Election(house.database)
    first.holds(house.now)
    for _ in range(10):
        house.later(seconds=60)  # as often as the service looks for metadata
        assert [first.holds(house.now), second.holds(house.now)] == [True, False]


def test_when_it_vanishes_another_one_takes_over(house: House) -> None:
    first, second = Election(house.database), Election(house.database)
    first.holds(house.now)
    house.now += LEASE - timedelta(seconds=1)
    assert not second.holds(house.now)
    house.later(seconds=1)
    assert second.holds(house.now)
    assert not first.holds(house.now)


def test_when_it_steps_down_another_one_takes_over_at_once(house: House) -> None:
    first, second = Election(house.database), Election(house.database)
    first.holds(house.now)
    first.step_down()
    assert second.holds(house.now)


def test_between_two_renewals_it_asks_nobody(house: House) -> None:
    first, asked = Election(house.database), []
    first.holds(house.now)
    event.listen(house.database.engine, "before_cursor_execute", lambda *_: asked.append(1))
    house.later(seconds=40)
    assert first.holds(house.now)
    assert asked == []
