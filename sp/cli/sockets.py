"""The addresses that the service listens on.

Owns taking them before anything heavy is loaded, and one clear sentence when they cannot be had. Never accepts a
connection.
"""

from __future__ import annotations

import errno
import socket

_BACKLOG = 2048


class PortError(Exception):
    """The address cannot be listened on. The text is one sentence for the operator."""


def listen(host: str, port: int, setting: str, host_setting: str = "VIRTUAL_OFFICE_HOST") -> list[socket.socket]:
    """Sockets on every address of the host: `localhost` is 127.0.0.1 and, where the machine has it, ::1.

    Raises PortError, naming the setting that chooses another port, or another host where that is what is wrong.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        raise PortError(
            f"The address {host!r} is not known on this machine. Name another one in {host_setting}."
        ) from None
    addresses = dict.fromkeys((family, address) for family, _, _, _, address in found)
    sockets: list[socket.socket] = []
    for family, address in addresses:
        try:
            sockets.append(_bound(family, address))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL and len(addresses) > 1:
                continue  # a machine without IPv6 still resolves ::1
            for opened in sockets:
                opened.close()
            if error.errno == errno.EADDRNOTAVAIL:
                raise PortError(f"{host} is no address of this machine. Name another one in {host_setting}.") from None
            raise PortError(_sentence(error, host, port, setting)) from None
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


def _sentence(error: OSError, host: str, port: int, setting: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken by another program. Stop it, or choose another port in {setting}."
    return f"Port {port} on {host} cannot be used ({error.strerror}). Choose another one in {setting}."
