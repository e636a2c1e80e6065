"""The picture of accepted and refused sign-ins over time.

Owns the spans of time and the geometry; the template draws. Never counts: the store does.

Accepted ones stand above the line and refused ones below it, so that the picture tells them apart without color.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sp.store.attempt_listing import Span
from sp.web.times import exact

WIDTH, HEIGHT = 960, 72
_GAP = 3
_LEAST = 2
_HOUR = timedelta(hours=1)
_STEPS = (_HOUR, 6 * _HOUR, 24 * _HOUR, 7 * 24 * _HOUR)
_NAMES = {_HOUR: "hour", 6 * _HOUR: "6 hours", 24 * _HOUR: "day", 7 * 24 * _HOUR: "week"}
_MOST_SPANS = 48
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Bar:
    """One span of time: where its two bars stand, and what it says. Heights are 0 where nothing happened."""

    x: float
    width: float
    accepted_y: float
    accepted_height: float
    refused_height: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """`summary` says the same as the picture; `per` names the length of a bar; the line stands at `middle`."""

    bars: tuple[Bar, ...]
    accepted: int
    refused: int
    per: str
    begin: str
    end: str
    middle: float
    summary: str
    width: int = WIDTH
    height: int = HEIGHT


def chart_edges(since: datetime | None, until: datetime | None, now: datetime) -> tuple[datetime, ...]:
    """Where the spans meet: whole hours, or longer steps where the range is long; without a range the last 24 hours."""
    end = until or now
    begin = min(since or end - 24 * _HOUR, end)
    step = _step(end - begin)
    first = _floor(begin, step)
    return tuple(first + step * number for number in range((end - first) // step + 2))


def chart_of(spans: Sequence[Span]) -> Chart:
    """The picture of these spans, which have one length."""
    step = spans[0].end - spans[0].begin
    width = WIDTH / len(spans)
    above, below = max(span.accepted for span in spans), max(span.refused for span in spans)
    scale = HEIGHT / max(above + below, 1)
    middle = round(above * scale, 1) if above + below else HEIGHT
    bars = tuple(_bar(span, number * width, width - _GAP, scale, middle) for number, span in enumerate(spans))
    accepted, refused = sum(span.accepted for span in spans), sum(span.refused for span in spans)
    return Chart(
        bars=bars,
        accepted=accepted,
        refused=refused,
        per=_NAMES.get(step, f"{step.days} days"),
        begin=exact(spans[0].begin),
        end=exact(spans[-1].end),
        middle=middle,
        summary=_summary(spans, accepted, refused),
    )


def _step(length: timedelta) -> timedelta:
    for step in _STEPS:
        if length <= step * _MOST_SPANS:
            return step
    return timedelta(days=math.ceil(length / timedelta(days=_MOST_SPANS)))


def _floor(moment: datetime, step: timedelta) -> datetime:
    return moment - (moment - _EPOCH) % step


def _bar(span: Span, x: float, width: float, scale: float, middle: float) -> Bar:
    accepted, refused = (_height(count, scale) for count in (span.accepted, span.refused))
    label = f"{exact(span.begin)}: {span.accepted} accepted, {span.refused} refused"
    return Bar(round(x, 1), round(width, 1), round(middle - accepted, 1), accepted, refused, label)


def _height(count: int, scale: float) -> float:
    return max(round(count * scale, 1), _LEAST) if count else 0


def _summary(spans: Sequence[Span], accepted: int, refused: int) -> str:
    if not accepted + refused:
        return "No sign-in was tried."
    busiest = max(spans, key=lambda span: span.accepted + span.refused)
    count = busiest.accepted + busiest.refused
    return f"{accepted} accepted, {refused} refused. The most, {count}, from {exact(busiest.begin)}."
