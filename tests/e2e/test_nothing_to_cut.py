"""A recording that can be read but holds nothing, and a disk that fills up: said plainly, nothing half-written."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from clipper import artefact
from pipelines import cli
from pipelines.clips import run_folder
from tests import media


@pytest.mark.slow
def test_a_recording_without_speech_says_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    clock = media.build_clock(tmp_path / "beeps.mp4", seconds=6)
    assert cli.run(["clip", str(clock), "-o", str(tmp_path / "out"), "-q"]) == 5
    assert "no speech was recognised" in capfd.readouterr().err
    manifest = json.loads((tmp_path / "out" / "beeps" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["clips"] == []
    assert manifest["coverage"]["why_nothing"] == "no speech was recognised"
    assert (tmp_path / "out" / "beeps" / "report.html").stat().st_size > 0


def test_a_full_disk_is_called_one(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = media.build_clock(tmp_path / "beeps.mp4", seconds=2)

    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(artefact, "save", full)
    assert cli.run(["clip", str(clock), "-o", str(tmp_path / "out"), "-q"]) == 1
    assert "no space left" in capfd.readouterr().err
    assert not list((tmp_path / "out").rglob("*.json"))


def test_two_runs_do_not_share_a_folder(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    import fcntl

    clock = media.build_clock(tmp_path / "beeps.mp4", seconds=2)
    folder = tmp_path / "out" / "beeps"
    folder.mkdir(parents=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert cli.run(["clip", str(clock), "-o", str(tmp_path / "out"), "-q"]) == 2
    assert "another livecut is at work" in capfd.readouterr().err


def test_another_recording_of_the_same_name_gets_its_own_folder(tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "show.mp4", tmp_path / "b" / "show.flv"
    for path in (first, second):
        path.parent.mkdir()
        path.write_bytes(b"x")
    out = tmp_path / "out"
    folder = run_folder(out, first)
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"recording": {"path": str(first)}}), encoding="utf-8")
    assert run_folder(out, first) == folder
    assert run_folder(out, second) != folder
    first.unlink()
    assert run_folder(out, second) == folder
