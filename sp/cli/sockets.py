"""The addresses that the service listens on.

Owns taking them before anything heavy is loaded, and saying why they cannot be had. Never accepts a connection.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum, auto
from typing import Any

_BACKLOG = 2048
_TRIES = 20  # a port that the system gives for 127.0.0.1 may be taken on ::1
_PRIVILEGED = 1024  # lower ports are for the system's administrator
_ANY = 0

Address = tuple[int, tuple[Any, ...]]  # its family, and host, port and what else it has


class PortProblem(Enum):
    """Why an address cannot be listened on."""

    UNKNOWN_HOST = auto()
    OTHER_MACHINE = auto()
    IN_USE = auto()
    UNUSABLE = auto()


class PortError(Exception):
    """The address cannot be listened on. `reason` is the system's; `free_port` is another port that is free now."""

    def __init__(
        self, problem: PortProblem, host: str, port: int, reason: str = "", free_port: int | None = None
    ) -> None:
        super().__init__(f"{problem.name} {host} {port} {reason}")
        self.problem = problem
        self.host = host
        self.port = port
        self.reason = reason
        self.free_port = free_port


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets on every address of the host, all with the same port: any that is free where `port` is 0.

    `localhost` is 127.0.0.1 and, where the machine has it, ::1. Raises PortError.
    """
    addresses = _addresses(host, port)
    for left in reversed(range(_TRIES if port == _ANY else 1)):
        try:
            return bind_all(addresses)
        except OSError as error:
            in_use = error.errno == errno.EADDRINUSE
            if in_use and left:
                continue
            if error.errno == errno.EADDRNOTAVAIL:
                raise PortError(PortProblem.OTHER_MACHINE, host, port) from None
            problem = PortProblem.IN_USE if in_use else PortProblem.UNUSABLE
            raise PortError(problem, host, port, error.strerror or "", _free_port(host, port)) from None
    raise AssertionError("unreachable")


def port_of(listening: list[socket.socket]) -> int:
    """The port that they all have."""
    return int(listening[0].getsockname()[1])


def _addresses(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        raise PortError(PortProblem.UNKNOWN_HOST, host, port) from None
    return list(dict.fromkeys((int(family), address) for family, _, _, _, address in found))


def bind_all(addresses: Sequence[Address]) -> list[socket.socket]:
    """One socket for each; a port that the system chose for the first is the port of all."""
    sockets: list[socket.socket] = []
    for family, (host, port, *scope) in addresses:
        chosen = sockets[0].getsockname()[1] if sockets else port
        try:
            sockets.append(_bound(family, (host, chosen, *scope)))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL and len(addresses) > 1:
                continue  # a machine without IPv6 still resolves ::1
            for opened in sockets:
                opened.close()
            raise
    if not sockets:
        raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
    return sockets


def _bound(family: int, address: tuple[object, ...]) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(address)
        opened.listen(_BACKLOG)
    except OSError:
        opened.close()
        raise
    opened.set_inheritable(False)
    return opened


def _free_port(host: str, port: int) -> int | None:
    """A port like that one which is free at this moment, to name in a sentence; not the next one.

    The next one is often the other program's of the same person: the demo directory has 8001.
    """
    first = port + 100 if _PRIVILEGED <= port < 65_000 else 8000 + port % 1000
    for other in range(first, first + 50):
        with suppress(OSError):
            for opened in bind_all(_addresses(host, other)):
                opened.close()
            return other
    return None
