"""Messages that reach two replicas of the service at once, over HTTP and on both databases: each counts once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from browser import StillClock
from cast import ACS_URL, BASE_URL, ENTITY_ID, NOW
from fastapi import FastAPI
from house import House
from responses import post_field
from sqlalchemy import func, select

from sp.app import create_app
from sp.flows import account_setup
from sp.flows.sign_in_memory import memory_of
from sp.models import ConsumedAssertion, SignInAttempt, User, UserSession
from sp.settings import Settings
from sp.store.engine import Database

MANY = 30
USERS = 10
ACCEPT = {"accept": "application/json"}


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    settings = Settings(
        data_dir=tmp_path, entity_id=ENTITY_ID, acs_url=ACS_URL, admin_password="Adm1n!pass", requests_at_once=64
    )
    with database.writing() as session:
        account_setup.seed(session, settings, NOW)
    made = House(settings, database)
    made.configure()
    memory_of(database).forget(settings.realm, made.idp.entity_id)  # of another test in the same database
    return made


@pytest.fixture
def replicas(house: House) -> Iterator[list[FastAPI]]:
    """Two applications, each with connections of its own to the one database."""
    databases = [Database(house.database.url) for _ in range(2)]
    yield [create_app(house.settings, database, StillClock()) for database in databases]
    for database in databases:
        database.close()


def post_at_once(replicas: list[FastAPI], messages: list[bytes]) -> list[dict[str, Any]]:
    """What each message is answered, when all are posted together to the replicas in turn."""

    async def post(app: FastAPI, xml: bytes) -> dict[str, Any]:
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL, headers=ACCEPT) as client:
            answer: dict[str, Any] = (await client.post("/saml2", data={"SAMLResponse": post_field(xml)})).json()
        return answer

    async def post_all() -> list[dict[str, Any]]:
        turns = [post(replicas[at % len(replicas)], xml) for at, xml in enumerate(messages)]
        return await asyncio.gather(*turns)

    return asyncio.run(post_all())


def rows(house: House, table: type) -> int:
    with house.database.reading() as session:
        return int(session.execute(select(func.count()).select_from(table)).scalar_one())


def test_one_assertion_that_comes_thirty_times_at_once_is_accepted_once(house: House, replicas: list[FastAPI]) -> None:
    answers = post_at_once(replicas, [house.idp.response()] * MANY)
    assert sorted(answer["failed"] for answer in answers) == [[], *[["replay"]] * (MANY - 1)]
    assert (rows(house, UserSession), rows(house, ConsumedAssertion), rows(house, SignInAttempt)) == (1, 1, MANY)


def test_two_first_sign_ins_of_a_user_at_once_make_one_user(house: House, replicas: list[FastAPI]) -> None:
    names = [f"user{number}@contoso.com" for number in range(USERS) for _ in replicas]
    answers = post_at_once(replicas, [house.idp.response(name_id=name) for name in names])
    assert [answer["failed"] for answer in answers] == [[]] * len(names)
    assert (rows(house, User), rows(house, UserSession)) == (USERS, len(names))
