"""Workspaces in both databases: what is apart, what a reset leaves, and sign-ins on their way meanwhile."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from cast import BASE_URL, CONTOSO_ISSUER, NOW
from responses import Idp, posted
from sqlalchemy import func, select
from sqlmodel import SQLModel

from sp.flows import account_setup, workspaces
from sp.flows.account_setup import Invalid, Saved, SsoDraft
from sp.flows.assertion_consumer import Delivery, SignIn, consume
from sp.flows.passwords import hash_password
from sp.flows.realms import WorkspaceGoneError
from sp.flows.service_keys import ensure_signing_key
from sp.flows.workspaces import Made, live_workspace, make_workspace
from sp.settings import Settings
from sp.store import realms
from sp.store.engine import Database
from sp.store.rows import required
from sp.web.cookies import new_token

SETTINGS = Settings(base_url=BASE_URL)
HOUR = timedelta(hours=1)
IDP = Idp.make(CONTOSO_ISSUER)


def made(database: Database, name: str, now: datetime = NOW) -> Made:
    found = make_workspace(database, now, name, HOUR, made_by="alice")
    assert isinstance(found, Made), found
    with database.writing() as session:
        account = realms.account_of_workspace(session, required(found.workspace.id))
        assert account is not None
        draft = SsoDraft(single_sign_on=True, issuer=IDP.entity_id, certificates=(IDP.certificate,))
        saved = account_setup.save_sso_settings(session, SETTINGS, account, draft, saved_by="alice", now=now)
    assert isinstance(saved, Saved), saved
    return found


def sign_in(database: Database, name: str, assertion_id: str = "_one", now: datetime = NOW) -> SignIn:
    with database.reading() as session:
        workspace = live_workspace(session, name, now)
    settings = SETTINGS.in_realm(name)
    xml = IDP.response(
        now=now,
        audience=settings.entity_id,
        recipient=settings.acs_url,
        destination=settings.acs_url,
        assertion_id=assertion_id,
    )
    return consume(database, settings, Delivery(posted(xml), now, "127.0.0.1", new_token(), workspace=workspace))


def rows(database: Database) -> dict[str, int]:
    with database.reading() as session:
        return {
            table.name: session.execute(select(func.count()).select_from(table)).scalar_one()
            for table in SQLModel.metadata.sorted_tables
        }


@pytest.fixture(autouse=True)
def _seeded(database: Database) -> None:
    with database.writing() as session:
        account_setup.seed(session, SETTINGS.model_copy(update={"admin_password": None}), NOW)
    ensure_signing_key(database, SETTINGS, NOW)


def test_the_same_assertion_opens_one_session_in_each(database: Database) -> None:
    for name in ("job-1", "job-2"):
        made(database, name)
        assert sign_in(database, name).accepted
        assert sign_in(database, name).judgement.report.failed == ("replay",)


def test_a_reset_and_a_removal_keep_the_others(database: Database) -> None:
    empty = rows(database)
    made(database, "job-1")
    sign_in(database, "job-1")
    alone = rows(database)
    made(database, "job-2")
    sign_in(database, "job-2")
    assert workspaces.reset_workspace(database, "job-2", NOW)
    assert sign_in(database, "job-1").judgement.report.failed == ("replay",)
    assert sign_in(database, "job-2").judgement.report.failed == ("issuer",)
    assert workspaces.delete_workspace(database, "job-2", NOW)
    assert rows(database) == alone | {"sign_in_attempt": alone["sign_in_attempt"] + 1}
    assert workspaces.delete_workspace(database, "job-1", NOW)
    assert rows(database) == empty


def test_of_many_who_want_a_name_one_gets_it(database: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: make_workspace(database, NOW, "job-1", HOUR, made_by="alice"), range(4)))
    assert sum(isinstance(outcome, Made) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Invalid) and list(outcome.errors) == ["name"] for outcome in outcomes) == 3


def test_sign_ins_on_their_way_survive_a_reset(database: Database) -> None:
    """Each finds the workspace before or after the reset, and none breaks over what went meanwhile."""
    made(database, "job-1")
    with ThreadPoolExecutor(4) as pool:
        arriving = [pool.submit(sign_in, database, "job-1", f"_{number}") for number in range(12)]
        assert workspaces.reset_workspace(database, "job-1", NOW)
        failures = {arrived.result().judgement.report.failed for arrived in arriving}
    assert failures <= {(), ("issuer",)}


def test_a_sign_in_to_one_that_was_removed_meanwhile_leaves_nothing(database: Database) -> None:
    gone = made(database, "job-1")
    before = rows(database)
    assert workspaces.delete_workspace(database, "job-1", NOW)
    delivery = Delivery(posted(IDP.response()), NOW, "127.0.0.1", new_token(), workspace=gone.workspace)
    with pytest.raises(WorkspaceGoneError):
        consume(database, SETTINGS.in_realm("job-1"), delivery)
    assert rows(database)["sign_in_attempt"] == before["sign_in_attempt"]


def test_rows_go_a_few_at_a_time(database: Database) -> None:
    before = rows(database)
    made(database, "job-1")
    for number in range(3):
        sign_in(database, "job-1", f"_{number}")
    later, rounds = NOW + HOUR, 0
    while workspaces.remove_part_of_one(database, later, at_most=2):
        rounds += 1
    assert rounds > len(before) // 2
    assert rows(database) == before


def test_a_new_workspace_that_has_an_old_id_is_not_removed(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who removes an old one looked before; meanwhile it has gone and SQLite gave its id to a new one."""
    new = made(database, "job-1")
    before = rows(database)
    monkeypatch.setattr(realms, "one_that_is_over", lambda *_: new.workspace.id)
    for _ in range(3):
        workspaces.remove_part_of_one(database, NOW, at_most=500)
    assert rows(database) == before


def test_a_full_house_computes_no_password(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash takes 64 MiB and a tenth of a second: whoever is refused must not cost that."""
    monkeypatch.setattr(workspaces, "MAX_WORKSPACES", 0)
    monkeypatch.setattr(workspaces, "hash_password", pytest.fail)
    with pytest.raises(workspaces.FullError):
        make_workspace(database, NOW, "job-1", HOUR, made_by="alice")


def test_of_two_at_once_the_one_too_many_is_not_made(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both found room, and one was done first."""
    monkeypatch.setattr(workspaces, "MAX_WORKSPACES", 1)

    def slower(password: str) -> str:
        monkeypatch.setattr(workspaces, "hash_password", hash_password)
        make_workspace(database, NOW, "job-2", HOUR, made_by="bob")
        return hash_password(password)

    monkeypatch.setattr(workspaces, "hash_password", slower)
    with pytest.raises(workspaces.FullError):
        make_workspace(database, NOW, "job-1", HOUR, made_by="alice")
    with database.reading() as session:
        assert workspaces.live_workspace(session, "job-1", NOW) is None
