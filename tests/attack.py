"""The marker of an attack: what the summary at the end of a run counts and `docs/engine.md` lists.

Owns the marker and its counting. Never runs anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest

MARKER = "attack"


@dataclass(frozen=True, slots=True)
class Attack:
    """One story of the catalogue, by its id. `count` is of the hostile inputs, and 0 for a control."""

    id: str
    story: str
    count: int = 1


def attack(identifier: str, story: str, count: int = 1) -> pytest.MarkDecorator:
    """Marks a test as a case of the catalogue, in which `count` hostile inputs are refused."""
    return getattr(pytest.mark, MARKER)(Attack(identifier, story, count))  # type: ignore[no-any-return]


def attacks_of(item: pytest.Item) -> list[Attack]:
    return [mark.args[0] for mark in item.iter_markers(MARKER)]


def summary(reports: Iterable[Any]) -> str:
    """One sentence about the finished tests, or '' where none of them is an attack.

    `reports` are those of calls and of failed preparations, in any order.
    """
    named = [(report, getattr(report, "user_properties", ())) for report in reports]  # a broken file's has none
    done = [(count, report) for report, properties in named for name, count in properties if name == MARKER]
    total = sum(count for count, _ in done)
    if not total:
        return ""
    failed = [report.nodeid for _, report in done if report.failed]
    if failed:
        return f"{total} attacks, and {len(failed)} tests of them failed: an attack may have been ACCEPTED"
    return f"{total} attacks, none accepted"
