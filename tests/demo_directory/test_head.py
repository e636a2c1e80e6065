"""HEAD is answered wherever GET is, and a command that only reads makes nothing."""

import re
from pathlib import Path

import pytest
from demo_directory.browser import Browser
from fastapi import FastAPI
from starlette.routing import Route

from sp.demo_directory.__main__ import main
from sp.demo_directory.desk import Desk


def test_every_page_answers_head_as_it_answers_get(app: FastAPI, alice: Browser, desk: Desk) -> None:
    paths = [route.path for route in app.routes if isinstance(route, Route) and "GET" in (route.methods or ())]
    statuses = []
    for path in paths:
        address = re.sub(r"\{\w+\}", "none", path.replace("{tenant_id}", desk.tenant.tenant_id))
        get, head = (alice.client.request(method, address, follow_redirects=False) for method in ("GET", "HEAD"))
        assert (head.status_code, head.headers.get("content-type")) == (
            get.status_code,
            get.headers.get("content-type"),
        )
        statuses.append(get.status_code)
    assert statuses.count(200) > 8


def test_a_response_from_a_folder_without_a_directory_makes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["response", "--data-dir", str(tmp_path / "data")]) == 1
    assert capsys.readouterr().err.startswith(f"There is no demo directory in the folder {tmp_path / 'data'}.")
    assert list(tmp_path.iterdir()) == []
