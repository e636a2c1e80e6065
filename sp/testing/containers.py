"""The service as a container for a test suite, by the package testcontainers.

Owns which port, settings and sign of readiness the image has. Never installs testcontainers: whoever
uses this module brings it.
"""

from __future__ import annotations

import importlib
import secrets
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from typing import Self

IMAGE = "virtual-office-sp:latest"
_PORT = 8000
_READY_SECONDS = 60
_STEP = 0.2
_PREFIX = "VIRTUAL_OFFICE_"


class VirtualOfficeContainer:
    """The image, running. `url` and `token` are for `--virtual-office-url`, `sp.client.Workspaces` and the like.

    `port` is the one on this computer: the service has to know its address beforehand, because its entity ID and ACS
    URL are made of it. `settings` are without VIRTUAL_OFFICE_. Raises ImportError without testcontainers.
    """

    def __init__(self, port: int, image: str = IMAGE, **settings: str) -> None:
        self.url = f"http://localhost:{port}"
        self.token = secrets.token_urlsafe(32)
        self._container = _container(image).with_bind_ports(_PORT, port)
        own = {"BASE_URL": self.url, "HOST": "0.0.0.0", "PORT": str(_PORT), "DATA_DIR": "/data"}  # noqa: S104
        workspaces = {"WORKSPACES": "token", "WORKSPACE_TOKEN": self.token, "DETAILS_PUBLIC": "true"}
        for name, value in (own | workspaces | settings).items():
            self._container.with_env(_PREFIX + name, value)

    def start(self, timeout: float = _READY_SECONDS) -> Self:
        """Come back when the service is ready. Raises TimeoutError after `timeout` seconds."""
        self._container.start()
        deadline = time.monotonic() + timeout
        with httpx.Client(trust_env=False, timeout=5) as client:
            while not _is_ready(client, self.url):
                if time.monotonic() > deadline:
                    self.stop()
                    raise TimeoutError(f"{self.url} was not ready within {timeout:g} seconds.")
                time.sleep(_STEP)
        return self

    def stop(self) -> None:
        self._container.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _container(image: str) -> Any:
    try:
        module = importlib.import_module("testcontainers.core.container")
    except ImportError as error:
        raise ImportError("VirtualOfficeContainer needs testcontainers: pip install testcontainers") from error
    return module.DockerContainer(image)


def _is_ready(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(f"{url}/readyz").is_success
    except httpx.TransportError:
        return False
