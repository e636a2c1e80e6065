"""What the address of "User Profiles" says: the search, the filter, the order and the page.

Owns reading it and writing links that keep it. Never reads a profile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import Depends, Query

from sp.models import UserStatus
from sp.store.user_listing import LISTED, Listing, Position, SortBy, words_of
from sp.web.admin.managed import AccountView
from sp.web.errors import PageError
from sp.web.page_keys import page_key, position_of

Direction = Literal["asc", "desc"]
Filter = Literal["", "active", "disabled"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of the list somebody wants to see."""

    q: str = ""
    status: Filter = ""
    sort: SortBy = SortBy.CREATED
    direction: Direction = "desc"
    page: str = ""

    def listing(self, account: AccountView) -> Listing:
        statuses = (UserStatus(self.status),) if self.status else LISTED
        return Listing(account.id, words_of(self.q), statuses, self.sort, self.direction == "desc")

    def start(self, listing: Listing) -> Position | None:
        """Where the page begins. Raises PageError (422) when the page's key is not one of ours for this order."""
        if not self.page:
            return None
        position = position_of(listing, self.page)
        if position is None:
            raise PageError(422, "There is no such page of the list", "Open User Profiles again and go on from there.")
        return position

    @property
    def query(self) -> dict[str, str]:
        """The parameters that differ from the plain list, without the page."""
        given = {"q": self.q, "status": self.status, "sort": str(self.sort), "direction": str(self.direction)}
        return {name: value for name, value in given.items() if value != str(getattr(_PLAIN, name))}

    @property
    def suffix(self) -> str:
        """What stands behind the list's address, and behind a row's, to come back to this very page."""
        parameters = self.query | ({"page": self.page} if self.page else {})
        return f"?{urlencode(parameters)}" if parameters else ""

    def page_url(self, listing: Listing, position: Position | None) -> str:
        """The address of another page, or "" where there is none."""
        return f"?{urlencode(self.query | {'page': page_key(listing, position)})}" if position else ""


_PLAIN = Wanted()


def wanted(
    q: Annotated[str, Query(max_length=200)] = "",
    status: Filter = "",
    sort: SortBy = SortBy.CREATED,
    direction: Direction = "desc",
    page: str = "",
) -> Wanted:
    return Wanted(q.strip(), status, sort, direction, page)


WantedDep = Annotated[Wanted, Depends(wanted)]


def address_of(account: AccountView) -> str:
    return f"/account-manager/{account.slug}/accounts/user-profiles"
