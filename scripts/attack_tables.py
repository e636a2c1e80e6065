"""Write the tables of docs/engine.md: the attacks in the tests by group, and the differences from python3-saml.

Does not change the text around the tables.

Usage: python scripts/attack_tables.py          write them (needs what `make test` installs)
       python scripts/attack_tables.py --check  say whether they are up to date
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from attacks.elsewhere import HELD_ELSEWHERE, NOT_BUILT  # noqa: E402
from saml.attacks.catalogue import MESSAGES  # noqa: E402
from saml.attacks.wrapping import SHAPES  # noqa: E402
from saml.opinion import ACCEPTED_THERE, REFUSED_THERE, Disagreement  # noqa: E402

# The file with the data of a message, rather than the test that runs it.
DATA = {case.id: f"tests/saml/attacks/{module}.py" for module, cases in MESSAGES.items() for case in cases}
DATA |= dict.fromkeys(SHAPES, "tests/saml/attacks/wrapping.py")
PAGE = ROOT / "docs" / "engine.md"
SOURCES = ("tests/saml/attacks", "tests/attacks")
AGAIN = "WEB-13"
GROUPS = {
    "SIG": "Signatures: presence, keys, KeyInfo",
    "DSG": "Signatures: structure, transforms, algorithms",
    "XSW": "Signature wrapping",
    "XML": "Parser, document types, encodings, text",
    "BND": "Forms and bindings",
    "RSP": "The Response",
    "ISS": "Issuers and accounts",
    "SUB": "Subject and confirmation",
    "CND": "Conditions, audience, times",
    "AUT": "Authentication statement",
    "ATT": "Attributes",
    "JIT": "Provisioning and usernames",
    "RPL": "Replay",
    "ENC": "Encrypted assertions",
    "DOS": "Limits",
    "LIM": "Limits of the parser",
    "CRT": "Certificates",
    "MET": "Metadata and issuers",
    "SLO": "Logout",
    "WEB": "Pages, sessions, log",
    "M9": "Two signatures in one message",
    "POS": "What must be accepted",
}


class _Collector:
    """Collects the attacks of every test with their files."""

    def __init__(self) -> None:
        self.found: list[tuple[Any, str]] = []

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        for item in items:
            file = Path(item.fspath).relative_to(ROOT).as_posix()
            for mark in item.iter_markers("attack"):
                self.found.append((mark.args[0], DATA.get(mark.args[0].id, file)))


def collected() -> list[tuple[Any, str]]:
    """Every attack that is marked in the tests, with the file that holds it. Runs no test."""
    collector = _Collector()
    with contextlib.redirect_stdout(io.StringIO()):
        sources = [str(ROOT / source) for source in SOURCES]
        # Without our own plugin: pytest would warn that its module was imported before assertion rewriting.
        options = [
            "--collect-only",
            "-q",
            "-p",
            "no:cacheprovider",
            "--disable-plugin-autoload",
            "--rootdir",
            str(ROOT),
        ]
        code = pytest.main([*options, *sources], plugins=[collector])
    if code:
        raise RuntimeError("the tests cannot be collected")
    return collector.found


def cases_table(found: list[tuple[Any, str]]) -> Iterator[str]:
    total = sum(attack.count for attack, _ in found)
    again = sum(attack.count for attack, _ in found if attack.id.startswith(AGAIN))
    yield f"{total} attacks, each refused for the expected reason. {_controls(found)} controls that must be accepted."
    yield f"{again} of them are the same messages, posted to the running application.\n"
    yield "| group | what it is about | attacks | controls | files |\n|---|---|---|---|---|"
    for prefix, title in GROUPS.items():
        of_group = [(attack, file) for attack, file in found if re.match(rf"{prefix}(-|\b)", attack.id)]
        if of_group:
            attacks = sum(attack.count for attack, _ in of_group)
            files = ", ".join(f"[{Path(file).name}](../{file})" for file in sorted({file for _, file in of_group}))
            yield f"| {prefix} | {title} | {attacks} | {_controls(of_group)} | {files} |"


def _controls(found: list[tuple[Any, str]]) -> int:
    return sum(attack.count == 0 for attack, _ in found)


def elsewhere_table() -> Iterator[str]:
    yield "### Covered by other tests\n"
    for identifier, (story, file) in HELD_ELSEWHERE.items():
        yield f"- `{identifier}` {story}: [{Path(file).name}](../{file})"
    yield "\n### Not implemented\n"
    for title, (reason, rows) in NOT_BUILT.items():
        yield f"- **{title}** {reason}: {', '.join(f'`{row}`' for row in rows)}"


def opinion_tables() -> Iterator[str]:
    yield "### We refuse, python3-saml accepts\n"
    yield from _opinion(
        "our check", ((f"[`{code}`](checks.md#{code})", found) for code, found in ACCEPTED_THERE.items())
    )
    yield "\n### We accept, python3-saml refuses\n"
    yield from _opinion("case", ((f"`{case}`", found) for case, found in REFUSED_THERE.items()))


def _opinion(head: str, rows: Iterable[tuple[str, Disagreement]]) -> Iterator[str]:
    yield f"| {head} | python3-saml | why it matters | cases |\n|---|---|---|---|"
    for name, found in rows:
        yield f"| {name} | {found.theirs} | {found.why} | {', '.join(f'`{case}`' for case in found.cases)} |"


def page() -> str:
    """The page with new tables between its marks."""
    text = PAGE.read_text(encoding="utf-8")
    parts = {"cases": [*cases_table(collected()), "", *elsewhere_table()], "opinion": list(opinion_tables())}
    for name, lines in parts.items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, rest = text.split(begin)
        text = f"{before}{begin}\n\n{chr(10).join(lines)}\n\n{end}{rest.split(end)[1]}"
    return text


def main(arguments: list[str]) -> int:
    made = page()
    if arguments == ["--check"]:
        stale = made != PAGE.read_text(encoding="utf-8")
        print("Out of date: run scripts/attack_tables.py." if stale else "Up to date.")
        return int(stale)
    PAGE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
