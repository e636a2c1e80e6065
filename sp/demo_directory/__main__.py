"""Owns the demo directory's command line: serve the pages, prepare the connected state, or make one response.

Never leaves a traceback for a mistake that a sentence explains.
"""

import argparse
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy.exc import SQLAlchemyError

from sp.demo_directory.addresses import Addresses, keep_addresses, kept_addresses
from sp.demo_directory.clock import utc_now
from sp.demo_directory.connect import GALLERY, connect
from sp.demo_directory.faults import FAULTS, SOUND, Fault, fault_named
from sp.demo_directory.keys import KeyFileError, open_signing_key
from sp.demo_directory.reply_url import Service
from sp.demo_directory.settings import Settings, SettingsError, check_settings
from sp.demo_directory.store import DirectoryStore

if TYPE_CHECKING:
    from sp.demo_directory.desk import Desk

DEFAULT_ACS_URL = "http://localhost:8000/saml2"


class CannotStartError(Exception):
    """Why the command cannot do its work; the text is one sentence per fault."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 when it ended as asked, 1 when it could not do its work, 2 for unusable arguments."""
    options = _parser().parse_args(arguments)
    if options.command == "faults":
        _print_faults()
        return 0
    try:
        settings = _settings(options)
        if options.command == "connect":
            _print_connected(settings)
        elif options.command == "response":
            _print_response(settings, options.user, options.fault)
        else:
            if options.stop_at_end_of_input:
                threading.Thread(target=_stop_at_end_of_input, daemon=True).start()
            _serve(settings, options.host, options.port)
    except (CannotStartError, KeyFileError, SettingsError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sp.demo_directory",
        description="A stand-in for Azure AD: a directory with a portal, an Access Panel and a signing key.",
    )
    parser.add_argument(
        "command",
        nargs="?",
        choices=("serve", "connect", "response", "faults"),
        default="serve",
        help="serve: answer at the address (default). connect: add and configure the application, create and "
        "assign Britta Simon, print what the other side needs as JSON, and end. response: print the value of "
        "SAMLResponse that a click on the tile would send, in base64, and end. faults: list the flaws that a response "
        "can be given, and end",
    )
    parser.add_argument(
        "--user", default="BrittaSimon", help="with response: the user name, without @ (default: BrittaSimon)"
    )
    parser.add_argument(
        "--fault", type=_fault, default=SOUND, metavar="CODE", help="with response: the one flaw, named as in faults"
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="a loopback address (default: 127.0.0.1); in a container another one, with --base-url",
    )
    parser.add_argument("--port", type=_port, default=8001, help="default: 8001")
    parser.add_argument(
        "--base-url",
        metavar="URL",
        help="where browsers on this computer reach it, a loopback address (default: http://HOST:PORT)",
    )
    parser.add_argument("--data-dir", type=Path, default=Path("data"), help="default: data")
    parser.add_argument(
        "--service-acs-url",
        metavar="URL",
        help=f"default: {DEFAULT_ACS_URL}; with response: the one of the last start in the data folder",
    )
    parser.add_argument("--service-entity-id", metavar="URI", help="default: the ACS URL")
    parser.add_argument("--service-url", metavar="URL", help="default: the ACS URL's origin")
    parser.add_argument("--stop-at-end-of-input", action="store_true", help="end when standard input does")
    return parser


def _stop_at_end_of_input() -> None:
    """Whoever started us holds the other end of standard input: it closes even when they are killed outright."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _fault(code: str) -> Fault:
    found = fault_named(code)
    if found is None:
        raise argparse.ArgumentTypeError(f"there is no fault {code!r}; the command faults lists them")
    return found


def _port(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if not 1 <= number <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return number


def _settings(options: argparse.Namespace) -> Settings:
    addresses = _addresses(options)
    settings = Settings(
        base_url=addresses.base_url,
        data_dir=options.data_dir,
        service=Service(addresses.acs_url, addresses.entity_id),
        service_url=addresses.service_url,
    )
    check_settings(settings)
    if options.command == "response":  # it only reads
        _require_directory(settings)
    else:
        _make_data_folder(settings.data_dir)
        keep_addresses(settings.data_dir, addresses)
    return settings


def _addresses(options: argparse.Namespace) -> Addresses:
    """What the options say. `response` takes the rest from the last start, so that its message fits that service."""
    kept = kept_addresses(options.data_dir) if options.command == "response" else None
    host = f"[{options.host}]" if ":" in options.host else options.host
    acs_url = options.service_acs_url or (kept.acs_url if kept else DEFAULT_ACS_URL)
    same_service = kept is not None and acs_url == kept.acs_url
    origin = urlsplit(acs_url)
    return Addresses(
        base_url=(options.base_url or (kept.base_url if kept else f"http://{host}:{options.port}")).rstrip("/"),
        acs_url=acs_url,
        entity_id=options.service_entity_id or (kept.entity_id if kept and same_service else acs_url),
        service_url=options.service_url or f"{origin.scheme}://{origin.netloc}",
    )


def _require_directory(settings: Settings) -> None:
    if not settings.database_file.is_file():
        folder = settings.data_dir.absolute()
        sentence = (
            f"There is no demo directory in the folder {folder}. Run the command connect, or name another --data-dir."
        )
        raise CannotStartError(sentence)


def _make_data_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".demo-directory-probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise CannotStartError(f"The data folder {folder} cannot be written to: {error.strerror}.") from error


def _print_connected(settings: Settings) -> None:
    try:
        store = DirectoryStore.open(settings.database_file)
    except SQLAlchemyError as error:
        raise CannotStartError(_database_sentence(settings)) from error
    with closing(store):
        key = open_signing_key(settings.key_file, settings.certificate_file, utc_now())
        connected = connect(settings, store, key, utc_now())
    sys.stdout.write(json.dumps(asdict(connected), indent=2) + "\n")


def _print_response(settings: Settings, user_name: str, fault: Fault) -> None:
    from sp.demo_directory.app import open_desk  # noqa: PLC0415  `connect` and `--help` need no pages

    try:
        desk = open_desk(settings, utc_now)
    except SQLAlchemyError as error:
        raise CannotStartError(_database_sentence(settings)) from error
    with closing(desk.store):
        sys.stdout.write(_response(desk, user_name, fault) + "\n")


def _response(desk: "Desk", user_name: str, fault: Fault) -> str:
    from sp.demo_directory.delivery import UndeliverableError, saml_response  # noqa: PLC0415  as above

    person, application = desk.store.person_named(user_name), desk.store.application_named(GALLERY[0])
    if person is None or application is None:
        missing = GALLERY[0] if application is None else f"user {user_name!r}"
        raise CannotStartError(f"There is no {missing} in this directory. Run the command connect, or use the portal.")
    try:
        return saml_response(desk, person, application, fault)
    except UndeliverableError as error:
        raise CannotStartError(f"{error} Run the command connect, or use the portal.") from error


def _print_faults() -> None:
    for fault in FAULTS:
        first = f" First, at the service provider: {fault.first}" if fault.first else ""
        sys.stdout.write(f"{fault.code}\t{fault.sentence}{first}\n")


def _serve(settings: Settings, host: str, port: int) -> None:
    """Take the port first: a second start then says so at once, before anything heavy is loaded."""
    with _listening_socket(host, port) as listener:
        import uvicorn  # noqa: PLC0415  `connect` and `--help` need neither server nor pages

        from sp.demo_directory.app import create_app  # noqa: PLC0415  the same

        try:
            app = create_app(settings)
        except SQLAlchemyError as error:
            raise CannotStartError(_database_sentence(settings)) from error
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", server_header=False))
        server.run(sockets=[listener])


def _listening_socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        sentence = f"The demo directory cannot listen on {host}:{port}: {error.strerror}. Choose another --port."
        raise CannotStartError(sentence) from error
    return listener


def _database_sentence(settings: Settings) -> str:
    return f"{settings.database_file} is not a database of the demo directory, or is of another version."


if __name__ == "__main__":
    sys.exit(main())
