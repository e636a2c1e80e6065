"""Which stored keys of this service are broken."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from sp.models import KeyState, ServiceKey
from sp.saml.own_key_check import KeyProblem, key_problem
from sp.store import service_keys


@dataclass(frozen=True, slots=True)
class BrokenKey:
    """A stored key pair that cannot be used."""

    key_id: int
    purpose: str
    state: str
    problem: KeyProblem

    @property
    def sentence(self) -> str:
        return f"The {self.state} {self.purpose} key {self.key_id} is broken: {self.problem}."


def broken_keys(session: Session) -> list[BrokenKey]:
    """Every broken key, retired ones too."""
    return [broken for broken in map(_broken, service_keys.every_key(session)) if broken is not None]


def broken_service_keys(session: Session) -> list[BrokenKey]:
    """Those without which the service cannot sign or publish its metadata: its own, that are not retired.

    Keys of accounts are left to `broken_keys`: each takes 60 ms, and there may be thousands.
    """
    rows = (row for row in service_keys.every_key(session) if row.account_id is None)
    return [broken for broken in map(_broken, rows) if broken is not None and broken.state != KeyState.RETIRED]


def _broken(row: ServiceKey) -> BrokenKey | None:
    problem = key_problem(row.private_key, row.certificate)
    return None if problem is None else BrokenKey(row.id or 0, row.purpose, row.state, problem)
