"""Clients that disconnect before they are answered, which is no error of the service."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from starlette.requests import ClientDisconnect

CLIENT_CLOSED_REQUEST = 499  # for the log only: the connection is closed


def ignore_disconnects(app: FastAPI) -> None:
    """Log no error where a client disconnects before its body is complete: anybody could fill the log with them."""

    @app.exception_handler(ClientDisconnect)
    async def disconnected(_request: Request, _error: ClientDisconnect) -> Response:
        return Response(status_code=CLIENT_CLOSED_REQUEST)
