"""A proxy in front of several replicas, as simple as one can be: one connection to each by turns.

Owns choosing the replica, and the next one when that cannot be reached. Never reads what goes through.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class RoundRobin:
    """`turn` says which replica the next connection goes to; `served` are those that took one, in order."""

    port: int
    replicas: list[int]
    turn: int = 0
    served: list[int] = field(default_factory=list)

    def connect(self) -> socket.socket:
        """To the replica whose turn it is, or the next one that takes connections. Raises OSError for none."""
        for _ in self.replicas:
            chosen, self.turn = self.turn, (self.turn + 1) % len(self.replicas)
            with suppress(OSError):
                connection = socket.create_connection(("127.0.0.1", self.replicas[chosen]), timeout=10)
                self.served.append(chosen)
                return connection
        raise OSError("no replica takes connections")


@contextmanager
def round_robin(port: int, replicas: list[int]) -> Iterator[RoundRobin]:
    proxy = RoundRobin(port, replicas)
    listening = socket.create_server(("127.0.0.1", port))
    accepting = threading.Thread(target=_accept, args=(proxy, listening))
    accepting.start()
    try:
        yield proxy
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        accepting.join()
        listening.close()


def _accept(proxy: RoundRobin, listening: socket.socket) -> None:
    threads = []
    with suppress(OSError):
        while True:
            browser, _ = listening.accept()
            threads.append(threading.Thread(target=_carry, args=(browser, proxy)))
            threads[-1].start()
    for thread in threads:
        thread.join()


def _carry(browser: socket.socket, proxy: RoundRobin) -> None:
    """Both ways, until one side has said all."""
    with closing(browser), suppress(OSError), closing(proxy.connect()) as replica, selectors.DefaultSelector() as ready:
        for way in ((browser, replica), (replica, browser)):
            ready.register(way[0], selectors.EVENT_READ, way)
        while True:
            for key, _ in ready.select():
                if not (data := key.data[0].recv(65536)):
                    return
                key.data[1].sendall(data)
