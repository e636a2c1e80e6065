"""`serve` and `demo`: starting the service provider, alone or beside the demo directory.

Owns the order of starting and stopping. Never serves anything itself.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import FrameType
from typing import Annotated
from urllib.parse import urlsplit

import structlog
import typer

from sp.cli import sockets
from sp.cli.demo_connection import connect, demo_command
from sp.cli.file_permissions import warn_of_exposed_files
from sp.cli.greeting import Started, greet, log_demo_user, on_terminal, say_listening
from sp.cli.listening_file import listening_file_removed
from sp.cli.loading import loading
from sp.cli.running import REFUSED, chosen_settings, opened_database, settings_in_force, stop
from sp.cli.service_address import InUseError, ServiceAddress, holding_installation
from sp.cli.sockets import PortProblem
from sp.cli.tls import require_usable, settings_with_tls
from sp.flows.domains import warn_of_users_outside
from sp.flows.opening import connect as connect_database
from sp.flows.opening import prepare
from sp.logs import configure_logging
from sp.settings import Settings, is_loopback
from sp.store.engine import Database, DatabaseError

_DEMO_READY_SECONDS = 20
_STOP_SECONDS = 8

_log = structlog.get_logger("sp.app")
Host = Annotated[str | None, typer.Option(help="The address to listen on (VIRTUAL_OFFICE_HOST).")]
Port = Annotated[int | None, typer.Option(help="The port to listen on (VIRTUAL_OFFICE_PORT).")]
DataDir = Annotated[Path | None, typer.Option(help="The folder for the database (VIRTUAL_OFFICE_DATA_DIR).")]

Tls = Annotated[bool, typer.Option("--tls", help="Speak https, with the files that `certificates` made.")]


Workers = Annotated[int | None, typer.Option(help="How many processes share the work (VIRTUAL_OFFICE_WORKERS).")]


def serve(
    host: Host = None, port: Port = None, data_dir: DataDir = None, tls: Tls = False, workers: Workers = None
) -> None:
    """Start the service provider alone."""
    chosen = {"host": host, "port": port, "data_dir": data_dir, "workers": workers}
    settled = settings_with_tls if tls else chosen_settings
    settings = settled(**chosen)
    configure_logging(settings, for_good=True)
    require_usable(settings)
    with _listening(settings, "--port {port} or VIRTUAL_OFFICE_PORT={port}") as listening:
        if settings.port == 0:
            settings = settled(**chosen | {"port": sockets.port_of(listening)})
        if settings.workers == 1:
            _run(settings, listening, demo=None)
        else:
            _run_workers(settings, listening)


def demo(
    connected: Annotated[bool, typer.Option("--connected", help="Connect everything and assign Britta Simon.")] = False,
    only_connect: Annotated[
        bool, typer.Option("--only-connect", help="Connect both sides as --connected does, and end.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Start the service provider and the demo directory, a stand-in for Azure AD."""
    settings = (settings_in_force if only_connect else chosen_settings)(data_dir=data_dir)
    address = urlsplit(settings.demo_url)
    if not is_loopback(address.hostname or "") or address.scheme != "http":
        stop("VIRTUAL_OFFICE_DEMO_URL: the demo directory runs on http and a loopback address only.")
    configure_logging(settings, for_good=not only_connect)
    if only_connect:
        _connect(settings)
        return
    require_usable(settings)
    with _listening(settings, "VIRTUAL_OFFICE_PORT={port}") as listening:
        if settings.port == 0:
            settings = chosen_settings(data_dir=data_dir, port=sockets.port_of(listening))
        _check_demo_port(settings)
        _run(settings, listening, demo="connected" if connected else "empty")


def _connect(settings: Settings) -> None:
    """For containers: the service runs in one, the demo directory in another, and both use this data folder."""
    with opened_database(settings) as database, _installation_held(settings):
        people = connect(settings, database)
    if not on_terminal(settings):
        log_demo_user(settings, people)
        return
    typer.echo(f"Connected. Access Panel: {people['access_panel_url']}")
    typer.echo(f"User name: {people['user_name']}")
    typer.echo(f"Password: {people['password']}")


def _run(settings: Settings, listening: list[socket.socket], *, demo: str | None) -> None:
    database = _database(settings)
    with (
        _until_a_signal(),
        _installation_held(settings) as former,
        listening_file_removed(settings),
        _demo_directory(settings) if demo else nullcontext() as process,
    ):
        _prepare(settings, database)
        people = connect(settings, database) if demo == "connected" else {}
        with loading():
            # The web is loaded here: no other command needs it, and the demo directory is starting meanwhile.
            from sp.app import create_app  # noqa: PLC0415
            from sp.cli import server  # noqa: PLC0415

        app = create_app(settings, database)
        started = Started(settings, former, with_demo=demo is not None, people=people)
        server.run(app, settings, listening, lambda: _greet_when_ready(started, process))


def _run_workers(settings: Settings, listening: list[socket.socket]) -> None:
    """Everything that is done once is done before the first of them, and no connection is carried across."""
    with loading():
        from sp.app import create_app  # noqa: PLC0415  as in `_run`
        from sp.cli import server, workers  # noqa: PLC0415

    if not workers.can_fork():
        stop("VIRTUAL_OFFICE_WORKERS: this system runs one process only; start several on ports of their own.")
    database = _database(settings)

    def work(lifeline: int, on_ready: Callable[[], None]) -> None:
        app = create_app(settings, Database(settings.database_url))
        server.run(app, settings, listening, on_ready, lifeline)

    def say_ready(started: Started) -> None:
        say_listening(started)
        greet(started)

    with _until_a_signal(), _installation_held(settings) as former, listening_file_removed(settings):
        _prepare(settings, database)
        database.close()
        try:
            workers.Workers(listening, work).run(settings.workers, lambda: say_ready(Started(settings, former)))
        except workers.WorkerError as error:
            stop(str(error))


@contextmanager
def _listening(settings: Settings, how_to_choose: str) -> Iterator[list[socket.socket]]:
    """The sockets of the service, closed at the end. `how_to_choose` says how to choose another `{port}`."""
    with ExitStack() as opened:
        listening = _listen(settings, how_to_choose)
        for one in listening:
            opened.enter_context(one)
        yield listening


def _listen(settings: Settings, how_to_choose: str) -> list[socket.socket]:
    try:
        return sockets.listen(settings.host, settings.port)
    except sockets.PortError as error:
        sentence = _port_sentence(error, how_to_choose, "VIRTUAL_OFFICE_HOST")
        names_port = urlsplit(settings.base_url).port == error.port
        follows = "base_url" not in chosen_settings().model_fields_set or not names_port  # else it is a proxy's
        stop(sentence if follows else f"{sentence} Change it in VIRTUAL_OFFICE_BASE_URL, too.")


def _check_demo_port(settings: Settings) -> None:
    address = urlsplit(settings.demo_url)
    host = address.hostname or ""
    try:
        for opened in sockets.listen(host, address.port or 80):
            opened.close()
    except sockets.PortError as error:
        literal = f"[{host}]" if ":" in host else host
        how_to_choose = f"VIRTUAL_OFFICE_DEMO_URL=http://{literal}:{{port}}"
        stop(_port_sentence(error, how_to_choose, "VIRTUAL_OFFICE_DEMO_URL"))


def _port_sentence(error: sockets.PortError, how_to_choose: str, host_setting: str) -> str:
    if error.problem == PortProblem.UNKNOWN_HOST:
        return f"The address {error.host!r} is not known on this machine. Name another one in {host_setting}."
    if error.problem == PortProblem.OTHER_MACHINE:
        return f"{error.host} is no address of this machine. Name another one in {host_setting}."
    if error.problem == PortProblem.IN_USE:
        found = f"Port {error.port} on {error.host} is already in use. Stop the program that uses it, or choose"
    else:
        found = f"Port {error.port} on {error.host} cannot be used ({error.reason}). Choose"
    return f"{found} another port with {how_to_choose.format(port=error.free_port or 'N')}."


@contextmanager
def _installation_held(settings: Settings) -> Iterator[ServiceAddress | None]:
    """This installation is ours, or the command ends; the address at its last start."""
    with ExitStack() as held:
        try:
            former = held.enter_context(holding_installation(settings))
        except InUseError as error:
            address = error.base_url or "another address"
            stop(
                f"The data folder {error.folder} is in use by a service at {address}, and this one would be at "
                f"{settings.base_url}. Stop that one, or name another folder in VIRTUAL_OFFICE_DATA_DIR."
            )
        yield former


def _database(settings: Settings) -> Database:
    try:
        return connect_database(settings)
    except DatabaseError as error:
        stop(str(error))


@contextmanager
def _until_a_signal() -> Iterator[None]:
    """Ctrl-C and SIGTERM unwind the block, so that nothing started in it stays behind, and are no failure.

    uvicorn finishes the requests in flight, then raises the signal again, and SIGTERM by itself would end us at once.
    """

    def unwind(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, unwind)
    with suppress(KeyboardInterrupt):
        yield


def _prepare(settings: Settings, database: Database) -> None:
    try:
        prepare(database, settings)
    except DatabaseError as error:
        stop(str(error))
    for note in database.upgrade_notes:
        _log.warning("upgraded", note=note)
    warn_of_users_outside(database)
    warn_of_exposed_files(settings)


@contextmanager
def _demo_directory(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """The demo directory as a process of its own, while the block runs. When it dies, the service stops too."""
    command = [*demo_command(settings, "serve"), "--stop-at-end-of-input"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    stopping = threading.Event()
    threading.Thread(target=_watch, args=(process, stopping), daemon=True).start()
    try:
        yield process
    finally:
        ended_first = process.poll() is not None
        stopping.set()
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if ended_first:
            raise typer.Exit(REFUSED)


def _watch(process: subprocess.Popen[bytes], stopping: threading.Event) -> None:
    process.wait()
    if not stopping.is_set():
        typer.echo("The demo directory ended unexpectedly, so the service provider stops too.", err=True)
        os.kill(os.getpid(), signal.SIGTERM)


Demo = subprocess.Popen[bytes] | None


def _greet_when_ready(started: Started, demo: Demo) -> None:
    """The service answers already; the greeting waits until the demo directory does too."""
    say_listening(started)
    threading.Thread(target=_await_and_greet, args=(started, demo), daemon=True).start()


def _await_and_greet(started: Started, demo: Demo) -> None:
    deadline = time.monotonic() + _DEMO_READY_SECONDS
    while demo is not None and demo.poll() is None and time.monotonic() < deadline:
        if _answers(started.settings.demo_url):
            break
        time.sleep(0.02)
    greet(started)


def _answers(url: str) -> bool:
    address = urlsplit(url)
    with closing(HTTPConnection(address.hostname or "", address.port, timeout=1.0)) as asked:
        try:
            asked.request("GET", "/")
            asked.getresponse()
        except (OSError, HTTPException):
            return False
    return True
