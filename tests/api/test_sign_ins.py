"""The sign-in log by the API: lists, verdicts, messages, judging again, comparing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from api.conftest import Program
from browser import StillClock
from cast import BOB, BRITTA, CONTOSO_ISSUER, NOW
from responses import Idp, form
from web.sign_in_log.conftest import Door

from sp.saml.checks import CHECKS


def references(page: dict[str, Any]) -> list[str]:
    return [item["reference"] for item in page["items"]]


def test_the_newest_comes_first(program: Program, door: Door, clock: StillClock) -> None:
    seen = []
    for _ in range(3):
        seen.append(door.accepted().reference)
        clock.advance(seconds=1)
    page = program.get("/sign-ins")
    assert references(page) == seen[::-1]
    assert page["latest"] == seen[-1]
    assert page["next"] is None


def test_a_log_is_read_backwards_a_page_at_a_time(program: Program, door: Door, clock: StillClock) -> None:
    seen = []
    for number in range(7):
        seen.append(door.refused().reference)
        clock.advance(seconds=number % 2)  # some at the same time
    page, found = program.get("/sign-ins?limit=2&outcome=refused"), []
    while page["next"]:
        found += references(page)
        page = program.get(page["next"])
    assert found + references(page) == seen[::-1]


def test_what_came_after_is_read_forwards(program: Program, door: Door) -> None:
    seen = [door.accepted().reference for _ in range(5)]
    assert references(program.get(f"/sign-ins?after={seen[2]}")) == seen[3:]
    page = program.get("/sign-ins?after=start&limit=2")
    assert (references(page), page["latest"]) == (seen[:2], seen[1])
    assert references(program.get(page["next"])) == seen[2:4]


def test_latest_leads_on(program: Program, door: Door) -> None:
    latest = program.get("/sign-ins?limit=1")["latest"]
    assert latest == "start"
    first = door.accepted().reference
    page = program.get(f"/sign-ins?after={latest}")
    assert (references(page), page["latest"]) == ([first], first)
    page = program.get(f"/sign-ins?after={page['latest']}")
    assert (references(page), page["latest"]) == ([], first)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("outcome=accepted", 1),
        ("outcome=refused", 2),
        ("code=audience", 1),
        ("code=recipient", 1),
        ("user=BRITTA", 2),
        ("user=nobody", 0),
        ("user=%00", 3),
        ("issuer=idp.contoso", 3),
        ("since=2030-01-31T12:00:01Z", 2),
        ("until=2030-01-31T12:00:01Z", 1),
        ("since=2030-01-31T12:00:00%2B01:00", 3),
        ("after=start&outcome=refused", 2),
        ("after=start&code=audience", 1),
    ],
)
def test_the_log_is_filtered(
    program: Program,
    door: Door,
    clock: StillClock,
    query: str,
    count: int,
) -> None:
    door.accepted()
    clock.advance(seconds=1)
    door.refused()
    clock.advance(seconds=1)
    door.refused(audience="http://localhost:8000/saml2", recipient="http://elsewhere/", name_id=BOB.email)
    assert len(program.get(f"/sign-ins?{query}")["items"]) == count


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("outcome=maybe", "outcome"),
        ("code=audince", "code"),
        ("since=yesterday", "since"),
        ("since=0001-01-01T00:00:00", "since"),
        ("until=9999-12-31T23:59:59", "until"),
        ("before=NOSUCHXX", "before"),
        ("after=NOSUCHXX", "after"),
        ("after=x", "after"),
        ("after=start&before=start", "before"),
        ("wait=1&before=NOSUCHXX", "before"),
        ("wait=61", "wait"),
        ("wait=-1", "wait"),
        ("wait=x", "wait"),
        ("limit=0", "limit"),
        ("outcom=refused", "outcom"),
    ],
)
def test_a_wrong_parameter_is_named(program: Program, query: str, named: str) -> None:
    assert program.refused("GET", f"/sign-ins?{query}") == (422, [named])


def test_the_verdict_has_a_row_for_every_check(program: Program, door: Door) -> None:
    reference = door.refused(attributes={"groups": ("staff", "admins")}).reference
    told = program.get(f"/sign-ins/{reference.lower()}")
    assert [row["code"] for row in told["report"]] == [check.code for check in CHECKS]
    assert (told["outcome"], told["failed"], told["settings_version"]) == ("refused", ["audience"], 2)
    assert told["identity"]["name_id"]["value"] == BRITTA.email
    assert told["identity"]["attributes"] == {"groups": ["staff", "admins"]}
    assert told["certificate"] == door.idp.certificate.sha256
    assert told["remedy"]


def test_an_identity_that_nothing_verified_is_not_told(program: Program, door: Door) -> None:
    stranger = Idp.make(CONTOSO_ISSUER, "rsa").with_key("mallory")
    reference = door.post(stranger.response(now=NOW)).reference
    told = program.get(f"/sign-ins/{reference}")
    assert (told["identity"], told["certificate"], told["username"]) == (None, None, "")
    assert told["unverified_username"] == BRITTA.email


def test_the_same_bytes_are_judged_in_other_circumstances(program: Program, door: Door) -> None:
    reference = door.refused().reference
    told = program.send("POST", f"/sign-ins/{reference}/judge-again", {"entity_id": "urn:another"})
    assert (told["then"]["outcome"], told["now"]["outcome"]) == ("refused", "accepted")
    assert "audience" in [row["code"] for row in told["differences"]]
    assert len(program.get("/sign-ins")["items"]) == 1


def test_a_reader_may_judge_again(reader: Program, door: Door) -> None:
    """It leaves no trace."""
    reference = door.accepted().reference
    later = (NOW + timedelta(hours=3)).isoformat()
    told = reader.send("POST", f"/sign-ins/{reference}/judge-again", {"at": later})
    assert told["now"]["outcome"] == "refused"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"settings_version": 9}, "settings_version"),
        ({"settings_version": -1}, "settings_version"),
        ({"settings_version": 10**30}, "settings_version"),
        ({"settings_version": "1"}, "settings_version"),
        ({"certificates": []}, "certificates"),
        ({"certificates": ["x"]}, "certificates.0"),
        ({"at": "now"}, "at"),
        ({"at": 4711}, "at"),
        ({"at": "9999-12-31T23:59:59Z"}, "at"),
        ({"signed_part": "none"}, "signed_part"),
        ({"allow_sha1": "yes"}, "allow_sha1"),
        ({"now": "2030-01-31T12:00:00Z"}, "now"),
    ],
    ids=str,
)
def test_a_wrong_circumstance_is_named(program: Program, door: Door, body: dict[str, Any], named: str) -> None:
    reference = door.accepted().reference
    assert program.refused("POST", f"/sign-ins/{reference}/judge-again", body) == (422, [named])


def test_another_version_of_the_settings_judges(program: Program, door: Door) -> None:
    reference = door.accepted().reference
    told = program.send("POST", f"/sign-ins/{reference}/judge-again", {"settings_version": 1})
    assert told["now"]["outcome"] == "refused"


def test_two_sign_ins_are_compared(program: Program, door: Door) -> None:
    one, other = door.accepted().reference, door.refused().reference
    told = program.get(f"/sign-ins/compare?a={one}&b={other}")
    lines = {line["key"]: line for line in told["items"]}
    assert lines["conditions.audience"]["b"]["values"] == ["urn:another"]
    assert all(line["differs"] for line in told["items"])
    everything = program.get(f"/sign-ins/compare?a={one}&b={other}&all=true")["items"]
    assert len(everything) > len(lines)


def test_what_was_never_decoded_has_no_message(lone_program: Program, lone_door: Door) -> None:
    reference = lone_door.post(form=form(("SAMLResponse", "%%%"))).reference
    assert lone_program.get(f"/sign-ins/{reference}")["failed"] == ["base64"]
    assert lone_program.refused("GET", f"/sign-ins/{reference}/message") == (404, [])
    assert lone_program.refused("POST", f"/sign-ins/{reference}/judge-again", {}) == (409, [])


def test_where_there_is_one_company_its_program_sees_what_names_no_account(
    lone_program: Program, lone_door: Door
) -> None:
    made = [
        lone_door.accepted().reference,
        lone_door.post(Idp("https://idp.contoso.example", lone_door.idp.key_name).response(now=NOW)).reference,
    ]
    assert references(lone_program.get("/sign-ins")) == made[::-1]
    again = f"/sign-ins/{made[1]}/judge-again"
    wanted = {"issuer": "https://idp.contoso.example"}
    assert lone_program.refused("POST", again, wanted) == (422, ["settings_version"])
    told = lone_program.send("POST", again, wanted | {"settings_version": 2})
    assert told["now"]["outcome"] == "accepted"


def test_fabrikams_program_sees_nothing_of_contosos(
    fabrikams: Program,
    door: Door,
) -> None:
    one, other = door.accepted().reference, door.refused().reference
    page = fabrikams.get("/sign-ins")
    assert (page["items"], page["latest"]) == ([], "start")
    assert fabrikams.refused("GET", f"/sign-ins/{one}") == (404, [])
    assert fabrikams.refused("GET", f"/sign-ins/{one}/message") == (404, [])
    assert fabrikams.refused("POST", f"/sign-ins/{one}/judge-again", {}) == (404, [])
    assert fabrikams.refused("GET", f"/sign-ins/compare?a={one}&b={other}") == (404, [])
    assert fabrikams.refused("GET", f"/sign-ins?before={one}") == (422, ["before"])
    assert fabrikams.refused("GET", f"/sign-ins?after={one}") == (422, ["after"])
    assert fabrikams.refused("GET", "/sign-ins/events", headers={"last-event-id": one})[0] == 422


def test_what_names_no_account_is_nobodys_among_two_companies(
    program: Program,
    fabrikams: Program,
    door: Door,
) -> None:
    """Each would else see whom the other one's identity provider names."""
    reference = door.post(Idp.make("https://idp.unknown.example/").response(now=NOW)).reference
    for each in (program, fabrikams):
        assert each.get("/sign-ins")["items"] == []
        assert each.refused("GET", f"/sign-ins/{reference}") == (404, [])


def test_an_unknown_reference(program: Program) -> None:
    assert program.refused("GET", "/sign-ins/NOSUCHXX") == (404, [])
    assert program.refused("GET", "/sign-ins/compare?a=NOSUCHXX&b=NOSUCHXX") == (404, [])
    assert program.refused("GET", "/sign-ins/compare?a=NOSUCHXX") == (422, ["b"])
    assert program.refused("GET", f"/sign-ins/{'x' * 65}") == (422, ["reference"])
