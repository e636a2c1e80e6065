"""Installations for the stories about processes. Never opens a browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from processes.program import Installation


@pytest.fixture
def install(tmp_path: Path) -> Callable[..., Installation]:
    """A function of settings: an installation with an empty data folder."""

    def make(**settings: str) -> Installation:
        return Installation(tmp_path, settings=settings)

    return make


@pytest.fixture
def place(install: Callable[..., Installation]) -> Installation:
    return install()
