"""What one judgement costs: CPU per response, from bytes to verdict, without any I/O, beside plain pysaml2.

    python -m bench.verification [NUMBER]

Both judge the same responses in the same run: pysaml2 in its normal configuration, which starts the program xmlsec1
for each signature. Where that program is missing, only our own side is measured.
"""

from __future__ import annotations

import base64
import resource
import shutil
import statistics
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from cast import ACS_URL, ENTITY_ID
from responses import CLAIMS, Idp, expectations, posted

from sp.saml.messages import Expectations, PostedForm
from sp.saml.validation import judge, open_form

REPEATS = 400
WARM_UP = 20
ROUND = 10  # responses between two looks at the clock, whose ticks are coarse
SAML2_REPEATS = 20
BUDGET_MS = 1.2
CLAIM = "http://schemas.microsoft.com/identity/claims/"

METADATA = """<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity_id}">
<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing">
<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>{certificate}\
</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example/sso"/>
</md:IDPSSODescriptor></md:EntityDescriptor>"""

INSTALL = "xmlsec1 is not installed, so there is nothing to compare with (Debian: apt install xmlsec1)."


def main(number: int) -> int:
    now = datetime.now(UTC)
    idp = replace(Idp.make(), not_before=now - timedelta(days=1), not_after=now + timedelta(days=365))
    held = expectations(idp, now=now)
    print("our judgement, CPU per response:")
    costs = {label: _ours(label, form, held, number) for label, form in _forms(idp, now).items()}
    reference = costs["assertion signed"]
    within = "within" if reference <= BUDGET_MS else "OVER"
    print(f"assertion signed: {reference:.2f} ms, {within} the budget of {BUDGET_MS} ms")
    if shutil.which("xmlsec1") is None:
        print(INSTALL)
    else:
        for label in ("assertion signed", "response signed", "both signed"):
            _compare(label, idp, now, costs[label])
    return 0 if reference <= BUDGET_MS else 1


def _forms(idp: Idp, now: datetime) -> dict[str, PostedForm]:
    """Responses as large as Entra ID's, about 6 KB."""
    made = {f"{signed} signed": posted(_response(idp, now, signed)) for signed in ("assertion", "response", "both")}
    return {**made, "garbage": posted(b"garbage")}


def _response(idp: Idp, now: datetime, signed: str) -> bytes:
    attributes = {
        CLAIM + "tenantid": ("6f3d2c1b-0000-4000-8000-123456789abc",),
        CLAIM + "objectidentifier": ("0f3d2c1b-0000-4000-8000-123456789abc",),
        CLAIM + "displayname": ("Britta Simon",),
        CLAIMS.first_name: ("Britta",),
        CLAIMS.last_name: ("Simon",),
        CLAIMS.email: ("britta@contoso.example",),
        CLAIM + "groups": tuple(f"0f3d2c1b-0000-4000-8000-12345678{at:04}" for at in range(12)),
    }
    return idp.response(now=now.replace(microsecond=0), signed=signed, attributes=attributes)


def _ours(label: str, form: PostedForm, held: Expectations, number: int) -> float:
    """The median cost in milliseconds, printed beside the least."""

    def once() -> object:
        return judge(open_form(form), held)

    for _ in range(WARM_UP):
        once()
    costs = [_cpu_ms(once, ROUND) for _ in range(max(number // ROUND, 1))]
    size = len(form.fields[0][1]) * 3 // 4
    print(f"  {label:18} {size:5} bytes   median {statistics.median(costs):6.3f} ms   least {min(costs):6.3f} ms")
    return statistics.median(costs)


def _cpu_ms(work: Callable[[], object], times: int) -> float:
    """The CPU time of one of `times` calls, user and system, that of started programs included."""
    before = _cpu_seconds()
    for _ in range(times):
        work()
    return (_cpu_seconds() - before) / times * 1000


def _cpu_seconds() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _compare(label: str, idp: Idp, now: datetime, ours: float) -> None:
    text = base64.b64encode(_response(idp, now, label.removesuffix(" signed"))).decode()
    with _quiet():
        judge_with_saml2 = _saml2(idp)
        judge_with_saml2(text)
        theirs = _cpu_ms(lambda: judge_with_saml2(text), SAML2_REPEATS)
    print(f"  pysaml2 with xmlsec1, {label:18} {theirs:7.1f} ms   {theirs / ours:5.0f} times ours")


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _saml2(idp: Idp) -> Callable[[str], object]:
    """pysaml2's own service provider, as its documentation configures it."""
    # Here and not above: the import alone costs a second and prints a warning.
    from saml2 import BINDING_HTTP_POST  # noqa: PLC0415
    from saml2.client import Saml2Client  # noqa: PLC0415
    from saml2.config import SPConfig  # noqa: PLC0415

    certificate = base64.b64encode(idp.certificate_der).decode()
    metadata = METADATA.format(entity_id=idp.entity_id, certificate=certificate)
    endpoints = {"assertion_consumer_service": [(ACS_URL, BINDING_HTTP_POST)]}
    service = {
        "endpoints": endpoints,
        "allow_unsolicited": True,
        "want_response_signed": False,
        "want_assertions_or_response_signed": True,
    }
    config = SPConfig().load({"entityid": ENTITY_ID, "service": {"sp": service}, "metadata": {"inline": [metadata]}})
    client = Saml2Client(config)

    def judge_one(text: str) -> object:
        answer = client.parse_authn_request_response(text, BINDING_HTTP_POST, {})
        if answer.name_id.text != "britta@contoso.example":
            raise RuntimeError("pysaml2 read another name")
        return answer

    return judge_one


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else REPEATS))
