"""How long `make run` takes until both sides answer, the first time and again, and what the processes hold idle.

python -m bench.start
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import httpx

from bench.processes import children, free_port, memory_mib, started, wait_until_ready

IDLE_SECONDS = 2


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for label in ("first start", "second start"):
            port, demo_port = free_port(), free_port()
            begun = time.perf_counter()
            with started("demo", Path(folder) / "data", port, demo_port) as process:
                wait_until_ready(f"http://127.0.0.1:{demo_port}/", process)
                seconds = time.perf_counter() - begun
                httpx.get(f"http://localhost:{port}/", trust_env=False)
                time.sleep(IDLE_SECONDS)
                demo = children(process.pid)
                print(
                    f"{label:14} ready in {seconds:.2f} s; idle: service {memory_mib(process.pid):.0f} MiB, "
                    f"demo directory {sum(memory_mib(pid) for pid in demo):.0f} MiB"
                )


if __name__ == "__main__":
    main()
