"""Sign-outs that collide, and the lists of sessions and logout messages, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from cast import ACS_URL, BOB, BRITTA, ENTITY_ID, NOW
from house import House
from logouts import SLO_URL, posted, request
from sqlalchemy import func, select
from sqlmodel import SQLModel

from sp.flows import account_setup, service_keys
from sp.flows.logout_consumer import LogoutDelivery, Received, receive
from sp.models import ConsumedLogoutRequest, LogoutRequest, SignOutMessage, UserSession
from sp.settings import Settings
from sp.store import accounts, retention, session_listing, sessions, sign_out_messages, sign_outs
from sp.store.engine import Database
from sp.store.retention import Quota
from sp.store.rows import required
from sp.store.session_listing import OpenSessions
from sp.store.user_listing import words_of

THREADS = 8
IDLE = timedelta(hours=1)


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    settings = Settings(data_dir=tmp_path, entity_id=ENTITY_ID, acs_url=ACS_URL, admin_password="Adm1n!pass")
    with database.writing() as session:
        account_setup.seed(session, settings, NOW)
    service_keys.ensure_signing_key(database, settings, NOW)
    made = House(settings, database)
    made.configure(sign_out_url="https://idp.contoso.example/sign-out")
    return made


def asked(house: House, xml: bytes) -> Received:
    return receive(house.database, house.settings, LogoutDelivery(posted(xml), SLO_URL, house.now, "127.0.0.1"))


def count(house: House, table: type[SQLModel]) -> int:
    with house.database.reading() as session:
        return int(session.execute(select(func.count()).select_from(table)).scalar_one())


def account_id(house: House) -> int:
    with house.database.reading() as session:
        found = accounts.account_by_slug(session, "business")
        return required(found.id if found else None)


def test_one_request_sent_by_many_is_carried_out_once(house: House) -> None:
    house.post(house.idp.response())
    xml, barrier = request(house.idp), Barrier(THREADS)

    def send(_number: int) -> Received:
        barrier.wait()
        return asked(house, xml)

    with ThreadPoolExecutor(THREADS) as pool:
        done = list(pool.map(send, range(THREADS)))
    assert sum(received.accepted for received in done) == 1
    assert {received.judgement.report.failed for received in done} == {(), ("logout_replay",)}
    assert sum(received.ended for received in done) == 1
    assert (count(house, ConsumedLogoutRequest), count(house, SignOutMessage)) == (1, THREADS)


def test_an_id_of_any_length_is_remembered(house: House) -> None:
    """An index of PostgreSQL has room for 2704 bytes, an ID of a message for as many as there are."""
    long = f"_{'ä' * 5_000}"
    assert [asked(house, request(house.idp, identifier=long)).accepted for _ in range(2)] == [True, False]


def test_a_long_session_index_is_kept_and_told_apart(house: House) -> None:
    for index in ("x" * 5_000, "x" * 4_999 + "y", "z"):
        house.post(house.idp.response(assertion_id=f"_{index}"))
    assert asked(house, request(house.idp, session_indexes=(f"_{'x' * 5_000}",))).ended == 1
    assert count(house, UserSession) == 2


def test_our_own_request_is_answered_once(house: House) -> None:
    with house.database.writing() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        sign_outs.remember(
            session,
            LogoutRequest(
                id="_ours",
                account_id=required(account.id),
                settings_id=required(account.settings_id),
                browser_hash="h",
                identity_provider=house.idp.entity_id,
                sent_at=NOW,
                expires_at=NOW + timedelta(minutes=10),
            ),
        )
    with house.database.writing() as session:
        assert sign_outs.sent_by_browser(session, "_ours", "somebody else's") is None
        assert sign_outs.is_waiting(session, "_ours", NOW)
        assert not sign_outs.is_waiting(session, "_ours", NOW + timedelta(minutes=10))
        assert [sign_outs.use_up(session, "_ours", NOW) for _ in range(2)] == [True, False]
        assert not sign_outs.is_waiting(session, "_ours", NOW)


def test_what_has_expired_goes_in_rounds(house: House) -> None:
    for _ in range(3):
        asked(house, request(house.idp))
    with house.database.writing() as session:
        later = NOW + timedelta(days=3)
        assert [sign_outs.remove_expired(session, later, at_most=2) for _ in range(3)] == [2, 1, 0]


def test_a_request_is_remembered_longer_than_its_age_would_pass(house: House) -> None:
    xml = request(house.idp, valid_for=timedelta(hours=1))
    asked(house, xml)
    with house.database.writing() as session:
        sign_outs.remove_expired(session, NOW + timedelta(minutes=16), at_most=100)
    assert not asked(house, xml).accepted


def test_the_log_is_read_a_page_at_a_time_and_pruned(house: House) -> None:
    references = [asked(house, request(house.idp)).reference for _ in range(5)]
    scopes = (account_id(house),)
    with house.database.reading() as session:
        first = sign_out_messages.page(session, scopes, before=None, size=3)
        rest = sign_out_messages.page(session, scopes, before=first.messages[-1].id, size=3)
        nobody = sign_out_messages.page(session, (), before=None, size=3)
    found = [row.reference for page in (first, rest) for row in page.messages]
    assert (found, first.older, rest.older, nobody.messages) == (references[::-1], True, False, ())
    with house.database.writing() as session:
        (ring,) = retention.totals(session, SignOutMessage)
        last = retention.last_beyond(session, ring, Quota(2, 1_000_000))
        assert last is not None
        assert retention.remove_until(session, ring, last, at_most=100) == 3
        assert retention.last_beyond(session, ring, Quota(2, 1_000_000)) is None
        assert sign_out_messages.old_ones(session, NOW, at_most=100) == []
        assert len(sign_out_messages.old_ones(session, NOW + timedelta(days=1), at_most=100)) == 2
    assert count(house, SignOutMessage) == 2


def test_the_open_sessions_are_found_counted_and_paged(house: House) -> None:
    for _ in range(2):
        house.post(house.idp.response())
    house.post(house.idp.response(name_id=BOB.email, attributes={}))
    wanted = OpenSessions(account_id(house), NOW, IDLE)
    with house.database.reading() as session:
        page = session_listing.page(session, wanted, before=None, size=2)
        rest = session_listing.page(session, wanted, before=page.last_id, size=2)
        bobs = session_listing.page(
            session, OpenSessions(wanted.account_id, NOW, IDLE, words_of("BOB contoso")), before=None, size=9
        )
        idle = session_listing.count(session, OpenSessions(wanted.account_id, NOW + IDLE, IDLE))
        other = session_listing.count(session, OpenSessions(wanted.account_id + 1, NOW, IDLE))
    names = [user.username for shown in (page, rest) for user, _ in shown.rows]
    assert names == [BOB.email, BRITTA.email, BRITTA.email]
    assert (page.total, page.older, rest.older) == (3, True, False)
    assert [user.username for user, _ in bobs.rows] == [BOB.email]
    assert (idle, other) == (0, 0)


def test_sessions_of_an_account_end_together(house: House) -> None:
    for person in (BRITTA, BOB):
        house.post(house.idp.response(name_id=person.email))
    with house.database.writing() as session:
        assert sessions.end_all_of_account(session, account_id(house) + 1) == 0
        assert sessions.end_all_of_account(session, account_id(house)) == 2
