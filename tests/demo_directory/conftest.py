"""Owns the demo directory under test: its settings, a clock that stands still, the browsers of the cast.

Never opens a port.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from demo_directory.browser import ACS_URL, BASE_URL, Browser, StillClock
from fastapi import FastAPI

from sp.demo_directory.app import create_app
from sp.demo_directory.connect import Connected, connect
from sp.demo_directory.desk import Desk
from sp.demo_directory.keys import SigningKey, open_signing_key
from sp.demo_directory.reply_url import Service
from sp.demo_directory.settings import Settings


@pytest.fixture(scope="session")
def key_files(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    folder = tmp_path_factory.mktemp("demo-directory-key")
    return open_signing_key(folder / "key.pem", folder / "certificate.pem", StillClock().now)


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def settings(tmp_path: Path, key_files: SigningKey) -> Settings:
    settings = Settings(BASE_URL, tmp_path, Service(ACS_URL, ACS_URL), "http://localhost:8000")
    shutil.copy(key_files.key_file, settings.key_file)
    shutil.copy(key_files.certificate_file, settings.certificate_file)
    return settings


@pytest.fixture(scope="session")
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture
def app(settings: Settings, clock: StillClock, portal: BlockingPortal) -> Iterator[FastAPI]:
    app = create_app(settings, clock)
    app.state.portal = portal
    yield app
    app.state.desk.store.close()


@pytest.fixture
def desk(app: FastAPI) -> Desk:
    desk: Desk = app.state.desk
    return desk


@pytest.fixture
def alice(app: FastAPI) -> Browser:
    """The browser of Alice, who administers Contoso."""
    return Browser(app)


@pytest.fixture
def connected(desk: Desk, clock: StillClock) -> Connected:
    """The tutorial's Azure side, done: Britta is assigned to the configured application."""
    return connect(desk.settings, desk.store, desk.key, clock.now)


@pytest.fixture
def britta(app: FastAPI, connected: Connected) -> Browser:
    """The browser of Britta Simon, signed in to the Access Panel."""
    browser = Browser(app)
    browser.open("/access-panel")
    browser.submit(user_name=connected.user_name, password=connected.password)
    assert "8x8 Virtual Office" in browser.text()
    return browser


@pytest.fixture
def application_path(desk: Desk, connected: Connected) -> str:
    """Where the connected application's tile leads."""
    assert connected.issuer
    return f"/access-panel/applications/{desk.store.applications()[0].object_id}"
