"""Which stored keys of this service are broken."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from sp.models import KeyState
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
    return [
        BrokenKey(row.id or 0, row.purpose, row.state, problem)
        for row in service_keys.every_key(session)
        if (problem := key_problem(row.private_key, row.certificate)) is not None
    ]


def broken_keys_in_use(session: Session) -> list[BrokenKey]:
    """Those without which the service cannot sign, decrypt or publish its metadata."""
    return [broken for broken in broken_keys(session) if broken.state != KeyState.RETIRED]
