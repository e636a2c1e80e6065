"""`healthcheck`: whether the service on this machine does its work, for container engines and init systems.

Owns where it is asked. Never starts or changes anything.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated

import httpx
import typer

from sp.cli.listening_file import Listening, listening_file, read_listening
from sp.cli.running import chosen_settings, stop
from sp.cli.tls import settings_with_tls
from sp.settings import Settings

_SECONDS = 8.0


def healthcheck(
    host: Annotated[str | None, typer.Option(help="The address that it listens on, as for `serve`.")] = None,
    port: Annotated[int | None, typer.Option(help="The port that it listens on, as for `serve`.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Its data folder, as for `serve`.")] = None,
    tls: Annotated[bool, typer.Option("--tls", help="It speaks https, as for `serve`.")] = False,
) -> None:
    """Ask the running service whether it is ready; exit code 1 when it is not.

    Without --host, --port or --tls it is asked where it says in its data folder that it listens.
    """
    settings = (settings_with_tls if tls else chosen_settings)(host=host, port=port, data_dir=data_dir)
    is_told = tls or host is not None or port is not None
    address = _address(settings, None if is_told else read_listening(settings))
    try:
        # This machine's own service by its address, which its certificate need not name.
        answer = httpx.get(address, timeout=_SECONDS, trust_env=False, verify=False)  # noqa: S501
    except httpx.HTTPError as error:
        stop(f"{address} does not answer ({type(error).__name__}).")
    if answer.status_code != httpx.codes.OK:
        stop(f"{address} answers {answer.status_code}: {answer.text[:300]}")
    typer.echo("ready")


def _address(settings: Settings, listening: Listening | None) -> str:
    found = listening or Listening.of(settings)
    if found.port == 0:
        stop(f"No service says in {listening_file(settings)} at which port it listens.")
    return f"{'https' if found.tls else 'http'}://{_host(found.host)}:{found.port}/readyz"


def _host(listening: str) -> str:
    """Whoever listens on every address listens on this machine's own too."""
    try:
        address = ipaddress.ip_address(listening.strip("[]"))
    except ValueError:
        return listening
    if address.is_unspecified:
        return "[::1]" if address.version == 6 else "127.0.0.1"
    return f"[{address}]" if address.version == 6 else str(address)
