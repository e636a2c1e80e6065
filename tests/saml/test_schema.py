"""The protocol schema is there before any message is, and it is whole or not at all."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from sp.saml import xml


def test_it_is_read_before_there_can_be_a_second_thread() -> None:
    """One that is read beside another thread's parsing lacks what it imports now and then, and refuses everything."""
    program = "import sp.saml.xml; print(sp.saml.xml._schema.cache_info().currsize)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


def test_one_that_lacks_what_it_imports_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = xml._LocalFiles.resolve
    empty = '<schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:oasis:names:tc:SAML:2.0:protocol"/>'

    def without_the_protocol(self: Any, url: str, public_id: str | None, context: Any) -> Any:
        return self.resolve_string(empty, context) if "protocol" in url else resolve(self, url, public_id, context)

    monkeypatch.setattr(xml._LocalFiles, "resolve", without_the_protocol)
    with pytest.raises(RuntimeError, match="not loaded whole"):
        xml._schema.__wrapped__()
