"""The picture of certificates on one line of time: from when until when each is valid and in use, and where today is.

Owns the geometry and the words that say the same; `templates/components/timeline.html` draws. Never queries.

Places are per cent of the width and lengths in pixels, so that the picture fills any width and its words stay as
large as all others. State is told by a word on each lane, not by color alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_LANE = 44  # pixels, for a line of words and the bar below it
_HEAD = 26  # pixels, for the years and the word "Today"
_LEAST_SHOWN = timedelta(days=30)
_MOST_MARKS = 8
_NEAR_THE_EDGE = 8.0  # per cent: a word in the middle of its mark would be cut off
_NEAR_TODAY = 14.0  # per cent: on a phone a year would stand on top of the word "Today"
_NARROWEST = 0.4  # per cent


@dataclass(frozen=True, slots=True)
class Lane:
    """One certificate. `state` is active, upcoming or retired; the solid part of its bar is `used`, from and until."""

    label: str
    state: str
    not_before: datetime
    not_after: datetime
    used: tuple[datetime, datetime] | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """A lane as it is drawn: `words_y` is the base line of its words, `y` the top of its bar."""

    label: str
    state: str
    sentence: str
    words_y: int
    y: int
    x: str
    width: str
    used_x: str = ""
    used_width: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A year, or today: where it stands, its word, and which end of the word stands there (SVG's text-anchor)."""

    x: str
    word: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """`summary` says the same as the picture. `height` and `head` are in pixels."""

    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    today: Mark
    summary: str
    height: int
    head: int = _HEAD


def timeline_of(lanes: Sequence[Lane], now: datetime) -> Timeline:
    """The picture of at least one lane, in their order."""
    begin = min(now, *(lane.not_before for lane in lanes))
    end = max(now, begin + _LEAST_SHOWN, *(lane.not_after for lane in lanes))
    scale = _Scale(begin, end - begin)
    bars = tuple(_bar(lane, number, scale, now) for number, lane in enumerate(lanes))
    return Timeline(
        bars=bars,
        marks=tuple(_years(begin, end, scale, now)),
        today=scale.mark(now, "Today"),
        summary=f"Today is {now:%Y-%m-%d}. " + " ".join(bar.sentence for bar in bars),
        height=_HEAD + _LANE * len(lanes),
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    begin: datetime
    length: timedelta

    def place(self, moment: datetime) -> float:
        return min(max((moment - self.begin) / self.length, 0.0), 1.0) * 100

    def span(self, begin: datetime, end: datetime) -> tuple[str, str]:
        """Where a bar begins and how wide it is, never so narrow that it cannot be seen."""
        left = min(self.place(begin), 100 - _NARROWEST)
        return _per_cent(left), _per_cent(max(self.place(end) - left, _NARROWEST))

    def mark(self, moment: datetime, word: str) -> Mark:
        place = self.place(moment)
        anchor = "start" if place < _NEAR_THE_EDGE else "end" if place > 100 - _NEAR_THE_EDGE else "middle"
        return Mark(_per_cent(place), word, anchor)


def _bar(lane: Lane, number: int, scale: _Scale, now: datetime) -> Bar:
    top = _HEAD + _LANE * number
    x, width = scale.span(lane.not_before, lane.not_after)
    used_x, used_width = scale.span(*lane.used) if lane.used else ("", "")
    return Bar(lane.label, lane.state, _sentence(lane, now), top + 14, top + 20, x, width, used_x, used_width)


def _sentence(lane: Lane, now: datetime) -> str:
    ending = "expired on" if lane.not_after <= now else "valid until"
    words = f"{lane.label}: {lane.state}, {ending} {lane.not_after:%Y-%m-%d}"
    if lane.used is None:
        return f"{words}."
    begin, end = lane.used
    until = f" to {end:%Y-%m-%d}" if end < now else ""
    return f"{words}, in use {'from' if until else 'since'} {begin:%Y-%m-%d}{until}."


def _years(begin: datetime, end: datetime, scale: _Scale, now: datetime) -> Iterator[Mark]:
    """The beginning of each year, or of every few where there are many, but for one too near to today."""
    first, last = begin.year + 1, end.year
    step = -(-max(last - first + 1, 1) // _MOST_MARKS)
    for year in range(first, last + 1, step):
        new_year = datetime(year, 1, 1, tzinfo=UTC)
        if abs(scale.place(new_year) - scale.place(now)) > _NEAR_TODAY:
            yield scale.mark(new_year, str(year))


def _per_cent(number: float) -> str:
    return f"{number:.2f}%"
