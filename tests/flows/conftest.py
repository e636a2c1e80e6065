"""A service with Contoso's Business account connected to its identity provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cast import ACS_URL, ENTITY_ID, NOW
from house import House

from sp.app import open_database
from sp.settings import Settings
from sp.store.engine import Database


@pytest.fixture
def make_house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    made: list[Database] = []

    def make(**settings: Any) -> House:
        chosen: dict[str, Any] = {
            "data_dir": tmp_path,
            "entity_id": ENTITY_ID,
            "acs_url": ACS_URL,
            "admin_password": "Adm1n!pass",
        }
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
