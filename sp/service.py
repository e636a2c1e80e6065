"""What a request can ask the application for: settings, database, clock, counters.

Owns nothing; hands over. Never opens anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from sp.clock import Clock
from sp.metrics import Metrics
from sp.models import Realm
from sp.settings import Settings
from sp.store.engine import Database


@dataclass(frozen=True, slots=True)
class Service:
    """The parts that `create_app` puts together."""

    settings: Settings
    database: Database
    clock: Clock
    metrics: Metrics = field(default_factory=Metrics)
    workspace: Realm | None = None  # whose address was asked, with `settings` as they are there

    def now(self) -> datetime:
        return self.clock()


def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def _service_of(request: Request) -> Service:
    """The same without a thread, which FastAPI would take for a plain function."""
    return service_of(request)


ServiceDep = Annotated[Service, Depends(_service_of)]
