"""`healthcheck`: whether the service on this machine does its work, for container engines and init systems.

Owns where it is asked. Never starts or changes anything.
"""

from __future__ import annotations

import ipaddress

import httpx
import typer

from sp.cli.running import settings_in_force, stop
from sp.settings import Settings

_SECONDS = 8.0


def healthcheck() -> None:
    """Ask the running service whether it is ready; exit code 1 when it is not."""
    settings = settings_in_force()
    try:
        # This machine's own service by its address, which its certificate need not name.
        answer = httpx.get(_address(settings), timeout=_SECONDS, trust_env=False, verify=False)  # noqa: S501
    except httpx.HTTPError as error:
        stop(f"{_address(settings)} does not answer ({type(error).__name__}).")
    if answer.status_code != httpx.codes.OK:
        stop(f"{_address(settings)} answers {answer.status_code}: {answer.text[:300]}")
    typer.echo("ready")


def _address(settings: Settings) -> str:
    scheme = "https" if settings.tls_certificate else "http"
    return f"{scheme}://{_host(settings.host)}:{settings.port}/readyz"


def _host(listening: str) -> str:
    """Whoever listens on every address listens on this machine's own too."""
    try:
        address = ipaddress.ip_address(listening.strip("[]"))
    except ValueError:
        return listening
    if address.is_unspecified:
        return "[::1]" if address.version == 6 else "127.0.0.1"
    return f"[{address}]" if address.version == 6 else str(address)
