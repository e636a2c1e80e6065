"""A service with Contoso's Business account connected to its identity provider."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cast import ACS_URL, ENTITY_ID, NOW
from house import House

from sp.flows.opening import open_database
from sp.settings import Settings
from sp.store.engine import Database


@pytest.fixture(scope="session")
def seeded_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database after the first start, made once: migrating and hashing a password take longer than a story."""
    folder = tmp_path_factory.mktemp("seeded")
    database = open_database(Settings(data_dir=folder, admin_password="Adm1n!pass"), lambda: NOW)
    database.close()
    return folder / "virtual-office.db"


@pytest.fixture
def make_house(seeded_file: Path, tmp_path: Path) -> Iterator[Callable[..., House]]:
    """A function of settings: the service on this test's copy of the database; a second call is a restart."""
    file = tmp_path / "virtual-office.db"
    shutil.copy(seeded_file, file)
    made: list[Database] = []

    def make(**settings: Any) -> House:
        chosen: dict[str, Any] = {"data_dir": tmp_path, "entity_id": ENTITY_ID, "acs_url": ACS_URL}
        service = Settings(**(chosen | settings))
        made.append(open_database(service, lambda: NOW))
        return House(service, made[-1])

    yield make
    for database in made:
        database.close()


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    made = make_house()
    made.configure()
    return made
