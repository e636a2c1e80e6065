"""Writes the pages of docs/ that the code knows best: the settings and the checks.

Usage: python scripts/write_docs.py          writes them
       python scripts/write_docs.py --check  says whether they are up to date
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

from sp.saml.checks import CHECKS, STAGES
from sp.settings import PREFIX, Settings

DOCS = Path(__file__).resolve().parent.parent / "docs"


def settings_page() -> str:
    rows = [
        f"| `{PREFIX}{name.upper()}` | {field.description} | {_default(field.default)} |"
        for name, field in Settings.model_fields.items()
    ]
    head = [
        "# Settings",
        "",
        "Every knob, from the environment or a file `.env` in the folder where the service starts. An invalid one",
        "stops the start with one sentence; all faults are told at once. Written by `scripts/write_docs.py`.",
        "",
        "| variable | what it is | default |",
        "|---|---|---|",
    ]
    return "\n".join([*head, *rows]) + "\n"


def checks_page() -> str:
    lines = [
        "# The checks",
        "",
        "One response, one report, always with these rows in this order. A row is `passed`, `failed`, `warning`",
        "(accepted, but worth knowing), `skipped` (nothing to say about this message) or `not_reached` (an earlier",
        "failure left nothing trustworthy to look at). Written by `scripts/write_docs.py` from `sp/saml/checks`.",
    ]
    for stage, checks in groupby(CHECKS, key=lambda check: check.stage):
        lines += ["", f"## {stage}. {STAGES[stage]}"]
        for check in checks:
            lines += ["", f'<a id="{check.code}"></a>', "", f"### `{check.code}`: {check.title}", ""]
            lines += [f"Source: {check.clause}", ""] if check.clause != "–" else []
            lines += [f"**Why it matters.** {check.why}", "", f"**What to change.** {check.remedy}"]
    return "\n".join(lines) + "\n"


PAGES = {"settings.md": settings_page, "checks.md": checks_page}


def _default(value: object) -> str:
    return "" if value is None or value == "" else f"`{value}`"


def outdated() -> list[str]:
    """The names of the pages that differ from what the code says now."""
    return [name for name, page in PAGES.items() if _read(DOCS / name) != page()]


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        stale = outdated()
        print(f"Out of date: {', '.join(stale)}. Run scripts/write_docs.py." if stale else "Up to date.")
        return 1 if stale else 0
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
