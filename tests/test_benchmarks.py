"""The benchmarks' figures are told as they are: pages, pictures and arithmetic follow from the files with the figures.

Nothing is measured here: machines differ.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from lxml import etree

from bench import crowds, plots, report
from bench.__main__ import BENCHMARKS
from bench.curves import sizes

WRITTEN = report.written()


@pytest.mark.parametrize("file", WRITTEN, ids=lambda file: file.name)
def test_pages_and_pictures_are_those_of_the_figures(file: Path) -> None:
    """`python -m bench.report` writes them."""
    assert file.read_text(encoding="utf-8") == WRITTEN[file]


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_is_there(name: str) -> None:
    assert find_spec(f"bench.{name}") is not None


def test_equal_factors_are_equal_distances() -> None:
    axis = plots.powers_of_ten("users", [1_000, 100_000])
    assert [axis.share(value) for value in (1_000, 10_000, 100_000)] == pytest.approx([0, 0.5, 1])


def test_an_axis_of_equal_steps_begins_at_nothing_and_holds_the_largest() -> None:
    ticks = plots.equal_steps("ms", [3.9, 4.4]).ticks
    assert ticks[0] == 0
    assert ticks[-1] >= 4.4


def test_a_picture_shows_every_point_of_every_line() -> None:
    across, up = plots.powers_of_ten("users", [10, 1_000]), plots.equal_steps("ms", [5])
    points = [(10, 5), (100, 4), (1_000, 5)]
    picture = etree.fromstring(plots.lines("Cost <of> one", across, up, {"a": points, "b": points}))
    assert len(picture.findall("{*}circle")) == len(points) + 1  # and one in the legend
    assert picture.findtext("{*}title") == "Cost <of> one"


def test_the_largest_size_is_measured_too() -> None:
    assert sizes(1_000, 5_000_000) == [1_000, 10_000, 100_000, 1_000_000, 5_000_000]
    assert sizes(10, 100) == [10, 100]


def test_nobody_in_a_crowd_has_the_name_of_another() -> None:
    assert len({crowds.user_name(number) for number in range(1, 10_001)}) == 10_000
