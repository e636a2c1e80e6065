"""The client and what people do: users, sessions, sign-ins."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from sp.client import ProblemError, User, VirtualOffice
from sp.testing.identity_provider import IdentityProvider
from sp.testing.office import OfficeUnderTest

BRITTA = "britta@contoso.com"


def _britta(office: VirtualOffice) -> User:
    return office.create_user(first_name="Britta", last_name="Simon", email=BRITTA)


def test_the_life_of_a_user(virtual_office: OfficeUnderTest, identity_provider: IdentityProvider) -> None:
    britta = _britta(virtual_office)
    assert virtual_office.user(britta.id) == britta
    assert virtual_office.change_user(britta.id, last_name="Smith").last_name == "Smith"
    identity_provider.sign_in(BRITTA)
    assert virtual_office.disable_user(britta.id).status == "disabled"
    assert identity_provider.sign_in(BRITTA).failed == ("user_active",)
    assert virtual_office.enable_user(britta.id).status == "active"
    virtual_office.delete_user(britta.id)
    with pytest.raises(ProblemError) as gone:
        virtual_office.user(britta.id)
    assert (gone.value.status, gone.value.kind) == (404, "not-found")


def test_lists_are_read_over_all_their_pages(virtual_office: OfficeUnderTest) -> None:
    made = [
        virtual_office.create_user(first_name="Agent", last_name=f"Number {number}", email=f"a{number}@contoso.com").id
        for number in range(53)
    ]
    assert [user.id for user in virtual_office.users()] == made
    assert [user.last_name for user in virtual_office.users(username="A52@contoso.com")] == ["Number 52"]


def test_sessions_are_seen_and_ended(virtual_office: OfficeUnderTest, identity_provider: IdentityProvider) -> None:
    signed_in = [identity_provider.sign_in(name).reference for name in (BRITTA, BRITTA, "bob@contoso.com")]
    sessions = list(virtual_office.sessions())
    assert [session.sign_in for session in sessions] == signed_in[::-1]
    assert (sessions[2].username, sessions[2].name_id) == (BRITTA, BRITTA)
    virtual_office.end_session(sessions[1].id)
    assert virtual_office.end_sessions_of(sessions[2].user_id) == 1
    assert virtual_office.end_sessions() == 1
    assert list(virtual_office.sessions()) == []


def test_the_list_of_sign_ins_takes_filters(
    virtual_office: OfficeUnderTest, identity_provider: IdentityProvider
) -> None:
    good = identity_provider.sign_in(BRITTA)
    bad = identity_provider.sign_in(BRITTA, fault="audience")
    hour = timedelta(hours=1)
    wanted = {
        "all": virtual_office.sign_ins(),
        "in order": virtual_office.sign_ins(after="start"),
        "refused": virtual_office.sign_ins(outcome="refused", code="audience"),
        "of nobody": virtual_office.sign_ins(user="mallory"),
        "before": virtual_office.sign_ins(before=bad.reference),
        "lately": virtual_office.sign_ins(since=datetime.now(UTC) - hour, until=datetime.now(UTC) + hour),
        "soon": virtual_office.sign_ins(since=datetime.now(UTC) + hour),
    }
    assert {name: [entry.reference for entry in found] for name, found in wanted.items()} == {
        "all": [bad.reference, good.reference],
        "in order": [good.reference, bad.reference],
        "refused": [bad.reference],
        "of nobody": [],
        "before": [good.reference],
        "lately": [bad.reference, good.reference],
        "soon": [],
    }


def test_verdicts_are_compared_and_judged_again(
    virtual_office: OfficeUnderTest, identity_provider: IdentityProvider
) -> None:
    good = identity_provider.sign_in(BRITTA)
    bad = identity_provider.sign_in(BRITTA, fault="audience")
    assert bad.identity is not None
    assert bad.identity.name_id.value == BRITTA
    again = virtual_office.judge_again(bad.reference, entity_id=bad.row("audience").received)
    assert (again.then.failed, again.now.failed) == (("audience",), ())
    assert [difference.code for difference in again.differences] == ["audience"]
    late = virtual_office.judge_again(good.reference, at=datetime.now(UTC) + timedelta(days=2))
    assert "not_on_or_after" in late.now.failed
    assert "check:audience" in [line.key for line in virtual_office.compare(good.reference, bad.reference).items]
    with pytest.raises(KeyError):
        good.row("no_such_check")


def test_expectations_are_declared_awaited_and_told(
    virtual_office: OfficeUnderTest, identity_provider: IdentityProvider
) -> None:
    declared = virtual_office.declare_expectation(outcome="accepted", attributes={"groups": {"absent": True}})
    assert (declared.status, declared.sign_in) == ("waiting", None)
    with pytest.raises(TimeoutError, match="within 1 seconds"):
        virtual_office.wait_for_expectation(declared.reference, timeout=1)
    came = identity_provider.sign_in(BRITTA, fault="audience")
    answer = virtual_office.wait_for_expectation(declared.reference, timeout=10)
    assert (answer.status, answer.sign_in) == ("not_met", came.reference)
    assert [(line.field, line.received) for line in answer.differences] == [("outcome", "refused")]
    assert virtual_office.expectation(declared.reference) == answer
    assert "<testsuite" in virtual_office.expectation_as_junit(declared.reference)


def test_a_wait_ends_when_somebody_signs_in(
    virtual_office: OfficeUnderTest, identity_provider: IdentityProvider
) -> None:
    office: VirtualOffice = virtual_office
    came: list[str] = []
    before = office.latest_sign_in()
    waiter = threading.Thread(target=lambda: came.append(office.wait_for_sign_in(after=before, timeout=60).reference))
    waiter.start()
    signed_in = identity_provider.sign_in(BRITTA)
    waiter.join(60)
    assert came == [signed_in.reference]


def test_events_are_read_as_they_come(virtual_office: OfficeUnderTest, identity_provider: IdentityProvider) -> None:
    came = [identity_provider.sign_in(BRITTA).reference for _ in range(2)]
    events = virtual_office.sign_in_events(after="start")
    assert [next(events).reference for _ in range(2)] == came
    events.close()  # type: ignore[attr-defined]  # it is a generator


def test_a_wrong_token_and_an_answer_that_is_no_problem(virtual_office: OfficeUnderTest) -> None:
    with VirtualOffice(virtual_office.base_url, "vo_wrong") as stranger, pytest.raises(ProblemError) as refused:
        stranger.account()
    assert (refused.value.status, refused.value.kind) == (401, "unauthenticated")
    with VirtualOffice(f"{virtual_office.base_url}/nowhere", "vo_wrong") as lost, pytest.raises(ProblemError) as missed:
        lost.account()
    assert (missed.value.status, missed.value.kind, missed.value.errors) == (404, "", ())
