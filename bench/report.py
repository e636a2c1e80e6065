"""Tables and plots of the figures that are kept: bench/results/README.md, its pictures, the tables of docs/scale.md.

    python -m bench.report

Owns what is said about figures. Never takes one: it reads what the benchmarks wrote last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from bench import curves, plots, results, sign_ins, sizing
from bench.markdown import table

SCALE_PAGE = Path(__file__).parent.parent / "docs" / "scale.md"
_HEAD = """\
# Benchmark results

`make bench` writes this page from the JSON files beside it; [bench/README.md](../README.md) explains the method.
Processor time is the user and system time of the service's processes, and of PostgreSQL's in a separate column. The
process that creates the load is not counted, but uses the same machine.
"""
_SOME = 12
_WRITTEN = {"cpu": "CPU", "mib": "MiB", "rss": "RSS", "pss": "PSS"}
Kept = dict[str, Any]
Draw = Callable[[str, str, str], str]  # a picture's name, itself, what it shows; and how a page shows it
Part = Callable[[Kept, Draw], str]


def main() -> None:
    for file, content in written().items():
        file.write_text(content, encoding="utf-8")


def written() -> dict[Path, str]:
    """The pages and pictures, as the figures that are kept make them."""
    files: dict[Path, str] = {}

    def draw(name: str, picture: str, about: str) -> str:
        files[results.FOLDER / f"{name}.svg"] = picture
        return f"![{about}]({name}.svg)"

    parts = [part(kept, draw) for name, part in PARTS.items() if (kept := results.kept(name)) is not None]
    files[results.FOLDER / "README.md"] = "\n".join([_HEAD, *parts])
    files[SCALE_PAGE] = _filled(SCALE_PAGE.read_text(encoding="utf-8"))
    return files


def _filled(page: str) -> str:
    """The page with the tables between its marks written anew."""
    for name, filled in sizing.tables().items():
        before, begin, rest = page.partition(f"<!-- figures: {name} -->\n")
        _, end, after = rest.partition("<!-- end of figures -->")
        page = f"{before}{begin}{filled}\n{end}{after}" if begin and end else page
    return page


def _taken(kept: Kept) -> str:
    machine = kept["machine"]
    return (
        f"{kept['about']} Taken {kept['taken']} on {machine['processors']} processors ({machine['processor']}), "
        f"{machine['memory_gib']:.0f} GiB, Python {machine['python']}, SQLite {machine['sqlite']}."
    )


def _sign_ins(kept: Kept, draw: Draw) -> str:
    heads = ("", "workers", "service, CPU ms", "database, CPU ms", "a second", "p50 ms", "p99 ms")
    parts = [f"## One sign-in\n\n{_taken(kept)}\n"]
    for database, figures in groupby(kept["figures"], key=lambda figure: figure["database"]):
        parts += [f"### On {database}\n", table(heads, (_sign_in_row(figure) for figure in figures)), ""]
    main_figures = {
        f"{figure['database']}, {figure['workers']} worker{'s' * (figure['workers'] > 1)}": figure["service_cpu_ms"]
        for figure in kept["figures"]
        if figure["what"] == sign_ins.FIRST
    }
    picture = plots.bars("Service CPU of one sign-in, a new user each, committed", "ms", main_figures)
    return "\n".join([*parts, draw("sign_ins", picture, "Service CPU of one sign-in"), ""])


def _sign_in_row(figure: Kept) -> list[str]:
    costs = (f"{figure[name]:.2f}" for name in ("service_cpu_ms", "database_cpu_ms"))
    times = (f"{figure[name]:.1f}" for name in ("p50_ms", "p99_ms"))
    return [figure["what"], str(figure["workers"]), *costs, f"{figure['requests_per_second']:.0f}", *times]


def _verification(kept: Kept, draw: Draw) -> str:
    compared = [figure for figure in kept["figures"] if "times_our_judgement" in figure]
    alone = [figure for figure in kept["figures"] if "times_our_judgement" not in figure]
    heads = ("the same doubly signed responses, by turns", "CPU ms", "times our judgement", "times our whole way")
    rows = [
        [
            figure["what"],
            f"{figure['cpu_ms']:.2f}",
            f"{figure['times_our_judgement']:.1f}",
            f"{figure['times_our_whole_way']:.1f}",
        ]
        for figure in compared
    ]
    ours = [[figure["what"], str(figure["message_bytes"]), f"{figure['cpu_ms']:.2f}"] for figure in alone]
    picture = plots.bars(
        "CPU for one doubly signed response", "ms", {figure["what"]: figure["cpu_ms"] for figure in compared}
    )
    return "\n".join(
        [
            f"## Beside other libraries\n\n{_taken(kept)}\n",
            table(heads, rows),
            *(["", *kept["missing"]] if kept["missing"] else []),
            "",
            table(("our judgement", "bytes", "CPU ms"), ours),
            "",
            draw("verification", picture, "CPU for one doubly signed response"),
            "",
        ]
    )


def _curves(kept: Kept, draw: Draw, title: str = "Cost by amount of data", prefix: str = "") -> str:
    parts = [f"## {title}\n\n{_taken(kept)} The largest sizes: {_largest(kept)}{_noted(kept)}.\n"]
    for curve in (curves.USERS, curves.ACCOUNTS, curves.ATTEMPTS):
        figures = [figure for figure in kept["figures"] if figure["curve"] == curve]
        if figures:
            drawn = draw(f"{prefix}by_{curve}", _curve(curve, figures), f"Service CPU by {curve}")
            parts += [_curve_table(curve, figures), "", drawn, ""]
    by_values = [figure for figure in kept["figures"] if figure["curve"] == curves.VALUES]
    if by_values:
        heads = ("attribute values", "message, KiB", "service, CPU ms", "CPU ms per KiB")
        drawn = draw(f"{prefix}by_values", _by_values(by_values), "Service CPU by attribute values")
        parts += [table(heads, map(_values_row, by_values)), "", drawn, ""]
    return "\n".join(parts)


def _noted(kept: Kept) -> str:
    """What somebody wrote into the file by hand, because the run was no whole one."""
    return f"; {kept['note']}" if "note" in kept else ""


def _largest(kept: Kept) -> str:
    return ", ".join(f"{size:,} {name}" for name, size in kept["largest"].items())


def _curve_table(curve: str, figures: Sequence[Kept]) -> str:
    """What the service spends, and what the database spends beside it."""
    sizes = sorted({figure["size"] for figure in figures})
    costs: dict[str, dict[int, str]] = {}
    for figure in figures:
        database = f" + {figure['database_cpu_ms']:.2f}" if figure["database_cpu_ms"] else ""
        row = costs.setdefault(f"{figure['database']}, {figure['what']}", {})
        row[figure["size"]] = f"{figure['service_cpu_ms']:.2f}{database}"
    heads = ("service + database, CPU ms", *(f"{size:,} {curve}" for size in sizes))
    return table(heads, ([who, *(row.get(size, "") for size in sizes)] for who, row in costs.items()))


def _curve(curve: str, figures: Sequence[Kept]) -> str:
    series: dict[str, list[tuple[float, float]]] = {}
    for figure in figures:
        points = series.setdefault(f"{figure['database']}, {figure['what']}", [])
        points.append((figure["size"], figure["service_cpu_ms"]))
    across = plots.powers_of_ten(curve, [figure["size"] for figure in figures])
    up = plots.equal_steps("ms", [figure["service_cpu_ms"] for figure in figures])
    return plots.lines(f"Service CPU of one sign-in, by how many {curve} there are", across, up, series)


def _by_values(figures: Sequence[Kept]) -> str:
    points = [(figure["message_bytes"] / 1024, figure["service_cpu_ms"]) for figure in figures]
    across = plots.powers_of_ten("KiB", [size for size, _ in points])
    up = plots.powers_of_ten("ms", [cost for _, cost in points])
    return plots.lines("Service CPU of one sign-in, by the size of the message", across, up, {"SQLite": points})


def _values_row(figure: Kept) -> list[str]:
    size = figure["message_bytes"] / 1024
    return [
        f"{figure['size']:,}",
        f"{size:.1f}",
        f"{figure['service_cpu_ms']:.2f}",
        f"{figure['service_cpu_ms'] / size:.2f}",
    ]


def _growth(kept: Kept, draw: Draw, title: str = "Memory", name: str = "growth") -> str:
    points = [(figure["sign_ins"], figure["resident_mib"]) for figure in kept["figures"]]
    across = plots.equal_steps("sign-ins", [number for number, _ in points])
    up = plots.equal_steps("MiB", [held for _, held in points])
    picture = plots.lines("Resident memory of the service", across, up, {kept["database"]: points})
    (_, first), (number, last) = points[len(points) // 4], points[-1]
    said = f"{first:.1f} MiB after a quarter of them, {last:.1f} MiB after all {number:,}."
    return "\n".join([f"## {title}\n\n{_taken(kept)} {said}\n", draw(name, picture, "Resident memory"), ""])


def _plain(title: str, slowest_by: str = "") -> Part:
    """Every quantity of every figure, or of some with the largest of one quantity, as it was kept."""

    def part(kept: Kept, _draw: Draw) -> str:
        figures, said = kept["figures"], ""
        if slowest_by:
            figures = sorted(figures, key=lambda figure: -figure[slowest_by])[:_SOME]
            said = f" The slowest {_SOME} of {len(kept['figures'])}:"
        units = [name for name in figures[0] if name != "what"]
        rows = ([figure["what"], *(_number(figure.get(name)) for name in units)] for figure in figures)
        return "\n".join([f"## {title}\n\n{_taken(kept)}{said}\n", table(("", *map(_unit, units)), rows), ""])

    return part


def _unit(name: str) -> str:
    """A key of a figure in words: `service_rss_mib` as "service RSS MiB"."""
    return " ".join(_WRITTEN.get(word, word) for word in name.split("_"))


def _number(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.1f}" if isinstance(value, float) else str(value)


PARTS: dict[str, Part] = {
    "sign_ins": _sign_ins,
    "verification": _verification,
    "curves": _curves,
    "scale": lambda kept, draw: _curves(kept, draw, "Cost by amount of data, largest run", "scale_"),
    "long_log": lambda kept, draw: _curves(kept, draw, "A log of twenty million attempts", "long_log_"),
    "growth": _growth,
    "long_growth": lambda kept, draw: _growth(kept, draw, "Memory, longest run", "long_growth"),
    "limits": _plain("The worst messages"),
    "hostile_bodies": _plain("Hostile bodies"),
    "metadata": _plain("A large federation"),
    "user_profiles": _plain("User Profiles", "median_ms"),
    "sign_in_log": _plain("The sign-in log"),
    "api": _plain("Reads by the API", "cpu_ms"),
    "retention": _plain("Retention"),
    "start": _plain("Starting"),
}


if __name__ == "__main__":
    main()
