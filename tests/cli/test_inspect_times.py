"""`inspect --at` with a time that nobody can judge at: a sentence and exit code 2, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from responses import Idp
from typer.testing import CliRunner

from sp.cli import app


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59Z", "0001-01-01", "0001-01-01T00:00:00+14:00", "yesterday"])
def test_a_time_out_of_reach_is_an_unusable_argument(tmp_path: Path, moment: str) -> None:
    idp = Idp.make()
    message, certificate = tmp_path / "response.xml", tmp_path / "idp.pem"
    message.write_bytes(idp.response())
    certificate.write_bytes(idp.certificate_pem)
    arguments = ["inspect", str(message), "--issuer", idp.entity_id, "--certificate", str(certificate), "--at", moment]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    assert "is no time such as" in done.output
