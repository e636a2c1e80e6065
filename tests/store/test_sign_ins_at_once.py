"""Sign-ins that collide, or share a transaction, on both databases: what the database enforces, not what a check saw a
moment ago."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Thread

import pytest
from cast import ACS_URL, ENTITY_ID, NOW
from house import House
from responses import CLAIMS, Idp
from sqlalchemy import func, select

from sp.flows import account_setup
from sp.flows.assertion_consumer import SignIn, consuming
from sp.flows.realms import WorkspaceGoneError
from sp.flows.sign_in_memory import memory_of
from sp.models import CertificateUse, ConsumedAssertion, Realm, SignInAttempt, User, UserSession
from sp.settings import Settings
from sp.store.engine import Database
from sp.store.rows import column
from sp.store.together import Done, InSteps, Transaction, Work, complete

THREADS = 8
MANY = 5


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    settings = Settings(data_dir=tmp_path, entity_id=ENTITY_ID, acs_url=ACS_URL, admin_password="Adm1n!pass")
    with database.writing() as session:
        account_setup.seed(session, settings, NOW)
    made = House(settings, database)
    made.configure()
    memory_of(database).forget(settings.realm, made.idp.entity_id)  # of another story in the same database
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


# In one transaction: each gets the verdict that it would have got alone.


def begun(house: House, responses: Sequence[bytes]) -> list[InSteps[SignIn]]:
    """Each response judged, and waiting for its part of a transaction."""
    several = [InSteps(consuming(house.database, house.settings, house.delivery(xml))) for xml in responses]
    for one in several:
        one.begin()
    return several


def together(house: House, responses: Sequence[bytes]) -> list[SignIn]:
    several = begun(house, responses)
    assert len(list(complete(house.database, several))) == len(responses)
    return [one.result() for one in several]


def failed(sign_ins: Sequence[SignIn]) -> list[tuple[str, ...]]:
    return [sign_in.judgement.report.failed for sign_in in sign_ins]


def test_first_sign_ins_of_one_person_in_one_transaction_make_one_user(house: House) -> None:
    done = together(house, [house.idp.response() for _ in range(MANY)])
    assert failed(done) == [()] * MANY
    assert [sign_in.provisioned for sign_in in done].count(True) == 1
    assert (rows(house, User), rows(house, UserSession), rows(house, SignInAttempt)) == (1, MANY, MANY)


def test_one_response_many_times_in_one_transaction_makes_one_session(house: House) -> None:
    done = together(house, [house.idp.response()] * MANY)
    assert sorted(failed(done)) == [(), *[("replay",)] * (MANY - 1)]
    assert (rows(house, UserSession), rows(house, ConsumedAssertion), rows(house, SignInAttempt)) == (1, 1, MANY)


def test_a_refused_one_among_others_is_the_only_one_refused(house: House) -> None:
    responses = [house.idp.response(name_id=f"user{number}@contoso.com") for number in range(MANY)]
    responses[2] = responses[2].replace(b"user2@", b"admin@")
    done = together(house, responses)
    assert failed(done) == [(), (), ("signature",), (), ()]
    with house.database.reading() as session:
        names = set(session.execute(select(column(User.username))).scalars())
    assert names == {f"user{number}@contoso.com" for number in (0, 1, 3, 4)}


def test_each_session_is_of_its_own_user_and_attempt(house: House) -> None:
    names = [f"user{number}@contoso.com" for number in reversed(range(MANY))]  # in another order than they are settled
    done = together(house, [house.idp.response(name_id=name) for name in names])
    assert [sign_in.username for sign_in in done] == names
    told = [column(User.username), column(UserSession.name_id)]
    told += [column(SignInAttempt.username), column(SignInAttempt.reference)]
    query = select(*told).where(
        column(UserSession.user_id) == User.id, column(UserSession.attempt_reference) == SignInAttempt.reference
    )
    with house.database.reading() as session:
        found = {tuple(row) for row in session.execute(query)}
    assert found == {(*(sign_in.username,) * 3, sign_in.reference) for sign_in in done}


def test_settings_that_changed_after_judging_count_for_all_of_them(house: House) -> None:
    """Judged by the old certificate, and refused by the settings in force when it came to recording."""
    several = begun(house, [house.idp.response(name_id=f"user{number}@contoso.com") for number in range(MANY)])
    house.configure(certificates=(Idp(house.idp.entity_id, "another").certificate,))
    over = list(complete(house.database, several))
    assert failed([one.result() for one in over]) == [("signing_key",)] * MANY
    assert (rows(house, User), rows(house, UserSession), rows(house, SignInAttempt)) == (0, 0, MANY)


def test_a_database_that_fails_leaves_nothing_of_any(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last statement of the transaction fails: whatever came before it is gone, and each is told."""
    several = begun(house, [house.idp.response(name_id=f"user{number}@contoso.com") for number in range(MANY)])

    def broken(_transaction: object) -> None:
        raise ValueError("broken")

    with monkeypatch.context() as patch:
        patch.setattr("sp.store.together.Transaction.finish", broken)
        over = list(complete(house.database, several))
    assert [type(one.error) for one in over] == [ValueError] * MANY
    tables = (User, UserSession, SignInAttempt, ConsumedAssertion)
    assert [rows(house, table) for table in tables] == [0, 0, 0, 0]


def test_a_message_is_settled_next_to_what_locks_the_same_rows(house: House) -> None:
    """So that two transactions that share users or a response take them in one order, and never wait for each other."""
    orders: list[tuple[str, ...]] = []

    class Noting:
        def write_together(self, works: Sequence[Work]) -> list[Done]:
            orders.extend(work.order for work in works)
            return house.database.write_together(works)

    once = house.idp.response(name_id="Britta@contoso.com", assertion_id="_once")
    other = house.idp.response(name_id="adam@contoso.com", assertion_id="_other")
    nobody = b"<nothing/>"
    list(complete(Noting(), begun(house, [once, other, once, nobody])))
    here = house.settings.realm
    britta, adam = (here, "britta@contoso.com", "_once"), (here, "adam@contoso.com", "_other")
    assert orders == [britta, adam, britta, (here,)]
    assert sorted(orders) == [(here,), adam, britta, britta]


def beside_one_that_fails(house: House) -> tuple[InSteps[SignIn], InSteps[SignIn]]:
    """A sign-in, and its neighbor in the transaction, who asked a workspace that is gone; both over."""
    delivery = house.delivery(house.idp.response(), workspace=Realm(id=10**6, name="gone"))
    (one,) = begun(house, [house.idp.response(name_id="adam@contoso.com")])
    neighbor = InSteps(consuming(house.database, house.settings, delivery))
    neighbor.begin()
    list(complete(house.database, [one, neighbor]))
    return one, neighbor


def test_a_workspace_that_is_gone_is_the_trouble_of_those_who_asked_it(house: House) -> None:
    one, neighbor = beside_one_that_fails(house)
    assert one.result().accepted
    with pytest.raises(WorkspaceGoneError):
        neighbor.result()


def test_one_person_twice_in_one_transaction_is_told_by_both(house: House) -> None:
    """The second one begins with what the first one wrote: an attribute that was not sent erases nothing."""
    house.post(house.idp.response(attributes={}))
    first = house.idp.response(assertion_id="_1", attributes={CLAIMS.first_name: ("Brigitte",)})
    second = house.idp.response(assertion_id="_2", attributes={CLAIMS.last_name: ("Simons",)})
    assert failed(together(house, [first, second])) == [(), ()]
    with house.database.reading() as session:
        user = session.execute(select(User)).scalar_one()
    assert (user.first_name, user.last_name) == ("Brigitte", "Simons")


def test_the_use_of_a_certificate_is_written_down_though_a_neighbor_failed(house: House) -> None:
    one, _ = beside_one_that_fails(house)
    assert one.result().accepted
    assert rows(house, CertificateUse) == 1


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_settings_are_not_saved_between_asking_and_the_commit(house: House) -> None:
    """Whether they are in force is asked once for all that share the transaction. SQLite has one writer anyway."""
    house.post(house.idp.response())
    one = begun(house, [house.idp.response(name_id="adam@contoso.com")])[0]
    assert one.work is not None
    settle = one.work.do
    saved_meanwhile: list[bool] = []

    def settle_and_wait(transaction: Transaction) -> SignIn:
        sign_in: SignIn = settle(transaction)
        saving.start()
        saving.join(0.3)
        saved_meanwhile.append(not saving.is_alive())
        return sign_in

    saving = Thread(target=house.configure, kwargs={"unsolicited": False})
    one.work = replace(one.work, do=settle_and_wait)
    list(complete(house.database, [one]))
    saving.join(10)
    assert (one.result().accepted, saved_meanwhile, saving.is_alive()) == (True, [False], False)
