"""Responses signed before the clock starts, in files with one form on each line.

Owns what the benchmarks' identity provider sends. Never sends anything.
"""

from __future__ import annotations

import base64
import multiprocessing
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from responses import CLAIMS, Idp, post_field

ISSUER = "https://sts.windows.net/5f1f5cd5-3f2c-4b0e-9c1d-8a1b2c3d4e5f/"
_CLAIM = "http://schemas.microsoft.com/identity/claims/"
_GROUPS = "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups"
_LIFETIME = timedelta(hours=12)  # a long run judges responses that were signed at its beginning
_CHUNK = 25


def make_idp() -> Idp:
    """An identity provider whose key lives as long as this process and those that it forks."""
    idp = Idp(ISSUER, "bench", not_before=datetime.now(UTC) - timedelta(days=1))
    _ = idp.certificate_der
    return idp


@dataclass(frozen=True)
class Recipe:
    """What a response is like. `url` is both the entity ID and the assertion consumer service."""

    url: str
    signed: str = "both"
    values: int = 0  # of one more attribute
    tampered: bool = False

    def xml(self, idp: Idp, name: str) -> bytes:
        """A response for somebody, with the attributes that Entra ID sends by default."""
        attributes: dict[str, tuple[str, ...]] = {
            _CLAIM + "tenantid": ("5f1f5cd5-3f2c-4b0e-9c1d-8a1b2c3d4e5f",),
            _CLAIM + "objectidentifier": ("0f3d2c1b-0000-4000-8000-123456789abc",),
            _CLAIM + "displayname": ("Britta Simon",),
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name": (name,),
            CLAIMS.first_name: ("Britta",),
            CLAIMS.last_name: ("Simon",),
            CLAIMS.email: (name,),
        }
        if self.values:
            attributes[_GROUPS] = tuple(f"0f3d2c1b-0000-4000-8000-{at:012}" for at in range(self.values))
        xml = idp.response(
            now=datetime.now(UTC).replace(microsecond=0),
            name_id=name,
            audience=self.url,
            recipient=self.url,
            destination=self.url,
            attributes=attributes,
            lifetime=_LIFETIME,
            signed=self.signed,
        )
        return xml.replace(b">Simon<", b">Mallory<") if self.tampered else xml

    def body(self, idp: Idp, name: str) -> str:
        return urlencode({"SAMLResponse": post_field(self.xml(idp, name))})


def garbage(*, xml: bool) -> str:
    """A form whose field is base64 of no XML at all, or not even base64."""
    return urlencode({"SAMLResponse": base64.b64encode(b"garbage " * 64).decode() if xml else "garbage, garbage"})


def write(
    file: Path, idp: Idp, recipe: Recipe, names: Sequence[str], issuers: Callable[[int], str] | None = None
) -> Path:
    """Sign a response for each of the names, on all processors, and write their forms.

    With `issuers` each comes from another provider, which has the same key.
    """
    idps = [replace(idp, entity_id=issuers(at)) if issuers else idp for at, _ in enumerate(names)]
    # Forked, so that they hold this process's key.
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool, file.open("w", encoding="ascii") as out:
        wanted = zip(map(replace, idps), names, strict=True)  # a copy has not yet read the key, and can be sent to them
        for body in pool.imap(partial(_body, recipe), wanted, chunksize=_CHUNK):
            out.write(f"{body}\n")
    return file


def write_same(file: Path, body: str, number: int) -> Path:
    """The same form so many times."""
    file.write_text(f"{body}\n" * number, encoding="ascii")
    return file


def _body(recipe: Recipe, wanted: tuple[Idp, str]) -> str:
    return recipe.body(*wanted)
