"""The probe of the disk writes, syncs and removes one file, at most once in five seconds."""

from __future__ import annotations

from pathlib import Path

from sp.store.disk_probe import DiskProbe


def test_a_folder_that_can_be_written_has_no_fault_and_stays_empty(tmp_path: Path) -> None:
    assert DiskProbe(tmp_path).fault() == ""
    assert list(tmp_path.iterdir()) == []


def test_the_answer_holds_for_five_seconds(tmp_path: Path) -> None:
    now = [0.0]
    folder = tmp_path / "data"
    probe = DiskProbe(folder, lambda: now[0])
    assert probe.fault() == "No such file or directory"
    folder.mkdir()
    now[0] = 4.9
    assert probe.fault() == "No such file or directory"
    now[0] = 5.0
    assert probe.fault() == ""
