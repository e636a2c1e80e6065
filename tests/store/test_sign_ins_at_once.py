"""Sign-ins that collide, on both databases: what the database enforces, not what a check saw a moment ago."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from cast import ACS_URL, ENTITY_ID, NOW
from house import House
from sqlalchemy import func, select

from sp.flows import account_setup
from sp.flows.assertion_consumer import SignIn
from sp.models import ConsumedAssertion, SignInAttempt, User, UserSession
from sp.settings import Settings
from sp.store.engine import Database

THREADS = 8


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    settings = Settings(data_dir=tmp_path, entity_id=ENTITY_ID, acs_url=ACS_URL, admin_password="Adm1n!pass")
    with database.writing() as session:
        account_setup.seed(session, settings, NOW)
    made = House(settings, database)
    made.configure()
    return made


def at_once(house: House, responses: list[bytes]) -> list[SignIn]:
    barrier = Barrier(len(responses))

    def post(xml: bytes) -> SignIn:
        barrier.wait()
        return house.post(xml)

    with ThreadPoolExecutor(len(responses)) as pool:
        return list(pool.map(post, responses))


def rows(house: House, table: type) -> int:
    with house.database.reading() as session:
        return int(session.execute(select(func.count()).select_from(table)).scalar_one())


def test_first_sign_ins_of_one_person_make_one_user(house: House) -> None:
    done = at_once(house, [house.idp.response() for _ in range(THREADS)])
    assert [sign_in.judgement.report.failed for sign_in in done] == [()] * THREADS
    assert sum(sign_in.provisioned for sign_in in done) == 1
    assert (rows(house, User), rows(house, UserSession)) == (1, THREADS)


def test_one_response_posted_by_many_makes_one_session(house: House) -> None:
    done = at_once(house, [house.idp.response()] * THREADS)
    assert sum(sign_in.accepted for sign_in in done) == 1
    assert {sign_in.judgement.report.failed for sign_in in done} == {(), ("replay",)}
    assert (rows(house, UserSession), rows(house, ConsumedAssertion)) == (1, 1)
    assert rows(house, SignInAttempt) == THREADS
