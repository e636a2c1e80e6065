"""The lock files are complete on every supported Python and platform, and the check for it sees what is missing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from scripts.check_locks import LockFile, Record, lock_files, problems
from scripts.locks import RECORD, read_lock

DEPENDENCIES: Record = json.loads(RECORD.read_text())["packages"]
LOCKS = {lock.name: lock for lock in lock_files()}
RUN = LOCKS["requirements/run.txt"]


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_is_pinned_everywhere(name: str) -> None:
    assert problems(LOCKS[name], DEPENDENCIES) == []


def without(lock: LockFile, name: str) -> LockFile:
    assert name in lock.pins
    return replace(lock, pins={pinned: pin for pinned, pin in lock.pins.items() if pinned != name})


@pytest.mark.parametrize(
    ("missing", "asked_by", "targets"),
    [
        ("psycopg-binary", "psycopg", 16),  # by psycopg[binary]
        ("lxml", "pyproject.toml", 16),
        ("mako", "alembic", 16),
        ("tzdata", "psycopg", 4),  # on Windows only
        ("uvloop", "pyproject.toml", 12),  # not on Windows
        ("google-re2", "pyproject.toml", 16),
    ],
)
def test_a_missing_package_is_reported_where_it_is_needed(missing: str, asked_by: str, targets: int) -> None:
    found = problems(without(RUN, missing), DEPENDENCIES)
    reported = [sentence for sentence in found if f"{missing} is missing, which {asked_by} requires" in sentence]
    assert len(reported) == targets, found
    assert reported[-1].endswith("(Python 3.14 on Windows x86-64).") or targets == 12


def changed(*pins: str) -> LockFile:
    return replace(RUN, pins=RUN.pins | read_lock("\n".join(pins)))


def test_a_pin_whose_marker_is_too_narrow_counts_as_missing() -> None:
    version = RUN.pins["mako"].version  # type: ignore[index]
    found = problems(changed(f"mako=={version} ; python_version < '3.14'"), DEPENDENCIES)
    assert len(found) == 4
    assert all("mako is missing" in sentence and "Python 3.14" in sentence for sentence in found)


def test_a_version_that_does_not_fit_is_reported() -> None:
    old = {**DEPENDENCIES, "sqlalchemy": {**DEPENDENCIES["sqlalchemy"], "version": "1.4.0"}}
    found = problems(changed("sqlalchemy==1.4.0"), old)  # type: ignore[arg-type]
    assert "requirements/run.txt: sqlalchemy 1.4.0 is not >=2.0, which alembic requires (Python 3.11 on " in found[0]


def test_a_release_for_newer_pythons_only_is_reported() -> None:
    newer = {**DEPENDENCIES, "mako": {**DEPENDENCIES["mako"], "requires_python": ">=3.12"}}
    found = problems(RUN, newer)  # type: ignore[arg-type]
    assert len(found) == 4
    assert all("mako requires Python >=3.12 (Python 3.11 on " in sentence for sentence in found)


def test_an_extra_that_a_release_no_longer_has_is_reported() -> None:
    less = {**DEPENDENCIES, "psycopg": {**DEPENDENCIES["psycopg"], "extras": []}}
    assert "psycopg has no extra binary, which pyproject.toml requires" in problems(RUN, less)[0]  # type: ignore[arg-type]


def test_a_record_of_other_versions_has_to_be_written_again() -> None:
    found = problems(changed("mako==0.1"), DEPENDENCIES)
    assert found == ["requirements/run.txt: mako 0.1 is not the version in dependencies.json: run `make lock`."]
