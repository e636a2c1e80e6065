"""Processes that write one file wait for each other in a queue, and for nobody who is gone."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from sp.store.process_queue import ProcessQueue

HOLD_FOR_EVER = """
import sys, time
from pathlib import Path
import pytest

from sp.store.process_queue import ProcessQueue
ProcessQueue(Path(sys.argv[1])).__enter__()
print("mine", flush=True)
time.sleep(600)
"""


def enter_and_leave(queue: ProcessQueue) -> str:
    with queue:
        return "was in"


def test_the_next_one_comes_in_when_the_turn_is_over(tmp_path: Path) -> None:
    first, second = ProcessQueue(tmp_path / "queue"), ProcessQueue(tmp_path / "queue")
    with ThreadPoolExecutor(1) as pool:
        with first:
            waiting = pool.submit(enter_and_leave, second)
            assert not wait([waiting], timeout=0.2).done
        assert waiting.result(timeout=10) == "was in"
    first.close()
    second.close()


def test_nobody_waits_for_a_process_that_was_killed(tmp_path: Path) -> None:
    file = tmp_path / "queue"
    command = [sys.executable, "-c", HOLD_FOR_EVER, str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder, ThreadPoolExecutor(1) as pool:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"mine\n"
        ours = ProcessQueue(file)
        waiting = pool.submit(enter_and_leave, ours)
        assert not wait([waiting], timeout=0.2).done
        holder.kill()
        assert waiting.result(timeout=10) == "was in"
    ours.close()


def test_a_turn_that_does_not_come_in_time_is_an_error_and_the_next_one_may_have_it(tmp_path: Path) -> None:
    """A process that is stopped in its turn keeps the lock, and nobody else may wait for ever."""
    holder, ours = ProcessQueue(tmp_path / "queue"), ProcessQueue(tmp_path / "queue", seconds=0.1)
    with holder, pytest.raises(OperationalError, match="locked"):
        ours.__enter__()
    assert enter_and_leave(ours) == "was in"
    with ThreadPoolExecutor(1) as pool:  # what waited in vain does not keep it
        assert pool.submit(enter_and_leave, holder).result(timeout=10) == "was in"
    holder.close()
    ours.close()


def test_one_thread_waits_however_often_the_turn_does_not_come_in_time(tmp_path: Path) -> None:
    holder, ours = ProcessQueue(tmp_path / "queue"), ProcessQueue(tmp_path / "queue", seconds=0.01)
    before = threading.active_count()
    with holder:
        for _ in range(5):
            with pytest.raises(OperationalError, match="locked"):
                ours.__enter__()
        assert threading.active_count() == before + 1
        with ThreadPoolExecutor(1) as pool:
            patient = ProcessQueue(tmp_path / "queue")
            waiting = pool.submit(enter_and_leave, patient)
            holder.__exit__(None, None, None)
            assert waiting.result(timeout=10) == "was in"
    for queue in (holder, ours, patient):
        queue.close()


def test_a_wait_that_was_given_up_is_taken_up_again(tmp_path: Path) -> None:
    holder, ours = ProcessQueue(tmp_path / "queue"), ProcessQueue(tmp_path / "queue", seconds=0.2)
    with holder, pytest.raises(OperationalError, match="locked"):
        ours.__enter__()
    with holder:
        for _ in range(2):
            with pytest.raises(OperationalError, match="locked"):
                ours.__enter__()
    for _ in range(3):
        assert enter_and_leave(ours) == "was in"
        assert enter_and_leave(holder) == "was in"
    holder.close()
    ours.close()


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    queue = ProcessQueue(tmp_path / "queue")
    with queue:
        assert (tmp_path / "queue").stat().st_mode & 0o777 == 0o600
    queue.close()


def test_a_turn_that_cannot_be_handed_on_is_given_away_and_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was done in it is committed by then: an error would have it done once more."""
    first, second = ProcessQueue(tmp_path / "queue"), ProcessQueue(tmp_path / "queue")
    lock = fcntl.flock

    def failing(descriptor: int, operation: int) -> None:
        if operation == fcntl.LOCK_UN:
            raise OSError("no locks available")
        lock(descriptor, operation)

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", failing)
        assert enter_and_leave(first) == "was in"
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(enter_and_leave, second).result(timeout=10) == "was in"
    assert enter_and_leave(first) == "was in"
    first.close()
    second.close()
