"""`serve` and `demo`: starting the service provider, alone or beside the demo directory.

Owns the order of starting and stopping, and what is printed when all is ready. Never serves anything itself.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import Annotated
from urllib.parse import urlsplit

import structlog
import typer

from sp.cli import sockets
from sp.cli.demo_connection import connect, demo_command
from sp.cli.file_permissions import warn_of_exposed_files
from sp.cli.loading import loading
from sp.cli.running import REFUSED, opened_database, settings_in_force, stop
from sp.cli.tls import require_usable, settings_with_tls
from sp.flows.domains import warn_of_users_outside
from sp.flows.opening import connect as connect_database
from sp.flows.opening import password_file, prepare
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
    settled = settings_with_tls if tls else settings_in_force
    settings = settled(host=host, port=port, data_dir=data_dir, workers=workers)
    if settings.workers == 1:
        _run(settings, demo=None)
    else:
        _run_workers(settings)


def demo(
    connected: Annotated[bool, typer.Option("--connected", help="Connect everything and assign Britta Simon.")] = False,
    only_connect: Annotated[
        bool, typer.Option("--only-connect", help="Connect both sides as --connected does, and end.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Start the service provider and the demo directory, a stand-in for Azure AD."""
    settings = settings_in_force(data_dir=data_dir)
    address = urlsplit(settings.demo_url)
    if not is_loopback(address.hostname or "") or address.scheme != "http":
        stop("VIRTUAL_OFFICE_DEMO_URL: the demo directory runs on http and a loopback address only.")
    if only_connect:
        _connect(settings)
        return
    _run(settings, demo="connected" if connected else "empty")


def _connect(settings: Settings) -> None:
    """For containers: the service runs in one, the demo directory in another, and both use this data folder."""
    with opened_database(settings) as database:
        people = connect(settings, database)
    typer.echo(f"Connected. Access Panel: {people['access_panel_url']}")
    typer.echo(f"User name: {people['user_name']}")
    typer.echo(f"Password: {people['password']}")


def _run(settings: Settings, *, demo: str | None) -> None:
    configure_logging(settings, for_good=True)
    require_usable(settings)
    try:
        listening = sockets.listen(settings.host, settings.port, "VIRTUAL_OFFICE_PORT")
        if demo:
            _check_demo_port(settings)
        database = connect_database(settings)
    except (sockets.PortError, DatabaseError) as error:
        stop(str(error))
    with _until_a_signal(), _demo_directory(settings) if demo else nullcontext() as process:
        _prepare(settings, database)
        people = connect(settings, database) if demo == "connected" else {}
        with loading():
            # The web is loaded here: no other command needs it, and the demo directory is starting meanwhile.
            from sp.app import create_app  # noqa: PLC0415
            from sp.cli import server  # noqa: PLC0415

        app = create_app(settings, database)
        server.run(app, settings, listening, lambda: _greet_when_ready(settings, people, process))


def _run_workers(settings: Settings) -> None:
    """Everything that is done once is done before the first of them, and no connection is carried across."""
    configure_logging(settings, for_good=True)
    require_usable(settings)
    with loading():
        from sp.app import create_app  # noqa: PLC0415  as in `_run`
        from sp.cli import server, workers  # noqa: PLC0415

    if not workers.can_fork():
        stop("VIRTUAL_OFFICE_WORKERS: this system runs one process only; start several on ports of their own.")
    try:
        listening = sockets.listen(settings.host, settings.port, "VIRTUAL_OFFICE_PORT")
        database = connect_database(settings)
    except (sockets.PortError, DatabaseError) as error:
        stop(str(error))

    def work(lifeline: int, on_ready: Callable[[], None]) -> None:
        app = create_app(settings, Database(settings.database_url))
        server.run(app, settings, listening, on_ready, lifeline)

    with _until_a_signal():
        _prepare(settings, database)
        database.close()
        try:
            workers.Workers(listening, work).run(settings.workers, lambda: _greet(settings))
        except workers.WorkerError as error:
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


def _check_demo_port(settings: Settings) -> None:
    address = urlsplit(settings.demo_url)
    variable = "VIRTUAL_OFFICE_DEMO_URL"
    for opened in sockets.listen(address.hostname or "", address.port or 80, variable, variable):
        opened.close()


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


def _greet_when_ready(settings: Settings, people: dict[str, str], demo: Demo) -> None:
    """The service answers already; the words wait until the demo directory does too."""
    threading.Thread(target=_await_and_greet, args=(settings, people, demo), daemon=True).start()


def _await_and_greet(settings: Settings, people: dict[str, str], demo: Demo) -> None:
    deadline = time.monotonic() + _DEMO_READY_SECONDS
    while demo is not None and demo.poll() is None and time.monotonic() < deadline:
        if _answers(settings.demo_url):
            break
        time.sleep(0.02)
    _greet(settings, people, with_demo=demo is not None)


def _answers(url: str) -> bool:
    address = urlsplit(url)
    with closing(HTTPConnection(address.hostname or "", address.port, timeout=1.0)) as asked:
        try:
            asked.request("GET", "/")
            asked.getresponse()
        except (OSError, HTTPException):
            return False
    return True


def _greet(settings: Settings, people: Mapping[str, str] = MappingProxyType({}), *, with_demo: bool = False) -> None:
    typer.echo("\n".join(_greeting(settings, people, with_demo=with_demo)))
    sys.stdout.flush()


def _greeting(settings: Settings, people: Mapping[str, str], *, with_demo: bool) -> list[str]:
    lines = ["", f"  Virtual Office     {settings.base_url}", f"    user name        {settings.admin_username}"]
    lines.append(f"    password         {_password_line(settings)}")
    if with_demo:
        lines += ["", f"  Demo directory     {settings.demo_url}"]
    if people:
        lines += [
            f"    Access Panel     {people['access_panel_url']}",
            f"    user name        {people['user_name']}",
            f"    password         {people['password']}",
        ]
    return [*lines, "", f"  Data               {settings.data_dir.resolve()}", "  Ctrl-C stops everything.", ""]


def _password_line(settings: Settings) -> str:
    if settings.admin_password:
        return "(the one in VIRTUAL_OFFICE_ADMIN_PASSWORD)"
    try:
        return password_file(settings).read_text(encoding="utf-8").strip()
    except OSError:
        return "(chosen earlier; `virtual-office administrator reset-password` makes a new one)"
