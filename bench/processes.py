"""Starting the real service for a benchmark, and reading what its processes cost from the kernel.

Owns processes and their figures. Never measures anything but whole processes; Linux only.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

_TICKS = os.sysconf("SC_CLK_TCK")
_READY_SECONDS = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(command: str, data_dir: Path, port: int, demo_port: int) -> Iterator[subprocess.Popen[bytes]]:
    """`virtual-office COMMAND` on these ports, ready to answer; stopped like Ctrl-C at the end."""
    environment = os.environ | {
        "VIRTUAL_OFFICE_DATA_DIR": str(data_dir),
        "VIRTUAL_OFFICE_PORT": str(port),
        "VIRTUAL_OFFICE_BASE_URL": f"http://localhost:{port}",
        "VIRTUAL_OFFICE_DEMO_URL": f"http://127.0.0.1:{demo_port}",
        "VIRTUAL_OFFICE_LOG_LEVEL": "warning",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "sp", command], env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        wait_until_ready(f"http://localhost:{port}/healthz", process)
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(15)


def wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    """Raises RuntimeError when the process ends or stays silent."""
    deadline = time.monotonic() + _READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            httpx.get(url, timeout=1.0, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.01)
        else:
            return
    raise RuntimeError(f"{url} did not answer")


def cpu_ms(pid: int) -> float:
    """User and system time of a process so far, in milliseconds, at the kernel's tick of usually 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / _TICKS


def memory_mib(pid: int) -> float:
    """The resident memory of a process, in MiB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the kernel tells no memory")


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
