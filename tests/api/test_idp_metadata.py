"""Taking an identity provider's metadata over by the API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import idp_metadata
import pytest
from api.conftest import Program
from cast import CONTOSO_ISSUER, FABRIKAM_ISSUER
from metadata_server import MetadataServer, document, running_server
from responses import Idp

from sp.saml.metadata_document import MAXIMUM_BYTES
from sp.service import Service
from sp.store import accounts
from sp.store import idp_metadata as followed

IMPORT = "/account/single-sign-on/metadata"
SETTINGS = "/account/single-sign-on"
XML = {"content-type": "application/samlmetadata+xml"}


@pytest.fixture
def server() -> Iterator[MetadataServer]:
    with running_server() as running:
        yield running


def described(idp: Idp) -> str:
    return idp_metadata.entity(idp).decode()


def row(service: Service) -> Any:
    with service.database.reading() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        return followed.of_account(session, account.id or 0)


def test_metadata_in_json_is_taken_over(program: Program, idp: Idp) -> None:
    answer = program.send("POST", IMPORT, {"xml": described(idp)})
    assert (answer["saved"], answer["settings_version"], answer["entity_id"]) == (True, 2, CONTOSO_ISSUER)
    settings = program.get(SETTINGS)
    assert (settings["issuer"], settings["sign_in_url"]) == (CONTOSO_ISSUER, idp_metadata.SIGN_IN)
    assert settings["certificates"] == [idp.certificate.pem]
    assert settings["single_sign_on"]


def test_metadata_as_it_is_is_taken_over(program: Program, idp: Idp) -> None:
    answer = program.send("POST", IMPORT, content=described(idp).encode(), headers=XML)
    assert answer["saved"]
    assert program.get(SETTINGS)["issuer"] == CONTOSO_ISSUER


def test_a_check_tells_and_saves_nothing(program: Program, idp: Idp) -> None:
    answer = program.send("POST", f"{IMPORT}?check=true", {"xml": described(idp)})
    assert (answer["saved"], answer["settings_version"]) == (False, 1)
    assert {"field": "issuer", "before": "", "after": CONTOSO_ISSUER} in answer["changes"]
    assert program.get(SETTINGS)["issuer"] == ""


def test_an_address_is_fetched_and_followed(
    program: Program, idp: Idp, server: MetadataServer, service: Service
) -> None:
    url = server.says(document(described(idp).encode()))
    assert program.send("POST", IMPORT, {"url": url})["saved"]
    assert row(service).url == url
    assert program.send("POST", IMPORT, {"url": url, "follow": False})["saved"]
    assert row(service) is None


def test_metadata_that_another_account_owns_is_refused_either_way(
    program: Program, fabrikams: Program, idp: Idp
) -> None:
    fabrikams.send("POST", IMPORT, {"xml": described(idp)})
    assert program.refused("POST", IMPORT, {"xml": described(idp)}) == (422, ["issuer"])
    checked = program.send("POST", f"{IMPORT}?check=true", {"xml": described(idp)})
    assert [error["field"] for error in checked["errors"]] == ["issuer"]
    assert program.get("/account")["settings_version"] == 1


def test_one_of_several_has_to_be_named(program: Program, idp: Idp) -> None:
    both = idp_metadata.aggregate(idp_metadata.entity(idp), idp_metadata.entity(Idp.make(FABRIKAM_ISSUER)))
    assert program.refused("POST", IMPORT, {"xml": both.decode()}) == (422, ["entity_id"])
    assert FABRIKAM_ISSUER in program.told.text
    answer = program.send("POST", f"{IMPORT}?entity_id={FABRIKAM_ISSUER}", content=both, headers=XML)
    assert answer["entity_id"] == FABRIKAM_ISSUER


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "xml"),
        ({"xml": "<x/>", "url": "https://idp.example/"}, "xml"),
        ({"xml": "<x/>"}, "xml"),
        ({"xml": "<!DOCTYPE x><x/>"}, "xml"),
        ({"xml": "nonsense"}, "xml"),
        ({"xml": 7}, "xml"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": "http://169.254.169.254/latest/meta-data"}, "url"),
        ({"url": "https://user:password@idp.example/"}, "url"),
        ({"xml": "<x/>", "pinned_certificate": "x"}, "pinned_certificate"),
        ({"xml": "<x/>", "pin": "x"}, "pin"),
        ({"xml": "<x/>", "follow": "yes"}, "follow"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(program: Program, body: dict[str, Any], named: str) -> None:
    status, fields = program.refused("POST", IMPORT, body)
    assert status == 422
    assert named in fields
    assert program.get("/account")["settings_version"] == 1


def test_a_document_that_is_not_signed_by_the_pinned_certificate_is_refused(program: Program, idp: Idp) -> None:
    body = {"xml": described(idp), "pinned_certificate": idp.certificate_pem.decode()}
    assert program.refused("POST", IMPORT, body) == (422, ["xml"])


def test_a_body_of_another_kind_is_refused(program: Program) -> None:
    headers = {"content-type": "text/plain"}
    assert program.refused("POST", IMPORT, content=b"x", headers=headers) == (415, [])
    headers = {"content-type": "application/json"}
    assert program.refused("POST", IMPORT, content=b"{", headers=headers) == (400, [])


def test_only_so_much_is_read(program: Program) -> None:
    large = b"x" * (MAXIMUM_BYTES + 1024 * 1024)
    assert program.refused("POST", IMPORT, content=large, headers=XML) == (413, [])


def test_a_reader_and_nobody_are_refused_before_anything_is_read(
    reader: Program, nobody: Program, server: MetadataServer
) -> None:
    assert reader.refused("POST", IMPORT, {"url": server.url()})[0] == 403
    assert nobody.refused("POST", IMPORT, {"url": server.url()})[0] == 401
    assert server.asked == []


def test_a_stale_tag_changes_nothing(program: Program, idp: Idp) -> None:
    for check in ("true", "false"):
        path = f"{IMPORT}?check={check}"
        assert program.refused("POST", path, {"xml": described(idp)}, headers={"if-match": '"7"'}) == (412, [])
    assert program.get("/account")["settings_version"] == 1
