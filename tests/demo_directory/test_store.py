"""The directory's database, opened by the server and by the command `connect` at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from demo_directory.browser import StillClock

from sp.demo_directory.desk import Desk
from sp.demo_directory.store import DirectoryStore, NewPerson

TIMES = 20  # before it was made right, one in three failed


def test_two_that_open_a_new_one_at_once_have_the_same(tmp_path: Path) -> None:
    for number in range(TIMES):
        file, both = tmp_path / f"{number}.db", Barrier(2)

        def tenant(file: Path = file, both: Barrier = both) -> str:
            both.wait(10)
            store = DirectoryStore.open(file)
            found = store.tenant().tenant_id
            store.close()
            return found

        with ThreadPoolExecutor(2) as threads:
            first, second = [threads.submit(tenant) for _ in range(2)]
        assert first.result() == second.result()


@pytest.mark.parametrize("other", ["Stra\u00dfe", "\u017fimon", "ma\ufb03"])
def test_a_name_that_only_case_folding_makes_the_same_is_nobody(desk: Desk, clock: StillClock, other: str) -> None:
    folded = other.casefold()
    assert desk.store.add_person(NewPerson(folded, "Anna", "Weiss", "Anna Weiss", "User", "hash"), clock.now)
    assert desk.store.person_named(folded.upper()) is not None
    assert desk.store.person_named(other) is None
