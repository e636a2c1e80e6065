"""Several processes on one port, as whoever runs them sees it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from processes.program import PASSWORD, READY, ROOT, Installation
from processes.test_operations import BODY, answer_of, begin_post

WORKERS = 3
STOPPED_SECONDS = 4  # a third of one on a machine that does nothing else; five are granted to requests in flight

BROKEN = """
import socket
from sp.cli.workers import WorkerError, Workers

def work(lifeline, on_ready):
    raise RuntimeError("no worker can do this")

listening = socket.create_server(("127.0.0.1", 0))
try:
    Workers([listening], work).run(2, lambda: print("ready"))
except WorkerError as error:
    print(error)
"""


@pytest.fixture
def place(install: Callable[..., Installation]) -> Installation:
    return install(ADMIN_PASSWORD=PASSWORD, WORKERS=str(WORKERS))


def children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def threads(process: int) -> int:
    return len(list(Path(f"/proc/{process}/task").iterdir()))


def test_all_are_there_when_the_greeting_is_and_gone_when_it_stops(place: Installation) -> None:
    program = place.start("serve")
    first = program.process.pid
    assert (len(children(first)), program.output.count(READY)) == (WORKERS, 1)
    assert threads(first) == 1  # another one would not be there in a worker that is forked later
    assert "virtual_office_workers 3.0" in httpx.get(f"{place.base_url}/metrics", trust_env=False).text
    began = time.monotonic()
    program.end_well()
    assert time.monotonic() - began < STOPPED_SECONDS


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_reaches_every_process_of_a_terminal_and_all_end_well(place: Installation, by: signal.Signals) -> None:
    program = place.start("serve")
    for process in (*children(program.process.pid), program.process.pid):
        os.kill(process, by)
    program.ended()
    assert (program.process.returncode, place.processes()) == (0, [])
    assert "Traceback" not in program.output


def test_a_request_in_flight_is_finished_before_all_end(place: Installation) -> None:
    with place.start("serve") as program, begin_post(place, "/saml2", BODY) as opened:
        program.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        opened.sendall(BODY[-1:])
        assert answer_of(opened).startswith(b"HTTP/1.1 400 ")
        assert program.ended() == 0


def test_a_worker_that_is_told_to_stop_is_replaced(place: Installation) -> None:
    with place.start("serve") as program:
        stopped, *others = children(program.process.pid)
        os.kill(stopped, signal.SIGTERM)
        program.wait_for("worker_replaced")
        now = children(program.process.pid)
        assert (stopped in now, set(others) < set(now), len(now)) == (False, True, WORKERS)


def test_one_after_the_other_may_die(place: Installation) -> None:
    with place.start("serve") as program:
        first = program.process.pid
        for number in range(1, WORKERS + 2):
            os.kill(children(first)[0], signal.SIGKILL)
            while program.output.count("worker_replaced") < number:
                assert program.process.poll() is None
                time.sleep(0.01)
        assert len(children(first)) == WORKERS
        assert httpx.get(f"{place.base_url}/readyz", trust_env=False).status_code == 200


def test_workers_that_cannot_start_end_the_service_with_a_sentence(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", BROKEN], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1] == "A worker ended before it was ready; the lines above say why."
    assert "no worker can do this" in done.stdout + done.stderr
    assert (done.returncode, "ready" in done.stdout.splitlines()) == (0, False)


def test_the_demo_runs_one_process_whatever_is_set(place: Installation) -> None:
    with place.start("demo") as program:
        assert len(children(program.process.pid)) == 1  # the demo directory


def test_no_workers_are_refused(install: Callable[..., Installation]) -> None:
    done = install().run("serve", "--workers", "0")
    assert (done.returncode, done.stderr.partition(":")[0]) == (2, "VIRTUAL_OFFICE_WORKERS")
