"""The lock files in requirements/, the record of what the packages in them need, and where they have to work."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypedDict

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"
RECORD = FOLDER / "dependencies.json"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


class Package(TypedDict):
    """What one package says of itself, in its core metadata."""

    version: str
    requires_python: str
    extras: list[str]
    requires: list[str]


@dataclass(frozen=True, slots=True)
class Platform:
    """A supported platform: the values that markers see there, and what uv calls it."""

    name: str
    sys_platform: str
    system: str
    machine: str
    uv_name: str


PLATFORMS = (
    Platform("Linux x86-64", "linux", "Linux", "x86_64", "x86_64-manylinux_2_28"),
    Platform("Linux arm64", "linux", "Linux", "aarch64", "aarch64-manylinux_2_28"),
    Platform("macOS arm64", "darwin", "Darwin", "arm64", "aarch64-apple-darwin"),
    Platform("Windows x86-64", "win32", "Windows", "AMD64", "x86_64-pc-windows-msvc"),
)


@dataclass(frozen=True, slots=True)
class Target:
    """One Python version on one platform."""

    python: str
    platform: Platform

    def __str__(self) -> str:
        return f"Python {self.python} on {self.platform.name}"

    def environments(self) -> Iterator[dict[str, str]]:
        """The markers' values for the first and for a late patch release of this Python: a marker may name one."""
        for patch in ("0", "99"):
            version = f"{self.python}.{patch}"
            yield {
                "implementation_name": "cpython",
                "implementation_version": version,
                "os_name": "nt" if self.platform.sys_platform == "win32" else "posix",
                "platform_machine": self.platform.machine,
                "platform_python_implementation": "CPython",
                "platform_release": "",
                "platform_system": self.platform.system,
                "platform_version": "",
                "python_full_version": version,
                "python_version": self.python,
                "sys_platform": self.platform.sys_platform,
            }


TARGETS = tuple(Target(python, platform) for platform in PLATFORMS for python in PYTHONS)


@dataclass(frozen=True, slots=True)
class Pin:
    """One line of a lock file: a version, and where it is installed."""

    version: str
    marker: Marker | None


Lock = dict[NormalizedName, Pin]


def read_lock(text: str) -> Lock:
    """The pins of a lock file. Raises ValueError for a line that is not NAME==VERSION."""
    lines = re.sub(r"\\\n", " ", text).splitlines()
    written = (re.sub(r"\s--hash=\S+", "", line).strip() for line in lines)
    pins: Lock = {}
    for line in written:
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            [specifier] = requirement.specifier
            if specifier.operator != "==" or canonicalize_name(requirement.name) in pins:
                raise ValueError(f"{line!r} is not the only pin of {requirement.name}")
            pins[canonicalize_name(requirement.name)] = Pin(specifier.version, requirement.marker)
    return pins


def roots(project: str, *, extras: tuple[str, ...] = (), groups: tuple[str, ...] = ()) -> list[str]:
    """The requirements that the text of pyproject.toml names itself: with these extras and dependency groups."""
    read = tomllib.loads(project)
    found: list[str] = list(read["project"]["dependencies"])
    for extra in extras:
        found += read["project"]["optional-dependencies"][extra]
    for group in groups:
        found += read["dependency-groups"][group]
    return found


@cache
def requirement(text: str) -> Requirement:
    """The parsed text. Cached: the same few hundred are asked about for every target."""
    return Requirement(text)
