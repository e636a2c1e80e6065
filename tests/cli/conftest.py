"""Commands in the tests' own process: what `serve` sets up for a process of its own ends with each story."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from log_settings import logging_as_before


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    with logging_as_before():
        yield
