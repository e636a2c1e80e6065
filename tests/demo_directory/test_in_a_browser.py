"""The demo directory in a real browser: the tile signs in by itself."""

import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext

from sp.demo_directory.clock import utc_now
from sp.demo_directory.connect import Connected, connect
from sp.demo_directory.keys import SigningKey, open_signing_key
from sp.demo_directory.reply_url import Service
from sp.demo_directory.settings import Settings
from sp.demo_directory.store import DirectoryStore

pytestmark = pytest.mark.browser


@dataclass
class Service8x8:
    """A stand-in for the service provider: keeps what is posted to it."""

    url: str = ""
    posted: list[bytes] = field(default_factory=list)


@dataclass(frozen=True)
class Running:
    """A demo directory that answers at `url`, connected, with one person and one application."""

    url: str
    connected: Connected
    application: str
    person: str


@pytest.fixture(scope="module")
def service() -> Iterator[Service8x8]:
    kept = Service8x8()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.posted.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<title>Signed in</title>")

        def log_message(self, *_: Any) -> None:
            """Keep the test's output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://localhost:{server.server_port}/saml2"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield kept
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def running(service: Service8x8, key_files: SigningKey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    folder = tmp_path_factory.mktemp("demo-directory")
    settings = Settings(f"http://127.0.0.1:{port}", folder, Service(service.url, service.url), "http://localhost:8000")
    connected, application, person = prepared(settings, key_files)
    command = [sys.executable, "-m", "sp.demo_directory", "--port", str(port), "--data-dir", str(folder)]
    with subprocess.Popen([*command, "--service-acs-url", service.url]) as process:
        wait_until_ready(settings.base_url)
        yield Running(settings.base_url, connected, application, person)
        process.terminate()


def prepared(settings: Settings, key_files: SigningKey) -> tuple[Connected, str, str]:
    shutil.copy(key_files.key_file, settings.key_file)
    shutil.copy(key_files.certificate_file, settings.certificate_file)
    store = DirectoryStore.open(settings.database_file)
    key = open_signing_key(settings.key_file, settings.certificate_file, utc_now())
    connected = connect(settings, store, key, utc_now())
    application, person = store.applications()[0].object_id, store.people()[0].object_id
    store.close()
    return connected, application, person


def wait_until_ready(url: str) -> None:
    for _ in range(300):
        try:
            httpx.get(url, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"{url} does not answer")


@pytest.fixture(scope="module")
def britta(chromium: Browser, running: Running) -> Iterator[BrowserContext]:
    """Britta's browser, signed in to the Access Panel."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{running.url}/access-panel")
    page.get_by_label("User name").fill(running.connected.user_name)
    page.get_by_label("Password").fill(running.connected.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Applications").wait_for()
    page.close()
    yield context
    context.close()


def test_a_click_on_the_tile_is_enough(britta: BrowserContext, running: Running, service: Service8x8) -> None:
    page = britta.new_page()
    page.goto(f"{running.url}/access-panel")
    page.get_by_role("link", name="8x8 Virtual Office").click()
    page.wait_for_url(service.url)
    assert service.posted[-1].startswith(b"SAMLResponse=")
    page.close()


def test_without_script_continue_does_it(
    chromium: Browser, britta: BrowserContext, running: Running, service: Service8x8
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    context.add_cookies([dict(cookie) for cookie in britta.cookies()])  # type: ignore[misc]
    page = context.new_page()
    page.goto(f"{running.url}/access-panel/applications/{running.application}")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(service.url)
    assert service.posted[-1].startswith(b"SAMLResponse=")
    context.close()
