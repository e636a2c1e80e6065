"""Four processes on two ports behind a proxy that takes them by turns, with one PostgreSQL: to whoever uses it, one
service.
"""

from __future__ import annotations

import base64
import os
import signal
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from lxml import etree
from postgresql import running_postgresql
from processes.program import PASSWORD, Installation, Program, free_port
from processes.round_robin import RoundRobin, round_robin
from processes.sign_ins import Prepared, form_token, post_to, prepared, response_for, trust, trusted_idp
from responses import Idp

SIGN_IN_URL = "https://idp.contoso.example/sign-in"
WORKERS = 2
ENOUGH_TO_REACH_BOTH = 8  # connections to one port until each of its workers has most likely taken one


@dataclass
class Replicas:
    """`places` are the installations, each with a data folder of its own; all have the address of the proxy."""

    places: list[Installation]
    programs: list[Program]
    proxy: RoundRobin
    idp: Idp

    def verdicts(self, responses: list[Prepared]) -> list[str]:
        """What the replicas say by turns: the first failed check, "" for accepted."""
        return [next(iter(post_to(self.proxy.port, response)["failed"]), "") for response in responses]


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    with running_postgresql() as server:
        settings = {
            "ADMIN_PASSWORD": PASSWORD,
            "DATABASE_URL": server.url,
            "BASE_URL": f"http://localhost:{(port := free_port())}",
            "NEW_USERS_PER_HOUR": "100000",
        }
        places = [Installation(tmp_path_factory.mktemp("replica"), settings=settings) for _ in range(2)]
        idp = trusted_idp(places[0])
        trust(places[0], idp, "--sign-in-url", SIGN_IN_URL)
        with ThreadPoolExecutor() as pool:
            programs = list(pool.map(lambda place: place.start("serve", "--workers", str(WORKERS)), places))
        with round_robin(port, [place.port for place in places]) as proxy:
            yield Replicas(places, programs, proxy, idp)
        for program in programs:
            program.kill()


@pytest.fixture
def browser(replicas: Replicas) -> Iterator[httpx.Client]:
    """One that makes a new connection for each request, so that each goes to the next replica."""
    limits = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(base_url=replicas.places[0].settings["BASE_URL"], limits=limits, trust_env=False) as client:
        yield client


def acs_url(replicas: Replicas) -> str:
    return f"{replicas.places[0].settings['BASE_URL']}/saml2"


def sign_in(browser: httpx.Client, response: Prepared) -> httpx.Response:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return browser.post("/saml2", content=response.body, headers=headers)


def is_signed_in(browser: httpx.Client) -> list[bool]:
    """As every replica sees it."""
    return ['action="/sign-out"' in browser.get("/").text for _ in range(2 * ENOUGH_TO_REACH_BOTH)]


def test_a_response_that_one_replica_took_is_refused_by_the_other(replicas: Replicas) -> None:
    responses = prepared(replicas.idp, acs_url(replicas), 2 * ENOUGH_TO_REACH_BOTH)
    assert replicas.verdicts(responses) == [""] * len(responses)
    replicas.proxy.turn = 1 - replicas.proxy.turn  # now each goes to the other one
    assert replicas.verdicts(responses) == ["replay"] * len(responses)


def test_of_one_response_posted_everywhere_at_once_one_is_accepted(replicas: Replicas) -> None:
    (response,) = prepared(replicas.idp, acs_url(replicas), 1)
    with ThreadPoolExecutor(8) as pool:
        verdicts = [verdict for found in pool.map(replicas.verdicts, [[response]] * 8) for verdict in found]
    assert sorted(verdicts) == ["", *["replay"] * 7]


@pytest.mark.parametrize("begins", [0, 1])
def test_a_sign_in_begins_at_one_replica_and_ends_at_the_other(
    replicas: Replicas, browser: httpx.Client, begins: int
) -> None:
    replicas.proxy.turn = begins
    replicas.proxy.served.clear()
    sent = browser.get("/sso/login/business")
    (message,) = parse_qs(urlsplit(sent.headers["location"]).query)["SAMLRequest"]
    request = etree.fromstring(zlib.decompress(base64.b64decode(message), -15))
    answer = response_for(replicas.idp, acs_url(replicas), 1, in_response_to=request.get("ID"))
    assert sign_in(browser, answer).status_code == 303
    assert replicas.proxy.served == [begins, 1 - begins]
    assert all(is_signed_in(browser))


def test_a_sign_out_ends_the_session_everywhere(replicas: Replicas, browser: httpx.Client) -> None:
    sign_in(browser, response_for(replicas.idp, acs_url(replicas), 2))
    assert all(is_signed_in(browser))
    kept = dict(browser.cookies)
    assert browser.post("/sign-out", data={"csrf_token": form_token(browser.get("/").text)}).status_code == 303
    browser.cookies.update(kept)  # whoever still has the cookie
    assert not any(is_signed_in(browser))


def test_new_settings_hold_everywhere_within_a_second(replicas: Replicas) -> None:
    old, new = replicas.idp, replicas.idp.with_key("the next key")
    number = 2 * ENOUGH_TO_REACH_BOTH
    assert replicas.verdicts(prepared(old, acs_url(replicas), number)) == [""] * number  # so that all remember them
    trust(replicas.places[1], new)
    saved_at = time.monotonic()
    responses = prepared(old, acs_url(replicas), number) + prepared(new, acs_url(replicas), number)
    time.sleep(max(0.0, saved_at + 1 - time.monotonic()))
    try:
        assert replicas.verdicts(responses) == ["signing_key"] * number + [""] * number
    finally:
        trust(replicas.places[0], old)


def test_one_replica_may_vanish_and_nobody_sees_an_error(replicas: Replicas) -> None:
    """The last story: afterwards there is one replica. Requests that were in flight there are lost with it."""
    vanishing = replicas.programs[0].process.pid
    workers = Path(f"/proc/{vanishing}/task/{vanishing}/children").read_text().split()
    for process in (vanishing, *map(int, workers)):
        os.kill(process, signal.SIGKILL)
    replicas.programs[0].ended()
    responses = prepared(replicas.idp, acs_url(replicas), 20)
    replicas.proxy.served.clear()
    assert replicas.verdicts(responses) == [""] * 20
    assert set(replicas.proxy.served) == {1}
