"""Owns what every page handler is given: the settings, the store, the identity provider, the clock, the pages.

Never holds anything that belongs to one request.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from sp.demo_directory.clock import Clock
from sp.demo_directory.identity_provider import IdentityProvider
from sp.demo_directory.keys import SigningKey
from sp.demo_directory.passwords import GuessThrottle
from sp.demo_directory.rendering import Pages
from sp.demo_directory.settings import Settings
from sp.demo_directory.store import DirectoryStore
from sp.demo_directory.tables import Person, Tenant


@dataclass(frozen=True)
class Desk:
    """Everything a handler works with."""

    settings: Settings
    store: DirectoryStore
    tenant: Tenant
    key: SigningKey
    provider: IdentityProvider
    clock: Clock
    throttle: GuessThrottle
    pages: Pages

    def user_principal_name(self, person: Person) -> str:
        return f"{person.user_name}@{self.tenant.domain}"


def get_desk(request: Request) -> Desk:
    desk = request.app.state.desk
    if not isinstance(desk, Desk):
        raise TypeError("the application was started without a desk")
    return desk


AtDesk = Annotated[Desk, Depends(get_desk)]
