"""Which of the newest attempts a stream has told already.

Owns that nothing is told twice or left out. Never asks the database.

A transaction may commit after another one that has a higher id; so some ids below the highest are looked at again, and
what was told is remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Row = TypeVar("Row")
_LATE_IDS = 20


@dataclass
class Tail(Generic[Row]):
    """The highest id that a stream has told, and all of the last ones; None before its first look."""

    after: int
    told: frozenset[int] | None = None

    @property
    def from_id(self) -> int:
        """Behind which id to look."""
        return max(self.after - _LATE_IDS, 0)

    def news(self, rows: Sequence[tuple[int, Row]]) -> list[tuple[int, Row]]:
        """Those that were not told yet. What is there already at the first look, up to `after`, counts as told."""
        ids = frozenset(row_id for row_id, _ in rows)
        known = self.told if self.told is not None else frozenset(row_id for row_id in ids if row_id <= self.after)
        self.after = max(self.after, *ids, 0)
        self.told = frozenset(row_id for row_id in known | ids if row_id > self.from_id)
        return [row for row in rows if row[0] not in known]
