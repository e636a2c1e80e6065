"""What is tidied up, and above all what is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from house import House
from sqlalchemy import func, select

from sp.flows.housekeeping import tidy_up
from sp.models import ConsumedAssertion, SignInAttempt, User, UserSession
from sp.store import sign_in_attempts


def counts(house: House) -> tuple[int, ...]:
    tables = (ConsumedAssertion, UserSession, User, SignInAttempt)
    with house.database.reading() as session:
        return tuple(session.execute(select(func.count()).select_from(table)).scalar_one() for table in tables)


def test_an_assertion_is_remembered_longer_than_any_clock_would_accept_it(house: House) -> None:
    xml = house.idp.response(lifetime=timedelta(minutes=5))
    house.post(xml)
    house.later(minutes=5, seconds=179)
    tidy_up(house.database, house.settings, house.now)
    assert counts(house)[0] == 1
    assert "replay" in house.post(xml).judgement.report.failed


def test_afterwards_it_is_forgotten_and_the_clock_refuses_it(house: House) -> None:
    xml = house.idp.response(lifetime=timedelta(minutes=5))
    house.post(xml)
    house.later(days=2, minutes=5)
    tidy_up(house.database, house.settings, house.now)
    assert counts(house)[0] == 0
    assert "not_on_or_after" in house.post(xml).judgement.report.failed


def test_a_wider_skew_or_a_clock_set_back_finds_it_still_remembered(
    make_house: Callable[..., House], house: House
) -> None:
    xml = house.idp.response(lifetime=timedelta(minutes=5))
    house.post(xml)
    house.later(minutes=30)
    tidy_up(house.database, house.settings, house.now)
    house.database.close()
    wider = make_house(clock_skew_seconds=300)
    wider.later(minutes=9)
    assert wider.post(xml).judgement.report.failed == ("replay",)


def test_old_attempts_go_and_the_newest_stay(make_house: Callable[..., House], house: House) -> None:
    house.database.close()
    small = make_house(attempts_kept=100)
    for _ in range(100):
        small.post(b"<x/>")
    newest = small.post(b"<x/>")
    tidy_up(small.database, small.settings, small.now)
    assert counts(small)[3] == 100
    with small.database.reading() as session:
        assert sign_in_attempts.attempt_by_reference(session, newest.reference) is not None
    small.later(days=small.settings.attempts_kept_days, seconds=1)
    tidy_up(small.database, small.settings, small.now)
    assert counts(small)[3] == 0


def test_sessions_go_when_they_have_ended_and_people_and_attempts_stay(house: House) -> None:
    house.post(house.idp.response())
    house.later(hours=house.settings.session_max_hours, seconds=-1)
    tidy_up(house.database, house.settings, house.now)
    assert counts(house) == (1, 1, 1, 1)
    house.later(seconds=1)
    tidy_up(house.database, house.settings, house.now)
    assert counts(house) == (1, 0, 1, 1)
