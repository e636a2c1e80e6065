"""What the fuzzer starts from: genuine messages, hostile ones and certificates, made anew at each run.

Owns writing them into a folder. Holds no opaque file.
"""

from __future__ import annotations

import json
import sys
import zlib
from pathlib import Path
from urllib.parse import quote, urlencode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from responses import Idp, post_field
from saml.attacks.catalogue import MESSAGES
from saml.attacks.wrapping import SHAPES

_LARGEST = 16 * 1024  # longer seeds teach the fuzzer nothing and cost it time


def messages() -> list[bytes]:
    """The genuine forms first, then one message for each hostile story."""
    idp = Idp.make()
    made = [idp.response(signed=signed) for signed in ("assertion", "response", "both", None)]
    made += [case.message for cases in MESSAGES.values() for case in cases]
    made += [idp.response(signed=signed, sealed=shape) for shape, signed, _ in SHAPES.values()]
    return [xml for xml in made if len(xml) <= _LARGEST]


def certificates() -> list[bytes]:
    made = [Idp.make(kind=kind) for kind in ("rsa", "p256", "p384", "p521")]
    return [idp.certificate_der for idp in made] + [idp.certificate_pem for idp in made]


def captures() -> list[bytes]:
    """One genuine message in each shape that somebody may have it in."""
    field = post_field(Idp.make().response())
    body = urlencode({"SAMLResponse": field, "RelayState": "/x"})
    deflated = post_field(zlib.compress(Idp.make().response())[2:-4])
    posted = {"mimeType": "application/x-www-form-urlencoded", "text": body}
    har = {"log": {"entries": [{"request": {"method": "POST", "url": "https://x/", "postData": posted}}]}}
    traced = {"requests": [{"method": "POST", "url": "https://x/", "post": [["SAMLResponse", field]]}]}
    shapes = (
        *(field, quote(field), body, f"https://x/?{urlencode({'SAMLResponse': deflated})}", deflated),
        f"curl 'https://x/' --data-raw '{body}'",
        f'<html><form action="https://x/"><input name="SAMLResponse" value="{field}"></form></html>',
        *(json.dumps(har), json.dumps(traced)),
    )
    return [shape.encode() for shape in shapes]


SEEDS = {"message": messages, "certificate": certificates, "capture": captures}


def write(folder: Path, seeds: list[bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (folder / f"{number:04}").write_bytes(seed)
