"""Owns the pages for whatever goes wrong: one sentence, the next step, and no stack trace.

Never shows what an exception says: that belongs in the log.
"""

import uuid
from http import HTTPStatus

from fastapi import Request
from fastapi.responses import HTMLResponse

from sp.demo_directory.desk import Desk, get_desk

_SENTENCES = {
    404: "There is no page at this address. It may have been deleted.",
    405: "This page cannot be opened like that. Start again from the portal.",
    422: "The form was not complete. Go back, fill it in and send it again.",
}


def problem_page(request: Request, status: int, title: str, sentence: str) -> HTMLResponse:
    pages = get_desk(request).pages
    return pages.render(request, "problem.html", status=status, title=title, sentence=sentence)


def status_page(request: Request, status: int) -> HTMLResponse:
    """The page for a plain HTTP status."""
    sentence = _SENTENCES.get(status, "The request could not be answered. Start again from the front page.")
    return problem_page(request, status, HTTPStatus(status).phrase, sentence)


def sign_in_problem(request: Request, desk: Desk, status: int, code: str, sentence: str) -> HTMLResponse:
    """The page that somebody sees when signing in fails, with Azure AD's code where it has one.

    `code` is "AADSTS50105" and the like, `sentence` what follows it.
    """
    return desk.pages.render(
        request,
        "sign_in_problem.html",
        status=status,
        code=code,
        sentence=sentence,
        correlation_id=str(uuid.uuid4()),
        at=desk.clock(),
    )
