"""Plots as SVG: lines over an axis of powers of ten or of equal steps, and bars.

Owns how figures are drawn, readable on light and dark pages. Never takes or reads one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 720, 410
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 28, 64, 100
_LEGEND_STEP, _LEGEND_COLUMNS = 22, 2
_BAR_LEFT, _BAR_STEP, _BAR = 330, 30, 18
_BARS_TOP = 48
_STYLE = """\
<style>
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-size: 15px; font-weight: 600 }
.faint { fill: #57606a }
.page { fill: #ffffff } .grid { stroke: #d0d7de } .axis { stroke: #57606a }
.a { stroke: #0969da; fill: #0969da } .b { stroke: #bc4c00; fill: #bc4c00 }
.c { stroke: #1a7f37; fill: #1a7f37 } .d { stroke: #8250df; fill: #8250df }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .faint { fill: #9198a1 }
.page { fill: #0d1117 } .grid { stroke: #30363d } .axis { stroke: #9198a1 }
.a { stroke: #4493f8; fill: #4493f8 } .b { stroke: #f0883e; fill: #f0883e }
.c { stroke: #3fb950; fill: #3fb950 } .d { stroke: #ab7df8; fill: #ab7df8 }
}
.line { fill: none; stroke-width: 2 }
</style>"""
_COLORS = "abcd"
_MARKS = ("circle", "square", "diamond", "ring")

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Axis:
    """What an axis counts, and its ticks. With `powers` equal distances are equal factors."""

    label: str
    ticks: Sequence[float]
    powers: bool = False

    def share(self, value: float) -> float:
        """Where a value lies between the first tick (0) and the last (1)."""
        first, last = self._scaled(self.ticks[0]), self._scaled(self.ticks[-1])
        return (self._scaled(value) - first) / ((last - first) or 1)

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self.powers else value


def powers_of_ten(label: str, values: Sequence[float]) -> Axis:
    """An axis on which every value fits. Values must be above 0."""
    first, last = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return Axis(label, [10**power for power in range(first, max(last, first + 1) + 1)], powers=True)


def equal_steps(label: str, values: Sequence[float]) -> Axis:
    """An axis that begins at 0, with four to ten steps that are round numbers."""
    largest = max(values) or 1
    step = 10 ** math.floor(math.log10(largest))
    step = next(size for size in (step / 5, step / 2, step, step * 2) if largest / size <= 8)
    return Axis(label, [step * number for number in range(math.ceil(largest / step) + 1)])


def lines(title: str, across: Axis, up: Axis, series: Mapping[str, Points]) -> str:
    """One line for each series, at most four, told apart by color and by the shape of its points."""
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def x(value: float) -> float:
        return _LEFT + across.share(value) * width

    def y(value: float) -> float:
        return _TOP + (1 - up.share(value)) * height

    drawn = [
        *_grid(across, up, x, y),
        *(part for number, name in enumerate(series) for part in _series(number, series[name], x, y)),
        *_legend(list(series)),
    ]
    return _page(title, _HEIGHT, drawn)


def bars(title: str, unit: str, values: Mapping[str, float]) -> str:
    """One bar for each value, the longest as wide as the plot."""
    longest, room = max(values.values()), _WIDTH - _BAR_LEFT - 110
    drawn = []
    for number, (name, value) in enumerate(values.items()):
        top = _BARS_TOP + number * _BAR_STEP
        drawn += [
            _text(_BAR_LEFT - 8, top + 13, name, anchor="end"),
            f'<rect class="a" x="{_BAR_LEFT}" y="{top}" width="{value / longest * room:.1f}" height="{_BAR}"/>',
            _text(_BAR_LEFT + value / longest * room + 8, top + 13, f"{_short(value)} {unit}"),
        ]
    return _page(title, _BARS_TOP + len(values) * _BAR_STEP + 16, drawn)


def _page(title: str, height: int, drawn: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" role="img">'
    named = f"<title>{escape(title)}</title>"
    background = f'<rect class="page" width="{_WIDTH}" height="{height}"/>'
    return "\n".join((head, named, _STYLE, background, _text(16, 26, title, kind="title"), *drawn, "</svg>", ""))


def _grid(across: Axis, up: Axis, x: Callable[[float], float], y: Callable[[float], float]) -> Iterator[str]:
    bottom = _HEIGHT - _BOTTOM
    for tick in up.ticks:
        yield f'<path class="grid" d="M{_LEFT} {y(tick):.1f}H{_WIDTH - _RIGHT}"/>'
        yield _text(_LEFT - 8, y(tick) + 4, _short(tick), anchor="end", kind="faint")
    for tick in across.ticks:
        yield f'<path class="axis" d="M{x(tick):.1f} {bottom}v5"/>'
        yield _text(x(tick), bottom + 20, _short(tick), anchor="middle", kind="faint")
    yield f'<path class="axis" d="M{_LEFT} {bottom}H{_WIDTH - _RIGHT}"/>'
    yield _text(_WIDTH - _RIGHT, bottom + 40, across.label, anchor="end", kind="faint")
    yield _text(_LEFT - 8, 48, up.label, anchor="end", kind="faint")


def _series(number: int, points: Points, x: Callable[[float], float], y: Callable[[float], float]) -> Iterator[str]:
    color, places = _COLORS[number], [(x(across), y(up)) for across, up in points]
    way = "L".join(f"{left:.1f} {top:.1f}" for left, top in places)
    yield f'<path class="{color} line" d="M{way}"/>'
    for left, top in places:
        yield _mark(number, left, top)


def _legend(names: Sequence[str]) -> Iterator[str]:
    for number, name in enumerate(names):
        row, place = divmod(number, _LEGEND_COLUMNS)
        left, top = _LEFT + place * (_WIDTH - _LEFT) / _LEGEND_COLUMNS, _HEIGHT - 38 + row * _LEGEND_STEP
        yield _mark(number, left, top)
        yield _text(left + 10, top + 4, name)


def _mark(number: int, left: float, top: float) -> str:
    color, shape = _COLORS[number], _MARKS[number]
    if shape == "square":
        return f'<rect class="{color}" x="{left - 4:.1f}" y="{top - 4:.1f}" width="8" height="8"/>'
    if shape == "diamond":
        return f'<path class="{color}" d="M{left - 5:.1f} {top:.1f}l5 -5l5 5l-5 5z"/>'
    filled = f'class="{color}"' if shape == "circle" else f'class="{color} line"'
    return f'<circle {filled} cx="{left:.1f}" cy="{top:.1f}" r="4"/>'


def _text(left: float, top: float, text: str, *, anchor: str = "start", kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{left:.1f}" y="{top:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _short(value: float) -> str:
    """1000000 as "1 M", 2000 as "2 k", and no more digits than tell something."""
    for size, letter in ((1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"
