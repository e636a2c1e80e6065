"""Maintenance never removes the record of a used assertion by a clock that jumped."""

from __future__ import annotations

from datetime import timedelta

import pytest
from house import House
from sqlalchemy import func, select
from structlog.testing import capture_logs

from sp.flows.housekeeping import tidy_up
from sp.flows.trusted_time import TrustedTime
from sp.models import ConsumedAssertion

HOUR = 3600.0


class Running:
    """A process of the service: its wall clock is the house's, its monotonic clock counts while it runs."""

    def __init__(self, house: House) -> None:
        self.seconds = 0.0
        self.house = house
        self.trusted = TrustedTime(house.database, lambda: self.seconds)

    def maintain(self) -> None:
        house = self.house
        while tidy_up(house.database, house.settings, self.trusted.read(house.now)):
            pass

    def run_for(self, hours: int) -> None:
        """Start, and let both clocks go on; maintenance every hour."""
        self.maintain()
        for _ in range(hours):
            self.seconds += HOUR
            self.house.later(hours=1)
            self.maintain()

    def records(self) -> int:
        with self.house.database.reading() as session:
            return int(session.execute(select(func.count()).select_from(ConsumedAssertion)).scalar_one())


@pytest.fixture
def running(house: House) -> Running:
    process = Running(house)
    process.maintain()
    return process


def test_a_used_assertion_is_refused_after_the_clock_was_ahead_for_a_moment(running: Running, house: House) -> None:
    xml = house.idp.response()
    assert house.post(xml).accepted
    running.seconds += 600
    house.later(days=3, minutes=10)
    running.maintain()
    house.later(days=-3, minutes=-9)
    assert house.post(xml).judgement.report.failed == ("replay",)


def test_so_it_is_when_the_service_starts_with_that_clock(house: House) -> None:
    Running(house).maintain()
    xml = house.idp.response()
    assert house.post(xml).accepted
    house.later(days=3)
    Running(house).maintain()
    house.later(days=-3)
    assert house.post(xml).judgement.report.failed == ("replay",)


def test_so_it_is_at_the_first_start_after_an_upgrade_from_a_version_that_kept_no_time(house: House) -> None:
    xml = house.idp.response()
    assert house.post(xml).accepted
    house.later(days=3)
    Running(house).maintain()
    house.later(days=-3)
    assert house.post(xml).judgement.report.failed == ("replay",)


def test_a_jump_on_the_day_after_a_restart_is_not_believed_at_the_end_of_that_day(
    running: Running, house: House
) -> None:
    """The clock has been a little ahead since the restart; that says nothing about the jump."""
    house.post(house.idp.response())
    house.later(minutes=10)
    again = Running(house)
    again.run_for(hours=23)
    again.seconds += HOUR
    house.later(days=3, hours=1)
    again.maintain()
    assert running.records() == 1


def test_a_restart_is_no_jump(house: House) -> None:
    with capture_logs() as logs:
        Running(house).maintain()
        house.later(minutes=10)
        again = Running(house)
        again.run_for(hours=2)
        assert not [log for log in logs if log["event"] == "clock_jumped"]
        house.later(days=1)
        again.run_for(hours=2)
        assert [log["event"] for log in logs].count("clock_jumped") == 1


def test_rounds_in_quick_succession_do_not_add_up_to_a_jump(running: Running, house: House) -> None:
    house.post(house.idp.response())
    house.later(days=3)
    for _ in range(50):
        running.seconds += 1
        running.maintain()
    assert running.records() == 1


def test_a_clock_that_goes_on_as_it_should_is_followed(running: Running, house: House) -> None:
    house.post(house.idp.response())
    running.run_for(hours=3 * 24)
    assert running.records() == 0


def test_after_a_long_stop_old_records_go_when_the_service_has_run_for_a_day(house: House) -> None:
    Running(house).maintain()
    house.post(house.idp.response())
    house.later(days=30)
    again = Running(house)
    again.run_for(hours=23)
    assert again.records() == 1
    again.run_for(hours=1)
    assert again.records() == 0


def test_the_day_may_consist_of_several_runs(running: Running, house: House) -> None:
    house.post(house.idp.response())
    for _ in range(4):
        house.later(days=5)
        Running(house).run_for(hours=6)
    assert running.records() == 0


def test_a_clock_that_was_set_back_is_followed_at_once(running: Running, house: House) -> None:
    house.later(days=-3)
    assert running.trusted.read(house.now) == house.now
    running.seconds += 120
    house.later(minutes=2)
    assert running.trusted.read(house.now) == house.now
    house.later(days=2)
    running.seconds += 120
    assert running.trusted.read(house.now) < house.now - timedelta(days=1)
