"""The client and workspaces: made, emptied, their clock stopped, ended."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sp.client import ProblemError, VirtualOffice, Workspaces


def test_the_life_of_a_workspace(virtual_office_url: str) -> None:
    anybody = Workspaces(virtual_office_url)
    made = anybody.create("client-test", lifetime_seconds=600)
    anybody.close()
    assert made.acs_url == f"{virtual_office_url}/w/client-test/saml2"
    assert made.administrator["username"] == "admin@client-test.workspace"
    assert made.token not in repr(made)
    mine = Workspaces(virtual_office_url, made.token)
    with VirtualOffice(virtual_office_url, made.token) as office:
        office.create_user(first_name="Britta", last_name="Simon", email="britta@contoso.com")
        mine.reset(made.name)
        assert list(office.users()) == []
    noon = datetime(2030, 1, 31, 12, tzinfo=UTC)
    assert mine.stop_clock(made.name, noon).fixed_time == noon
    assert mine.start_clock(made.name) == mine.get(made.name)
    mine.delete(made.name)
    with pytest.raises(ProblemError) as gone:
        mine.get(made.name)
    assert gone.value.status == 404
    mine.close()
