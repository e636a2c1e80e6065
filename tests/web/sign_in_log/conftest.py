"""Contoso's sign-in log with attempts in it.

Owns posting responses to the service that the pages show. Never signs an administrator in: the cast's fixtures do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from browser import PASSWORD, Browser, StillClock
from cast import ALICE, BASE_URL
from fastapi import FastAPI
from responses import Idp, posted
from web.conftest import connect, signed_in

from sp.app import create_app
from sp.flows.assertion_consumer import Delivery, SignIn, consume
from sp.flows.opening import open_database
from sp.models import SignInAttempt
from sp.settings import Settings
from sp.store import sign_in_attempts
from sp.web.cookies import new_token
from sp.web.state import Service

LOG = "/account-manager/business/accounts/single-sign-on/sign-in-log"
FABRIKAMS_LOG = LOG.replace("business", "fabrikam")


@dataclass
class Door:
    """Where responses arrive, at the time that the service's clock shows."""

    service: Service
    clock: StillClock
    idp: Idp

    def post(self, xml: bytes = b"", *, form: Any = None, address: str = "192.0.2.7", pending: Any = ()) -> SignIn:
        delivery = Delivery(form or posted(xml), self.clock.now, address, new_token(), pending=pending)
        return consume(self.service.database, self.service.settings, delivery)

    def response(self, **changes: Any) -> bytes:
        return self.idp.response(**({"now": self.clock.now} | changes))

    def accepted(self, **changes: Any) -> SignIn:
        sign_in = self.post(self.response(**changes))
        assert sign_in.accepted, sign_in.judgement.report.failed
        return sign_in

    def refused(self, **changes: Any) -> SignIn:
        """By default for another audience."""
        sign_in = self.post(self.response(**({"audience": "urn:another"} | changes)))
        assert not sign_in.accepted
        return sign_in

    def attempt(self, sign_in: SignIn) -> SignInAttempt:
        with self.service.database.reading() as session:
            found = sign_in_attempts.attempt_by_reference(session, sign_in.reference)
        assert found is not None
        return found


@pytest.fixture
def door(service: Service, clock: StillClock, connected: Idp) -> Door:
    return Door(service, clock, connected)


# Where there is one company only, its administrators see the attempts that belong to no account.


@pytest.fixture
def lone_app(tmp_path: Path, clock: StillClock) -> Iterator[FastAPI]:
    settings = Settings(data_dir=tmp_path, base_url=BASE_URL, admin_username=ALICE.email, admin_password=PASSWORD)
    app = create_app(settings, open_database(settings, clock), clock)
    yield app
    app.state.service.database.close()


@pytest.fixture
def lone_alice(lone_app: FastAPI) -> Browser:
    return signed_in(lone_app, ALICE.email)


@pytest.fixture
def lone_door(lone_app: FastAPI, clock: StillClock, idp: Idp) -> Door:
    connect(lone_app.state.service, idp)
    return Door(lone_app.state.service, clock, idp)
