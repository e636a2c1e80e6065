"""A steady stream of sign-ins over HTTP, and what is left of it in the database.

Owns responses that differ, the threads that post them, and what each was told. Never looks at what the service keeps
in memory: a row counts when somebody else can read it.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlencode

from cast import CONTOSO_ISSUER
from lxml import html
from processes.program import Installation
from responses import Idp, post_field
from sqlalchemy import create_engine, text

HEADERS = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
_THREADS = 12  # so that a blow meets several in one transaction
_ANSWER_SECONDS = 10
_REST_SECONDS = 0.25  # a server that is away for seconds on a busy machine must not use all responses up

KEPT = {
    "user": "SELECT username FROM user_profile",
    "attempt": "SELECT reference FROM sign_in_attempt WHERE outcome = 'accepted'",
    "assertion": "SELECT assertion_id FROM consumed_assertion",
}


@dataclass(frozen=True)
class Prepared:
    """A response that was signed beforehand, for a person who has never been here."""

    username: str
    assertion_id: str
    body: str = field(repr=False)


def trusted_idp(place: Installation) -> Idp:
    """An identity provider that the installation trusts from now on."""
    idp = Idp.make(CONTOSO_ISSUER)
    trust(place, idp)
    return idp


def trust(place: Installation, idp: Idp, *options: str) -> None:
    """Through the command line: a process of its own, as any other replica is."""
    file = place.folder / "idp.pem"
    file.write_text(idp.certificate.pem)
    made = place.run("configure", "--issuer", idp.entity_id, "--certificate", str(file), *options)
    assert made.returncode == 0, made.stderr


def prepared(idp: Idp, acs_url: str, number: int) -> list[Prepared]:
    return [response_for(idp, acs_url, index) for index in range(number)]


def response_for(idp: Idp, acs_url: str, index: int, **changes: Any) -> Prepared:
    username, assertion_id = f"user{index}@contoso.example", f"_assertion{index}-{time.monotonic_ns()}"
    places: dict[str, Any] = {"audience": acs_url, "recipient": acs_url, "destination": acs_url}
    xml = idp.response(
        now=datetime.now(UTC), name_id=username, assertion_id=assertion_id, attributes={}, **places, **changes
    )
    return Prepared(username, assertion_id, urlencode({"SAMLResponse": post_field(xml)}))


def post_to(port: int, response: Prepared) -> dict[str, Any]:
    """The verdict, on a connection of its own. Raises OSError or HTTPException where there is no answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=_ANSWER_SECONDS)
    try:
        return _post(connection, response)[1]
    finally:
        connection.close()


def _post(connection: HTTPConnection, response: Prepared) -> tuple[int, dict[str, Any]]:
    connection.request("POST", "/saml2", response.body, HEADERS)
    answer = connection.getresponse()
    body, is_verdict = answer.read(), answer.getheader("Content-Type", "").startswith("application/json")
    return answer.status, json.loads(body) if is_verdict else {}


def form_token(page: str) -> str:
    """What a form of the page sends along, to show that it is ours."""
    found: Any = html.document_fromstring(page).xpath("//input[@name='csrf_token']/@value")
    return str(found[0])


@dataclass
class Stream:
    """Posts each response once, and remembers what it was told."""

    port: int
    waiting: list[Prepared]
    acknowledged: dict[str, str] = field(default_factory=dict)  # the attempt's reference by the assertion's ID
    unanswered: list[Prepared] = field(default_factory=list)  # nobody knows what became of these
    busy: list[Prepared] = field(default_factory=list)  # told to come again: 503
    strange: list[object] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def post_all(self) -> None:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=_ANSWER_SECONDS)
        while self.waiting and not self._stopping.is_set():
            response = self.waiting.pop()
            try:
                status, told = _post(connection, response)
            except (OSError, HTTPException):
                self.unanswered.append(response)
                connection.close()
                time.sleep(_REST_SECONDS)
                continue
            self._note(response, status, told)
        connection.close()

    def _note(self, response: Prepared, status: int, told: dict[str, Any]) -> None:
        if status == 200:
            self.acknowledged[response.assertion_id] = told["reference"]
        elif status == 503:
            self.busy.append(response)
            time.sleep(_REST_SECONDS)
        else:
            self.strange.append((status, told))

    def wait_for(self, number: int, seconds: float = 30) -> None:
        """Until so many more were acknowledged."""
        enough, deadline = len(self.acknowledged) + number, time.monotonic() + seconds
        while len(self.acknowledged) < enough:
            assert time.monotonic() < deadline, (len(self.acknowledged), self.strange[:3])
            time.sleep(0.005)

    def stop(self) -> None:
        self._stopping.set()


@contextmanager
def streaming(port: int, responses: list[Prepared]) -> Iterator[Stream]:
    """A stream that runs while the block does."""
    stream = Stream(port, list(responses))
    threads = [threading.Thread(target=stream.post_all) for _ in range(_THREADS)]
    for thread in threads:
        thread.start()
    try:
        yield stream
    finally:
        stream.stop()
        for thread in threads:
            thread.join()


def check_nothing_is_lost(url: str, responses: list[Prepared], stream: Stream) -> None:
    """Whoever was told yes is there wholly; of the others each is there wholly or not at all."""
    kept = kept_in(url)
    assert stream.strange == []
    for response in responses:
        traces = {response.username in kept["user"], response.assertion_id in kept["assertion"]}
        assert len(traces) == 1, response
        reference = stream.acknowledged.get(response.assertion_id)
        if reference is not None:
            assert (traces, reference in kept["attempt"]) == ({True}, True), response
    # Whoever was not told has an attempt of which nobody knows the reference; so there are as many of each kind.
    assert len({len(found) for found in kept.values()}) == 1, {name: len(found) for name, found in kept.items()}


def check_nothing_is_accepted_again(port: int, responses: list[Prepared], stream: Stream) -> None:
    for response in responses:
        if response.assertion_id in stream.acknowledged:
            assert post_to(port, response)["failed"] == ["replay"], response


def check_nothing_is_accepted_twice(port: int, unanswered: list[Prepared]) -> None:
    """A message without an answer was recorded or not: sent twice, it is accepted at most once."""
    for response in unanswered:
        assert post_to(port, response)["failed"] in ([], ["replay"]), response
        assert post_to(port, response)["failed"] == ["replay"], response


def kept_in(url: str) -> dict[str, set[str]]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = {name: set(connection.execute(text(query)).scalars()) for name, query in KEPT.items()}
    engine.dispose()
    return found
