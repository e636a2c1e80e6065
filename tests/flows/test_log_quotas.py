"""Nobody's messages push another account's out of the logs, and what anybody may send takes bounded space."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta

from cast import FABRIKAM_ISSUER, NOW
from house import House
from logouts import posted_form, request
from responses import Idp, Mutation
from sqlalchemy import func, insert, select

from sp.flows import housekeeping
from sp.flows.assertion_consumer import SignIn
from sp.flows.evidence import evidence_of
from sp.flows.logout_consumer import LogoutDelivery, receive
from sp.flows.workspaces import live_workspace, make_workspace
from sp.models import SignInAttempt, SignOutMessage
from sp.saml.logout_messages import ByForm, Kind
from sp.store import sign_in_attempts
from sp.store.rows import column, table_of

MakeHouse = Callable[..., House]
MEGABYTE = 1024 * 1024


def trim(house: House) -> None:
    while housekeeping.trim_logs(house.database, house.settings, house.now):
        pass


def small_house(make_house: MakeHouse, **settings: int) -> House:
    made = make_house(**settings)
    made.configure()
    return made


def kept(house: House, sign_ins: list[SignIn]) -> int:
    """How many of these are still in the log."""
    references = [sign_in.reference for sign_in in sign_ins]
    query = select(func.count()).where(column(SignInAttempt.reference).in_(references))
    with house.database.reading() as session:
        return int(session.execute(query).scalar_one())


def stored(
    house: House, log: type[SignInAttempt] | type[SignOutMessage], account_id: int | None = None
) -> tuple[int, int]:
    """How many messages of the account there are, and their bytes."""
    owner = column(log.account_id)
    query = select(func.count(), func.coalesce(func.sum(func.length(column(log.message))), 0)).where(
        owner.is_(None) if account_id is None else owner == account_id
    )
    with house.database.reading() as session:
        rows, size = session.execute(query).one()
    return rows, size


def multiply(house: House, sign_in: SignIn, number: int) -> None:
    """Store the attempt so many times more: posts as from a flood."""
    table = table_of(SignInAttempt)
    with house.database.writing() as session:
        found = sign_in_attempts.attempt_by_reference(session, sign_in.reference)
        assert found is not None
        row = {name.name: getattr(found, name.name) for name in table.columns if name.name not in {"id", "reference"}}
        session.execute(insert(table), [{**row, "reference": f"~{at:07}"} for at in range(number)])


def noise(size: int) -> Mutation:
    """Text that no compression makes smaller."""

    def mutate(root: object) -> None:
        root.set("Consent", "urn:" + os.urandom(size // 2).hex())  # type: ignore[attr-defined]

    return mutate


def test_a_flood_of_strangers_leaves_every_sign_in_of_contoso(make_house: MakeHouse) -> None:
    """Of the forty none was left while one limit held for all (see `bench/quotas.py` for 25,000 posts)."""
    house = small_house(make_house, attempts_kept=100, unknown_attempts_kept=100)
    sign_ins = [house.post(house.idp.response()) for _ in range(10)]
    sign_ins += [house.post(house.idp.response(audience="urn:another")) for _ in range(10)]
    multiply(house, house.post(b"<nothing-more/>"), 1_000)
    trim(house)
    assert kept(house, sign_ins) == 20
    assert stored(house, SignInAttempt)[0] == 100


def test_a_flood_in_a_workspace_leaves_every_sign_in_of_contoso(make_house: MakeHouse) -> None:
    house = small_house(make_house, workspace_attempts_kept=10)
    sign_in = house.post(house.idp.response())
    make_workspace(house.database, NOW, "open", timedelta(hours=1), made_by="anybody")
    with house.database.reading() as session:
        workspace = live_workspace(session, "open", NOW)
    posted = [house.post(b"<nothing-more/>", workspace=workspace) for _ in range(12)]
    trim(house)
    assert kept(house, posted) == 10
    assert kept(house, posted[-10:]) == 10
    assert kept(house, [sign_in]) == 1


def test_one_account_leaves_anothers_alone(make_house: MakeHouse) -> None:
    house = small_house(make_house, attempts_kept=100)
    sign_in = house.post(house.idp.response(audience="urn:another"))
    house.add_account("Fabrikam", "fabrikam")
    fabrikam = Idp.make(FABRIKAM_ISSUER)
    house.configure("fabrikam", issuer=fabrikam.entity_id, certificates=(fabrikam.certificate,))
    multiply(house, house.post(fabrikam.response(audience="urn:another")), 200)
    trim(house)
    assert kept(house, [sign_in]) == 1
    assert stored(house, SignInAttempt, 2)[0] == 100


def test_refused_ones_go_before_accepted_ones(make_house: MakeHouse) -> None:
    """Anybody can post responses that name Contoso's issuer."""
    house = small_house(make_house, attempts_kept=100)
    accepted = [house.post(house.idp.response()) for _ in range(3)]
    refused = house.post(house.idp.with_key("mallory").response())
    multiply(house, refused, 200)
    trim(house)
    assert kept(house, accepted) == 3
    assert stored(house, SignInAttempt, 1)[0] == 103
    assert kept(house, [refused]) == 0


def test_the_oldest_go_and_the_newest_stay(make_house: MakeHouse) -> None:
    house = small_house(make_house, attempts_kept=100)
    old = house.post(house.idp.response(audience="urn:another"))
    multiply(house, old, 99)
    new = house.post(house.idp.response(audience="urn:another"))
    trim(house)
    assert (kept(house, [old]), kept(house, [new])) == (0, 1)


def test_large_messages_of_an_account_take_bounded_space(make_house: MakeHouse) -> None:
    house = small_house(make_house, attempts_kept_megabytes=1)
    refused = house.idp.with_key("mallory")
    posted = [house.post(refused.response(mutate=noise(200_000))) for _ in range(12)]
    assert stored(house, SignInAttempt, 1)[1] > MEGABYTE
    trim(house)
    assert 0.8 * MEGABYTE < stored(house, SignInAttempt, 1)[1] <= MEGABYTE
    assert kept(house, posted[-1:]) == 1


def test_messages_of_unknown_issuers_take_bounded_space(make_house: MakeHouse) -> None:
    house = small_house(make_house, unknown_attempts_kept_megabytes=1, unknown_message_kilobytes=256)
    unknown = Idp.make("https://idp.another.example/")
    for _ in range(12):
        house.post(unknown.response(mutate=noise(200_000)))
    trim(house)
    assert stored(house, SignInAttempt)[1] <= MEGABYTE


def test_a_large_message_of_an_unknown_issuer_leaves_its_report(house: House) -> None:
    unknown = Idp.make("https://idp.contoso.example/other")
    for size in (200_000, 20_000):
        sign_in = house.post(unknown.response(mutate=noise(size)))
        with house.database.reading() as session:
            attempt = sign_in_attempts.attempt_by_reference(session, sign_in.reference)
            assert attempt is not None
            assert (attempt.message is None) == (size == 200_000)
            assert evidence_of(session, attempt).judgement.report == sign_in.judgement.report


def test_one_of_a_known_issuer_is_kept_whatever_its_size(house: House) -> None:
    sign_in = house.post(house.idp.response(mutate=noise(200_000)))
    with house.database.reading() as session:
        attempt = sign_in_attempts.attempt_by_reference(session, sign_in.reference)
    assert attempt is not None
    assert attempt.message is not None
    assert attempt.message_bytes == len(attempt.message)


def test_a_quota_that_was_lowered_holds_from_the_next_start(make_house: MakeHouse) -> None:
    house = small_house(make_house)
    multiply(house, house.post(b"<nothing-more/>"), 200)
    trim(house)
    house.database.close()
    lower = make_house(unknown_attempts_kept=100)
    trim(lower)
    assert stored(lower, SignInAttempt)[0] == 100


def test_sign_out_messages_have_quotas_too(make_house: MakeHouse) -> None:
    house = small_house(make_house, unknown_attempts_kept=10, unknown_message_kilobytes=1)
    large = request(house.idp, now=house.now)
    unknown = request(Idp.make("https://idp.another.example/"), now=house.now)
    for xml in (large, *[unknown] * 12):
        arrival = ByForm(posted_form(xml), Kind.REQUEST)
        location = f"{house.settings.saml_root}/saml2/slo"
        receive(house.database, house.settings, LogoutDelivery(arrival, location, house.now, "192.0.2.7"))
    trim(house)
    assert stored(house, SignOutMessage) == (10, 0)
    assert stored(house, SignOutMessage, 1)[0] == 1
