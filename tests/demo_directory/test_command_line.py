"""The command line: serving, the connected state, and one sentence for each mistake."""

import base64
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509

from sp.demo_directory.__main__ import main


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def served(free_port: int, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    command = [sys.executable, "-m", "sp.demo_directory", "--port", str(free_port), "--data-dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        url = f"http://127.0.0.1:{free_port}"
        wait_until_ready(url)
        yield process, url
        process.kill()


def wait_until_ready(url: str) -> None:
    for _ in range(300):
        try:
            httpx.get(url, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"{url} does not answer")


def connected(capsys: pytest.CaptureFixture[str], folder: Path) -> dict[str, Any]:
    assert main(["connect", "--data-dir", str(folder)]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_connect_prints_what_the_other_side_needs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    answer = connected(capsys, tmp_path)
    assert answer["issuer"].startswith("http://127.0.0.1:8001/")
    assert answer["sign_in_url"] == answer["sign_out_url"] == answer["issuer"] + "saml2"
    assert answer["user_name"] == "BrittaSimon@contoso.example"
    assert answer["access_panel_url"] == "http://127.0.0.1:8001/access-panel"
    assert answer["password"]
    certificate = Path(answer["certificate_file"])
    assert certificate.is_absolute()
    assert x509.load_pem_x509_certificate(certificate.read_bytes()).subject


def test_connecting_again_changes_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert connected(capsys, tmp_path) == connected(capsys, tmp_path)


def test_two_directories_share_neither_password_nor_tenant(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    one, other = connected(capsys, tmp_path / "one"), connected(capsys, tmp_path / "other")
    assert one["password"] != other["password"]
    assert one["issuer"] != other["issuer"]


def test_a_response_is_for_the_service_of_the_last_start(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    acs_url = "http://localhost:8206/saml2"
    options = ("--data-dir", str(tmp_path), "--service-acs-url", acs_url, "--base-url", "http://127.0.0.1:8207")
    assert main(["connect", *options]) == 0
    capsys.readouterr()
    assert main(["response", "--data-dir", str(tmp_path)]) == 0
    xml = base64.b64decode(capsys.readouterr().out).decode()
    assert f'Destination="{acs_url}"' in xml
    assert "http://localhost:8000" not in xml
    assert "http://127.0.0.1:8001" not in xml
    assert (tmp_path / "demo-directory.json").stat().st_mode & 0o777 == 0o600


def test_it_serves_until_it_is_interrupted(served: tuple[subprocess.Popen[bytes], str]) -> None:
    process, url = served
    assert "Demo directory" in httpx.get(url, trust_env=False).text
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 0
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()


def test_a_taken_port_is_one_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main(["--port", port, "--data-dir", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert f"cannot listen on 127.0.0.1:{port}" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--service-acs-url", "https://sp.example/saml2"], "https://sp.example/saml2 is not on this computer"),
        (["--service-acs-url", "nonsense"], "'nonsense' is not an absolute http or https address."),
        (["--host", "0.0.0.0"], "http://0.0.0.0:8001 is not on this computer"),  # noqa: S104  refused
        (["--base-url", "http://192.0.2.1:8001"], "http://192.0.2.1:8001 is not on this computer"),
    ],
)
def test_an_address_elsewhere_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    assert main([*arguments, "--data-dir", str(tmp_path)]) == 1
    assert sentence in capsys.readouterr().err


def test_in_a_container_it_is_reached_by_another_address_than_it_listens_on(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Published on the loopback address of the computer around it; browsers know nothing of the inside."""
    inside = ["--host", "0.0.0.0", "--base-url", "http://127.0.0.1:9001/"]  # noqa: S104
    assert main(["connect", *inside, "--data-dir", str(tmp_path)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert {said[name].split("/")[2] for name in ("sign_in_url", "access_panel_url")} == {"127.0.0.1:9001"}


def test_all_faults_are_said_at_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = ["--host", "192.0.2.1", "--service-acs-url", "nonsense", "--data-dir", str(tmp_path)]
    assert main(arguments) == 1
    assert capsys.readouterr().err.count("\n") == 2


def test_a_data_folder_that_is_a_file_is_one_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    assert main(["connect", "--data-dir", str(tmp_path / "data")]) == 1
    assert "cannot be written to" in capsys.readouterr().err


def test_a_database_that_is_none_is_one_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "demo-directory.db").write_text("not a database, but long enough to be looked at" * 50)
    assert main(["connect", "--data-dir", str(tmp_path)]) == 1
    assert "is not a database of the demo directory" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--port", "0"], ["--port", "many"], ["dance"]])
def test_unusable_arguments_end_with_two(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err


def test_help_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert "--service-acs-url" in capsys.readouterr().out
