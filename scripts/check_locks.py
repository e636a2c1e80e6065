"""Checks that each lock file is complete on every supported Python and platform. Run by `make check`.

The locks are installed with --no-deps, so pip does not look for what they lack. What each package needs is read from
requirements/dependencies.json, which `make lock` writes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from scripts import locks
from scripts.locks import FOLDER, RECORD, ROOT, TARGETS, Lock, Package, Target

Record = Mapping[str, Package]
_EXTRAS = ("postgresql",)


@dataclass(frozen=True, slots=True)
class LockFile:
    """A lock file, what has to be found in it, and where it has to work."""

    name: str
    pins: Lock
    required: list[str]
    targets: tuple[Target, ...] = TARGETS


def lock_files() -> list[LockFile]:
    """The lock files of this project."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    run, dev, fuzz = (locks.read_lock((FOLDER / f"{name}.txt").read_text()) for name in ("run", "dev", "fuzz"))
    for_run = locks.roots(project, extras=_EXTRAS, groups=("build",))
    for_dev = locks.roots(project, extras=_EXTRAS, groups=("build", "dev"))
    for_fuzz = locks.roots(project, extras=_EXTRAS, groups=("build", "dev", "fuzz"))
    # atheris has wheels for Linux only, and none for 3.14.
    where = tuple(t for t in TARGETS if t.platform.sys_platform == "linux" and t.python != "3.14")
    return [
        LockFile("requirements/run.txt", run, for_run),
        LockFile("requirements/dev.txt", dev, for_dev),
        LockFile("requirements/dev.txt with fuzz.txt", dev | fuzz, for_fuzz, where),
    ]


def problems(lock: LockFile, record: Record) -> list[str]:
    """One sentence for each thing that is missing from the lock, or recorded for another version."""
    found = list(_out_of_date(lock, record))
    if not found:
        for target in lock.targets:
            found += [f"{lock.name}: {sentence} ({target})." for sentence in _missing(lock, record, target)]
    return found


def _out_of_date(lock: LockFile, record: Record) -> Iterator[str]:
    for name, pin in lock.pins.items():
        if name in record and record[name]["version"] != pin.version:
            yield f"{lock.name}: {name} {pin.version} is not the version in {RECORD.name}: run `make lock`."


def _missing(lock: LockFile, record: Record, target: Target) -> list[str]:
    sentences: dict[str, None] = {}
    for environment in target.environments():
        walk = _Walk(lock.pins, record, environment)
        walk.follow(lock.required, "pyproject.toml", extras=())
        sentences |= dict.fromkeys(walk.problems)
    return list(sentences)


class _Walk:
    """Follows requirements through one lock in one environment, and collects what is missing."""

    def __init__(self, pins: Lock, record: Record, environment: dict[str, str]) -> None:
        self._pins = pins
        self._record = record
        self._environment = environment
        self.reached: dict[NormalizedName, set[str]] = {}
        self.problems: list[str] = []

    def follow(self, requirements: Iterable[str], asked_by: str, extras: Iterable[str]) -> None:
        """Go through those of the requirements that hold here, without an extra or with one of `extras`."""
        for text in requirements:
            requirement = locks.requirement(text)
            if self._holds(requirement, extras):
                self._visit(requirement, asked_by)

    def _holds(self, requirement: Requirement, extras: Iterable[str]) -> bool:
        marker = requirement.marker
        return marker is None or any(marker.evaluate({**self._environment, "extra": e}) for e in ("", *extras))

    def _visit(self, requirement: Requirement, asked_by: str) -> None:
        name = canonicalize_name(requirement.name)
        pin = self._pins.get(name)
        if pin is None or (pin.marker is not None and not pin.marker.evaluate(self._environment)):
            self.problems.append(f"{name} is missing, which {asked_by} requires")
            return
        if not requirement.specifier.contains(pin.version, prereleases=True):
            self.problems.append(f"{name} {pin.version} is not {requirement.specifier}, which {asked_by} requires")
        package = self._record.get(name)
        if package is None:
            self.problems.append(f"{name} is not in {RECORD.name}: run `make lock`")
            return
        if not SpecifierSet(package["requires_python"]).contains(self._environment["python_full_version"]):
            self.problems.append(f"{name} requires Python {package['requires_python']}")
        extras = {canonicalize_name(extra) for extra in requirement.extras}
        self.problems += [
            f"{name} has no extra {extra}, which {asked_by} requires"
            for extra in sorted(extras - {canonicalize_name(extra) for extra in package["extras"]})
        ]
        if name not in self.reached or not extras <= self.reached[name]:
            self.reached[name] = self.reached.get(name, set()) | extras
            self.follow(package["requires"], name, self.reached[name])


def main() -> int:
    """Print the problems; 1 when there are any."""
    record: Record = json.loads(RECORD.read_text(encoding="utf-8"))["packages"]
    found = [sentence for lock in lock_files() for sentence in problems(lock, record)]
    for sentence in found:
        print(sentence, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
