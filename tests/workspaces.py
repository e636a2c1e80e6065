"""Workspaces for stories: made by the API, used by a program and by a browser.

Owns what a story says about one. Never looks inside the service.
"""

from __future__ import annotations

from typing import Any

import httpx2
from api.conftest import Program
from fastapi import FastAPI
from responses import Idp, post_field


class Workspace:
    """A workspace, its program, and what its identity provider sends."""

    def __init__(self, app: FastAPI, name: str = "", **body: Any) -> None:
        self.app = app
        self.told: dict[str, Any] = Program(app).send("POST", "/workspaces", {"name": name} | body, status=201)
        self.name: str = self.told["name"]
        self.address = f"/workspaces/{self.name}"
        self.program = Program(app, self.told["token"])

    def connect(self, idp: Idp, **settings: Any) -> None:
        trusted = {"issuer": idp.entity_id, "certificates": [idp.certificate_pem.decode()], "single_sign_on": True}
        self.program.send("PATCH", "/account/single-sign-on", trusted | settings, headers={"if-match": "*"})

    def response(self, idp: Idp, **changes: Any) -> bytes:
        """A response that is meant for this workspace."""
        acs_url = self.told["acs_url"]
        meant = {"audience": self.told["entity_id"], "recipient": acs_url, "destination": acs_url}
        return idp.response(**(meant | changes))

    def post(self, xml: bytes, path: str = "") -> httpx2.Response:
        """What the assertion consumer service tells a program."""
        fields, accept = {"SAMLResponse": post_field(xml)}, {"accept": "application/json"}
        return Program(self.app).client.post(path or f"/w/{self.name}/saml2", data=fields, headers=accept)

    def verdict(self, xml: bytes) -> Any:
        return self.post(xml).json()
