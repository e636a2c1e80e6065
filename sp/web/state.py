"""What a request can ask the application for: settings, database, clock.

Owns nothing; hands over. Never opens anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from sp.clock import Clock
from sp.settings import Settings
from sp.store.engine import Database


@dataclass(frozen=True, slots=True)
class Service:
    """The parts that `create_app` puts together."""

    settings: Settings
    database: Database
    clock: Clock

    def now(self) -> datetime:
        return self.clock()


def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


ServiceDep = Annotated[Service, Depends(service_of)]


def remote_address(request: Request) -> str:
    """The peer's address; never a forwarded header, which anybody can write."""
    return request.client.host if request.client else ""
