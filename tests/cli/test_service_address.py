"""The address of an installation: what its folder keeps of it, who may hold it, and what commands take for it."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sp.cli import app, sockets
from sp.cli.greeting import Started
from sp.cli.listening_file import listening_file, listening_file_removed, read_listening, write_listening
from sp.cli.service_address import InUseError, ServiceAddress, holding_installation, known_base_url, last_address
from sp.cli.sockets import PortError, PortProblem
from sp.settings import Settings

OURS, OTHERS = "http://localhost:8100", "http://localhost:8200"
Make = Callable[..., Settings]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A function of settings: those of a service with its data in one folder."""
    for name in os.environ:
        if name.startswith("VIRTUAL_OFFICE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return lambda **changes: Settings(**{"data_dir": tmp_path / "data"} | changes)


class TestHolding:
    def test_a_first_start_has_no_former_address(self, settings: Make) -> None:
        with holding_installation(settings(port=8100)) as former:
            assert former is None
        assert last_address(settings()) == ServiceAddress(OURS, f"{OURS}/saml2", f"{OURS}/saml2")

    def test_services_with_one_address_share_a_folder(self, settings: Make) -> None:
        """As replicas behind a proxy do."""
        first, second = (settings(port=port, base_url="https://office.example") for port in (8100, 8200))
        with holding_installation(first), holding_installation(second):
            pass

    @pytest.mark.parametrize(
        "other", [{"port": 8200}, {"port": 8100, "entity_id": "urn:other"}, {"port": 8100, "acs_url": f"{OTHERS}/acs"}]
    )
    def test_another_address_is_refused_and_changes_nothing(self, settings: Make, other: dict[str, Any]) -> None:
        with holding_installation(settings(port=8100)):
            with pytest.raises(InUseError) as refused, holding_installation(settings(**other)):
                pass
            assert refused.value.base_url == OURS
            address = last_address(settings())
            assert address is not None
            assert address.base_url == OURS

    def test_who_was_refused_holds_nothing(self, settings: Make) -> None:
        with (
            holding_installation(settings(port=8100)),
            suppress(InUseError),
            holding_installation(settings(port=8200)),
        ):
            pass
        with holding_installation(settings(port=8300)):
            pass

    def test_an_address_that_was_lost_meanwhile_is_nobodys(self, settings: Make, tmp_path: Path) -> None:
        with holding_installation(settings(port=8100)):
            (tmp_path / "data" / "service-address.json").write_text("{")
            with pytest.raises(InUseError), holding_installation(settings(port=8100)):
                pass

    def test_a_database_outside_of_the_folder_is_held_too(self, settings: Make, tmp_path: Path) -> None:
        database = {"database_url": f"sqlite:///{tmp_path / 'shared.db'}"}
        first = settings(port=8100, data_dir=tmp_path / "first", **database)
        second = settings(port=8200, data_dir=tmp_path / "second", **database)
        with holding_installation(first), pytest.raises(InUseError), holding_installation(second):
            pass

    def test_a_folder_that_cannot_be_made_stops_nothing(self, settings: Make, tmp_path: Path) -> None:
        """Beside a PostgreSQL nothing in it is needed."""
        (tmp_path / "data").write_text("a file, no folder")
        with holding_installation(settings(database_url="postgresql://localhost/office")) as former:
            assert former is None


class TestChangedAddress:
    def test_the_identity_provider_is_told_both(self, settings: Make) -> None:
        former = ServiceAddress.of(settings(port=8100))
        changed = Started(settings(port=8200), former).changed_address
        assert (changed["acs_url"], changed["former_acs_url"]) == (f"{OTHERS}/saml2", f"{OURS}/saml2")
        assert (changed["entity_id"], changed["former_entity_id"]) == (f"{OTHERS}/saml2", f"{OURS}/saml2")
        assert changed["sign_out_url"] == f"{OTHERS}/saml2/slo"

    def test_it_is_said_before_anything_else_can_fail(self, settings: Make, capsys: pytest.CaptureFixture[str]) -> None:
        for port in (8100, 8200, 8200):
            with holding_installation(settings(port=port)):
                pass
        (line,) = [line for line in capsys.readouterr().out.splitlines() if "address_changed" in line]
        assert f"former_acs_url={OURS}/saml2" in line

    @pytest.mark.parametrize("former", [None, ServiceAddress(OURS, f"{OURS}/saml2", f"{OURS}/saml2")])
    def test_nothing_is_said_where_nothing_changed(self, settings: Make, former: ServiceAddress | None) -> None:
        assert Started(settings(port=8100), former).changed_address == {}


class TestKnownBaseUrl:
    """What commands take for the base URL where a service was given its port on the command line, or by the system."""

    @pytest.mark.parametrize("port", [{}, {"port": 0}])
    def test_the_last_address(self, settings: Make, port: dict[str, int]) -> None:
        with holding_installation(settings(port=8100)):
            pass
        assert known_base_url(settings(**port)) == OURS

    @pytest.mark.parametrize("chosen", [{"port": 8200}, {"host": "127.0.0.1"}, {"base_url": "https://office.example"}])
    def test_what_is_chosen_comes_first(self, settings: Make, chosen: dict[str, Any]) -> None:
        with holding_installation(settings(port=8100)):
            pass
        assert known_base_url(settings(**chosen)) == ""

    def test_the_service_that_runs_comes_before_a_chosen_port(self, settings: Make) -> None:
        with holding_installation(settings(port=8100)):
            write_listening(settings(port=8100))
            assert known_base_url(settings(port=8200)) == OURS
            assert known_base_url(settings(base_url="https://office.example")) == ""

    def test_what_a_killed_service_left_does_not_come_before_a_chosen_port(self, settings: Make) -> None:
        write_listening(settings(port=8100))
        assert known_base_url(settings(port=8200)) == ""
        with holding_installation(settings(port=8100)):
            pass
        assert known_base_url(settings(port=8200)) == ""
        assert known_base_url(settings()) == OURS

    def test_commands_print_it(self, settings: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("VIRTUAL_OFFICE_DATA_DIR", str(tmp_path / "data"))
        with holding_installation(settings(port=8100)):
            assert CliRunner().invoke(app, ["db", "upgrade"]).exit_code == 0
            done = CliRunner().invoke(app, ["metadata"])
        assert f'entityID="{OURS}/saml2"' in done.stdout


class TestListeningFile:
    def test_it_is_there_while_the_service_listens(self, settings: Make) -> None:
        ours = settings(port=8100)
        with listening_file_removed(ours):
            write_listening(ours)
            said = read_listening(ours)
            assert said is not None
            assert (said.url, said.host, said.port, said.tls) == (OURS, "localhost", 8100, False)
            assert listening_file(ours).stat().st_mode & 0o777 == 0o600
            assert [file.name for file in ours.data_dir.iterdir()] == ["listening.json"]
        assert read_listening(ours) is None

    def test_what_a_killed_service_left_is_removed(self, settings: Make) -> None:
        write_listening(settings(port=8200))
        with listening_file_removed(settings(port=8100)):
            assert read_listening(settings()) is None

    def test_what_another_service_says_stays(self, settings: Make) -> None:
        with listening_file_removed(settings(port=8100)):
            write_listening(settings(port=8200))
        assert read_listening(settings()) is not None

    @pytest.mark.parametrize("text", ["", "[]", '{"port": 1}', "8100"])
    def test_what_cannot_be_read_says_nothing(self, settings: Make, tmp_path: Path, text: str) -> None:
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "listening.json").write_text(text)
        assert read_listening(settings()) is None


class TestPorts:
    @pytest.mark.skipif(not socket.has_ipv6, reason="a machine without IPv6")
    def test_any_free_port_is_the_same_on_every_address(self) -> None:
        both = [(socket.AF_INET, ("127.0.0.1", 0)), (socket.AF_INET6, ("::1", 0, 0, 0))]
        listening = sockets.bind_all(both)
        assert len(listening) == 2
        ports = {opened.getsockname()[1] for opened in listening}
        for opened in listening:
            opened.close()
        assert len(ports) == 1
        assert ports != {0}

    def test_a_port_in_use_comes_with_one_that_is_free(self) -> None:
        listening = sockets.listen("127.0.0.1", 0)
        port = sockets.port_of(listening)
        with pytest.raises(PortError) as error:
            sockets.listen("127.0.0.1", port)
        assert (error.value.problem, error.value.port) == (PortProblem.IN_USE, port)
        assert error.value.free_port
        listening += sockets.listen("127.0.0.1", error.value.free_port)
        for opened in listening:
            opened.close()

    def test_listening_nowhere_is_an_error(self) -> None:
        with pytest.raises(OSError, match="assign requested address"):
            sockets.bind_all([])

    def test_an_unknown_host(self) -> None:
        with pytest.raises(PortError) as error:
            sockets.listen("no host", 0)
        assert error.value.problem == PortProblem.UNKNOWN_HOST


def test_a_health_check_without_a_port_says_where_it_looked(settings: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_OFFICE_PORT", "0")
    done = CliRunner().invoke(app, ["healthcheck", "--data-dir", str(settings().data_dir)])
    assert done.exit_code == 1
    assert str(listening_file(settings())) in done.stderr
