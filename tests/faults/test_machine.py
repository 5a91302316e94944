"""Faults of the machine around a run: full and read-only disks, children that hang or are killed, a tool that goes missing."""

from __future__ import annotations

import errno
import logging
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from clipper import artefact, ffmpeg, media
from clipper.errors import ToolError, ToolFailed
from clipper.render import RenderOptions, render
from clipper.values import Plan, Span
from pipelines import batch, cli, verdicts
from pipelines.ledger import Ledger, LedgerError, Seen, audit
from pipelines.watch import logs
from tests import sham
from tests.media import build_clock
from tests.unit.test_ffmpeg import alive, script
from tests.unit.test_watch_daemon import Running, finished

ROOT = Path(__file__).parents[2]
KILO = 1024


@dataclass
class Tight:
    """A folder in which little fits."""

    folder: Path
    is_disk: bool
    """A file system of its own; else, where mounting is not allowed, the kernel's limit of a file's size stands in."""
    grow: Callable[[], None]


@pytest.fixture
def tight(tmp_path: Path) -> Iterator[Callable[[int], Tight]]:
    folder = tmp_path / "tight"
    folder.mkdir()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def make(kilobytes: int) -> Tight:
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", str(folder)], capture_output=True)
        if made.returncode == 0:
            return Tight(folder, True, lambda: subprocess.run(["mount", "-o", "remount,size=200m", str(folder)], check=True) and None)
        resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * KILO, before[1]))
        return Tight(folder, False, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before))

    yield make
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    subprocess.run(["umount", "-l", str(folder)], capture_output=True)


def test_a_disk_that_fills_up_in_mid_render_leaves_nothing_short(tmp_path: Path, tight: Callable[[int], Tight]) -> None:
    recording = media.probe(build_clock(tmp_path / "clock.mp4", seconds=6, width_px=360, height_px=640))
    plan = Plan(
        id="c1",
        type="explanation",
        sku=None,
        recording=recording.path,
        recording_sha256=recording.sha256,
        sources=(Span(0.2, 5.5),),
        title="",
        score=1.0,
        width_px=720,
        height_px=1280,
    )
    options = RenderOptions(preset="ultrafast", crf=18)
    small = tight(150)
    with pytest.raises(ToolError) as told:
        render(plan, recording, small.folder, "clip", options)
    assert list(small.folder.iterdir()) == []
    assert not small.is_disk or ("no space left" in str(told.value) and verdicts.judge(told.value).outcome == "later")
    small.grow()
    assert render(plan, recording, small.folder, "clip", options).duration == pytest.approx(5.3, abs=0.1)


def test_a_ledger_on_a_full_disk_marks_nothing_and_goes_on_afterwards(tmp_path: Path, tight: Callable[[int], Tight]) -> None:
    small = tight(700)
    rows = [Seen(path=Path(f"/in/{'x' * 150}{number}.mp4"), size=1, mtime_ns=0, device=0, inode=number) for number in range(20_000)]
    with Ledger(small.folder / "livecut.ledger") as ledger:
        ledger.note(rows[:200], "waiting")
        with pytest.raises(LedgerError):
            ledger.note(rows, "waiting")
        small.grow()
        assert ledger.counts() == {"waiting": 200}
        ledger.note(rows, "waiting")
    with Ledger(small.folder / "livecut.ledger") as ledger:
        assert ledger.counts() == {"waiting": 20_000}
        assert audit(ledger).is_clean


@pytest.mark.parametrize("code", [errno.EROFS, errno.EDQUOT, errno.EIO, errno.EACCES, errno.ENOSPC])
def test_an_output_that_cannot_be_written_is_nobodys_fault(tmp_path: Path, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = build_clock(tmp_path / "a.mp4", seconds=1)

    def refuse(path: Path, data: bytes) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(artefact, "save", refuse)
    assert cli.run(["clip", str(clock), "-o", str(tmp_path / "out"), "-q"]) in (1, 2)
    monkeypatch.undo()
    with Ledger(tmp_path / "out" / "livecut.ledger") as ledger:
        (job,) = ledger.jobs()
        assert job.state == "waiting", "it is tried again when the machine is well"
        assert job.reason


def test_a_tool_that_goes_missing_makes_jobs_wait(tmp_path: Path) -> None:
    tool = script(tmp_path / "f", "exit 0")
    ffmpeg.run([], what="works", tool=tool)
    Path(tool.path).unlink()
    with pytest.raises(ToolError, match="it has gone") as told:
        ffmpeg.run([], what="is gone", tool=tool)
    assert not isinstance(told.value, ToolFailed)
    assert verdicts.judge(told.value).outcome == "later"
    ffmpeg.run([], what="is back", tool=script(tmp_path / "f", "exit 0"))


def test_a_child_that_is_killed_for_memory_says_so_and_costs_an_attempt(tmp_path: Path) -> None:
    tool = script(tmp_path / "f", "kill -9 $$")
    with pytest.raises(ToolFailed, match=r"signal 9.*memory") as told:
        ffmpeg.run([], what="could not render c1", tool=tool)
    assert told.value.code == -signal.SIGKILL
    assert verdicts.judge(told.value).outcome == "failed", "it is tried again, and put aside after the last attempt"


def test_a_child_that_wants_too_much_memory_fails_alone(tmp_path: Path) -> None:
    tool = script(tmp_path / "f", f"ulimit -v 600000; exec '{ffmpeg.find().path}' \"$@\"")
    args = ["-f", "lavfi", "-i", "testsrc2=s=7680x4320:d=1", "-c:v", "libx264", "-threads", "2", "-f", "null", "-"]
    with pytest.raises(ToolFailed):
        ffmpeg.run(args, what="could not render c1", tool=tool)


@pytest.mark.parametrize("body", ["exec sleep 1000", "while true; do echo out_time_us=40000; echo frame=1; sleep 0.05; done"])
def test_a_tool_that_stands_still_is_stopped(tmp_path: Path, body: str) -> None:
    tool = script(tmp_path / "f", f"echo $$ > {tmp_path}/pid; {body}")
    began = time.monotonic()
    with pytest.raises(ToolFailed, match=r"no progress|longer than"):
        ffmpeg.run([], what="hang", tool=tool, no_progress_s=0.5, wall_limit_s=4.0)
    assert time.monotonic() - began < 15
    assert not alive(int((tmp_path / "pid").read_text()))


def test_a_tool_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    tool = script(tmp_path / "f", f"echo $$ > {tmp_path}/pid; exec sleep 1000")
    code = f"from clipper import ffmpeg; ffmpeg.run([], what='x', tool=ffmpeg.Tool({tool.path!r}, '7.1', 'test'))"
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    end = time.monotonic() + 60
    while not ((tmp_path / "pid").is_file() and (tmp_path / "pid").read_text().strip()):
        assert time.monotonic() < end
        time.sleep(0.02)
    child = int((tmp_path / "pid").read_text())
    assert alive(child)
    parent.kill()
    parent.wait()
    end = time.monotonic() + 5
    while alive(child) and time.monotonic() < end:
        time.sleep(0.02)
    assert not alive(child)


def test_a_flooded_log_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_BYTES", 20_000)
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        logs.set_up(logging.INFO, tmp_path / "log")
        for number in range(5_000):
            logging.getLogger("x").warning(f"complaint {number} of a tool")
    finally:
        for handler in root.handlers:
            handler.close()
        root.handlers[:], root.level = before, level
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert 20_000 < sum(sizes) <= (logs.BACKUPS + 1) * 20_000
    assert "complaint 4999" in (tmp_path / "log").read_text()


def test_a_childs_complaints_fill_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred thousand warnings: the file they go to is cut while the child still writes."""
    sizes: list[int] = []
    real = ffmpeg._Log.trim

    def look(self: ffmpeg._Log) -> None:
        real(self)
        with suppress(OSError):
            sizes.append(os.fstat(self.file.fileno()).st_size)

    monkeypatch.setattr(ffmpeg._Log, "trim", look)
    line = "w" * 100
    tool = script(tmp_path / "f", f"i=0; while [ $i -lt 100000 ]; do echo {line} >&2; i=$((i+1)); done; echo the end >&2")
    done = ffmpeg.run([], what="flood", tool=tool)
    assert done.stderr.endswith("the end\n") and len(done.stderr) <= ffmpeg.LOG_BYTES
    assert max(sizes) <= 4 * ffmpeg.LOG_BYTES


def test_without_file_events_the_clock_finds_every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a network share: nothing ever wakes the scan, and what comes later is found all the same."""
    monkeypatch.setattr("pipelines.jobs.make_clips", sham.make_clips)
    monkeypatch.setattr(batch, "TICK_S", 0.01)
    monkeypatch.setattr("pipelines.watch.wake._has_events", lambda root: False)
    inbox = tmp_path / "in"
    for number in range(3):
        finished(inbox / f"early {number}.mp4")
    daemon = Running(tmp_path, inbox)
    try:
        daemon.until(lambda: len(daemon.states()) == 3 and set(daemon.states().values()) == {"done"})
        for number in range(20):
            finished(inbox / "below" / f"late {number}.mp4")
        daemon.until(lambda: len(daemon.states()) == 23 and set(daemon.states().values()) == {"done"})
    finally:
        daemon.close()
