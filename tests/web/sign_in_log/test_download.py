"""The sign-in log as a file."""

from __future__ import annotations

import csv
import io
import json

import pytest
from browser import Browser
from cast import BRITTA, CONTOSO_ISSUER
from web.sign_in_log.conftest import FABRIKAMS_LOG, LOG, Door

from sp.store import attempt_listing


def test_json_lines(alice: Browser, door: Door) -> None:
    first, second = door.accepted(), door.refused()
    page = alice.open(f"{LOG}/download.jsonl")
    assert page.headers["content-disposition"] == 'attachment; filename="sign-in-log-business.jsonl"'
    lines = [json.loads(line) for line in page.text.splitlines()]
    assert [line["reference"] for line in lines] == [second.reference, first.reference]
    assert lines[0] == {
        "reference": second.reference,
        "received_at": "2030-01-31T12:00:00+00:00",
        "outcome": "refused",
        "failed": ["audience"],
        "warnings": [],
        "username": BRITTA.email,
        "unverified_username": "",
        "provisioned": False,
        "issuer": CONTOSO_ISSUER,
        "remote_address": "192.0.2.7",
    }


def test_a_value_with_line_breaks_stays_on_its_line(alice: Browser, door: Door) -> None:
    door.refused(name_id="a\nb\u2028c\u0085d")
    assert len(alice.open(f"{LOG}/download.jsonl").text.splitlines()) == 1


def test_csv(alice: Browser, door: Door) -> None:
    made = door.refused()
    page = alice.open(f"{LOG}/download.csv")
    assert page.headers["content-type"] == "text/csv; charset=utf-8"
    head, line = csv.reader(io.StringIO(page.text.lstrip("\ufeff")))
    assert dict(zip(head, line, strict=True)) == {
        "Reference": made.reference,
        "Received": "2030-01-31T12:00:00Z",
        "Outcome": "Refused",
        "Failed": "audience",
        "Warnings": "",
        "User name": BRITTA.email,
        "User name, not verified": "",
        "New user": "No",
        "Issuer": CONTOSO_ISSUER,
        "From": "192.0.2.7",
    }


def test_no_cell_is_a_formula(alice: Browser, door: Door) -> None:
    door.refused(name_id="=cmd|'/c calc'!A1")
    cells = next(csv.reader(io.StringIO(alice.open(f"{LOG}/download.csv").text.splitlines()[1])))
    assert "'=cmd|'/c calc'!A1" in cells


def test_the_filter_holds_for_the_file(alice: Browser, door: Door) -> None:
    door.accepted()
    refused = door.refused()
    page = alice.open(f"{LOG}/download.jsonl?outcome=refused")
    assert [json.loads(line)["reference"] for line in page.text.splitlines()] == [refused.reference]


def test_more_than_one_batch(alice: Browser, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt_listing, "_BATCH", 2)
    made = [door.refused().reference for _ in range(5)]
    lines = alice.open(f"{LOG}/download.jsonl").text.splitlines()
    assert [json.loads(line)["reference"] for line in lines] == made[::-1]


def test_charlie_gets_none_of_contosos(charlie: Browser, door: Door) -> None:
    door.refused()
    assert charlie.open(f"{LOG}/download.csv").status_code == 404
    assert charlie.open(f"{FABRIKAMS_LOG}/download.jsonl").text == ""
