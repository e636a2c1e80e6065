"""What one sign-in costs the service: processor time (user and system) per request, through HTTP, all of it committed.

    python -m bench.sign_ins [--number 600] [--seconds 5] [--workers 1 2] [--databases SQLite PostgreSQL]

A real service with one process and with two, on SQLite and on PostgreSQL, fed by a process of its own over connections
that stay open. Every response is signed twice, by the tests' identity provider, before the clock starts. The client's
cost is not counted, and PostgreSQL's apart: the kernel tells what each process used. With the most processes also how
long an answer takes at 70 % of the throughput that was reached, forms being due at equal intervals.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import disk, prepared, results
from bench.prepared import Recipe
from bench.rig import DATABASES, Measured, Rig, database_facts, rig, typical

ABOUT = "Processor time per request of the service (and of PostgreSQL), everything committed."
FIRST, AGAIN = "accepted, a new user each", "accepted, users who exist"
ONE_BY_ONE = "accepted, users who exist, one connection"
PACED = "accepted, a new user each, at 70 % of the throughput reached"
FORGED = "refused, a forged value"
NO_BASE64, NO_XML = "garbage, no base64", "garbage, no XML"
AIMS_MS = {"SQLite": 1.5, "PostgreSQL": 2.0}
AIM_GARBAGE_MS = 0.3
AIM_P99_MS = 50.0
_WRITTEN = ("user_profile", "sign_in_attempt", "user_session", "consumed_assertion")
_WARM_UP = 60
_CONNECTIONS = 16
_PACED_CONNECTIONS = 64
_SHARE = 0.7
_ROUNDS = 3


def main() -> None:
    options = _options()
    figures: list[results.Figure] = []
    facts: dict[str, dict[str, Any]] = {}
    for name in options.databases:
        for workers in options.workers:
            with rig(name, workers=workers) as ready:
                figures += _measure(ready, workers, options)
                rows = {table: disk.bytes_per_row(ready.database, table) for table in _WRITTEN}
                facts[name] = {**database_facts(ready.database), "bytes_per_row": rows}
    results.keep("sign_ins", ABOUT, figures, databases=facts)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--number", type=int, default=600, help="accepted sign-ins of each kind")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long the paced load lasts")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--databases", nargs="+", default=list(DATABASES), choices=DATABASES)
    return parser.parse_args()


def _measure(ready: Rig, workers: int, options: argparse.Namespace) -> Iterator[results.Figure]:
    print(f"{ready.database_name}, {workers} worker{'s' if workers > 1 else ''}: processor time per request")
    reached = 0.0
    for what, measured in _series(ready, options.number):
        yield _told(ready, workers, what, measured)
        reached = measured.load.per_second if what == FIRST else reached
    if workers == max(options.workers):
        yield _told(ready, workers, PACED, _paced(ready, reached * _SHARE, options.seconds))


def _series(ready: Rig, number: int) -> Iterator[tuple[str, Measured]]:
    accepted, forged = Recipe(ready.url), Recipe(ready.url, tampered=True)
    names = _names("user", number)
    few = names[: max(number // 2, 100)]
    _sent(ready, ready.prepare(accepted, _names("warm", _WARM_UP)), 303)
    yield FIRST, _rounds(ready, accepted, names, 303)
    yield AGAIN, _rounds(ready, accepted, names, 303)
    yield ONE_BY_ONE, _rounds(ready, accepted, few, 303, connections=1)
    yield f"{FORGED}, as JSON", _rounds(ready, forged, few, 403, as_json=True)
    yield f"{FORGED}, as a page", _rounds(ready, forged, few, 403)
    garbage = ((NO_BASE64, prepared.garbage(xml=False), 400), (NO_XML, prepared.garbage(xml=True), 403))
    for what, body, status in garbage:
        file = prepared.write_same(ready.file, body, len(few) // _ROUNDS)
        yield f"{what}, as JSON", typical([_sent(ready, file, status, as_json=True) for _ in range(_ROUNDS)])
        yield f"{what}, as a page", typical([_sent(ready, file, status) for _ in range(_ROUNDS)])


def _rounds(ready: Rig, recipe: Recipe, names: list[str], status: int, **how: Any) -> Measured:
    """Each round has its share of the names."""
    shares = (names[at::_ROUNDS] for at in range(_ROUNDS))
    return typical([_sent(ready, ready.prepare(recipe, share), status, **how) for share in shares])


def _names(kind: str, number: int) -> list[str]:
    return [f"{kind}{index}@contoso.example" for index in range(number)]


def _sent(ready: Rig, file: Path, status: int, *, connections: int = _CONNECTIONS, as_json: bool = False) -> Measured:
    measured = ready.measure(file, connections=connections, as_json=as_json)
    measured.require(status)
    return measured


def _paced(ready: Rig, rate: float, seconds: float) -> Measured:
    file = ready.prepare(Recipe(ready.url), _names("paced", int(rate * seconds)))
    measured = ready.measure(file, connections=_PACED_CONNECTIONS, rate=rate)
    measured.require(303)
    return measured


def _told(ready: Rig, workers: int, what: str, measured: Measured) -> results.Figure:
    figure = measured.figure(database=ready.database_name, workers=workers, what=what)
    print(
        f"  {what:62} {figure['service_cpu_ms']:6.2f} ms + database {figure['database_cpu_ms']:5.2f} ms, "
        f"{figure['requests_per_second']:6.0f}/s, p50 {figure['p50_ms']:5.1f} ms, p99 {figure['p99_ms']:5.1f} ms"
        f"{_verdict(ready.database_name, what, figure)}",
        flush=True,
    )
    return figure


def _verdict(database_name: str, what: str, figure: results.Figure) -> str:
    """Whether an aim is kept: aims are for the machine on which they were set, so nothing fails over one."""
    aim = AIM_GARBAGE_MS if what.startswith("garbage") else AIMS_MS[database_name]
    over = figure["service_cpu_ms"] > aim or (what == PACED and figure["p99_ms"] > AIM_P99_MS)
    return "   OVER" if over else ""


if __name__ == "__main__":
    main()
