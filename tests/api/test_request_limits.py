"""How large a request may be: by address, for pages and the API, from outside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from api.conftest import API, Program
from browser import PASSWORD, Browser
from cast import ALICE
from fastapi import FastAPI
from starlette.routing import Match

from sp.request_limits import KIB, MAX_COOKIE_BYTES, MAX_HEADERS, MAX_PARAMETERS, MAX_PATH_BYTES, limits_of

FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}
SINGLE_SIGN_ON = "/account-manager/business/accounts/single-sign-on"
METADATA = f"{API}/account/single-sign-on/metadata"
PREVIEW = f"{SINGLE_SIGN_ON}/metadata/preview"
JUDGE = f"{SINGLE_SIGN_ON}/sign-in-log/judge"
MANY_UNKNOWN = "More than 50 names are unknown."


def in_chunks(size: int) -> Iterator[bytes]:
    return (b"x" * KIB for _ in range(size // KIB))


@pytest.fixture
def browser(app: FastAPI) -> Browser:
    return Browser(app)


@pytest.fixture
def alice(browser: Browser) -> Browser:
    browser.sign_in(ALICE.email, PASSWORD)
    return browser


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/sso/login/", "8 KiB"),
        ("/sso/start/", "8 KiB"),
        ("/sign-out", "8 KiB"),
        (f"{SINGLE_SIGN_ON}/saml", "128 KiB"),
        (PREVIEW, "64 KiB"),
        (JUDGE, "64 KiB"),
        ("/account-manager", "32 KiB"),
        ("/account-manager/business/accounts/user-profiles/1", "32 KiB"),
        ("/saml2/slo", "256 KiB"),
    ],
)
@pytest.mark.parametrize("announced", [True, False])
def test_a_form_has_the_limit_of_its_address_and_is_told_it(
    alice: Browser, path: str, said: str, *, announced: bool
) -> None:
    size = limits_of(path).body + KIB
    page = alice.post(path, content=b"x" * size if announced else in_chunks(size), headers=FORM)
    assert page.status_code == 413
    assert f"at most {said}." in page.text


@pytest.mark.parametrize(
    ("path", "said"),
    [("/expectations", "16 KiB"), ("/workspaces", "8 KiB"), ("/users", "256 KiB"), (METADATA, "256 KiB")],
)
@pytest.mark.parametrize("announced", [True, False])
def test_json_has_the_limit_of_its_address_and_is_told_it(
    program: Program, path: str, said: str, *, announced: bool
) -> None:
    size = int(said.partition(" ")[0]) * KIB + KIB
    program.call("POST", path, content=b" " * size if announced else in_chunks(size), headers=JSON)
    assert program.told.status_code == 413
    assert program.told.headers["content-type"] == "application/problem+json"
    assert program.told.json()["detail"] == f"A body sent to this address has at most {said}."


def test_large_metadata_is_read_as_an_upload(alice: Browser, program: Program) -> None:
    """As XML or as a file: neither is decoded character by character."""
    document = b"<a>" + b" " * (300 * KIB) + b"</a>"
    program.call("POST", METADATA, content=document, headers={"content-type": "application/xml"})
    assert program.told.status_code == 422
    alice.open(f"{SINGLE_SIGN_ON}/metadata")
    page = alice.post(PREVIEW, data={"csrf_token": alice.token}, files={"metadata": document})
    assert page.status_code == 422


class TestHead:
    @pytest.mark.parametrize("path", ["/", "/healthz", "/sso/login/", f"{API}/users", f"{API}/sign-ins/events"])
    @pytest.mark.parametrize(
        ("query", "said"),
        [
            ("a" * (8 * KIB + 1), "at most 8 KiB"),
            ("&".join(f"a{number}" for number in range(MAX_PARAMETERS + 1)), f"at most {MAX_PARAMETERS} parameters"),
        ],
        ids=["long", "many"],
    )
    def test_a_query_is_limited_before_it_is_parsed(self, reader: Program, path: str, query: str, said: str) -> None:
        answer = reader.client.get(f"{path}?{query}")
        assert answer.status_code == 414
        assert said in answer.text
        assert "x-request-id" in answer.headers
        assert answer.headers["content-security-policy"]
        if path.startswith(API):
            assert answer.json()["type"] == "urn:virtual-office:problem:address-too-long"

    def test_a_message_in_a_query_may_be_longer(self, reader: Program) -> None:
        for path in ("/saml2", "/saml2/slo"):
            assert reader.client.get(f"{path}?SAMLResponse={'a' * 20 * KIB}").status_code == 400

    def test_a_path_is_limited(self, reader: Program) -> None:
        assert reader.client.get("/" + "a" * MAX_PATH_BYTES).status_code == 414

    @pytest.mark.parametrize("path", ["/", f"{API}/users"])
    @pytest.mark.parametrize(
        "headers",
        [[("x-a", "1")] * (MAX_HEADERS + 1), [("cookie", "a=b;" * (MAX_COOKIE_BYTES // 4)), ("cookie", "c=d")]],
        ids=["many", "cookies"],
    )
    def test_headers_and_cookies_are_limited(self, reader: Program, path: str, headers: list[tuple[str, str]]) -> None:
        answer = reader.client.get(path, headers=headers)
        assert answer.status_code == 431
        assert "at most" in answer.text


class TestUnknownNames:
    def test_a_query_with_some_names_each_of_them_is_told(self, reader: Program) -> None:
        query = "&".join(f"a{number}=1" for number in range(50))
        status, fields = reader.refused("GET", f"/users?{query}")
        assert (status, len(fields)) == (422, 50)

    def test_a_query_with_more_is_refused_as_a_whole(self, reader: Program) -> None:
        query = "&".join(f"a{number}=1" for number in range(51))
        reader.call("GET", f"/users?{query}")
        assert [error["message"] for error in reader.told.json()["errors"]] == [MANY_UNKNOWN]

    @pytest.mark.parametrize(
        ("path", "inside"),
        [("/expectations", ""), ("/expectations", "signed"), (METADATA, ""), ("/users", ""), ("/workspaces", "")],
    )
    def test_a_body_with_more_is_refused_as_a_whole(self, program: Program, path: str, inside: str) -> None:
        unknown = {f"a{number}": number for number in range(500)}
        program.call("POST", path, json={inside: unknown} if inside else unknown)
        assert program.told.status_code == 422
        assert [error["message"] for error in program.told.json()["errors"]] == [MANY_UNKNOWN]

    def test_no_answer_lists_more_than_fifty(self, program: Program) -> None:
        attributes = {f"a{number}": {"matches": "("} for number in range(50)}
        status, fields = program.refused("POST", "/expectations", {"attributes": attributes, "failed": ["x"] * 60})
        assert (status, len(fields)) == (422, 50)


@pytest.mark.parametrize("body", [b"[" * 16_000, b'{"a":' * 3_000], ids=["lists", "objects"])
@pytest.mark.parametrize("path", ["/expectations", METADATA])
def test_json_that_nests_too_deep_cannot_be_read(program: Program, path: str, body: bytes) -> None:
    program.call("POST", path, content=body, headers=JSON)
    assert program.told.status_code in {400, 422}


def test_the_expressions_of_an_expectation_are_refused_quickly(program: Program) -> None:
    """On an engine that counts or tries the ways of `a*` a hundred times, each took a tenth of a second and more."""
    attributes = {f"a{number}": {"matches": "a*" * 100} for number in range(50)}
    answer = program.call("POST", "/expectations", json={"attributes": attributes})
    assert answer.status_code == 201
    assert answer.elapsed.total_seconds() < 1


@pytest.mark.parametrize(
    ("path", "size"),
    [
        ("requests/bench", 256),
        ("saml", 128),
        ("certificate", 128),
        ("certificates", 128),
        ("preflight", 128),
        ("metadata", 128),
        ("sign-in-log/7F3KXMPQ/judge-again", 128),
    ],
)
def test_a_form_with_a_document_or_a_certificate_has_more_room_than_others(app: FastAPI, path: str, size: int) -> None:
    """And its address is one that takes forms."""
    address = f"{SINGLE_SIGN_ON}/{path}"
    scope = {"type": "http", "method": "POST", "path": address, "root_path": "", "headers": []}
    assert any(route.matches(scope)[0] is Match.FULL for route in app.router.routes)
    assert limits_of(address).body == size * KIB
