"""How many connections one process keeps open, in all and for each address."""

from __future__ import annotations

import ipaddress
import resource
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from sp.cli.connection_limits import ConnectionLimits, raise_descriptor_limit

PROXY = ipaddress.ip_network("10.0.0.0/24")


def test_one_address_has_so_many_and_others_still_have_room() -> None:
    limits = ConnectionLimits(in_all=10, per_address=2)
    assert [limits.take("192.0.2.1") for _ in range(3)] == [True, True, False]
    assert limits.take("192.0.2.2")
    limits.give_back("192.0.2.1")
    assert [limits.take("192.0.2.1") for _ in range(2)] == [True, False]


def test_addresses_of_one_ipv6_network_are_one_sender() -> None:
    limits = ConnectionLimits(in_all=10, per_address=1)
    assert [limits.take("2001:db8::1"), limits.take("2001:db8::2"), limits.take("2001:db8:0:1::1")] == [
        True,
        False,
        True,
    ]


def test_a_proxy_is_known_by_its_address_at_a_socket_for_ipv6_too() -> None:
    limits = ConnectionLimits(in_all=3, per_address=1, unlimited=(PROXY,))
    assert [limits.take("::ffff:10.0.0.7") for _ in range(2)] == [True, True]
    assert [limits.take("::ffff:192.0.2.1"), limits.take("192.0.2.1")] == [True, False]


def test_in_all_there_are_no_more_than_the_limit_a_proxys_included() -> None:
    limits = ConnectionLimits(in_all=3, per_address=1, unlimited=(PROXY,))
    assert [limits.take("10.0.0.7") for _ in range(4)] == [True, True, True, False]
    assert not limits.take("192.0.2.1")
    limits.give_back("10.0.0.7")
    assert limits.take("192.0.2.1")


def test_refusals_leave_one_line_a_second() -> None:
    limits = ConnectionLimits(in_all=1, per_address=1)
    limits.take("192.0.2.1")
    with capture_logs() as lines:
        for _ in range(5):
            limits.take("192.0.2.2")
    [line] = lines
    assert (line["event"], line["open"], line["last_address"]) == ("connections_refused", 1, "192.0.2.2")


@pytest.fixture
def few_descriptors() -> Iterator[int]:
    """A soft limit as many systems have it; the hard one stays."""
    soft, hard = before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert soft


def test_the_soft_limit_of_descriptors_is_raised_to_what_is_needed(few_descriptors: int) -> None:
    room = raise_descriptor_limit(2_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard == few_descriptors
    assert (room, soft) == (2_000, 2_200) if hard == resource.RLIM_INFINITY or hard >= 2_200 else room == hard - 200


@pytest.mark.usefixtures("few_descriptors")
def test_a_limit_that_suffices_is_left_alone() -> None:
    assert raise_descriptor_limit(100) == 100
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 1024
