"""Switching a fault on and off: the portal's page, the tile's mark, what is posted, and the command line."""

import base64
import subprocess
import sys
from pathlib import Path

import pytest
from demo_directory.browser import Browser
from demo_directory.posted_message import one, posted_form, posted_message, text
from lxml import etree

from sp.demo_directory.__main__ import main
from sp.demo_directory.connect import Connected
from sp.demo_directory.desk import Desk
from sp.demo_directory.faults import FAULTS
from sp.demo_directory.store import NewPerson

AUDIENCE = "saml:Assertion/saml:Conditions/saml:AudienceRestriction/saml:Audience"


@pytest.fixture
def page(desk: Desk, connected: Connected) -> str:
    """The address of the page "Faults"."""
    assert connected.issuer
    return f"/portal/directory/applications/{desk.store.applications()[0].object_id}/faults"


def britta_id(desk: Desk) -> str:
    (person,) = desk.store.people()
    return person.object_id


def audience_of(browser: Browser, application_path: str) -> str:
    return text(etree.fromstring(posted_message(browser.open(application_path).text)), AUDIENCE)


def switch_on(alice: Browser, page: str, fault: str) -> None:
    alice.open(page)
    alice.submit(f"{page}/switch-on", fault=fault)


def test_a_fault_lasts_until_it_is_switched_off(
    alice: Browser, britta: Browser, page: str, application_path: str
) -> None:
    sound = audience_of(britta, application_path)
    switch_on(alice, page, "audience")
    assert "The fault is on" in alice.text()
    assert [audience_of(britta, application_path) for _ in range(2)] == [f"{sound}/"] * 2
    alice.submit(f"{page}/switch-off")
    assert "The next response is sound" in alice.text()
    assert audience_of(britta, application_path) == sound


def test_the_tile_and_the_page_that_posts_show_the_fault(
    alice: Browser, britta: Browser, page: str, application_path: str
) -> None:
    britta.open("/access-panel")
    assert "Fault" not in britta.text()
    switch_on(alice, page, "recipient")
    britta.open("/access-panel")
    assert "Fault: recipient" in britta.text()
    britta.open(application_path)
    assert "Fault: recipient" in britta.text()


def test_another_fault_takes_the_place_of_the_first(alice: Browser, desk: Desk, page: str) -> None:
    switch_on(alice, page, "audience")
    switch_on(alice, page, "recipient")
    assert desk.store.faults_for(desk.store.applications()[0]) == {britta_id(desk): "recipient"}


def test_a_fault_is_for_one_person_only(alice: Browser, britta: Browser, desk: Desk, page: str) -> None:
    new = NewPerson("Ada", "Ada", "Adams", "Ada Adams", "User", "no password")
    ada = desk.store.add_person(new, desk.clock())
    assert ada is not None
    desk.store.assign(desk.store.applications()[0], [ada.object_id])
    alice.open(page)
    alice.submit(f"{page}/switch-on", fault="audience", person=[ada.object_id])
    britta.open("/access-panel")
    assert "Fault" not in britta.text()


def test_what_the_field_holds_may_be_no_message_at_all(
    alice: Browser, britta: Browser, page: str, application_path: str
) -> None:
    switch_on(alice, page, "form")
    assert posted_form(britta.open(application_path).text).fields["SAMLResponse"] == ""


def test_every_fault_can_be_chosen_by_its_name(alice: Browser, page: str) -> None:
    alice.open(page)
    shown = alice.text()
    for fault in FAULTS:
        assert fault.code in shown
        assert fault.sentence in shown
        assert fault.first in shown


def test_nobody_or_nothing_selected_says_what_to_do(alice: Browser, page: str, desk: Desk) -> None:
    alice.open(page)
    assert alice.submit(f"{page}/switch-on", fault="audience", person=[]).status_code == 422
    assert "Select somebody first, then choose Switch on." in alice.text()
    assert alice.submit(f"{page}/switch-on", fault="nonsense").status_code == 422
    assert "Select a fault first" in alice.text()
    assert alice.submit(f"{page}/switch-off", person=[]).status_code == 422
    assert "Select somebody first, then choose Switch off." in alice.text()
    assert desk.store.faults_for(desk.store.applications()[0]) == {}


def test_without_anybody_assigned_the_page_says_what_to_do(alice: Browser, desk: Desk, page: str) -> None:
    desk.store.unassign(desk.store.applications()[0], [britta_id(desk)])
    alice.open(page)
    assert "Nobody is assigned yet" in alice.text()


def test_a_stranger_cannot_be_given_a_fault(alice: Browser, desk: Desk, page: str) -> None:
    alice.open(page)
    alice.submit(f"{page}/switch-on", fault="audience", person=["nobody"])
    assert desk.store.faults_for(desk.store.applications()[0]) == {}


def test_a_fault_that_is_no_longer_known_is_no_fault(
    britta: Browser, desk: Desk, page: str, application_path: str
) -> None:
    desk.store.choose_fault(desk.store.applications()[0], [britta_id(desk)], "of-another-version")
    assert not audience_of(britta, application_path).endswith("//")
    assert page


def test_a_deleted_person_leaves_no_fault_behind(desk: Desk, page: str) -> None:
    application = desk.store.applications()[0]
    desk.store.choose_fault(application, [britta_id(desk)], "audience")
    desk.store.delete_person(desk.store.people()[0])
    assert desk.store.faults_for(application) == {}
    assert page


# The command line


def run(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> tuple[int, str, str]:
    status = main([*arguments, "--data-dir", str(folder)])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_a_program_gets_a_response_with_a_fault(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(capsys, tmp_path, "connect")[0] == 0
    status, printed, _ = run(capsys, tmp_path, "response", "--user", "BrittaSimon", "--fault", "audience")
    root = etree.fromstring(base64.b64decode(printed))
    assert status == 0
    assert text(root, AUDIENCE) == "http://localhost:8000/saml2/"
    assert text(root, "saml:Assertion/saml:Subject/saml:NameID") == "BrittaSimon@contoso.example"


def test_without_a_fault_the_response_is_sound(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run(capsys, tmp_path, "connect")
    status, printed, _ = run(capsys, tmp_path, "response")
    assert status == 0
    assert one(etree.fromstring(base64.b64decode(printed)), AUDIENCE).text == "http://localhost:8000/saml2"


def test_the_faults_are_listed_one_on_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition("\t")[0] for line in lines] == [fault.code for fault in FAULTS]


def test_without_anything_prepared_there_is_one_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, printed, error = run(capsys, tmp_path, "response")
    assert (status, printed) == (1, "")
    assert error == (
        f"There is no demo directory in the folder {tmp_path}. Run the command connect, or name another --data-dir.\n"
    )


def test_an_unknown_person_is_one_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run(capsys, tmp_path, "connect")
    status, _, error = run(capsys, tmp_path, "response", "--user", "Nobody")
    assert status == 1
    assert error.startswith("There is no user 'Nobody' in this directory.")


def test_an_unknown_fault_is_refused_with_the_way_to_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["response", "--fault", "nonsense"])
    assert ended.value.code == 2
    assert "there is no fault 'nonsense'; the command faults lists them" in capsys.readouterr().err


def test_it_runs_as_a_program_with_nothing_else_on_its_output(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sp.demo_directory"]
    subprocess.run([*command, "connect", "--data-dir", str(tmp_path)], check=True, capture_output=True)
    made = subprocess.run(
        [*command, "response", "--fault", "not_on_or_after", "--data-dir", str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
    )
    assert made.stderr == ""
    assert made.stdout.endswith("\n")
    assert base64.b64decode(made.stdout, validate=False).startswith(b"<samlp:Response")
