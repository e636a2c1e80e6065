"""What is tidied up, and above all what is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from house import House
from sqlalchemy import func, select

from sp.flows import housekeeping
from sp.flows.housekeeping import STEP
from sp.models import ConsumedAssertion, SignInAttempt, User, UserSession
from sp.store import administrators, consumed_assertions, sessions, sign_in_attempts


def tidy_up(house: House) -> int:
    """Rounds until nothing is left to do; how many it took."""
    rounds = 1
    while housekeeping.tidy_up(house.database, house.settings, house.now):
        rounds += 1
    return rounds


def counts(house: House) -> tuple[int, ...]:
    tables = (ConsumedAssertion, UserSession, User, SignInAttempt)
    with house.database.reading() as session:
        return tuple(session.execute(select(func.count()).select_from(table)).scalar_one() for table in tables)


def test_an_assertion_is_remembered_longer_than_any_clock_would_accept_it(house: House) -> None:
    xml = house.idp.response(lifetime=timedelta(minutes=5))
    house.post(xml)
    house.later(minutes=5, seconds=179)
    tidy_up(house)
    assert counts(house)[0] == 1
    assert "replay" in house.post(xml).judgement.report.failed


def test_afterwards_it_is_forgotten_and_the_clock_refuses_it(house: House) -> None:
    xml = house.idp.response(lifetime=timedelta(minutes=5))
    house.post(xml)
    house.later(days=2, minutes=5)
    tidy_up(house)
    assert counts(house)[0] == 0
    assert "not_on_or_after" in house.post(xml).judgement.report.failed


def test_a_wider_skew_or_a_clock_set_back_finds_it_still_remembered(
    make_house: Callable[..., House], house: House
) -> None:
    xml = house.idp.response(lifetime=timedelta(minutes=5))
    house.post(xml)
    house.later(minutes=30)
    tidy_up(house)
    house.database.close()
    wider = make_house(clock_skew_seconds=300)
    wider.later(minutes=9)
    assert wider.post(xml).judgement.report.failed == ("replay",)


def test_old_attempts_go_and_the_newest_stay(make_house: Callable[..., House], house: House) -> None:
    house.database.close()
    small = make_house(unknown_attempts_kept=100)
    for _ in range(100):
        small.post(b"<x/>")
    newest = small.post(b"<x/>")
    tidy_up(small)
    assert counts(small)[3] == 100
    with small.database.reading() as session:
        assert sign_in_attempts.attempt_by_reference(session, newest.reference) is not None
    small.later(days=small.settings.attempts_kept_days, seconds=1)
    tidy_up(small)
    assert counts(small)[3] == 0


def test_sessions_go_when_they_have_ended_and_people_and_attempts_stay(house: House) -> None:
    house.post(house.idp.response())
    house.later(hours=house.settings.session_max_hours, seconds=-1)
    tidy_up(house)
    assert counts(house) == (1, 1, 1, 1)
    house.later(seconds=1)
    tidy_up(house)
    assert counts(house) == (1, 0, 1, 1)


def test_one_round_removes_no_more_than_its_step(make_house: Callable[..., House], house: House) -> None:
    """Else a sign-in that comes then would wait for the writer of SQLite until a hundred thousand rows are gone."""
    house.database.close()
    small = make_house(unknown_attempts_kept=100)
    for _ in range(STEP + 101):
        small.post(b"<x/>")
    assert housekeeping.tidy_up(small.database, small.settings, small.now)
    assert counts(small)[3] == 101
    assert not housekeeping.tidy_up(small.database, small.settings, small.now)
    assert counts(small)[3] == 100


def test_every_kind_goes_in_steps(house: House) -> None:
    ends = house.now + timedelta(minutes=1)
    with house.database.writing() as session:
        administrator = administrators.administrator_named(session, house.settings.admin_username)
        assert administrator is not None
        for number in range(STEP + 1):
            assert consumed_assertions.claim(session, 1, "urn:x", str(number), ends)
            sessions.open_administrator_session(session, administrator, str(number), house.now, timedelta(minutes=1))
    house.later(minutes=2)
    assert housekeeping.tidy_up(house.database, house.settings, house.now)
    assert counts(house)[0] == 1
    assert not housekeeping.tidy_up(house.database, house.settings, house.now)
    assert counts(house)[0] == 0


def test_the_search_for_old_ones_looks_at_the_first_ones_only(house: House) -> None:
    """However many attempts there are: the rest came later."""
    for _ in range(3):
        house.post(b"<x/>")
    house.later(days=-2)
    house.post(b"<x/>")
    with house.database.reading() as session:
        before = house.now + timedelta(days=1)
        found = [sign_in_attempts.old_ones(session, before, at_most=number) for number in (3, 4)]
    assert found == [[], [4]]
