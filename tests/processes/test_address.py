"""Where the service listens, what it says about it, and what it prints where nobody looks at a terminal."""

from __future__ import annotations

import json
import os
import signal
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from lxml import etree, html
from processes.program import Installation, Program

Install = Callable[..., Installation]


def events(program: Program) -> dict[str, dict[str, Any]]:
    """The lines of a JSON log by their event; a line that is none fails."""
    return {line["event"]: line for line in map(json.loads, program.output.splitlines())}


def entity_id(metadata: bytes) -> str | None:
    return etree.fromstring(metadata).get("entityID")


def parsed(page: httpx.Response) -> Any:
    """The page as lxml reads HTML; its stubs know nothing of forms."""
    return html.document_fromstring(page.text)


def submit(client: httpx.Client, page: httpx.Response, **fields: str) -> httpx.Response:
    """Send the page's first POST form."""
    forms = parsed(page).forms
    form = next(form for form in forms if form.method == "POST")
    given = {str(name): str(value) for name, value in form.form_values()}
    return client.post(str(page.url.join(form.action)), data=given | fields, headers={"Accept": "text/html"})


def wait_until_gone(place: Installation) -> None:
    deadline = time.monotonic() + 30
    while place.processes():
        assert time.monotonic() < deadline, place.processes()
        time.sleep(0.02)


def sign_in_through_demo_directory(access_panel: str, username: str, password: str) -> str:
    """Click the tile as the user, follow the form, and return the text of the service's page."""
    with httpx.Client(trust_env=False, follow_redirects=True) as client:
        panel = submit(client, client.get(access_panel), user_name=username, password=password)
        (tile,) = parsed(panel).xpath("//a[contains(@href, '/applications/')]/@href")
        return submit(client, client.get(str(panel.url.join(tile)))).text


def test_port_0_takes_a_free_port_and_everything_follows_it(install: Install) -> None:
    """The demo directory is told the port too, or the click on its tile would go nowhere."""
    place = install(PORT="0", LOG_FORMAT="json")
    with place.start("demo", "--connected", terminal=False) as program:
        said = program.wait_until_listening()
        program.wait_for("demo_directory_connected")
        url, port = said["url"], said["port"]
        assert url == f"http://localhost:{port}"
        assert (said["host"], said["tls"], port != 0) == ("localhost", False, True)

        told = events(program)
        assert {name: told["listening"][name] for name in ("url", "host", "port")} == {
            name: said[name] for name in ("url", "host", "port")
        }
        for metadata in (httpx.get(f"{url}/saml2/metadata", trust_env=False).text, place.run("metadata").stdout):
            assert entity_id(metadata.encode()) == f"{url}/saml2"
        assert place.run("healthcheck").returncode == 0

        connected = told["demo_directory_connected"]
        password_file = Path(connected["password_file"])
        password = password_file.read_text().strip()
        assert stat.S_IMODE(password_file.stat().st_mode) == 0o600
        page = sign_in_through_demo_directory(connected["access_panel"], connected["username"], password)
        assert "Britta Simon" in page

        administrators = Path(told["administrator_password"]["file"]).read_text().strip()
        assert password not in program.output
        assert administrators not in program.output
    assert not place.listening_file.exists()


def test_without_a_terminal_standard_output_holds_log_lines_only(place: Installation) -> None:
    with place.start("serve", terminal=False) as program:
        program.wait_for("administrator_password")
        lines = program.output.splitlines()
        password = (place.data / "administrator-password.txt").read_text().strip()
        assert [line for line in lines if "[info     ] " not in line] == []
        assert str(place.data / "administrator-password.txt") in lines[-1]
        assert password not in program.output


def test_connecting_without_a_terminal_prints_no_password(place: Installation) -> None:
    done = place.run("demo", "--only-connect")
    password = (place.data / "demo-user-password.txt").read_text().strip()
    assert (done.returncode, done.stderr, len(done.stdout.splitlines())) == (0, "", 1)
    assert "demo_directory_connected" in done.stdout
    assert str(place.data / "demo-user-password.txt") in done.stdout
    assert password not in done.stdout


def test_a_terminal_with_a_json_log_shows_no_password(install: Install) -> None:
    place = install(LOG_FORMAT="json")
    with place.start("serve") as program:
        program.wait_for("administrator_password")
        assert set(events(program)) == {"listening", "administrator_password"}
        assert (place.data / "administrator-password.txt").read_text().strip() not in program.output


def test_a_second_service_leaves_the_first_ones_folder_alone_and_a_killed_one_keeps_nothing(install: Install) -> None:
    first = install(WORKERS="2", LOG_FORMAT="json")
    second = Installation(first.folder, settings=first.settings)
    program = first.start("serve", terminal=False)
    for command in (("serve", "--port", "0"), ("demo", "--connected")):
        refused = second.run(*command)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr.startswith(f"The data folder {first.data} is in use by a service at {first.base_url}, ")
    assert not list(first.data.glob("demo-*"))  # nothing was connected

    os.kill(program.process.pid, signal.SIGKILL)
    program.ended()
    wait_until_gone(first)  # its workers see that it is gone
    with second.start("serve", terminal=False) as program:
        program.wait_for("address_changed")
        changed = events(program)["address_changed"]
        assert (changed["former_acs_url"], changed["acs_url"]) == (first.acs_url, second.acs_url)


def test_a_greeting_says_what_identity_providers_have_to_be_told(place: Installation) -> None:
    with place.start("serve") as program:
        assert "The address has changed" not in program.output
    moved = Installation(place.folder)
    with moved.start("serve", "--port", str(moved.port)) as program:
        assert program.printed("Reply URL (ACS)") == f"{moved.acs_url}  (before: {place.acs_url})"
        assert program.printed("Entity ID") == f"{moved.acs_url}  (before: {place.acs_url})"
