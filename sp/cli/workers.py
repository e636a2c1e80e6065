"""Several processes on one listening socket: starting them, replacing one that died, stopping them all.

Owns the workers' lives. Never answers a request, and holds no connection to the database.

A worker is a fork of this process: what the program is made of is loaded once and shared, and another one is there in
some milliseconds. How it talks with this process are two pipes. Through one of its own the worker says that it is
ready, and by its end that it is gone. The other is the lifeline that all share: it ends when this process stops or is
killed, so no worker outlives it.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

import structlog

from sp.cli.server import GRACE_SECONDS

_STOPPING = (signal.SIGINT, signal.SIGTERM)
_STOP_SECONDS = GRACE_SECONDS + 2  # a worker that takes longer than its own grace hangs
_REST_SECONDS = 1.0  # before the next try, when one did not even become ready
_log = structlog.get_logger("sp.workers")

# Serves until the lifeline (a file descriptor) ends; calls the function once requests are answered.
Work = Callable[[int, Callable[[], None]], None]


class WorkerError(Exception):
    """A worker cannot be started at all. The text is one sentence for the operator."""


@dataclass
class _Worker:
    process: int
    ready: bool = False


def can_fork() -> bool:
    """Whether this system has what workers are made by; Windows has not."""
    return hasattr(os, "fork")


class Workers:
    """Processes that do the same `work` on the same `listening` sockets."""

    def __init__(self, listening: list[socket.socket], work: Work) -> None:
        self._listening = listening
        self._work = work
        self._lifeline, self._held = os.pipe()
        self._news = selectors.DefaultSelector()

    def run(self, number: int, on_ready: Callable[[], None]) -> None:
        """Keep that many at work until this process is interrupted; `on_ready` is called when all are, once.

        Raises WorkerError when one of the first ends before it is ready: the next one would too.
        """
        gc.freeze()  # else the collector would touch, and so copy, all that is shared
        try:
            for _ in range(number):
                self._start()
            while not all(worker.ready for worker in self._workers().values()):
                self._listen(while_starting=True)
            on_ready()
            while True:
                self._listen(while_starting=False)
        finally:
            self._stop()

    def _workers(self) -> dict[int, _Worker]:
        return {key.fd: key.data for key in self._news.get_map().values()}

    def _start(self) -> None:
        news, tell = os.pipe()
        sys.stdout.flush()  # or the worker would print again what waits
        with _signals_held():
            process = os.fork()
            if process == 0:
                self._be_a_worker(news, tell)
            self._news.register(news, selectors.EVENT_READ, _Worker(process))
        os.close(tell)

    def _be_a_worker(self, news: int, tell: int) -> NoReturn:
        """Signals that come before the server listens to them are ignored; the lifeline tells the same."""
        code = 1
        try:
            for number in _STOPPING:
                signal.signal(number, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
            self._news.close()
            for descriptor in (self._held, news):
                os.close(descriptor)
            self._work(self._lifeline, lambda: _say_ready(tell))
            code = 0
        except BaseException:  # noqa: BLE001  nothing may get out of here: it would go on as the parent does
            _log.exception("worker_failed")
        finally:
            sys.stdout.flush()
            os._exit(code)

    def _listen(self, *, while_starting: bool) -> None:
        """What the workers have to say next."""
        for key, _ in self._news.select():
            if os.read(key.fd, 1):
                key.data.ready = True
                continue
            self._bury(key.fd, key.data)
            if while_starting:
                raise WorkerError("A worker ended before it was ready; the lines above say why.")
            if not key.data.ready:
                time.sleep(_REST_SECONDS)
            self._start()
            _log.warning("worker_replaced", process=key.data.process)

    def _bury(self, news: int, worker: _Worker) -> None:
        self._news.unregister(news)
        os.close(news)
        os.waitpid(worker.process, 0)

    def _stop(self) -> None:
        """Nobody new is let in, what is in flight is finished; whoever does not end, or a second Ctrl-C, is ended."""
        try:
            for listening in self._listening:
                listening.close()
            os.close(self._held)
            deadline = time.monotonic() + _STOP_SECONDS
            while self._workers() and (left := deadline - time.monotonic()) > 0:
                for key, _ in self._news.select(left):
                    if not os.read(key.fd, 1):
                        self._bury(key.fd, key.data)
        finally:
            for news, worker in self._workers().items():
                os.kill(worker.process, signal.SIGKILL)
                self._bury(news, worker)
            self._news.close()
            os.close(self._lifeline)


def _say_ready(tell: int) -> None:
    os.write(tell, b"r")


@contextmanager
def _signals_held() -> Iterator[None]:
    """A signal between a fork and its entry in the list would leave a process that nobody stops."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
