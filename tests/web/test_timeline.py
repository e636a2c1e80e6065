"""The picture of certificates: it and its words say the same, whatever the dates are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cast import NOW

from sp.web.admin.timeline import Lane, timeline_of

YEAR = timedelta(days=365)


def number(place: str) -> float:
    return float(place.removesuffix("%"))


def test_each_lane_says_its_state_and_its_dates() -> None:
    active = Lane("Signing key 1", "active", NOW - YEAR, NOW + YEAR, used=(NOW - YEAR, NOW))
    upcoming = Lane("Signing key 2", "upcoming", NOW, NOW + 2 * YEAR)
    retired = Lane("Signing key 0", "retired", NOW - 3 * YEAR, NOW - YEAR, used=(NOW - 3 * YEAR, NOW - YEAR))
    picture = timeline_of([active, upcoming, retired], NOW)
    assert picture.summary == (
        "Today is 2030-01-31. "
        "Signing key 1: active, valid until 2031-01-31, in use since 2029-01-31. "
        "Signing key 2: upcoming, valid until 2032-01-31. "
        "Signing key 0: retired, expired on 2029-01-31, in use from 2027-02-01 to 2029-01-31."
    )


def test_places_follow_the_dates() -> None:
    picture = timeline_of([Lane("one", "active", NOW - YEAR, NOW + 3 * YEAR, used=(NOW - YEAR, NOW))], NOW)
    (bar,) = picture.bars
    assert (bar.x, bar.width, bar.used_x, bar.used_width) == ("0.00%", "100.00%", "0.00%", "25.00%")
    assert (picture.today.x, picture.today.anchor) == ("25.00%", "middle")
    assert [mark.word for mark in picture.marks] == ["2031", "2032", "2033"]


@pytest.mark.parametrize(
    ("not_before", "not_after"),
    [
        (NOW, NOW),
        (NOW - 40 * YEAR, NOW - 39 * YEAR),
        (NOW + 5 * YEAR, NOW + 1000 * YEAR),
        (NOW.replace(year=1950), NOW.replace(year=9999)),
        (NOW + YEAR, NOW - YEAR),
    ],
)
def test_odd_dates_stay_inside_the_picture(not_before: object, not_after: object) -> None:
    picture = timeline_of([Lane("odd", "active", not_before, not_after)], NOW)  # type: ignore[arg-type]
    (bar,) = picture.bars
    assert 0 <= number(bar.x) < 100
    assert 0 < number(bar.width) <= 100
    assert number(bar.x) + number(bar.width) <= 100.01
    assert 0 <= number(picture.today.x) <= 100
    assert len(picture.marks) <= 8
