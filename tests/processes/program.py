"""The program as a user starts it: `python -m sp` as a process of its own, with a data folder and two free ports.

Owns starting, waiting until it is ready, stopping, and what it printed: on a terminal as a person sees it, or through a
pipe. Never imports the program.
"""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "Rehearse-8x8"
ADMINISTRATOR = "admin@contoso.com"
READY = "Ctrl-C stops everything."
_READY_SECONDS = 30
_STOP_SECONDS = 15


def free_port() -> int:
    """A port that nobody uses, on IPv4 and, where there is one, on IPv6: `localhost` is both."""
    for _ in range(50):
        with socket.socket(socket.AF_INET) as first:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            if not socket.has_ipv6:
                return port
            try:
                with socket.socket(socket.AF_INET6) as second:
                    second.bind(("::1", port))
            except OSError as error:
                if "in use" in str(error):
                    continue
            return port
    raise RuntimeError("no port is free on both addresses of localhost")


@dataclass(frozen=True)
class Installation:
    """A data folder and the addresses that go with it. What is started on it can be stopped and started again.

    `code` is the folder with the program: the checkout, or where a wheel was installed.
    """

    folder: Path
    port: int = field(default_factory=free_port)
    demo_port: int = field(default_factory=free_port)
    settings: Mapping[str, str] = field(default_factory=dict)
    code: Path = ROOT

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def base_url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def demo_url(self) -> str:
        return f"http://127.0.0.1:{self.demo_port}"

    @property
    def acs_url(self) -> str:
        return f"{self.base_url}/saml2"

    @property
    def environment(self) -> dict[str, str]:
        """The surroundings of every process: ours alone, whatever `VIRTUAL_OFFICE_…` the tester has set."""
        surroundings = {name: value for name, value in os.environ.items() if not name.startswith("VIRTUAL_OFFICE_")}
        own = {
            "PORT": str(self.port),
            "DEMO_URL": self.demo_url,
            "DATA_DIR": str(self.data),
            **self.settings,
        }
        return (
            surroundings
            | {"PYTHONPATH": str(self.code), "COLUMNS": "160"}
            | {f"VIRTUAL_OFFICE_{name}": value for name, value in own.items()}
        )

    @property
    def listening_file(self) -> Path:
        return self.data / "listening.json"

    def start(self, *arguments: str, terminal: bool = True) -> Program:
        """Start a command that keeps running, and come back when it has said that it is ready.

        On a terminal it prints a greeting, unless its log is JSON; else it says so in its data folder.
        """
        program = Program(self, arguments, terminal=terminal)
        try:
            if terminal and self.settings.get("LOG_FORMAT") != "json":
                program.wait_for(READY)
            else:
                program.wait_until_listening()
        except BaseException:
            program.kill()
            raise
        return program

    def run(self, *arguments: str, given: str | bytes = "") -> subprocess.CompletedProcess[str]:
        """Run a command to its end; `given` goes to its standard input."""
        sent = given if isinstance(given, bytes) else given.encode()
        done = subprocess.run(
            command_line(*arguments),
            env=self.environment,
            cwd=self.folder,
            input=sent,
            capture_output=True,
            check=False,
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def processes(self) -> list[str]:
        """What still runs on this data folder (where the system tells, as Linux does in /proc)."""
        return list(self._running().values())

    def process(self, module: str) -> int:
        """The number of the process that runs this module."""
        return next(number for number, command in self._running().items() if f"-m {module} " in command)

    def _running(self) -> dict[int, str]:
        mark = f"VIRTUAL_OFFICE_DATA_DIR={self.data}\0".encode()
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (process / "environ").read_bytes() + b"\0":
                    found[int(process.name)] = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue  # it ended meanwhile, or is somebody else's
        return found


def command_line(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "sp", *arguments]


class Program:
    """A running command. As a context it is stopped by Ctrl-C at the end, and has to end well."""

    def __init__(self, installation: Installation, arguments: tuple[str, ...], *, terminal: bool = True) -> None:
        self.installation = installation
        read, write = _new_terminal() if terminal else os.pipe()
        try:
            self.process = subprocess.Popen(
                command_line(*arguments),
                env=installation.environment,
                cwd=installation.folder,
                stdin=subprocess.DEVNULL,
                stdout=write,
                stderr=subprocess.STDOUT,
            )
        finally:
            os.close(write)
        self._output = os.fdopen(read, "rb", buffering=0)
        self._printed = bytearray()
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.end_well()
        else:
            self.kill()
            error.add_note(f"The program printed:\n{self.output}")

    @property
    def output(self) -> str:
        with self._news:
            return self._printed.decode("utf-8", errors="replace")

    def printed(self, label: str, which: int = 0) -> str:
        """The value that the greeting shows behind a label."""
        shown: list[str] = re.findall(rf"^ *{re.escape(label)}  +(.+)$", self.output, re.MULTILINE)
        return shown[which].strip()

    def wait_for(self, text: str, seconds: float = _READY_SECONDS) -> None:
        """Wait until it has printed `text`. Raises AssertionError with the output when it ends or takes too long."""
        deadline = time.monotonic() + seconds
        with self._news:
            while text.encode() not in self._printed:
                left = deadline - time.monotonic()
                ended = not self._reader.is_alive()
                if ended or left <= 0:
                    raise AssertionError(f"{text!r} was not printed:\n{self._printed.decode(errors='replace')}")
                self._news.wait(min(left, 0.5))

    def wait_until_listening(self, seconds: float = _READY_SECONDS) -> dict[str, object]:
        """Wait until it says in its data folder where it listens; what it says. Raises AssertionError as above."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                said: dict[str, object] = json.loads(self.installation.listening_file.read_text(encoding="utf-8"))
            except OSError:
                said = {}
            if said.get("pid") == self.process.pid:
                return said
            time.sleep(0.01)
        raise AssertionError(f"it does not listen:\n{self.output}")

    def stop(self, by: signal.Signals = signal.SIGINT) -> int:
        """Ask it to stop, as Ctrl-C (or an init system) does; its exit code."""
        self.process.send_signal(by)
        return self.ended()

    def ended(self, seconds: float = _STOP_SECONDS) -> int:
        """Wait for its end; its exit code."""
        code = self.process.wait(seconds)
        self._close()
        return code

    def end_well(self) -> None:
        """Stop it by Ctrl-C: exit code 0, no complaint on the terminal, no process left."""
        code = self.stop()
        assert (code, self.installation.processes()) == (0, []), self.output
        assert not re.search(r"Traceback|Warning", self.output), self.output

    def kill(self) -> None:
        """Stop it whatever it takes, after a failure."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        self._close()

    def _read(self) -> None:
        while part := self._part():
            with self._news:
                self._printed += part
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def _part(self) -> bytes:
        """What was printed next; nothing at the end, which a terminal of Linux tells by an error."""
        try:
            return self._output.read(65536) or b""
        except OSError:
            return b""

    def _close(self) -> None:
        self._reader.join(_STOP_SECONDS)
        self._output.close()


def _new_terminal() -> tuple[int, int]:
    """Both ends of a terminal which leaves line breaks as they are."""
    read, write = pty.openpty()
    attributes = termios.tcgetattr(write)
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(write, termios.TCSANOW, attributes)
    return read, write
