"""The service with two companies, and the browsers of the cast.

Owns a database that is made once and copied for each test: Alice and Bob administer Contoso, Charlie administers
Fabrikam, Britta is a user at Contoso who has a password. Never opens a port.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from browser import PASSWORD, Browser, StillClock
from cast import ALICE, BASE_URL, BOB, BRITTA, CHARLIE, CONTOSO_ISSUER, NOW
from fastapi import FastAPI
from profiles import add_profile
from responses import Idp

from sp.app import create_app
from sp.flows import account_setup
from sp.flows.account_setup import Saved, SsoDraft
from sp.flows.opening import open_database
from sp.flows.passwords import hash_password
from sp.models import Account, User, UserSession
from sp.settings import Settings
from sp.store import accounts, administrators, sessions, users
from sp.store.engine import Database
from sp.store.rows import required
from sp.web.cookies import SESSION, new_token
from sp.web.state import Service


@pytest.fixture(scope="session")
def two_companies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two-companies")
    settings = Settings(data_dir=folder, admin_username=ALICE.email, admin_password=PASSWORD)
    database = open_database(settings, lambda: NOW)
    password_hash = hash_password(PASSWORD)
    with database.writing() as session:
        fabrikam = account_setup.add_company_account(session, "Fabrikam", "fabrikam", NOW, owned=("fabrikam.example",))
        assert isinstance(fabrikam, Account)
        contoso = accounts.company_named(session, "Contoso")
        assert contoso is not None
        administrators.add_administrator(session, contoso, BOB.email, password_hash, NOW)
        company = accounts.company_by_id(session, fabrikam.company_id)
        administrators.add_administrator(session, company, CHARLIE.email, password_hash, NOW)
        business = accounts.account_by_slug(session, "business")
        assert business is not None
    add_profile(database, business, password_hash=password_hash)
    database.close()
    return folder / "virtual-office.db"


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def make_app(two_companies: Path, tmp_path: Path, clock: StillClock) -> Iterator[Callable[..., FastAPI]]:
    """A function of settings: the service over a fresh copy of the two companies."""
    made: list[FastAPI] = []

    def make(**changes: Any) -> FastAPI:
        file = shutil.copy(two_companies, tmp_path / "virtual-office.db")
        chosen: dict[str, Any] = {"base_url": BASE_URL, "data_dir": tmp_path, "admin_username": ALICE.email}
        settings = Settings(**(chosen | changes))
        made.append(create_app(settings, Database(f"sqlite:///{file}"), clock))
        return made[-1]

    yield make
    for app in made:
        app.state.service.database.close()


@pytest.fixture
def app(make_app: Callable[..., FastAPI]) -> FastAPI:
    return make_app()


@pytest.fixture
def service(app: FastAPI) -> Service:
    found: Service = app.state.service
    return found


@pytest.fixture
def database(service: Service) -> Database:
    return service.database


@pytest.fixture
def browser(app: FastAPI) -> Browser:
    """A browser in which nobody is signed in."""
    return Browser(app)


@pytest.fixture
def alice(app: FastAPI) -> Browser:
    return signed_in(app, ALICE.email)


@pytest.fixture
def bob(app: FastAPI) -> Browser:
    return signed_in(app, BOB.email)


@pytest.fixture
def charlie(app: FastAPI) -> Browser:
    return signed_in(app, CHARLIE.email)


@pytest.fixture
def britta(app: FastAPI) -> Browser:
    return signed_in(app, BRITTA.email)


@pytest.fixture
def idp() -> Idp:
    return Idp.make(CONTOSO_ISSUER)


@pytest.fixture
def connected(service: Service, idp: Idp) -> Idp:
    """Contoso's Business account trusts this identity provider: version 2 of its settings."""
    connect(service, idp)
    return idp


def connect(service: Service, idp: Idp) -> None:
    draft = SsoDraft(
        single_sign_on=True,
        sign_in_url="https://idp.contoso.example/sign-in",
        issuer=idp.entity_id,
        certificates=(idp.certificate,),
    )
    with service.database.writing() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        saved = account_setup.save_sso_settings(
            session, service.settings, account, draft, saved_by=ALICE.email, now=service.now()
        )
    assert isinstance(saved, Saved)


def signed_in(app: FastAPI, username: str) -> Browser:
    """A browser with a session. The form is left out, since a password costs its share of a second by design."""
    service: Service = app.state.service
    token, now = new_token(), service.now()
    with service.database.writing() as session:
        realm_id = required(accounts.shared_realm(session).id)
        administrator = administrators.administrator_named(session, username)
        user = users.user_named(session, realm_id, username)
        if administrator is not None:
            sessions.open_administrator_session(session, administrator, token, now, service.settings.session_max)
        elif user is not None:
            sessions.open_user_session(session, session_of(user, token, now, now + service.settings.session_max))
    browser = Browser(app)
    browser.client.cookies.set(SESSION, token, domain="localhost.local", path="/")
    assert "Application Panel" in browser.open("/").text
    return browser


def session_of(user: User, token: str, now: datetime, ends: datetime) -> UserSession:
    return UserSession(
        token_hash=sessions.hash_token(token),
        user_id=required(user.id),
        account_id=user.account_id,
        method="password",
        created_at=now,
        last_seen_at=now,
        expires_at=ends,
    )
