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
from sp.flows.opening import open_database
from sp.settings import Settings
from sp.store.engine import Database


@pytest.fixture(scope="session")
def one_company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with Contoso's account, without Single Sign On. Where there are several, less can be told."""
    folder = tmp_path_factory.mktemp("diagnosis")
    database = open_database(Settings(data_dir=folder, admin_username=ALICE.email), lambda: NOW)
    database.close()
    return folder / "virtual-office.db"


@pytest.fixture
def open_scene(one_company: Path, tmp_path: Path) -> Iterator[Callable[..., Scene]]:
    """A function of the service's settings."""
    opened: list[Database] = []

    def make(**changes: Any) -> Scene:
        file = shutil.copy(one_company, tmp_path / "virtual-office.db")
        settings = Settings(base_url=BASE_URL, data_dir=tmp_path, admin_username=ALICE.email, **changes)
        opened.append(Database(f"sqlite:///{file}"))
        return Scene(create_app(settings, opened[-1], StillClock()))

    yield make
    for database in opened:
        database.close()
