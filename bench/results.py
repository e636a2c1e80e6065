"""Where figures are kept: one JSON file for each benchmark, with the machine that they were taken on.

Owns the form of those files. Never writes a host's name, a path or anything else that tells whose machine it was.
"""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sp import __version__

FOLDER = Path(__file__).with_name("results")
Figure = Mapping[str, Any]
_PACKAGES = (
    "cryptography",
    "fastapi",
    "lxml",
    "psycopg",
    "pysaml2",
    "python3-saml",
    "sqlalchemy",
    "uvicorn",
    "uvloop",
    "xmlsec",
)


def machine() -> dict[str, Any]:
    """What the figures depend on besides the code."""
    return {
        "processors": os.cpu_count(),
        "processor": _told("/proc/cpuinfo", "model name"),
        "memory_gib": round(int(_told("/proc/meminfo", "MemTotal").split()[0]) / 2**20, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "packages": {name: version(name) for name in _PACKAGES},
    }


def keep(name: str, about: str, figures: Sequence[Figure], **facts: Any) -> None:
    """Write the figures of the benchmark `name`. Each key of a figure that is a quantity ends in its unit."""
    FOLDER.mkdir(exist_ok=True)
    content = {
        "benchmark": name,
        "about": about,
        "version": __version__,
        "taken": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": machine(),
        **facts,
        "figures": [_rounded(figure) for figure in figures],
    }
    (FOLDER / f"{name}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def kept(name: str) -> dict[str, Any] | None:
    """What the benchmark `name` wrote last, or None."""
    try:
        content: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return content


def _rounded(figure: Figure) -> dict[str, Any]:
    return {key: round(value, 3) if isinstance(value, float) else value for key, value in figure.items()}


def _told(file: str, field: str) -> str:
    for line in Path(file).read_text(encoding="utf-8").splitlines():
        if line.startswith(field):
            return line.partition(":")[2].strip()
    return "0"
