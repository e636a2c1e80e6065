"""The identity provider's certificates by the API."""

from __future__ import annotations

import pytest
from api.conftest import Program
from responses import Idp, posted

from sp.flows.assertion_consumer import Delivery, consume
from sp.service import Service
from sp.web.cookies import new_token

CERTIFICATES = "/account/single-sign-on/certificates"


def states(answer: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {item["sha256"]: item["state"] for item in answer["items"]}


def pem(idp: Idp) -> dict[str, str]:
    return {"certificate": idp.certificate_pem.decode()}


def test_the_certificate_in_use_is_described(program: Program, connected: Idp) -> None:
    (item,) = program.get(CERTIFICATES)["items"]
    assert (item["sha256"], item["state"], item["pem"]) == (
        connected.certificate.sha256,
        "active",
        connected.certificate.pem,
    )
    assert program.told.headers["etag"] == '"2"'


def test_the_next_one_is_added_once(program: Program, connected: Idp) -> None:
    following = connected.with_key("next")
    assert len(program.send("POST", CERTIFICATES, pem(following), status=201)["items"]) == 2
    assert len(program.send("POST", CERTIFICATES, pem(following), status=200)["items"]) == 2
    assert program.told.headers["etag"] == '"3"'


def test_one_is_retired_brought_back_and_removed(program: Program, connected: Idp) -> None:
    following = connected.with_key("next")
    program.send("POST", CERTIFICATES, pem(following), status=201)
    old = f"{CERTIFICATES}/{connected.certificate.sha256}"
    assert states(program.send("POST", f"{old}/retire"))[connected.certificate.sha256] == "retired"
    assert states(program.send("POST", f"{old}/bring-back"))[connected.certificate.sha256] == "active"
    assert set(states(program.send("DELETE", old))) == {following.certificate.sha256}
    assert program.refused("DELETE", old) == (404, [])


def test_a_removed_one_comes_back_as_if_it_had_never_been_used(
    program: Program, connected: Idp, service: Service
) -> None:
    old, following = connected.certificate, connected.with_key("next")
    delivery = Delivery(posted(connected.response()), service.now(), "127.0.0.1", new_token())
    assert consume(service.database, service.settings, delivery).accepted
    program.send("POST", CERTIFICATES, pem(following), status=201)
    assert used(program)[old.sha256] is not None
    program.send("DELETE", f"{CERTIFICATES}/{old.sha256}")
    program.send("POST", CERTIFICATES, pem(connected), status=201)
    assert used(program)[old.sha256] is None


def used(program: Program) -> dict[str, str | None]:
    return {item["sha256"]: item["last_used_at"] for item in program.get(CERTIFICATES)["items"]}


def test_the_last_one_stays_while_saml_is_on(program: Program, connected: Idp) -> None:
    last = f"{CERTIFICATES}/{connected.certificate.sha256}"
    assert program.refused("DELETE", last) == (422, ["certificates"])
    assert program.refused("POST", f"{last}/retire") == (422, ["certificates"])
    assert len(program.get(CERTIFICATES)["items"]) == 1


@pytest.mark.parametrize("body", [{}, {"certificate": ""}, {"certificate": "x"}, {"certificate": 7}, {"pem": "x"}])
def test_what_is_no_certificate_is_refused(program: Program, body: dict[str, object]) -> None:
    status, named = program.refused("POST", CERTIFICATES, body)
    assert status == 422
    assert "certificate" in named


def test_a_private_key_is_refused_and_not_told_again(program: Program, idp: Idp) -> None:
    status, _ = program.refused("POST", CERTIFICATES, {"certificate": idp.key_pem.decode()})
    assert status == 422
    assert "PRIVATE KEY-----\\n" not in program.told.text


def test_a_stale_tag_changes_nothing(program: Program, connected: Idp) -> None:
    following = connected.with_key("next")
    assert program.refused("POST", CERTIFICATES, pem(following), headers={"if-match": '"1"'}) == (412, [])
    assert len(program.get(CERTIFICATES)["items"]) == 1


def test_a_reader_changes_nothing(reader: Program, connected: Idp) -> None:
    one = f"{CERTIFICATES}/{connected.certificate.sha256}"
    assert reader.refused("POST", CERTIFICATES, pem(connected))[0] == 403
    assert reader.refused("DELETE", one)[0] == 403
    assert reader.refused("POST", f"{one}/retire")[0] == 403


def test_fabrikams_program_does_not_find_contosos(fabrikams: Program, program: Program, connected: Idp) -> None:
    one = f"{CERTIFICATES}/{connected.certificate.sha256}"
    assert fabrikams.get(CERTIFICATES)["items"] == []
    assert fabrikams.refused("DELETE", one) == (404, [])
    assert fabrikams.refused("POST", f"{one}/retire") == (404, [])
    assert fabrikams.refused("POST", f"{one}/bring-back") == (404, [])
    assert len(program.get(CERTIFICATES)["items"]) == 1
