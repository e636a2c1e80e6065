"""That the service does not grow: its resident memory while people sign in, again and again.

    python -m bench.growth [--number 5000] [--workers 1] [--database SQLite] [--keep-as NAME]

Responses are signed and sent in twenty rounds; after each the kernel is asked for the memory of all of the service's
processes. What one of them holds to be faster must have a bound, and is full after the first rounds.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from bench import results
from bench.prepared import Recipe
from bench.processes import family
from bench.rig import DATABASES, SQLITE, Rig, rig

ABOUT = "Resident memory of the service by how many have signed in."
_ROUNDS = 20
_PEOPLE = 500
_CONNECTIONS = 16


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--number", type=int, default=5_000, help="sign-ins in all")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--database", default=SQLITE, choices=DATABASES)
    parser.add_argument("--keep-as", default="growth", metavar="NAME", help="the name of the file with the figures")
    options = parser.parse_args()
    figures: list[results.Figure] = []
    with rig(options.database, workers=options.workers) as ready:
        for figure in _rounds(ready, options.number // _ROUNDS):
            figures.append(figure)  # each is kept at once: a long run may be stopped
            results.keep(options.keep_as, ABOUT, figures, database=options.database, workers=options.workers)


def _rounds(ready: Rig, number: int) -> Iterator[results.Figure]:
    print(f"{ready.database_name}, resident memory of the service:")
    yield _told(ready, 0)
    for done in range(_ROUNDS):
        names = [f"user{index % _PEOPLE}@contoso.example" for index in range(number)]
        file = ready.prepare(Recipe(ready.url, signed="assertion"), names)
        ready.measure(file, connections=_CONNECTIONS).require(303)
        yield _told(ready, (done + 1) * number)


def _told(ready: Rig, sign_ins: int) -> results.Figure:
    held = ready.memory_mib()
    print(f"  after {sign_ins:>8,} sign-ins {held:6.1f} MiB", flush=True)
    return {"sign_ins": sign_ins, "resident_mib": held, "processes": len(family(ready.service_pid))}


if __name__ == "__main__":
    main()
