"""The door to ffmpeg, with scripts in ffmpeg's place."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from clipper import ffmpeg
from clipper.errors import Cancelled, ToolError, ToolFailed


def script(path: Path, text: str) -> ffmpeg.Tool:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return ffmpeg.Tool(str(path), "7.1", "test")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_input_is_held_to_one_format_and_to_local_files() -> None:
    args = ffmpeg.input_args("-vf.mp4", "mov")
    assert args[-2:] == ["-i", f"file:{Path.cwd()}/-vf.mp4"]
    assert args[args.index("-protocol_whitelist") + 1] == "file"
    assert args[args.index("-format_whitelist") + 1] == args[args.index("-f") + 1] == "mov"
    assert args[args.index("-max_streams") + 1] == "64"


def test_graphs_become_arguments_with_a_hardened_input() -> None:
    args = ffmpeg.compile(ffmpeg.source("/a b/x.flv", "flv", ss=1.5).filter("scale", 10, 20).output("file:/o.mp4", f="mp4"))
    assert args.index("-format_whitelist") < args.index("-i")
    assert args[args.index("-ss") + 1] == "1.5"
    assert args[args.index("-i") + 1] == "file:/a b/x.flv"
    assert "scale=10:20" in args[args.index("-filter_complex") + 1]


def test_failure_carries_arguments_code_and_last_line(tmp_path: Path) -> None:
    tool = script(tmp_path / "f", "echo first >&2; echo 'no such filter' >&2; exit 8")
    with pytest.raises(ToolFailed, match="could not render c1: exit code 8: no such filter") as caught:
        ffmpeg.run(["-i", "x"], what="could not render c1", tool=tool)
    assert caught.value.code == 8
    assert caught.value.argv[-2:] == ("-i", "x")


def test_a_flood_on_stderr_neither_blocks_nor_fills_memory(tmp_path: Path) -> None:
    tool = script(tmp_path / "f", "head -c 3000000 /dev/zero | tr '\\0' 'x' >&2; echo; echo the end >&2")
    done = ffmpeg.run([], what="flood", tool=tool)
    assert done.stderr.endswith("the end\n")
    assert len(done.stderr) <= ffmpeg.LOG_BYTES


def test_progress_is_a_share_of_the_duration(tmp_path: Path) -> None:
    told: list[float] = []
    tool = script(tmp_path / "f", "echo out_time_us=N/A; echo out_time_us=500000; sleep 0.3; echo 'out_time_us= 1500000'; sleep 0.3")
    ffmpeg.run([], what="p", tool=tool, duration_s=2.0, progress=told.append)
    assert told[-1] == 0.75
    assert told == sorted(told)


def test_a_hanging_child_is_stopped_with_its_whole_group(tmp_path: Path) -> None:
    tool = script(tmp_path / "f", f"sleep 100 & echo $! > {tmp_path}/pid; wait")
    with pytest.raises(ToolFailed, match=r"no progress for 0\.3 s"):
        ffmpeg.run([], what="hang", tool=tool, no_progress_s=0.3)
    grandchild = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 5
    while alive(grandchild) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not alive(grandchild)


def test_the_wall_limit_holds_while_progress_is_claimed(tmp_path: Path) -> None:
    tool = script(tmp_path / "f", "i=0; while true; do i=$((i+1)); echo frame=$i; sleep 0.05; done")
    with pytest.raises(ToolFailed, match=r"longer than 0\.5 s"):
        ffmpeg.run([], what="endless", tool=tool, wall_limit_s=0.5)


def test_cancelling_stops_the_child(tmp_path: Path) -> None:
    tool = script(tmp_path / "f", "sleep 100")
    began = time.monotonic()
    with pytest.raises(Cancelled):
        ffmpeg.run([], what="c", tool=tool, cancelled=lambda: time.monotonic() - began > 0.2)
    assert time.monotonic() - began < 5


def test_stdin_is_closed_unless_fed(tmp_path: Path) -> None:
    tool = script(tmp_path / "f", f"cat > {tmp_path}/got")
    ffmpeg.run([], what="closed", tool=tool)
    assert (tmp_path / "got").read_bytes() == b""
    ffmpeg.run([], what="fed", tool=tool, feed=[b"one ", b"two"])
    assert (tmp_path / "got").read_bytes() == b"one two"


def test_an_error_in_what_is_fed_reaches_the_caller(tmp_path: Path) -> None:
    def broken():
        yield b"x"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ffmpeg.run([], what="fed", tool=script(tmp_path / "f", "cat > /dev/null"), feed=broken())


def test_a_chosen_ffmpeg_must_exist_and_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVECUT_FFMPEG", str(tmp_path / "none"))
    with pytest.raises(ToolError, match="could not run"):
        ffmpeg.find()
    monkeypatch.setenv("LIVECUT_FFMPEG", script(tmp_path / "other", "echo hello").path)
    with pytest.raises(ToolError, match="does not answer like ffmpeg"):
        ffmpeg.find()


@pytest.mark.parametrize(
    ("version", "said"), [("5.1.9-0+deb12u1", "older than 6.1"), ("n7.0", "built without libx264, aac, loudnorm, subtitles")]
)
def test_an_old_or_small_ffmpeg_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, said: str) -> None:
    monkeypatch.setenv("LIVECUT_FFMPEG", script(tmp_path / version, f"echo 'ffmpeg version {version} Copyright'").path)
    with pytest.raises(ToolError, match=said):
        ffmpeg.find()


def test_the_systems_ffmpeg_is_passed_over_when_it_is_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path / "ffmpeg", "echo 'ffmpeg version 4.4 Copyright'")
    monkeypatch.delenv("LIVECUT_FFMPEG", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert ffmpeg.find().source == "imageio-ffmpeg"
