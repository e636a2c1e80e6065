"""The settings of Single Sign On: read, replaced, changed in part, and never over somebody else's."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from api.conftest import Program
from cast import ALICE, CONTOSO_ISSUER, FABRIKAM_ISSUER
from responses import Idp

from sp.api.single_sign_on import SettingsBody
from sp.flows import account_setup
from sp.flows.account_setup import SsoDraft
from sp.service import Service
from sp.store import accounts

SETTINGS = "/account/single-sign-on"
ANY = {"if-match": "*"}


def connection(idp: Idp, **changes: Any) -> dict[str, Any]:
    pem = idp.certificate_pem.decode()
    return {"single_sign_on": True, "issuer": idp.entity_id, "certificates": [pem]} | changes


def version(program: Program) -> int:
    return int(program.get("/account")["settings_version"])


def saved_by_alice(service: Service, **changes: Any) -> None:
    with service.database.writing() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        account_setup.change_sso_settings(
            session, service.settings, account, changes, based_on=99, saved_by=ALICE.email, now=service.now()
        )


def test_the_api_names_every_setting() -> None:
    assert set(SettingsBody.model_fields) == {field.name for field in fields(SsoDraft)}


def test_the_defaults_of_the_api_are_those_of_a_new_account(program: Program) -> None:
    assert program.get(SETTINGS) == SettingsBody().model_dump(mode="json")


@pytest.mark.usefixtures("connected")
def test_a_part_is_changed_and_the_rest_stays(program: Program) -> None:
    before = program.get(SETTINGS)
    after = program.send("PATCH", SETTINGS, {"provisioning": False}, headers={"if-match": '"2"'})
    assert after == before | {"provisioning": False}
    assert program.told.headers["etag"] == '"3"'
    assert program.get(SETTINGS) == after


@pytest.mark.usefixtures("connected")
def test_the_whole_is_replaced_by_what_was_read(program: Program) -> None:
    read = program.get(SETTINGS)
    answer = program.send("PUT", SETTINGS, read | {"allow_sha1": True}, headers={"if-match": '"2"'})
    assert answer == read | {"allow_sha1": True}


@pytest.mark.usefixtures("connected")
def test_what_a_put_leaves_out_gets_its_default(program: Program, idp: Idp) -> None:
    program.send("PATCH", SETTINGS, {"provisioning": False, "proxy_count": 2}, headers=ANY)
    answer = program.send("PUT", SETTINGS, connection(idp), headers=ANY)
    assert (answer["provisioning"], answer["proxy_count"], answer["sign_in_url"]) == (True, None, "")


def test_saml_is_set_up_in_one_request(program: Program, idp: Idp) -> None:
    answer = program.send("PATCH", SETTINGS, connection(idp), headers={"if-match": '"1"'})
    assert (answer["single_sign_on"], answer["issuer"]) == (True, CONTOSO_ISSUER)
    assert answer["certificates"] == [idp.certificate.pem]


@pytest.mark.usefixtures("connected")
def test_saving_what_is_there_makes_no_version(program: Program) -> None:
    program.send("PUT", SETTINGS, program.get(SETTINGS), headers={"if-match": '"2"'})
    assert program.told.headers["etag"] == '"2"'


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_nobody_saves_without_saying_over_what(program: Program, method: str) -> None:
    assert program.refused(method, SETTINGS, {"provisioning": False}) == (428, [])
    assert version(program) == 1


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize("tag", ['"1"', '"3"', 'W/"2"', '"02"', '"1", "3"'])
def test_a_stale_tag_changes_nothing(program: Program, tag: str) -> None:
    """Version 2 is in force."""
    assert program.refused("PATCH", SETTINGS, {"provisioning": False}, headers={"if-match": tag}) == (412, [])
    assert program.told.headers["etag"] == '"2"'
    assert program.get(SETTINGS)["provisioning"] is True


def test_what_alice_saved_meanwhile_is_not_overwritten(program: Program, service: Service) -> None:
    """Not even where she changed something else: the program has not seen it."""
    tag = program.call("GET", SETTINGS).headers["etag"]
    saved_by_alice(service, provider_name="Contoso")
    assert program.refused("PUT", SETTINGS, {"provisioning": False}, headers={"if-match": tag}) == (412, [])
    assert program.get(SETTINGS)["provider_name"] == "Contoso"


def test_one_of_several_tags_is_enough(program: Program) -> None:
    program.send("PATCH", SETTINGS, {"provisioning": False}, headers={"if-match": '"7", "1"'})


@pytest.mark.parametrize("tag", ["2", "", '"2', "'2'", '"2" "3"'])
def test_a_tag_that_is_none_is_named(program: Program, tag: str) -> None:
    assert program.refused("PATCH", SETTINGS, {}, headers={"if-match": tag}) == (422, ["If-Match"])


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"isuer": "x"}, "isuer"),
        ({"provisioning": "yes"}, "provisioning"),
        ({"provisioning": None}, "provisioning"),
        ({"provisioning": 1}, "provisioning"),
        ({"issuer": None}, "issuer"),
        ({"issuer": 7}, "issuer"),
        ({"issuer": "no uri"}, "issuer"),
        ({"issuer": "x" * 5000}, "issuer"),
        ({"issuer": "http://localhost:8000/saml2"}, "issuer"),
        ({"sign_in_url": "javascript:alert(1)"}, "sign_in_url"),
        ({"sign_in_url": "https://idp.example/\u0000"}, "sign_in_url"),
        ({"sign_out_url": "https://user:password@idp.example/"}, "sign_out_url"),
        ({"certificates": ["nonsense"]}, "certificates.0"),
        ({"certificates": "nonsense"}, "certificates"),
        ({"certificates": [""] * 9}, "certificates"),
        ({"user_mapping": "email"}, "user_mapping"),
        ({"signed_part": "none"}, "signed_part"),
        ({"single_sign_on": True}, "issuer"),
        ({"password_sign_in": False}, "single_sign_on"),
        ({"requested_contexts": ["no uri"]}, "requested_contexts"),
        ({"requested_contexts": [f"urn:{number}" for number in range(17)]}, "requested_contexts"),
        ({"requested_contexts": [None]}, "requested_contexts.0"),
        ({"proxy_count": 11}, "proxy_count"),
        ({"proxy_count": 1.5}, "proxy_count"),
        ({"provider_name": "a\nb"}, "provider_name"),
        ({"first_name_attribute": ""}, "first_name_attribute"),
        ({"sign_out_binding": "post"}, "sign_out_binding"),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value)[:40],
)
def test_a_wrong_value_is_named_and_nothing_is_saved(program: Program, body: dict[str, Any], named: str) -> None:
    status, fields_named = program.refused("PATCH", SETTINGS, {"allow_sha1": True} | body, headers=ANY)
    assert status == 422
    assert named in fields_named
    assert version(program) == 1


@pytest.mark.parametrize(
    ("content", "named"), [(rb'{"provider_name": "\ud800"}', "provider_name"), (rb'{"\udfff": 1}', "body")]
)
def test_half_a_surrogate_pair_is_no_text(program: Program, content: bytes, named: str) -> None:
    headers = ANY | {"content-type": "application/json"}
    assert program.refused("PATCH", SETTINGS, content=content, headers=headers) == (422, [named])


def test_an_issuer_of_another_account_is_refused(program: Program, fabrikams: Program) -> None:
    other = Idp.make(FABRIKAM_ISSUER)
    fabrikams.send("PATCH", SETTINGS, connection(other), headers=ANY)
    assert program.refused("PATCH", SETTINGS, connection(other), headers=ANY) == (422, ["issuer"])


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 200_000, "application/json", 400),
        (b'{"proxy_count": ' + b"9" * 5000 + b"}", "application/json", 400),
        (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
        (b"", "application/json", 422),
        (b"allow_sha1=true", "application/x-www-form-urlencoded", 422),
        (b"{}", "application/json; charset=utf-7", 415),
        (b'{"issuer": "' + b"x" * 300_000 + b'"}', "application/json", 413),
    ],
    ids=["broken", "bytes", "deep", "long number", "list", "null", "nothing", "form", "charset", "large"],
)
def test_a_body_that_cannot_be_read(program: Program, content: bytes, kind: str, status: int) -> None:
    headers = ANY | {"content-type": kind}
    assert program.refused("PATCH", SETTINGS, content=content, headers=headers)[0] == status
    assert version(program) == 1


def test_a_reader_may_look_and_not_save(reader: Program) -> None:
    read = reader.get(SETTINGS)
    assert reader.refused("PUT", SETTINGS, read, headers=ANY) == (403, [])
    assert 'error="insufficient_scope"' in reader.told.headers["www-authenticate"]
    assert reader.refused("PATCH", SETTINGS, {"provisioning": False}, headers=ANY) == (403, [])
    assert version(reader) == 1


@pytest.mark.usefixtures("connected")
def test_the_history_names_the_program(program: Program) -> None:
    program.send("PATCH", SETTINGS, {"provisioning": False}, headers=ANY)
    items = program.get(f"{SETTINGS}/versions")["items"]
    assert [(item["version"], item["saved_by"]) for item in items] == [
        (3, "API token nightly"),
        (2, ALICE.email),
        (1, "setup"),
    ]
    assert items[0]["changes"] == [{"field": "provisioning", "before": "on", "after": "off"}]


def test_the_history_is_read_a_page_at_a_time(program: Program) -> None:
    for number in range(5):
        program.send("PATCH", SETTINGS, {"provider_name": f"Name {number}"}, headers=ANY)
    page, seen = program.get(f"{SETTINGS}/versions?limit=4"), []
    while page["next"]:
        seen += page["items"]
        page = program.get(page["next"])
    assert [item["version"] for item in seen + page["items"]] == [6, 5, 4, 3, 2, 1]
