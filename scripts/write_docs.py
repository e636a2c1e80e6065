"""Write the pages of docs/ that come from code: settings, checks, preflight, identity providers.

Usage: python scripts/write_docs.py          write them
       python scripts/write_docs.py --check  say whether they are up to date
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Never, get_args

from pydantic.fields import FieldInfo

from sp.diagnosis import catalogue, logout_catalogue
from sp.diagnosis.preflight import GROUPS, PREFLIGHT
from sp.diagnosis.remedies import GENERAL, Provider, book
from sp.diagnosis.sides import TEMPLATES
from sp.saml.checks import BY_CODE, CHECKS, STAGES, Check, logout
from sp.saml.checks.logout import LOGOUT_CHECKS, LogoutCheck
from sp.settings import PREFIX, Settings

DOCS = Path(__file__).resolve().parent.parent / "docs"


def settings_page() -> str:
    rows = [
        f"| `{PREFIX}{name.upper()}` | {field.description} | {_values(field)} | {_default(field.default)} |"
        for name, field in Settings.model_fields.items()
    ]
    head = [
        "# Settings",
        "",
        "The service reads these settings from the environment, or from a file `.env` in the working directory. An",
        "invalid value or an unknown name stops the start. The service prints all faults at once, with one sentence",
        "for each. An empty variable counts as not set. Case does not matter in choices. `scripts/write_docs.py`",
        "writes this page.",
        "",
        "| variable | what it is | values | default |",
        "|---|---|---|---|",
    ]
    return "\n".join([*head, *rows]) + "\n"


def _values(field: FieldInfo) -> str:
    """The choices, the range or the length of a setting; empty if its description is sufficient."""
    kinds = [kind for kind in (get_args(field.annotation) or (field.annotation,)) if kind is not type(None)]
    if kinds == [bool]:
        return "`true`, `false`"
    choices = kinds if all(isinstance(kind, str) for kind in kinds) else get_args(kinds[0])
    if choices:
        return ", ".join(f"`{choice}`" for choice in choices)
    least, most = (_bound(field, *names) for names in (("ge", "min_length"), ("le", "max_length")))
    unit = " characters" if kinds == [str] and most else ""
    return f"{least} to {most}{unit}" if most else ""


def _bound(field: FieldInfo, *names: str) -> str:
    found = (getattr(constraint, name, None) for constraint in field.metadata for name in names)
    return next((str(bound) for bound in found if bound is not None), "")


def checks_page() -> str:
    lines = [
        "# Checks of a response",
        "",
        "The report of a response always has these rows in this order. A row is `passed`, `failed`, `warning`",
        "(accepted, but worth correcting), `skipped` (not applicable to this message) or `not_reached` (an earlier",
        "failure left no trustworthy data to check). `scripts/write_docs.py` writes this page from `sp/saml/checks`.",
        "",
        "A row that failed or warns has one of the problems listed, in `problem` of the JSON verdict and the API, and",
        'typed values in `expected_value` and `received_value`, such as `{"type": "uri", "value": …}`. Any check may',
        "also have `internal_error`: an exception while it was evaluated. Programs read those, and never `expected`,",
        "`received` or `message`, whose words may change.",
    ]
    return "\n".join([*lines, *_stages(CHECKS, STAGES, catalogue.TEXTS)]) + "\n"


def sign_out_checks_page() -> str:
    lines = [
        "# Checks of a logout message",
        "",
        "A LogoutRequest or LogoutResponse has a report like a [response](checks.md). Some rows apply to only one of",
        "the two. `scripts/write_docs.py` writes this page from `sp/saml/checks/logout.py`.",
    ]
    return "\n".join([*lines, *_stages(LOGOUT_CHECKS, logout.STAGES, logout_catalogue.TEXTS)]) + "\n"


def _problems(check: Check[Never] | LogoutCheck[Never]) -> Iterator[str]:
    """A line for each problem, with both sides."""
    for problem in check.problems:
        template = TEMPLATES[problem]
        expected, received = map(_without_values, (template.expected, template.received))
        yield f"- `{problem.value}`: expected {expected}, received {received}"


_FIELDS = re.compile(r"\{\w+\}(?: \{\w+\})*")


def _without_values(side: str) -> str:
    return _FIELDS.sub("*value*", side).removesuffix(".")


def _stages(
    checks: Sequence[Check[Never] | LogoutCheck[Never]],
    titles: Mapping[int, str],
    texts: Mapping[str, tuple[str, str]],
) -> Iterator[str]:
    for stage, found in groupby(checks, key=lambda check: check.stage):
        yield from ("", f"## {stage}. {titles[stage]}")
        for check in found:
            yield from ("", f'<a id="{check.code}"></a>', "", f"### `{check.code}`: {check.title}", "")
            yield from (f"Source: {check.clause}", "") if check.clause != "–" else ()
            if isinstance(check, LogoutCheck) and len(check.kinds) == 1:
                yield from (f"Only for a Logout{check.kinds[0].capitalize()}.", "")
            why, remedy = texts[check.code]
            yield from (f"**Why it matters.** {why}", "", f"**What to change.** {remedy}")
            yield from ("", "**Problems.**", "", *_problems(check))


def preflight_page() -> str:
    lines = [
        "# Before the first sign-in",
        "",
        "The list beside the form **SAML Single Sign on** shows likely faults before the first sign-in: a URL in the",
        "wrong field, an issuer without its final slash, the certificate for encryption, a wrong clock. It updates",
        "while you type and never prevents saving. `virtual-office preflight [--account SLUG] [--json]` checks the",
        "saved settings and exits with 1 when a check failed.",
        "",
        "`failed`: a sign-in cannot work. `warning`: a sign-in may fail, now or soon. `skipped`: there is no value to",
        "check. `scripts/write_docs.py` writes this page from `sp/diagnosis/preflight`.",
    ]
    for group in GROUPS:
        rows = [
            (f"`{check.code}`", check.title, check.why, check.remedy) for check in PREFLIGHT if check.group == group
        ]
        lines += ["", f"## {group}", "", *_table(("check", "passes when", "why it matters", "what to change"), rows)]
    return "\n".join(lines) + "\n"


def providers_page() -> str:
    providers = [provider for provider in book().providers.values() if provider.key != GENERAL]
    lines = [
        "# Remedies by identity provider",
        "",
        "The report of a refused sign-in describes the remedy in the terms of the identity provider that probably sent",
        "the message. The service recognizes it by unverified values. This selects the text only and never changes a",
        "verdict. `scripts/write_docs.py` writes this page from `sp/diagnosis/providers`.",
        "",
        *[f"- [{provider.name}](#{provider.key})" for provider in providers],
        "- [Status codes](#statuses)",
        "- [On this service's side](#here)",
        "",
        "A check that is not listed for a product has the general remedy in [the checks](checks.md).",
    ]
    for provider in providers:
        lines += _provider_section(provider)
    statuses = [
        (f"`{status.code}`", f"{_capital(status.means)}.", status.remedy) for status in book().statuses.values()
    ]
    here = [(_check_link(code), text) for code, text in book().here.items()]
    lines += ["", '<a id="statuses"></a>', "", "## Status codes", ""]
    lines += _table(("code", "what it means", "what to change"), statuses)
    lines += ["", '<a id="here"></a>', "", "## On this service's side", "", *_table(("check", "where"), here)]
    return "\n".join(lines) + "\n"


def _provider_section(provider: Provider) -> list[str]:
    """The remedies of a product in the order of the checks; checks with the same text share a row."""
    codes = [check.code for check in CHECKS if check.code in provider.remedies]
    texts = dict.fromkeys(provider.remedies[code] for code in codes)
    sharing = [[code for code in codes if provider.remedies[code] == text] for text in texts]
    rows = [(", ".join(map(_check_link, shared)), text) for shared, text in zip(sharing, texts, strict=True)]
    head = ["", f'<a id="{provider.key}"></a>', "", f"## {provider.name}", ""]
    return [*head, f"Recognized by {provider.known_by}.", "", *_table(("check", "what to change"), rows)]


def _check_link(code: str) -> str:
    return f"[{BY_CODE[code].title}](checks.md#{code})"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    ruler = f"|{'---|' * len(head)}"
    return [f"| {' | '.join(head)} |", ruler, *(f"| {' | '.join(row)} |" for row in rows)]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


PAGES = {
    "settings.md": settings_page,
    "checks.md": checks_page,
    "sign-out-checks.md": sign_out_checks_page,
    "preflight.md": preflight_page,
    "identity-providers.md": providers_page,
}


def _default(value: object) -> str:
    return "" if value is None or value == "" else f"`{value}`"


def outdated() -> list[str]:
    """The names of the pages that are out of date."""
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
