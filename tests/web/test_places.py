"""Places that senders and accounts share."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from sp.places import Bound, NoPlaceError, SharedPlaces
from sp.senders import sender_key


def test_one_sender_with_many_accounts_leaves_room_for_others() -> None:
    places = SharedPlaces(in_all=8, of_account=4, of_sender=4, guaranteed=True)
    with ExitStack() as held:
        for account in range(20):
            held.enter_context(places.place(account, "192.0.2.1"))  # each account's own
        for account in range(4):
            held.enter_context(places.place(account, "192.0.2.1"))
        with pytest.raises(NoPlaceError) as refused:
            held.enter_context(places.place(4, "192.0.2.1"))
        assert refused.value.bound is Bound.SENDER
        for _ in range(1 + 3):  # another account from another address
            held.enter_context(places.place(100, "192.0.2.2"))
        with pytest.raises(NoPlaceError) as refused:
            held.enter_context(places.place(100, "192.0.2.2"))
        assert refused.value.bound is Bound.ACCOUNT
    assert places.taken == 0


def test_an_accounts_own_place_is_there_when_all_others_are_taken_and_when_it_was_given_back() -> None:
    places = SharedPlaces(in_all=1, of_account=2, of_sender=2, guaranteed=True)
    with ExitStack() as held:
        own = held.enter_context(ExitStack())
        own.enter_context(places.place(1, "192.0.2.1"))
        held.enter_context(places.place(1, "192.0.2.1"))
        held.enter_context(places.place(2, "192.0.2.2"))
        with pytest.raises(NoPlaceError) as refused:
            held.enter_context(places.place(2, "192.0.2.2"))
        assert refused.value.bound is Bound.ALL
        own.close()
        held.enter_context(places.place(1, "192.0.2.1"))
    assert places.taken == 0


def test_without_a_guarantee_all_count() -> None:
    places = SharedPlaces(in_all=2, of_account=1, of_sender=2)
    with places.place(1, "a"), places.place(2, "b"), pytest.raises(NoPlaceError), places.place(3, "c"):
        pass
    with places.place(1, "a"), pytest.raises(NoPlaceError), places.place(1, "b"):
        pass


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_a_sender_is_an_ipv4_address_or_an_ipv6_network(address: str, key: str) -> None:
    assert sender_key(address) == key
