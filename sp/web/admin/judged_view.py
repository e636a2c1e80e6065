"""Two verdicts side by side: then, and with other settings.

Owns which rows count as different. Never says which of them is right.
"""

from __future__ import annotations

from dataclasses import dataclass

from sp.diagnosis.sides import Sides, sides
from sp.saml.checks import CHECKS, STAGES
from sp.saml.report import Report, Row


@dataclass(frozen=True, slots=True)
class Pair:
    """One check in both verdicts."""

    stage: str
    code: str
    title: str
    then: Row
    now: Row

    @property
    def then_sides(self) -> Sides:
        return sides(self.then)

    @property
    def now_sides(self) -> Sides:
        return sides(self.now)

    @property
    def turned(self) -> bool:
        """Whether the outcome is another one."""
        return self.then.outcome is not self.now.outcome

    @property
    def differs(self) -> bool:
        """Whether anything is different, the values that were compared included."""
        return self.then != self.now


def pairs_of(then: Report, now: Report) -> tuple[Pair, ...]:
    """Every check in the table's order."""
    return tuple(
        Pair(STAGES[check.stage], check.code, check.title, then.row(check.code), now.row(check.code))
        for check in CHECKS
    )
