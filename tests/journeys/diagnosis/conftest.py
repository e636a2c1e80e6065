"""The service for each mistake, over a fresh copy of a database that is made once. Never opens a port."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import StillClock
from cast import ALICE, BASE_URL, NOW
from journeys.diagnosis.mistake import Scene

from sp.app import create_app
from sp.flows import account_setup
from sp.flows.opening import open_database
from sp.settings import Settings
from sp.store.engine import Database


@pytest.fixture(scope="session")
def two_companies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in which Contoso and Fabrikam have an account each, both without Single Sign On."""
    folder = tmp_path_factory.mktemp("diagnosis")
    database = open_database(Settings(data_dir=folder, admin_username=ALICE.email), lambda: NOW)
    with database.writing() as session:
        account_setup.add_company_account(session, "Fabrikam", "fabrikam", NOW, owned=("fabrikam.example",))
    database.close()
    return folder / "virtual-office.db"


@pytest.fixture
def open_scene(two_companies: Path, tmp_path: Path) -> Iterator[Callable[..., Scene]]:
    """A function of the service's settings."""
    opened: list[Database] = []

    def make(**changes: Any) -> Scene:
        file = shutil.copy(two_companies, tmp_path / "virtual-office.db")
        settings = Settings(base_url=BASE_URL, data_dir=tmp_path, admin_username=ALICE.email, **changes)
        opened.append(Database(f"sqlite:///{file}"))
        return Scene(create_app(settings, opened[-1], StillClock()))

    yield make
    for database in opened:
        database.close()
