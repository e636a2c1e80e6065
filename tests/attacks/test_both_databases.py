"""What the database decides, on both databases: first use and second use, first sign-ins at once, values too long.

One of them minds the length of a text and counts rows in another way; neither may let a replay through.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from attack import attack
from begun import SIGN_IN_URL, answer, begin, count
from cast import ACS_URL, BRITTA, ENTITY_ID
from house import House
from responses import Mutation, with_attribute, with_text
from saml.one_flaw import AUTHN, NAME_ID
from sqlalchemy import select
from store.conftest import (  # noqa: F401
    database,
    postgresql_database,
    postgresql_url,
    sqlite_database,
    upgraded_file,
    upgraded_postgresql,
)

from sp.flows import account_setup
from sp.flows.assertion_consumer import SignIn
from sp.models import ConsumedAssertion, User
from sp.settings import Settings
from sp.store.engine import Database
from sp.store.rows import column

LONG = "x" * 10_000
RANDOM = "".join(chr(0x4E00 + (at * 7919) % 20_000) for at in range(10_000))  # nothing that would compress

VALUES: dict[str, tuple[str, Mutation]] = {
    "AUT-10 index": ("a SessionIndex of 10 000 characters", with_attribute(AUTHN, "SessionIndex", RANDOM)),
    "AUT-05 long": ("a context of 10 000 characters", with_text(".//saml:AuthnContextClassRef", LONG)),
    "SUB-28 long": ("a Format of 10 000 characters", with_attribute(NAME_ID, "Format", f"urn:{LONG}")),
    "CND-26 index": ("an ID of 10 000 characters", with_attribute("saml:Assertion", "ID", f"_{RANDOM}")),
}


@pytest.fixture
def house(tmp_path: Path, database: Database) -> House:  # noqa: F811
    settings = Settings(data_dir=tmp_path, entity_id=ENTITY_ID, acs_url=ACS_URL, admin_password="Adm1n!pass")
    made = House(settings, database)
    with database.writing() as session:
        account_setup.seed(session, settings, made.now)
    made.configure()
    return made


@pytest.mark.parametrize(
    "mutation",
    [pytest.param(change, id=name, marks=attack(name, story, 0)) for name, (story, change) in VALUES.items()],
)
def test_a_long_value_breaks_nothing(mutation: Mutation, house: House) -> None:
    xml = house.idp.response(mutate=mutation)
    assert house.post(xml).judgement.report.failed == ()
    assert house.post(xml).judgement.report.failed == ("replay",)


@attack("RPL-01 both", "the same response once more, on each database")
def test_a_second_use_is_a_replay(house: House) -> None:
    xml = house.idp.response()
    assert house.post(xml).judgement.report.failed == ()
    assert house.post(xml).judgement.report.failed == ("replay",)


@attack("RPL-04", "the same response after a restart, or in another process")
def test_a_replay_is_seen_by_another_process(house: House) -> None:
    """A second connection to the database is all that another process has in common with the first."""
    xml = house.idp.response()
    assert house.post(xml).accepted
    other = Database(house.database.url)
    try:
        again = House(house.settings, other).post(xml)
    finally:
        other.close()
    assert again.judgement.report.failed == ("replay",)


AT_ONCE = 20


def at_once(house: House, messages: list[bytes]) -> list[SignIn]:
    """Every message posted by a thread of its own, all of them let go together."""
    barrier = Barrier(len(messages))

    def post(xml: bytes) -> SignIn:
        barrier.wait()
        return house.post(xml)

    with ThreadPoolExecutor(len(messages)) as pool:
        return list(pool.map(post, messages))


def users_of(house: House) -> list[str]:
    with house.database.reading() as session:
        return list(session.execute(select(column(User.username))).scalars())


@attack("JIT-11", "twenty first sign-ins of one user at once", 20)
def test_first_sign_ins_at_once_make_one_user(house: House) -> None:
    done = at_once(house, [house.idp.response() for _ in range(AT_ONCE)])
    assert all(sign_in.accepted for sign_in in done)
    assert sum(sign_in.provisioned for sign_in in done) == 1
    assert users_of(house) == [BRITTA.email]


@attack("JIT-12", "one response posted twenty times at once", 19)
def test_one_response_at_once_makes_one_session(house: House) -> None:
    done = at_once(house, [house.idp.response()] * AT_ONCE)
    assert sorted(sign_in.judgement.report.failed for sign_in in done) == [(), *[("replay",)] * (AT_ONCE - 1)]


@attack("POS-10", "fifty users at once", 0)
def test_fifty_users_at_once(house: House) -> None:
    names = [f"user{at}@contoso.example" for at in range(50)]
    done = at_once(house, [house.idp.response(name_id=name) for name in names])
    assert [sign_in.username for sign_in in done] == names
    assert sorted(users_of(house)) == sorted(names)


@attack("JIT-13", "eight assertions for one request, posted at once", count=7)
def test_of_many_answers_at_once_one_counts(house: House) -> None:
    house.configure(sign_in_url=SIGN_IN_URL)
    sent = begin(house)
    barrier = Barrier(8)

    def post(_number: int) -> SignIn:
        barrier.wait()
        return answer(house, sent)

    with ThreadPoolExecutor(8) as pool:
        done = [sign_in.judgement.report.failed for sign_in in pool.map(post, range(8))]
    assert sorted(done) == [(), *[("in_response_to",)] * 7]
    assert count(house, ConsumedAssertion) == 1
