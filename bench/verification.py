"""What one judgement costs: processor time per response, from bytes to verdict, beside python3-saml and pysaml2.

    python -m bench.verification [--number 400]

All judge the same doubly signed responses by turns in the same run, in this process, programs that they start
included. None of the others provisions, claims or records anything; our whole way through HTTP does, and stands beside
them too. Where the program xmlsec1 is missing, pysaml2 is measured with libxmlsec1 in process alone, which is kinder.
Exits with 1 where one of our judgements of a response as large as Entra ID's takes more than 1.2 ms.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from responses import expectations, posted, trust

from bench import others, results
from bench.prepared import Recipe
from bench.rig import SQLITE, Rig, rig
from sp.saml.messages import Expectations, PostedForm
from sp.saml.validation import judge, open_form

ABOUT = "Processor time per response, without any I/O unless it says so."
OURS, WHOLE = "ours, the judgement alone", "ours through HTTP, all committed, SQLite"
PYTHON3_SAML, PYTHON3_SAML_AS_DOCUMENTED = "python3-saml, settings kept", "python3-saml, settings read for each request"
PYSAML2, PYSAML2_IN_PROCESS = "pysaml2 with the program xmlsec1", "pysaml2 with libxmlsec1 in process"
BUDGET_MS = 1.2
_GROUPS = 12
_WARM_UP = 20
_BATCH = 10  # responses between two looks at the clock
_ROUNDS = 5
_RESPONSES = 20


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--number", type=int, default=400)
    number = parser.parse_args().number
    with rig(SQLITE) as ready:
        held = _expectations(ready)
        figures = [_ours(label, form, held, number) for label, form in _forms(ready).items()]
        compared = _compare(ready, held)
    missing = [] if others.has_xmlsec1() else [f"{PYSAML2}: not installed here"]
    results.keep("verification", ABOUT, [*figures, *compared], missing=missing)
    print("\n".join(missing))
    reference = next(figure["cpu_ms"] for figure in figures if figure["what"] == "assertion signed")
    return 0 if reference <= BUDGET_MS else 1


def _expectations(ready: Rig) -> Expectations:
    """What the running service expects too, for the time that this takes."""
    account = trust(ready.idp)
    return expectations(ready.idp, account=account, now=datetime.now(UTC), entity_id=ready.url, acs_url=ready.url)


def _forms(ready: Rig) -> dict[str, PostedForm]:
    """Responses as large as Entra ID's are with a dozen groups."""
    name = "britta@contoso.example"
    made = {
        f"{signed} signed": posted(Recipe(ready.url, signed, _GROUPS).xml(ready.idp, name))
        for signed in ("assertion", "response", "both")
    }
    return {**made, "garbage": PostedForm("POST", "application/x-www-form-urlencoded", (("SAMLResponse", "garbage!"),))}


def _ours(label: str, form: PostedForm, held: Expectations, number: int) -> results.Figure:
    """The median cost, printed beside the least."""

    def once() -> object:
        return judge(open_form(form), held)

    for _ in range(_WARM_UP):
        once()
    costs = [_cpu_ms(once, _BATCH) for _ in range(max(number // _BATCH, 1))]
    size, median = len(form.fields[0][1]) * 3 // 4, statistics.median(costs)
    over = "   OVER" if median > BUDGET_MS else ""
    print(f"  {label:58} {size:5} bytes {median:7.3f} ms (median), {min(costs):7.3f} ms (least){over}")
    return {"what": label, "message_bytes": size, "cpu_ms": median, "least_cpu_ms": min(costs)}


def _compare(ready: Rig, held: Expectations) -> list[results.Figure]:
    """Everybody's cost of the same doubly signed responses, by turns, and how many times ours that is."""
    recipe = Recipe(ready.url)
    names = [f"user{index}@contoso.example" for index in range(_RESPONSES)]
    messages = {recipe.xml(ready.idp, name): name for name in names}
    judges = _judges(held)
    costs: dict[str, list[float]] = {name: [] for name in (OURS, *judges, WHOLE)}
    for turn in range(_ROUNDS + 1):  # the first one warms up
        for name, one in {OURS: _our_judge(held), **judges}.items():
            costs[name] += [_cost_of_all(one, messages)] if turn else []
        measured = ready.measure(ready.prepare(recipe, [f"{turn}{name}" for name in names * 3]), connections=1)
        measured.require(303)
        costs[WHOLE] += [measured.cost_ms] if turn else []
    return _beside_each_other(costs, len(next(iter(messages))))


def _judges(held: Expectations) -> dict[str, others.Judge]:
    found = {
        PYTHON3_SAML: others.python3_saml(held, settings_kept=True),
        PYTHON3_SAML_AS_DOCUMENTED: others.python3_saml(held, settings_kept=False),
    }
    if others.has_xmlsec1():
        found[PYSAML2] = others.pysaml2(held, in_process=False)
    return {**found, PYSAML2_IN_PROCESS: others.pysaml2(held, in_process=True)}


def _our_judge(held: Expectations) -> others.Judge:
    def judge_one(xml: bytes) -> str:
        judgement = judge(open_form(posted(xml)), held)
        if judgement.identity is None or not judgement.report.accepts:
            raise RuntimeError(f"we refused: {judgement.report.failed}")
        return judgement.identity.name_id.value

    return judge_one


def _cost_of_all(judge_one: others.Judge, messages: Mapping[bytes, str]) -> float:
    def once() -> None:
        for xml, name in messages.items():
            if judge_one(xml) != name:
                raise RuntimeError("another name was read")

    return _cpu_ms(once, 1) / len(messages)


def _beside_each_other(costs: Mapping[str, Sequence[float]], size: int) -> list[results.Figure]:
    medians = {name: statistics.median(spent) for name, spent in costs.items()}
    print(f"the same doubly signed responses of {size:,} bytes, by turns:")
    figures: list[results.Figure] = []
    for name, cost in medians.items():
        times = {"times_our_judgement": cost / medians[OURS], "times_our_whole_way": cost / medians[WHOLE]}
        figures.append({"what": name, "message_bytes": size, "cpu_ms": cost, **times})
        print(
            f"  {name:58} {cost:7.2f} ms, {times['times_our_judgement']:6.1f} times our judgement, "
            f"{times['times_our_whole_way']:5.1f} times our whole way"
        )
    return figures


def _cpu_ms(work: Callable[[], object], times: int) -> float:
    """The processor time of one of `times` calls, user and system, that of started programs included."""
    before = _cpu_seconds()
    for _ in range(times):
        work()
    return (_cpu_seconds() - before) / times * 1000


def _cpu_seconds() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


if __name__ == "__main__":
    sys.exit(main())
