"""How long starts take until both sides answer, the first time and again, and what the processes hold idle.

    python -m bench.start [--rounds 5]

`serve` is the service alone, until `/healthz` answers; `demo` is what `make run` starts, until the demo directory
answers too. Prints the median of the rounds, and exits with 1 when a start of the service on a database that is there
takes longer than its budget.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench import results
from bench.processes import children, free_port, memory_mib, started, wait_until_ready

ABOUT = "From the command to the first answer, and the memory of the processes that then wait."
BUDGET_SECONDS = 1.5
_IDLE_SECONDS = 2


@dataclass(frozen=True)
class _Start:
    """One start: how long it took, and the memory of the service and of the demo directory afterwards."""

    seconds: float
    rss_mib: float
    pss_mib: float
    demo_mib: float


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    figures = [figure for command in ("serve", "demo") for figure in _measured(command, rounds)]
    results.keep("start", ABOUT, figures, rounds=rounds, budget_seconds=BUDGET_SECONDS)
    return int(figures[1]["start_seconds"] > BUDGET_SECONDS)


def _measured(command: str, rounds: int) -> list[results.Figure]:
    firsts, agains = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            firsts.append(_start(command, Path(folder)))
            agains.append(_start(command, Path(folder)))
    return [_told(f"{command}, {label}", starts) for label, starts in (("first", firsts), ("again", agains))]


def _start(command: str, folder: Path) -> _Start:
    port, demo_port = free_port(), free_port()
    begun = time.perf_counter()
    with started(command, folder, port, demo_port) as process:
        if command == "demo":
            wait_until_ready(f"http://127.0.0.1:{demo_port}/", process)
        seconds = time.perf_counter() - begun
        time.sleep(_IDLE_SECONDS)
        demo = sum(memory_mib(pid) for pid in children(process.pid))
        return _Start(seconds, memory_mib(process.pid), memory_mib(process.pid, "Pss"), demo)


def _told(label: str, starts: list[_Start]) -> results.Figure:
    figure = {
        "what": label,
        "start_seconds": statistics.median(start.seconds for start in starts),
        "slowest_start_seconds": max(start.seconds for start in starts),
        "service_rss_mib": statistics.median(start.rss_mib for start in starts),
        "service_pss_mib": statistics.median(start.pss_mib for start in starts),
        "demo_directory_rss_mib": statistics.median(start.demo_mib for start in starts),
    }
    print(
        f"  {label:14} {figure['start_seconds']:5.2f} s (slowest {figure['slowest_start_seconds']:.2f}); idle: service "
        f"{figure['service_rss_mib']:.0f} MiB RSS, {figure['service_pss_mib']:.0f} PSS, "
        f"demo directory {figure['demo_directory_rss_mib']:.0f} RSS",
        flush=True,
    )
    return figure


if __name__ == "__main__":
    sys.exit(main())
