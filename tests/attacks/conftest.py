"""The service with two companies, as the pages' tests have it, and a look at everything it keeps.

Owns that look. Never opens a port.
"""

from __future__ import annotations

import pytest
from attacks.traces import Traces
from responses import Idp
from web.conftest import (  # noqa: F401
    alice,
    app,
    britta,
    browser,
    charlie,
    clock,
    connected,
    database,
    idp,
    make_app,
    service,
    two_companies,
)

from sp.store.engine import Database


@pytest.fixture
def traces(database: Database, connected: Idp) -> Traces:  # noqa: F811, ARG001
    """What the service keeps, seen before the attack; Contoso trusts its identity provider."""
    return Traces(database)
