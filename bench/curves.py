"""That a sign-in costs the same however much there is: with more users, accounts and attempts, and by its own size.

    python -m bench.curves [--users 100000] [--accounts 10000] [--attempts 100000] [--number 200]
                           [--databases SQLite PostgreSQL] [--of users accounts attempts]
                           [--keep-as NAME] [--folder FOLDER]

Tables are filled by single statements with copies of one real row, each size ten times the one before up to the
largest that is asked for; then people sign in, new ones and some of the crowd. The attempts' messages are left out, and
their assertions are in the replay record too. The last curve is one message with more and more attribute values.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from bench import crowds, disk, results
from bench.prepared import Recipe
from bench.processes import wait_until_quiet
from bench.rig import DATABASES, SQLITE, Measured, Rig, database_facts, rig, typical

ABOUT = "Processor time of one accepted, doubly signed sign-in by how much there is."
USERS, ACCOUNTS, ATTEMPTS, VALUES = "users", "accounts", "attempts", "attribute values"
NEW, KNOWN, ELSEWHERE = "a new user", "a user of the crowd", "another account each"
# With the elements around them 10 000 would be more than the limit of 10 000 elements (the check `limits`).
_VALUES = (1, 10, 100, 1_000, 9_900)
_ROUNDS_OF_VALUES = (100, 100, 100, 50, 30)
_MOST = {(SQLITE, ATTEMPTS): 2_000_000}  # where one machine's file ends
_LARGE_MESSAGES = {"MAX_MESSAGE_BYTES": str(8 * 1024 * 1024)}
_WARM_UP = 40
_CONNECTIONS = 4
_ROUNDS = 3


@dataclass(frozen=True)
class Crowd:
    """What there is more and more of: from how many on, and how the copies of these numbers are added."""

    name: str
    table: str
    first: int
    add: Callable[[Rig, int, int], None]


def _add_users(ready: Rig, first: int, last: int) -> None:
    crowds.grow(ready.database, "user_profile", crowds.USERS, first, last)


def _add_accounts(ready: Rig, first: int, last: int) -> None:
    crowds.grow_accounts(ready.database, first, last)


def _add_attempts(ready: Rig, first: int, last: int) -> None:
    crowds.grow(ready.database, "sign_in_attempt", crowds.ATTEMPTS, first, last)
    crowds.grow(ready.database, "consumed_assertion", crowds.CONSUMED, first, last)


CROWDS = (
    Crowd(USERS, "user_profile", 1_000, _add_users),
    Crowd(ACCOUNTS, "sso_settings", 10, _add_accounts),
    Crowd(ATTEMPTS, "consumed_assertion", 1_000, _add_attempts),
)


_CURVES = (*(crowd.name for crowd in CROWDS), VALUES)


def main() -> None:
    options = _options()
    figures: list[results.Figure] = []
    facts: dict[str, dict[str, Any]] = {name: {"bytes_per_row": {}} for name in options.databases}
    largest = {USERS: options.users, ACCOUNTS: options.accounts, ATTEMPTS: options.attempts}
    asked = {name: size for name, size in largest.items() if name in options.of}
    keep = partial(results.keep, options.keep_as, ABOUT, figures, databases=facts, largest=asked)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=options.folder) as folder:
        for name, crowd in product(options.databases, [crowd for crowd in CROWDS if crowd.name in options.of]):
            with rig(name, folder=Path(folder)) as ready:
                facts[name] |= database_facts(ready.database)
                most = min(largest[crowd.name], _MOST.get((name, crowd.name), largest[crowd.name]))
                figures += _crowded(ready, crowd, most, options.number)
                facts[name]["bytes_per_row"][crowd.table] = disk.bytes_per_row(ready.database, crowd.table)
            keep()  # at once: a long run may be stopped
        if VALUES in options.of:
            with rig(SQLITE, folder=Path(folder), settings=_LARGE_MESSAGES) as ready:
                figures += _by_values(ready)
            keep()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--attempts", type=int, default=100_000)
    parser.add_argument("--number", type=int, default=200, help="sign-ins for each point of a curve")
    parser.add_argument("--databases", nargs="+", default=list(DATABASES), choices=DATABASES)
    parser.add_argument(
        "--of", nargs="+", default=list(_CURVES), choices=_CURVES, help="of which there is more and more"
    )
    parser.add_argument("--keep-as", default="curves", metavar="NAME", help="the name of the file with the figures")
    parser.add_argument("--folder", type=Path, default=None, help="where the databases lie for the time of the run")
    return parser.parse_args()


def sizes(first: int, largest: int) -> list[int]:
    """Ten times more each time, and the largest at the end."""
    found = []
    while first < largest:
        found.append(first)
        first *= 10
    return [*found, largest]


def _crowded(ready: Rig, crowd: Crowd, largest: int, number: int) -> Iterator[results.Figure]:
    print(f"{ready.database_name}, more and more {crowd.name}:")
    _signed_in(ready, [f"warm{index}@contoso.example" for index in range(_WARM_UP)])
    there = 0
    for size in sizes(crowd.first, largest):
        crowd.add(ready, there + 1, size)
        there = size
        wait_until_quiet(ready.service_pid)
        if ready.database_pid is not None:
            wait_until_quiet(ready.database_pid)
        _signed_in(ready, [f"warm{index}@contoso.example" for index in range(_WARM_UP)])
        yield from _at_size(ready, crowd.name, size, number)


def _at_size(ready: Rig, crowd: str, size: int, number: int) -> Iterator[results.Figure]:
    chance = random.Random(size)  # noqa: S311  (the same people in every run)
    yield _told(ready, crowd, size, NEW, [f"new{index}of{size}@contoso.example" for index in range(number)])
    if crowd == USERS:
        yield _told(ready, crowd, size, KNOWN, [crowds.user_name(chance.randint(1, size)) for _ in range(number)])
    if crowd == ACCOUNTS:
        abroad = [f"else{index}of{size}@contoso.example" for index in range(number)]
        yield _told(ready, crowd, size, ELSEWHERE, abroad, lambda _: crowds.account_issuer(chance.randint(1, size)))


def _signed_in(ready: Rig, names: Sequence[str], issuers: Callable[[int], str] | None = None) -> Measured:
    measured = ready.measure(ready.prepare(Recipe(ready.url), names, issuers), connections=_CONNECTIONS)
    measured.require(303)
    return measured


def _told(
    ready: Rig, of: str, size: int, who: str, names: Sequence[str], issuers: Callable[[int], str] | None = None
) -> results.Figure:
    measured = typical([_signed_in(ready, names[at::_ROUNDS], issuers) for at in range(_ROUNDS)])
    figure = measured.figure(database=ready.database_name, curve=of, size=size, what=who)
    print(
        f"  {size:>10,} {who:20} {figure['service_cpu_ms']:6.2f} ms + database {figure['database_cpu_ms']:5.2f} ms",
        flush=True,
    )
    return figure


def _by_values(ready: Rig) -> Iterator[results.Figure]:
    print(f"{ready.database_name}, one message with more and more attribute values:")
    for values, rounds in zip(_VALUES, _ROUNDS_OF_VALUES, strict=True):
        recipe = Recipe(ready.url, values=values)
        names = [f"crowded{index}@contoso.example" for index in range(rounds)]
        ready.measure(ready.prepare(recipe, names[:10]), connections=1).require(303)
        measured = ready.measure(ready.prepare(recipe, names), connections=1)
        measured.require(303)
        size = len(recipe.xml(ready.idp, names[0]))
        figure = measured.figure(database=ready.database_name, curve=VALUES, size=values, message_bytes=size)
        print(
            f"  {values:>10,} in {size / 1024:7.1f} KiB {figure['service_cpu_ms']:8.2f} ms, "
            f"{figure['service_cpu_ms'] / size * 1024:.3f} ms per KiB",
            flush=True,
        )
        yield figure


if __name__ == "__main__":
    main()
