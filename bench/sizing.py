"""The arithmetic of docs/scale.md: from what was measured to how much is needed.

Owns the assumptions, which are named in the page, and the multiplications. Never measures.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench import results, sign_ins
from bench.markdown import table
from bench.rig import POSTGRESQL

PEAK = 10_000  # sign-ins a second
PEOPLE = 100_000_000
BUSY = 0.6  # of a processor: the rest is for failures, and for the minute after one
MEAN_OF_PEAK = 0.2  # a day's mean beside its busiest minute
COPIES = 3  # of every row
LOG_DAYS, REPLAY_DAYS, SESSION_HOURS = 90, 2, 12
_CORES_OF_A_NODE = 16
_DAY = 86_400


def tables() -> dict[str, str]:
    """Those that the figures are there for, by their names in the page."""
    kept, by_size = results.kept("sign_ins"), results.kept("curves")
    if kept is None or by_size is None:
        return {}
    found = {"one node": _one_node(kept), "rows": _rows(kept, by_size)}
    return {**found, "sizing": _sizing(kept, by_size)} if POSTGRESQL in kept["databases"] else found


def _figure(kept: dict[str, Any], database: str, what: str = sign_ins.FIRST) -> dict[str, Any]:
    """With the most workers that were measured."""
    same = [figure for figure in kept["figures"] if figure["database"] == database and figure["what"] == what]
    found: dict[str, Any] = same[-1]
    return found


def _one_node(kept: dict[str, Any]) -> str:
    heads = (
        "",
        "workers",
        "service, CPU ms",
        "database, CPU ms",
        "reached a second",
        "p99 ms at 70 %",
        "a second for each processor of the service",
    )
    return table(heads, (_node_row(kept, database) for database in kept["databases"]))


def _node_row(kept: dict[str, Any], database: str) -> list[str]:
    figure, paced = _figure(kept, database), _figure(kept, database, sign_ins.PACED)
    cost = figure["service_cpu_ms"]
    return [
        database,
        str(figure["workers"]),
        f"{cost:.2f}",
        f"{figure['database_cpu_ms']:.2f}",
        f"{figure['requests_per_second']:,.0f}",
        f"{paced['p99_ms']:.0f}",
        f"1000 / {cost:.2f} = {1000 / cost:,.0f}",
    ]


def _rows(kept: dict[str, Any], by_size: dict[str, Any]) -> str:
    databases = list(kept["databases"])
    names = ("user_profile", "sign_in_attempt", "user_session", "consumed_assertion")
    rows = ([name, *(f"{_row_bytes(kept, by_size, database, name):,}" for database in databases)] for name in names)
    return table(("bytes of a row, its indices included", *databases), rows)


def _row_bytes(kept: dict[str, Any], by_size: dict[str, Any], database: str, name: str) -> int:
    """From the crowds where there was one: few rows leave pages half empty."""
    crowded = by_size["databases"].get(database, {}).get("bytes_per_row", {})
    return int(crowded.get(name) or kept["databases"][database]["bytes_per_row"][name])


def _sizing(kept: dict[str, Any], by_size: dict[str, Any]) -> str:
    heads = ("what is needed", "how it comes about", "result")
    return table(heads, [*_of_processors(kept), *_of_disks(kept, by_size)])


def _of_processors(kept: dict[str, Any]) -> Iterator[list[str]]:
    figure = _figure(kept, POSTGRESQL, sign_ins.AGAIN)
    for who, cost in (("service", figure["service_cpu_ms"]), ("database", figure["database_cpu_ms"])):
        cores = PEAK * cost / 1000 / BUSY
        way = f"{PEAK:,}/s × {cost:.2f} ms ÷ {BUSY:.0%} busy"
        yield [f"processors of the {who}", way, f"{cores:,.0f}"]
        if who == "service":
            nodes = f"{cores:,.0f} ÷ {_CORES_OF_A_NODE} processors, and one more"
            yield ["nodes of the service", nodes, f"{-(-cores // _CORES_OF_A_NODE) + 1:.0f}"]
    logged = figure.get("logged_bytes", 0)
    yield [
        "written into the log of the database",
        f"{PEAK:,}/s × {logged:,} bytes × {COPIES} copies",
        f"{PEAK * logged * COPIES / 1e6:,.0f} MB/s",
    ]


def _of_disks(kept: dict[str, Any], by_size: dict[str, Any]) -> Iterator[list[str]]:
    mean = PEAK * MEAN_OF_PEAK
    many = {
        "user_profile": (f"{PEOPLE:,}", PEOPLE),
        "sign_in_attempt": (f"{mean:,.0f}/s × {LOG_DAYS} days", mean * LOG_DAYS * _DAY),
        "consumed_assertion": (f"{mean:,.0f}/s × {REPLAY_DAYS} days", mean * REPLAY_DAYS * _DAY),
        "user_session": (f"{mean:,.0f}/s × {SESSION_HOURS} h", mean * SESSION_HOURS * 3600),
    }
    for name, (way, number) in many.items():
        size = _row_bytes(kept, by_size, POSTGRESQL, name)
        total = number * size * COPIES / 1e12
        yield [f"rows of `{name}`", way, f"{number / 1e6:,.0f} million"]
        yield [f"disk for `{name}`", f"that × {size:,} bytes × {COPIES} copies", f"{total:,.1f} TB"]
