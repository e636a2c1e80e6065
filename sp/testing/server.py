"""A real service on a free port with a database of its own, for as long as a block runs.

Owns starting, waiting until it is ready, and stopping. Never imports the service: it is `python -m sp serve`.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import sp

_READY_SECONDS = 120  # a machine that runs many tests at once is slow
_STOP_SECONDS = 15
_STEP = 0.02
_TRIES = 3
_PREFIX = "VIRTUAL_OFFICE_"
_PORT_FAULT = f"{_PREFIX}PORT"  # the setting that the service names when it cannot have the port


class StartError(Exception):
    """The service ended or was not ready in time; the text has what it printed."""


@contextmanager
def running_service(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run a service with its data in `folder`; the address where it answers. `settings` are without VIRTUAL_OFFICE_.

    Raises StartError.
    """
    process, url = _started(folder, settings or {})
    try:
        yield url
    finally:
        _stop(process)


def _started(folder: Path, settings: Mapping[str, str]) -> tuple[subprocess.Popen[bytes], str]:
    """Somebody else may take the port between our looking and the service's listening: then another one."""
    for left in reversed(range(_TRIES)):
        port = _free_port()
        url = f"http://127.0.0.1:{port}"
        process = _launch(folder, {"BASE_URL": url, "HOST": "127.0.0.1", "PORT": str(port), **settings})
        try:
            _wait_until_ready(process, url, folder)
        except StartError as error:
            _stop(process)
            if not left or _PORT_FAULT not in str(error):
                raise
        except BaseException:
            _stop(process)
            raise
        else:
            return process, url
    raise AssertionError("unreachable")


def _launch(folder: Path, settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Ours alone, whatever the tester has set; in `folder`, so that no `.env` of the tester's project is read."""
    surroundings = {name: value for name, value in os.environ.items() if not name.upper().startswith(_PREFIX)}
    code = str(Path(sp.__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, (code, surroundings.get("PYTHONPATH"))))
    own = {"DATA_DIR": str(folder / "data"), "WORKSPACES": "open", "LOG_LEVEL": "warning", **settings}
    environment = surroundings | {"PYTHONPATH": path} | {_PREFIX + name: value for name, value in own.items()}
    with _log(folder).open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "sp", "serve"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, folder: Path) -> None:
    import httpx  # noqa: PLC0415  loaded while the service starts, since both take their time

    deadline = time.monotonic() + _READY_SECONDS
    with httpx.Client(trust_env=False, timeout=5) as client:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                if client.get(f"{url}/readyz").is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(_STEP)
    printed = _log(folder).read_text(encoding="utf-8", errors="replace")
    raise StartError(f"The service did not start. It printed:\n{printed}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _log(folder: Path) -> Path:
    return folder / "service.log"


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])
