"""What the tests make cheap is dear where it counts."""

from __future__ import annotations

from pathlib import Path

from argon2 import Type
from cast import NOW
from encryption import own_key
from quick_start import REAL_HASHER, REAL_PRAGMAS
from sqlalchemy import inspect

from sp.saml.own_keys import make_key
from sp.store.engine import Database, newest_revision


def test_the_service_hashes_passwords_as_rfc_9106_wants() -> None:
    """Section 4, the second choice: argon2id, 3 passes over 64 MiB in 4 lanes."""
    assert (REAL_HASHER.type, REAL_HASHER.time_cost, REAL_HASHER.memory_cost) == (Type.ID, 3, 64 * 1024)
    assert REAL_HASHER.parallelism == 4


def test_the_service_answers_when_it_is_on_disk() -> None:
    """What kill -9 leaves is tried in `tests/processes/test_durability.py`; a power cut cannot be."""
    assert [pragma for pragma in REAL_PRAGMAS if pragma.startswith("synchronous")] == ["synchronous=FULL"]


def test_a_copied_database_is_like_an_upgraded_one(tmp_path: Path) -> None:
    copied = Database(f"sqlite:///{tmp_path / 'copied.db'}")
    copied.upgrade()
    assert copied.revision() == newest_revision()
    assert "sign_in_attempt" in inspect(copied.engine).get_table_names()
    assert copied.faults() == []
    copied.close()


def test_two_keys_of_one_story_are_two() -> None:
    first, second = make_key("one", NOW), make_key("two", NOW)
    assert first.private_key.private_numbers() != second.private_key.private_numbers()
    assert first.private_key.key_size >= 2048


def test_a_key_that_outlives_its_story_is_nobody_elses() -> None:
    kept = own_key("kept").private_key.private_numbers()
    others = [make_key(f"story {number}", NOW).private_key.private_numbers() for number in range(10)]
    assert kept not in others
