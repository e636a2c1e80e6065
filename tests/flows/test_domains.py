"""Two companies share a realm: neither takes, learns or blocks the other's usernames and issuers.

Every surface that creates or renames a user answers the same for a name that exists at the other company and for one
that does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from begun import answer, begin
from cast import BRITTA, CONTOSO_ISSUER, FABRIKAM_ISSUER, MALLORY_ISSUER, NOW
from house import House
from profiles import add_profile
from responses import Idp
from structlog.testing import capture_logs

from sp.diagnosis.sides import sides
from sp.flows import account_setup, domains, judging_again, user_profiles
from sp.flows.account_setup import Invalid, Saved
from sp.flows.assertion_consumer import SignIn
from sp.flows.domains import (
    AddedDomain,
    DomainProblem,
    RefusedDomain,
    may_create_username,
    users_outside,
    warn_of_users_outside,
)
from sp.flows.issuer_moving import MovedIssuer, move_issuer
from sp.flows.issuers import HeldIssuer, held_issuers
from sp.flows.settings_applying import apply_settings
from sp.flows.settings_file import Unreadable, Wanted, read_settings_file
from sp.flows.sign_in_started_here import find_account
from sp.flows.user_profiles import Profile
from sp.models import Account, SignInAttempt, User, UserStatus
from sp.store import accounts, sign_in_attempts, users
from sp.store.rows import required

FREE = "carol@contoso.example"  # nobody has it; BRITTA's exists
ELSEWHERE = "dave@unowned.example"  # nobody owns the domain; Dave exists at Contoso
NOT_AT_ALL = "erin@unowned.example"


@dataclass
class Two:
    """Contoso with Britta and Dave, and Fabrikam, which owns fabrikam.example and trusts its own provider."""

    house: House
    contoso: Account
    fabrikam: Account
    idp: Idp

    def created(self, username: str) -> User | None:
        with self.house.database.reading() as session:
            return users.user_named(session, self.fabrikam.realm_id, username)

    def sign_in(self, username: str, **changes: Any) -> SignIn:
        return self.house.post(self.idp.response(name_id=username, **changes))


@pytest.fixture
def two(house: House) -> Two:
    idp = Idp.make(FABRIKAM_ISSUER)
    fabrikam = house.add_account("Fabrikam", "fabrikam")
    house.configure("fabrikam", issuer=idp.entity_id, certificates=(idp.certificate,), sign_in_url="https://f.example/")
    with house.database.reading() as session:
        contoso = accounts.account_by_slug(session, "business")
    assert contoso is not None
    add_profile(house.database, contoso)
    add_profile(house.database, contoso, username=ELSEWHERE)
    return Two(house, contoso, fabrikam, idp)


Answer = dict[str, Any]


def by_sign_in(two: Two, username: str) -> Answer:
    report = two.sign_in(username).judgement.report
    row = report.row("user_link")
    return {"failed": report.failed, "warnings": report.warnings, "row": (sides(row).expected, sides(row).received)}


def by_federation_id(two: Two, username: str) -> Answer:
    two.house.configure(
        "fabrikam", issuer=two.idp.entity_id, certificates=(two.idp.certificate,), user_mapping="federation-id"
    )
    return by_sign_in(two, username)


def kept_of_a_sign_in(two: Two, username: str) -> Answer:
    """What the log keeps, and what judging it again says now."""
    sign_in = two.sign_in(username)
    with two.house.database.reading() as session:
        attempt = sign_in_attempts.attempt_by_reference(session, sign_in.reference)
        assert isinstance(attempt, SignInAttempt)
        again = judging_again.judge_again(session, attempt, judging_again.Changes(settings_id=attempt.settings_id))
    return {"holder": attempt.expectations["holder"], "again": again.report.failed}


def by_adding(two: Two, username: str) -> Answer:
    with two.house.database.writing() as session:
        added = user_profiles.add_user(session, two.fabrikam, Profile("A", "B", "a@b.example", username), NOW)
    return _errors(added)


def by_renaming(two: Two, username: str) -> Answer:
    named = f"charlie-{len(username)}@fabrikam.example"
    with two.house.database.writing() as session:
        added = user_profiles.add_user(session, two.fabrikam, Profile("A", "B", "a@b.example", named), NOW)
        user = added if isinstance(added, User) else users.user_named(session, two.fabrikam.realm_id, named)
        assert user is not None
        before = user_profiles.profile_of(user)
        edited = user_profiles.edit(
            session, user, replace(before, username=username), mark=user_profiles.mark_of(before)
        )
    return _errors(edited)


def by_a_settings_file(two: Two, username: str) -> Answer:
    text = (
        "companies: [{name: Fabrikam, accounts: [{slug: fabrikam, users: "
        f"[{{username: {username}, first_name: A, last_name: B}}]}}]}}]"
    )
    wanted = read_settings_file(text.encode(), lambda _name: b"")
    assert isinstance(wanted, Wanted)
    with two.house.database.writing() as session:
        outcome = apply_settings(session, two.house.settings, wanted, NOW)
        session.rollback()
    assert isinstance(outcome, Unreadable)
    return {"faults": [(fault.place, fault.sentence) for fault in outcome.faults]}


def _errors(outcome: object) -> Answer:
    assert isinstance(outcome, Invalid)
    return dict(outcome.errors)


SURFACES = (
    by_sign_in,
    by_federation_id,
    kept_of_a_sign_in,
    by_adding,
    by_renaming,
    by_a_settings_file,
)


class TestTwoCompanies:
    @pytest.mark.parametrize(
        ("there", "missing"),
        [(BRITTA.email, FREE), (BRITTA.email.upper(), FREE), (ELSEWHERE, NOT_AT_ALL)],
        ids=["in the other's domain", "in other letters", "in nobody's domain"],
    )
    @pytest.mark.parametrize("surface", SURFACES)
    def test_a_name_that_exists_elsewhere_and_one_that_does_not_get_one_answer(
        self, two: Two, surface: Callable[[Two, str], Answer], there: str, missing: str
    ) -> None:
        assert str(surface(two, there)).replace(there, "NAME") == str(surface(two, missing)).replace(missing, "NAME")
        assert two.created(missing) is None

    @pytest.mark.parametrize("username", ["charlie", "charlie@sub.fabrikam.example", "charlie@contoso.example@nowhere"])
    def test_a_name_in_no_domain_of_the_company_is_refused(self, two: Two, username: str) -> None:
        assert two.sign_in(username).judgement.report.failed == ("user_link",)
        assert list(by_adding(two, username)) == ["username"]
        assert two.created(username) is None

    def test_names_of_the_own_domain_are_created(self, two: Two) -> None:
        assert two.sign_in("Charlie@FABRIKAM.example").provisioned
        with two.house.database.writing() as session:
            profile = Profile("A", "B", "a@b.example", "mallory@contoso.example@fabrikam.example")
            assert isinstance(user_profiles.add_user(session, two.fabrikam, profile, NOW), User)

    def test_a_user_named_before_signs_in_and_keeps_the_name(self, two: Two) -> None:
        kept = add_profile(two.house.database, two.fabrikam, username="guest@contoso.example")
        assert two.sign_in("guest@contoso.example").accepted
        with two.house.database.writing() as session:
            user = users.user_of_account(session, required(two.fabrikam.id), required(kept.id))
            assert user is not None
            before = user_profiles.profile_of(user)
            changed = replace(before, first_name="Guest", username="Guest@contoso.example")
            assert isinstance(user_profiles.edit(session, user, changed, mark=user_profiles.mark_of(before)), User)

    def test_a_name_of_the_own_domain_that_another_company_holds_is_refused_as_any_other(self, two: Two) -> None:
        add_profile(two.house.database, two.contoso, username="old@fabrikam.example")
        assert str(by_sign_in(two, "old@fabrikam.example")).replace("old@fabrikam", "x@contoso") == str(
            by_sign_in(two, "x@contoso.example")
        )

    def test_a_user_of_the_domain_is_created_after_a_sign_in_was_refused_and_the_domain_given(self, two: Two) -> None:
        assert not two.sign_in("x@fabrikam.com").accepted
        with two.house.database.writing() as session:
            company = accounts.company_named(session, "Fabrikam")
            assert company is not None
            assert domains.add_domain(session, company, "Fabrikam.com", NOW) == AddedDomain("fabrikam.com", is_new=True)
        assert two.sign_in("x@fabrikam.com", assertion_id="_second").provisioned

    def test_the_owner_of_the_domain_decides_where_a_sign_in_begins(self, two: Two) -> None:
        add_profile(two.house.database, two.fabrikam, username="guest@contoso.example")
        two.house.configure(sign_in_url="https://c.example/")
        with two.house.database.reading() as session:
            assert find_account(session, BRITTA.email) == "business"
            assert find_account(session, "nobody@CONTOSO.example") == "business"
            assert find_account(session, "nobody@fabrikam.example") == "fabrikam"


class TestOneCompany:
    @pytest.mark.parametrize("username", ["britta", "britta@anywhere.example", "E1234"])
    def test_nothing_is_asked_of_a_name(self, house: House, username: str) -> None:
        assert house.post(house.idp.response(name_id=username)).provisioned

    def test_a_second_account_of_the_company_changes_nothing(self, house: House) -> None:
        with house.database.writing() as session:
            company = accounts.company_named(session, "Contoso")
            assert company is not None
            second = accounts.add_account(session, company, "Second", "second", NOW)
            assert may_create_username(session, required(second.id), "britta")


class TestOwners:
    def add(self, house: House, company: str, domain: str) -> AddedDomain | RefusedDomain:
        with house.database.writing() as session:
            found = accounts.company_named(session, company)
            assert found is not None
            return domains.add_domain(session, found, domain, NOW)

    def test_a_domain_has_one_owner_in_every_spelling(self, two: Two) -> None:
        house = two.house
        assert self.add(house, "Contoso", "bücher.example") == AddedDomain("xn--bcher-kva.example", is_new=True)
        assert self.add(house, "Contoso", "xn--bcher-kva.example") == AddedDomain("xn--bcher-kva.example", is_new=False)
        refused = self.add(house, "Fabrikam", "BÜCHER.example")
        assert refused == RefusedDomain("BÜCHER.example", DomainProblem.OWNED, "Contoso")
        with house.database.writing() as session:
            assert domains.remove_domain(session, "Bücher.example")
            assert not domains.remove_domain(session, "Bücher.example")
        assert isinstance(self.add(house, "Fabrikam", "bücher.example"), AddedDomain)

    def test_text_that_is_no_domain_is_refused(self, two: Two) -> None:
        refused = self.add(two.house, "Fabrikam", "a@b.example")
        assert isinstance(refused, RefusedDomain)
        assert refused.problem is DomainProblem.NOT_A_DOMAIN

    def test_the_first_company_owns_its_domains(self, house: House) -> None:
        assert isinstance(house.add_account("Fabrikam", "fabrikam"), Account)
        assert self.add(house, "Contoso", "contoso.com") == AddedDomain("contoso.com", is_new=False)
        assert self.add(house, "Contoso", "contoso.example") == AddedDomain("contoso.example", is_new=False)

    def test_users_outside_are_listed_only_where_companies_share_the_realm(self, house: House) -> None:
        with house.database.reading() as session:
            contoso = accounts.account_by_slug(session, "business")
        assert contoso is not None
        for name in ("britta", "x@evil.example", "y@contoso.example", "z@bücher.example"):
            add_profile(house.database, contoso, username=name)
        add_profile(house.database, contoso, username="gone", status=UserStatus.DELETED)
        self.add(house, "Contoso", "bücher.example")
        with house.database.reading() as session:
            assert list(users_outside(session)) == []
        house.add_account("Fabrikam", "fabrikam")
        with house.database.reading() as session:
            assert [user.username for user in users_outside(session)] == ["britta", "x@evil.example"]
        with capture_logs() as logged:
            warn_of_users_outside(house.database)
        (event,) = logged
        assert (event["event"], event["users"]) == ("users_outside_domains", 2)
        assert event["first"] == ["britta", "x@evil.example"]


class TestReleasing:
    def test_a_released_name_is_free_for_the_owner_of_its_domain(self, two: Two) -> None:
        assert two.sign_in("charlie@fabrikam.example").accepted
        held = add_profile(two.house.database, two.contoso, username="dora@fabrikam.example", status=UserStatus.DELETED)
        assert not two.sign_in("dora@fabrikam.example").accepted
        with two.house.database.writing() as session:
            user = users.user_of_account(session, required(two.contoso.id), required(held.id))
            assert user is not None
            assert user_profiles.release(session, user)
        assert two.sign_in("dora@fabrikam.example", assertion_id="_again").provisioned

    def test_the_log_of_a_released_user_stays(self, two: Two) -> None:
        first = two.sign_in("charlie@fabrikam.example")
        with two.house.database.writing() as session:
            user = users.user_named(session, two.fabrikam.realm_id, "charlie@fabrikam.example")
            assert user is not None
            assert not user_profiles.release(session, user)  # only a deleted one is released
            user_profiles.delete(session, user)
            assert user_profiles.release(session, user)
        with two.house.database.reading() as session:
            attempt = sign_in_attempts.attempt_by_reference(session, first.reference)
        assert attempt is not None
        assert (attempt.username, attempt.user_id) == ("charlie@fabrikam.example", None)


class TestIssuers:
    def save(self, two: Two, slug: str, **changes: Any) -> Saved | Invalid:
        with two.house.database.writing() as session:
            account = accounts.account_by_slug(session, slug)
            assert account is not None
            draft = replace(account_setup.draft_of(session, account), **changes)
            return account_setup.save_sso_settings(
                session, two.house.settings, account, draft, saved_by="charlie", now=NOW
            )

    def move(self, two: Two, issuer: str, slug: str) -> MovedIssuer | Invalid:
        with two.house.database.writing() as session:
            account = accounts.account_by_slug(session, slug)
            assert account is not None
            return move_issuer(session, two.house.settings, issuer, account, NOW)

    def held(self, two: Two) -> dict[str, HeldIssuer]:
        with two.house.database.reading() as session:
            return {one.issuer: one for one in held_issuers(session)}

    @pytest.mark.parametrize("setting", ["issuer", "sign_out_issuer"])
    @pytest.mark.parametrize("holders_setting", ["issuer", "sign_out_issuer"])
    def test_the_second_company_learns_only_that_the_operator_decides(
        self, two: Two, setting: str, holders_setting: str
    ) -> None:
        name = "https://sts.example/tenant/"
        two.house.configure(**{"issuer": CONTOSO_ISSUER, holders_setting: name})
        refused = self.save(two, "fabrikam", **{setting: name})
        assert isinstance(refused, Invalid)
        assert list(refused.errors) == [setting]
        assert "operator" in refused.errors[setting]
        assert not {"another", "account", "contoso", "trusts"} & set(refused.errors[setting].lower().split())
        held = self.held(two)[name]
        assert (held.account.slug, held.setting) == ("business", holders_setting)
        asked = held.conflicts[0]
        assert (asked.asked_by.slug, asked.conflict.setting, asked.conflict.times) == ("fabrikam", setting, 1)

    def test_asking_again_is_counted_and_an_account_of_the_same_company_is_no_conflict(self, two: Two) -> None:
        for _ in range(3):
            self.save(two, "fabrikam", issuer=CONTOSO_ISSUER)
        with two.house.database.writing() as session:
            company = accounts.company_named(session, "Contoso")
            assert company is not None
            accounts.add_account(session, company, "Second", "second", NOW)
        second = self.save(two, "second", issuer=CONTOSO_ISSUER)
        assert isinstance(second, Invalid)
        assert "Another account trusts this issuer already" in second.errors["issuer"]
        held = self.held(two)[CONTOSO_ISSUER]
        assert [(one.asked_by.slug, one.conflict.times) for one in held.conflicts] == [("fabrikam", 3)]

    def test_an_issuer_that_its_holder_has_in_both_settings_can_be_moved(self, two: Two) -> None:
        """Else a company could keep the operator from moving what it has occupied."""
        name = "https://sts.example/tenant/"
        two.house.configure(issuer=name, sign_out_issuer=name)
        assert isinstance(self.move(two, name, "fabrikam"), MovedIssuer)
        assert self.held(two)[name].account.slug == "fabrikam"

    def test_text_that_is_no_issuer_is_not_looked_up(self, two: Two) -> None:
        assert isinstance(self.save(two, "fabrikam", issuer="urn:\0"), Invalid)
        assert not any(one.conflicts for one in self.held(two).values())

    def test_the_operator_moves_an_issuer_that_another_company_entered_first(self, two: Two) -> None:
        squatted = Idp.make(MALLORY_ISSUER)
        assert isinstance(
            self.save(two, "fabrikam", issuer=squatted.entity_id, certificates=(squatted.certificate,)), Saved
        )
        wanted = {"issuer": squatted.entity_id, "certificates": (squatted.certificate,)}
        assert isinstance(self.save(two, "business", **wanted), Invalid)
        assert two.house.post(squatted.response(name_id="mole@fabrikam.example")).accepted
        moved = self.move(two, squatted.entity_id, "business")
        assert isinstance(moved, MovedIssuer)
        assert (moved.taken_from.slug, moved.setting) == ("fabrikam", "issuer")
        held = self.held(two)[squatted.entity_id]
        assert (held.account.slug, held.conflicts) == ("business", ())
        with two.house.database.reading() as session:
            fabrikam = accounts.account_by_slug(session, "fabrikam")
            assert fabrikam is not None
            draft = account_setup.draft_of(session, fabrikam)
        assert (draft.issuer, draft.single_sign_on, draft.password_sign_in) == ("", False, True)
        assert isinstance(self.save(two, "business", certificates=(squatted.certificate,)), Saved)
        assert two.house.post(squatted.response(name_id=BRITTA.email, assertion_id="_second")).accepted
        assert isinstance(self.save(two, "fabrikam", issuer=squatted.entity_id), Invalid)

    def test_a_sign_out_issuer_is_moved_as_what_was_asked_for(self, two: Two) -> None:
        name = "https://sts.example/tenant/"
        two.house.configure(sign_out_issuer=name)
        self.save(two, "fabrikam", sign_out_issuer=name)
        moved = self.move(two, name, "fabrikam")
        assert isinstance(moved, MovedIssuer)
        with two.house.database.reading() as session:
            drafts = {
                slug: account_setup.draft_of(session, required(accounts.account_by_slug(session, slug)))
                for slug in ("business", "fabrikam")
            }
        assert (drafts["business"].sign_out_issuer, drafts["business"].single_sign_on) == ("", True)
        assert (drafts["fabrikam"].sign_out_issuer, drafts["fabrikam"].issuer) == (name, FABRIKAM_ISSUER)

    def test_an_issuer_that_no_other_account_has_cannot_be_moved(self, two: Two) -> None:
        assert isinstance(self.move(two, CONTOSO_ISSUER, "business"), Invalid)

    @pytest.mark.parametrize("issuer", [CONTOSO_ISSUER.rstrip("/"), CONTOSO_ISSUER.upper(), MALLORY_ISSUER])
    def test_the_report_for_an_unknown_issuer_names_no_companys_issuer(self, two: Two, issuer: str) -> None:
        sign_in = two.house.post(Idp.make(issuer).response())
        row = sign_in.judgement.report.row("issuer")
        assert sides(row).expected == "the Issuer URL of an account"
        with two.house.database.reading() as session:
            attempt = sign_in_attempts.attempt_by_reference(session, sign_in.reference)
        assert attempt is not None
        assert (attempt.account_id, attempt.expectations["nearest_issuer"]) == (None, "")

    def test_the_report_names_the_issuer_of_the_account_that_asked(self, two: Two) -> None:
        """Another spelling of the own issuer is told to those who began here, and of another company's is not."""
        for issuer, expected in (
            (FABRIKAM_ISSUER.rstrip("/"), FABRIKAM_ISSUER),
            (CONTOSO_ISSUER.rstrip("/"), FABRIKAM_ISSUER),
        ):
            sent = begin(two.house, slug="fabrikam")
            sign_in = answer(two.house, sent, idp=Idp(issuer, two.idp.key_name))
            assert sides(sign_in.judgement.report.row("issuer")).expected == expected

    def test_a_sign_out_message_of_an_unknown_issuer_is_told_no_issuer(self, two: Two) -> None:
        received = CONTOSO_ISSUER.rstrip("/")
        with two.house.database.reading() as session:
            assert accounts.nearest_issuer(session, two.contoso.realm_id, received) == ""
            assert accounts.nearest_issuer(session, two.contoso.realm_id, received, account_id=two.contoso.id) == (
                CONTOSO_ISSUER
            )
