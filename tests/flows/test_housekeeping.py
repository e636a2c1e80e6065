"""What is tidied up, and above all what is not."""

from __future__ import annotations

from datetime import timedelta

from house import House
from sqlalchemy import func, select

from sp.flows.housekeeping import tidy_up
from sp.models import ConsumedAssertion, SignInAttempt, User, UserSession


def counts(house: House) -> tuple[int, ...]:
    tables = (ConsumedAssertion, UserSession, User, SignInAttempt)
    with house.database.reading() as session:
        return tuple(session.execute(select(func.count()).select_from(table)).scalar_one() for table in tables)


def test_an_assertion_is_remembered_as_long_as_any_clock_would_accept_it(house: House) -> None:
    xml = house.idp.response(lifetime=timedelta(minutes=5))
    house.post(xml)
    house.later(minutes=5, seconds=179)
    tidy_up(house.database, house.now)
    assert counts(house)[0] == 1
    assert "replay" in house.post(xml).judgement.report.failed


def test_afterwards_it_is_forgotten_and_the_clock_refuses_it(house: House) -> None:
    xml = house.idp.response(lifetime=timedelta(minutes=5))
    house.post(xml)
    house.later(minutes=8)
    tidy_up(house.database, house.now)
    assert counts(house)[0] == 0
    assert "not_on_or_after" in house.post(xml).judgement.report.failed


def test_sessions_go_when_they_have_ended_and_people_and_attempts_stay(house: House) -> None:
    house.post(house.idp.response())
    house.later(hours=house.settings.session_max_hours, seconds=-1)
    tidy_up(house.database, house.now)
    assert counts(house) == (0, 1, 1, 1)
    house.later(seconds=1)
    tidy_up(house.database, house.now)
    assert counts(house) == (0, 0, 1, 1)
