"""Whether other requests are answered while hostile bodies come, and how much memory those take.

    python -m bench.hostile_bodies [NAME …]

Each is sent to a service of its own, by a process of its own, while this one asks for a page every few milliseconds.
Prints the slowest answer and the growth of the service's resident memory, and exits with 1 where an answer took more
than 100 ms or the memory grew by more than 50 MiB.
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from bench import results
from bench.processes import free_port, memory_mib, started, wait_until_quiet
from sp.flows import account_setup
from sp.flows.api_tokens import MadeToken, make_token
from sp.flows.opening import open_database
from sp.models import TokenScope
from sp.settings import Settings
from sp.store import accounts

ABOUT = "The slowest answer to another request, and the growth of memory, while hostile requests come."
BUDGET_MS = 100.0
BUDGET_MIB = 50.0
_KIB = 1024
_ADMINISTRATOR, _PASSWORD = "admin@contoso.com", "Rehearse-8x8"
_API = "/api/v1"
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"
_SINGLE_SIGN_ON = "/account-manager/business/accounts/single-sign-on"
_STARTING_SECONDS = 1.0  # of asking before the first hostile request, to know what the machine does by itself
_PAUSE_SECONDS = 0.005


@dataclass(frozen=True)
class Attack:
    """`count` equal requests at once. `asked` is the page that somebody else asks for meanwhile."""

    path: str
    body: Callable[[], bytes]
    content_type: str = _FORM
    count: int = 1
    method: str = "POST"
    asked: str = "/healthz"


def _expectation(attributes: int) -> bytes:
    wanted = {f"a{number}": {"matches": "a*" * 100} for number in range(attributes)}
    return json.dumps({"attributes": wanted}).encode()


def _unknown_names(size: int) -> bytes:
    return b"{" + b",".join(b'"n%d":0' % number for number in range(size // 12)) + b"}"


def _escapes(size: int) -> bytes:
    return b"username=" + b"%41" * (size // 3)


def _query() -> str:
    return "&".join(f"n{number}" for number in range(9_000))[: 60 * _KIB]


ATTACKS: Mapping[str, Attack] = {
    "8 KiB of expressions": Attack(f"{_API}/expectations", lambda: _expectation(37), _JSON),
    "65 KiB of expressions": Attack(f"{_API}/expectations", lambda: _expectation(300), _JSON),
    "14 MiB of unknown names": Attack(
        f"{_API}/account/single-sign-on/metadata", lambda: _unknown_names(14 * _KIB * _KIB), _JSON
    ),
    "256 KiB of unknown names": Attack(
        f"{_API}/account/single-sign-on/metadata", lambda: _unknown_names(255 * _KIB), _JSON, count=20
    ),
    "15 MiB of escapes": Attack(f"{_SINGLE_SIGN_ON}/metadata/preview", lambda: _escapes(15 * _KIB * _KIB)),
    "60 sign-in forms of 256 KiB": Attack("/sso/login/", lambda: _escapes(255 * _KIB), count=60),
    "60 sign-in forms of 8 KiB": Attack("/sso/login/", lambda: _escapes(8 * _KIB - 100), count=60),
    "60 queries of 60 KiB": Attack(f"{_API}/users?{_query()}", lambda: b"", count=60, method="GET"),
    "60 imports from a silent server": Attack(
        f"{_API}/account/single-sign-on/metadata", lambda: b"", _JSON, count=60, asked="/sso/login/"
    ),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(ATTACKS)}; default: all")
    parser.add_argument("--send", metavar="ACCESS", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.send:
        _send(ATTACKS[options.names[0]], json.loads(options.send))
        return 0
    figures = [_measured(name) for name in options.names or ATTACKS]
    if not options.names:
        results.keep("hostile_bodies", ABOUT, figures, budget_ms=BUDGET_MS, budget_mib=BUDGET_MIB)
    return 0 if all(_fits(figure) for figure in figures) else 1


def _fits(figure: results.Figure) -> bool:
    return bool(figure["slowest_answer_ms"] <= BUDGET_MS and figure["memory_growth_mib"] <= BUDGET_MIB)


def _measured(name: str) -> results.Figure:
    with tempfile.TemporaryDirectory() as folder, _silent_server() as silent_port:
        data_dir, port = Path(folder), free_port()
        token = _make_token(data_dir)
        settings = {"ADMIN_PASSWORD": _PASSWORD}
        with started("serve", data_dir, port, free_port(), settings) as process:
            wait_until_quiet(process.pid)
            access = {"port": port, "token": token, "session": _session(port), "silent_port": silent_port}
            idle = _slowest_answer(port, ATTACKS[name].asked, _for_seconds(_STARTING_SECONDS))
            before = memory_mib(process.pid)
            Path(f"/proc/{process.pid}/clear_refs").write_text("5")  # the peak begins anew
            command = [sys.executable, "-m", "bench.hostile_bodies", name, "--send", json.dumps(access)]
            sender = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            slowest = _slowest_answer(port, ATTACKS[name].asked, lambda: sender.poll() is None)
            told = json.loads(sender.communicate()[0])
            growth = _peak_mib(process.pid) - before
    figure = {
        "what": name,
        "statuses": told["statuses"],
        "took_seconds": told["seconds"],
        "slowest_answer_ms": slowest,
        "slowest_answer_before_ms": idle,
        "memory_growth_mib": max(growth, 0.0),
    }
    over = "" if _fits(figure) else "   OVER"
    print(
        f"  {name:32} {slowest:8.1f} ms (idle {idle:.1f}), {growth:7.1f} MiB, {told['seconds']:6.2f} s, "
        f"{told['statuses']}{over}",
        flush=True,
    )
    return figure


def _make_token(data_dir: Path) -> str:
    settings = Settings(data_dir=data_dir, admin_password=_PASSWORD)
    database = open_database(settings)
    with database.writing() as session:
        account = accounts.account_by_slug(session, account_setup.SEEDED_SLUG)
        if account is None:
            raise RuntimeError("the seeded account is missing")
        made = make_token(
            session, account, "bench", TokenScope.WRITE, lifetime=None, created_by="bench", now=datetime.now(UTC)
        )
    database.close()
    if not isinstance(made, MadeToken):
        raise TypeError("the token was refused")
    return made.token


def _session(port: int) -> str:
    """The cookies of a signed-in administrator, as a header."""
    with httpx.Client(base_url=f"http://localhost:{port}", trust_env=False) as client:
        token = client.get("/sso/login/").text.partition('name="csrf_token" value="')[2].partition('"')[0]
        fields = {"username": _ADMINISTRATOR, "password": _PASSWORD, "csrf_token": token}
        client.post("/sso/login/", data=fields)
        return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


def _for_seconds(seconds: float) -> Callable[[], bool]:
    ends = time.monotonic() + seconds
    return lambda: time.monotonic() < ends


def _slowest_answer(port: int, path: str, goes_on: Callable[[], bool]) -> float:
    """In milliseconds, of one question after the other for as long as it goes on."""
    slowest = 0.0
    with httpx.Client(base_url=f"http://localhost:{port}", timeout=120, trust_env=False) as client:
        client.get(path)
        while goes_on():
            began = time.perf_counter()
            client.get(path).raise_for_status()
            slowest = max(slowest, time.perf_counter() - began)
            time.sleep(_PAUSE_SECONDS)
    return slowest * 1000


def _peak_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


@contextmanager
def _silent_server() -> Iterator[int]:
    """The port of a server that takes every connection and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=200) as server:
        yield int(server.getsockname()[1])


def _send(attack: Attack, access: Mapping[str, str]) -> None:
    """Send the requests at once, and print what came of them."""
    body = attack.body() if attack.asked == "/healthz" else _silent_import(access)
    headers = {"Content-Type": attack.content_type} if body else {}
    headers |= {"Authorization": f"Bearer {access['token']}", "Cookie": access["session"]}
    connections = [
        http.client.HTTPConnection("127.0.0.1", int(access["port"]), timeout=300) for _ in range(attack.count)
    ]
    for connection in connections:
        connection.connect()

    def send_one(connection: http.client.HTTPConnection) -> int:
        try:
            connection.request(attack.method, attack.path, body or None, headers)
            answer = connection.getresponse()
            answer.read()
        except OSError:
            return 0
        return answer.status

    began = time.perf_counter()
    with ThreadPoolExecutor(attack.count) as pool:
        statuses = list(pool.map(send_one, connections))
    seconds = time.perf_counter() - began
    told = ", ".join(f"{statuses.count(one)} times {one}" for one in sorted(set(statuses)))
    print(json.dumps({"statuses": told, "seconds": seconds}))


def _silent_import(access: Mapping[str, str]) -> bytes:
    return json.dumps({"url": f"http://127.0.0.1:{access['silent_port']}/metadata"}).encode()


if __name__ == "__main__":
    sys.exit(main())
