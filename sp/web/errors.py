"""What a page raises when it cannot be shown.

Owns the sentence and the next step for each HTTP status. Never renders: `sp.web.error_pages` does.
"""

from __future__ import annotations

_TITLES = {
    400: ("This request cannot be read", "Go back and try again."),
    403: ("You may not do that", "Sign in with an account that may."),
    404: ("There is no such page", "Check the address, or start from the Application Panel."),
    405: ("This address does not take that kind of request", "Start from the Application Panel."),
    413: ("That is too large", "Send less."),
    414: ("The address is too long", "Shorten it."),
    415: ("That kind of content is not understood here", "Send a form."),
    421: ("This service has another name", "Open it by the name in its settings."),
    422: ("Something in the request is not right", "Check the address and the fields, then try again."),
    429: ("Too many attempts", "Wait a few minutes, then try again."),
    431: ("The headers are too long", "Remove cookies of this site, then try again."),
    500: ("Something broke on our side", "Try again; the log names the cause under this reference."),
    503: ("The service is busy", "Try again in a moment."),
}


class PageError(Exception):
    """What a page raises when it cannot be shown: an HTTP status, a sentence and the next step."""

    def __init__(self, status: int, title: str = "", next_step: str = "", *, retry_after: int = 0) -> None:
        super().__init__(title)
        known = _TITLES.get(status, _TITLES[400])
        self.status = status
        self.title = title or known[0]
        self.next_step = next_step or known[1]
        self.retry_after = retry_after


def not_found(title: str = "") -> PageError:
    """Also the answer about another company's things: whether they exist is not told."""
    return PageError(404, title)
