"""Several recordings through the real thing: worker processes, recognizer, ffmpeg; and stages in processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from clipper.errors import InputError, NothingFound
from pipelines import cli
from pipelines.clips import STAGES, make_clips
from pipelines.ledger import Ledger, audit
from pipelines.settings import RunOptions, Settings
from tests import media

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return media.build_clock(tmp_path_factory.mktemp("clock") / "beeps.mp4", seconds=3)


@pytest.mark.slow
def test_a_folder_of_recordings(clock: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    inbox, out = tmp_path / "in", tmp_path / "out"
    (inbox / "b").mkdir(parents=True)
    for name in ("a.mp4", "b/same.mp4"):
        shutil.copy(clock, inbox / name)
    (inbox / "text.mp4").write_text("no recording")
    assert cli.run(["clip", str(inbox), "-o", str(out), "--json"]) == 3
    printed, told = capfd.readouterr()
    rows = {Path(row["recording"]).name: row for row in map(json.loads, printed.splitlines())}
    assert {name: (row["state"], row["exit_code"]) for name, row in rows.items()} == {
        "a.mp4": ("done", 5), "same.mp4": ("done", 5), "text.mp4": ("rejected", 2),
    }  # fmt: skip
    assert rows["same.mp4"]["same_as"] == str(inbox / "a.mp4")
    assert "3 recordings: 2 done, 1 rejected" in told
    run = json.loads((out / "a" / "run.json").read_text(encoding="utf-8"))
    assert set(run["made"]) >= {"recording", "transcript", "picture", "segments"}, "made in three tasks, told as one run"
    assert set(STAGES) <= set(run["stages"])
    assert not (out / "a" / ".session.json").exists()
    assert cli.run(["clip", str(inbox), "-o", str(out), "--json"]) == 3
    assert json.loads(capfd.readouterr().out.splitlines()[0])["reused"]
    assert cli.run(["ledger", "audit", "-o", str(out)]) == 0


@pytest.mark.slow
def test_names_that_are_no_text_go_all_the_way(clock: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    inbox, out = tmp_path / "in", tmp_path / "out"
    inbox.mkdir()
    name = os.fsdecode(b"bad\xff\xfe\n.mp4")
    shutil.copy(clock, inbox / name)
    assert cli.run(["clip", str(inbox), "-o", str(out), "--json"]) == 5
    assert json.loads(capfd.readouterr().out)["recording"].endswith("bad\\xff\\xfe\n.mp4")
    assert json.loads((out / name.removesuffix(".mp4") / "manifest.json").read_text(encoding="utf-8"))["recording"]["path"] == str(
        inbox / name
    )
    assert cli.run(["status", "-o", str(out)]) == 0
    assert "bad\\xff\\xfe\\x0a.mp4" in capfd.readouterr().out
    assert cli.run(["ledger", "audit", "-o", str(out)]) == 0


@pytest.mark.slow
def test_a_batch_that_is_killed_leaves_nothing_behind_and_goes_on(clock: Path, tmp_path: Path) -> None:
    inbox, out = tmp_path / "in", tmp_path / "out"
    inbox.mkdir()
    for number in range(2):
        shutil.copy(clock, inbox / f"{number}.mp4")
        with (inbox / f"{number}.mp4").open("ab") as file:
            file.write(b"\x00\x00\x00\x10free0000000%d" % number)
    driver = subprocess.Popen([sys.executable, "-m", "pipelines", "clip", str(inbox), "-o", str(out), "-q", "--jobs", "1"], cwd=ROOT)
    end = time.monotonic() + 60
    while not list(out.glob("*/recording.json")) and time.monotonic() < end:
        time.sleep(0.05)
    below = psutil.Process(driver.pid).children(recursive=True)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    assert below, "a worker was at it"
    assert not psutil.wait_procs(below, timeout=2)[1]
    assert cli.run(["clip", str(inbox), "-o", str(out), "-q"]) == 5
    with Ledger(out / "livecut.ledger") as ledger:
        assert {job.state for job in ledger.jobs()} == {"done"}
        assert sum(job.attempt for job in ledger.jobs()) == 3, "the kill cost one attempt"
        assert audit(ledger).is_clean


@pytest.mark.slow
def test_a_run_in_parts_is_the_run_as_a_whole(clock: Path, tmp_path: Path) -> None:
    settings = Settings(run=RunOptions(out=str(tmp_path)))
    made: list[str] = []
    killed = tmp_path / "parts" / "clips" / ".livecut-killed.part"
    killed.mkdir(parents=True)
    (killed / "video.mp4").write_bytes(b"half a clip")
    for until in STAGES:
        part = make_clips(clock, settings=settings, folder=tmp_path / "parts", until=until)
        assert (part.manifest, part.clips) == ({}, ())
        assert not set(made) & set(part.made), "nothing is made twice"
        made += part.made
    assert not killed.exists(), "what a killed run left half rendered"
    with pytest.raises(NothingFound):
        make_clips(clock, settings=settings, folder=tmp_path / "parts")
    with pytest.raises(NothingFound):
        make_clips(clock, settings=settings, folder=tmp_path / "whole")
    for name in ("manifest.json", "transcript.json", "segments.json"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    parts, whole = (json.loads((tmp_path / name / "run.json").read_text(encoding="utf-8")) for name in ("parts", "whole"))
    assert sorted(parts["made"]) == sorted(whole["made"])
    assert sorted(parts["stages"]) == sorted(whole["stages"])


def test_an_unknown_stage_is_refused(clock: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="until = 'rendr': expected one of probe"):
        make_clips(clock, folder=tmp_path, until="rendr")
