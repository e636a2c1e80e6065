"""The container of testcontainers, without an engine: a stand-in that runs the service instead of an image.

It is checked that what the module asks of testcontainers makes a service that answers at its address, with its token.
"""

from __future__ import annotations

import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

from sp.client import ProblemError, Workspaces
from sp.testing.containers import VirtualOfficeContainer
from sp.testing.server import _free_port

PACKAGE = "testcontainers.core.container"


class NoEngine:
    """`DockerContainer` as far as the module uses it: a process in place of a container."""

    folder: Path
    processes: list[subprocess.Popen[bytes]]

    def __init__(self, image: str) -> None:
        self.image = image
        self.environment: dict[str, str] = {}
        self.port = 0

    def with_bind_ports(self, container: int, host: int) -> NoEngine:
        assert container == 8000
        self.port = host
        return self

    def with_env(self, name: str, value: str) -> NoEngine:
        self.environment[name] = value
        return self

    def start(self) -> None:
        surroundings = {name: value for name, value in os.environ.items() if not name.startswith("VIRTUAL_OFFICE_")}
        here = {"VIRTUAL_OFFICE_PORT": str(self.port), "VIRTUAL_OFFICE_DATA_DIR": str(self.folder / "data")}
        self.processes.append(
            subprocess.Popen(
                [sys.executable, "-m", "sp", "serve"],
                cwd=self.folder,
                env=surroundings | self.environment | here | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )

    def stop(self) -> None:
        self.processes[0].terminate()
        self.processes[0].wait(30)


def test_it_serves_at_its_address_and_asks_for_its_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    NoEngine.folder, NoEngine.processes = tmp_path, []
    module = types.ModuleType(PACKAGE)
    module.DockerContainer = NoEngine  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, PACKAGE, module)
    with VirtualOfficeContainer(_free_port()) as container:
        anybody, owner = Workspaces(container.url), Workspaces(container.url, container.token)
        with pytest.raises(ProblemError) as refused:
            anybody.create()
        made = owner.create()
        anybody.close()
        owner.close()
    assert refused.value.status == 401
    assert made.acs_url == f"{container.url}/w/{made.name}/saml2"
    assert NoEngine.processes[0].returncode is not None


def test_without_testcontainers_it_says_what_to_install() -> None:
    with pytest.raises(ImportError, match="pip install testcontainers"):
        VirtualOfficeContainer(18000)
