"""Lists as files for spreadsheets (CSV).

Owns the format. Never writes a cell that a spreadsheet would run.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice

_BYTE_ORDER_MARK = "\ufeff"  # without it Excel takes UTF-8 for an old code page
_ROWS_AT_ONCE = 500
# What begins a formula, the full-width forms that some spreadsheets take for the same included.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
# Where a cell begins for a spreadsheet that separates by semicolons, as in much of Europe, or by tabs: it cuts our
# cells in spite of their quotation marks, and drops those that follow its separator.
_FORMULA_INSIDE = re.compile(r"""([;\t\r\n]['" ]*)(?=[=+\-@＝＋－＠])""")


def csv_file(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[bytes]:
    """The file in pieces: a head, then a line for each row. UTF-8 with a byte order mark, every cell quoted."""
    yield _lines([head], start=_BYTE_ORDER_MARK)
    remaining = iter(rows)
    while batch := list(islice(remaining, _ROWS_AT_ONCE)):
        yield _lines(batch)


def _lines(rows: Iterable[Iterable[str]], start: str = "") -> bytes:
    text = io.StringIO()
    text.write(start)
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([map(harmless, row) for row in rows])
    return text.getvalue().encode()


def harmless(cell: str) -> str:
    """The cell, with an apostrophe wherever a spreadsheet would read a formula (CSV injection)."""
    cell = _FORMULA_INSIDE.sub(r"\1'", cell)
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def time_cell(moment: datetime | None) -> str:
    """Such as 2030-01-31T12:00:00Z, or "" where there is none."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""
