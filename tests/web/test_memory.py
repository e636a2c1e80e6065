"""What was freed goes back to the system."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI

from sp import app as whole
from sp.memory import give_back

PIECES, PIECE_BYTES = 40_000, 1024
PAGES = 4096


def resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGES / 2**20


def test_free_memory_between_used_memory_goes_back() -> None:
    """Every hundredth piece stays, so that the allocator cannot simply cut off its end."""
    pieces = [bytes(PIECE_BYTES) for _ in range(PIECES)]
    stay = pieces[::100]
    full = resident_mib()
    pieces.clear()
    give_back()
    assert resident_mib() < full - PIECES * PIECE_BYTES / 2**20 / 2
    assert len(stay) == PIECES / 100


def test_each_process_does_so_again_and_again(
    make_app: Callable[..., FastAPI], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[int] = []
    monkeypatch.setattr(whole, "give_back", lambda: given.append(1))
    monkeypatch.setattr(whole, "_GIVE_BACK_EVERY_SECONDS", 0.01)

    async def run() -> None:
        app = make_app()
        async with app.router.lifespan_context(app):
            await asyncio.sleep(0.3)

    asyncio.run(run())
    assert len(given) > 2
