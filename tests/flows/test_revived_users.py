"""A deleted user whom support brings back is somebody new to every browser."""

from __future__ import annotations

from datetime import timedelta

from cast import BRITTA
from house import House

from sp.flows import user_profiles
from sp.flows.user_profiles import Profile
from sp.models import UserSession
from sp.store import accounts, sessions, users


def test_a_session_that_was_opened_while_the_user_was_deleted_stays_dead(house: House) -> None:
    house.post(house.idp.response())
    with house.database.writing() as session:
        britta = users.user_named(session, accounts.shared_realm(session).id or 0, BRITTA.email)
        assert britta is not None
        user_profiles.delete(session, britta)
        late = UserSession(
            token_hash=sessions.hash_token("late"),
            user_id=britta.id or 0,
            account_id=britta.account_id,
            method="password",
            created_at=house.now,
            last_seen_at=house.now,
            expires_at=house.now + timedelta(hours=1),
        )
        sessions.open_user_session(session, late)
    with house.database.writing() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        profile = Profile(BRITTA.first_name, BRITTA.last_name, BRITTA.email, BRITTA.email)
        user_profiles.add_user(session, account, profile, house.now)
    assert sessions.find(house.database, "late", house.now, timedelta(hours=1)) is None
