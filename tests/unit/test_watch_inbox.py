"""A watched folder: what is ready, what is not yet, and what never will be."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from clipper.errors import InputError
from clipper.media.ending import why_unfinished
from pipelines.watch.inbox import Inbox, open_for_writing, walk
from pipelines.watch.options import WatchOptions

QUICK = WatchOptions(stable_s=10, scans=2, min_bytes=16)


def box(kind: bytes, size: int) -> bytes:
    return size.to_bytes(4, "big") + kind + bytes(size - 8)


MP4 = box(b"ftyp", 24) + box(b"moov", 400) + box(b"mdat", 3000)


def flv(tags: int) -> bytes:
    tag = bytes([9]) + (500).to_bytes(3, "big") + bytes(7) + bytes(500)
    return b"FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00" + (tag + (511).to_bytes(4, "big")) * tags


def verdicts(inbox: Inbox, now: float) -> dict[str, tuple[str, str]]:
    return {judged.entry.seen.path.name: (judged.verdict, judged.why) for judged in inbox.scan(now)}


def settled(root: Path, options: WatchOptions = QUICK) -> dict[str, tuple[str, str]]:
    inbox = Inbox(root, options)
    verdicts(inbox, 0.0)
    return verdicts(inbox, 11.0)


def test_a_file_is_ready_when_it_stood_still_over_two_scans(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(MP4)
    inbox = Inbox(tmp_path, QUICK)
    assert verdicts(inbox, 0.0)["a.mp4"][0] == "waiting"
    assert verdicts(inbox, 9.9)["a.mp4"] == ("waiting", "not quiet for long enough")
    assert verdicts(inbox, 10.0)["a.mp4"] == ("ready", "")


def test_growth_starts_the_wait_anew(tmp_path: Path) -> None:
    file = tmp_path / "a.flv"
    file.write_bytes(flv(2))
    inbox = Inbox(tmp_path, QUICK)
    verdicts(inbox, 0.0)
    file.write_bytes(flv(3))
    assert verdicts(inbox, 60.0)["a.flv"][0] == "waiting"
    assert verdicts(inbox, 70.0)["a.flv"][0] == "ready"


def test_a_small_beginning_is_judged_again_when_it_has_grown(tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    file.write_bytes(b"\0")
    inbox = Inbox(tmp_path, QUICK)
    for now in (0.0, 20.0, 40.0):
        assert verdicts(inbox, now)["a.mp4"] == ("waiting", "too small yet")
    file.write_bytes(MP4)
    verdicts(inbox, 60.0)
    assert verdicts(inbox, 71.0)["a.mp4"][0] == "ready"


@pytest.mark.parametrize(
    ("name", "data", "missing"),
    [
        ("no-index.mp4", box(b"ftyp", 24) + box(b"mdat", 3000), "its index (moov) is not written yet"),
        ("cut.mp4", MP4[:-100], "its last box is cut off"),
        ("cut-head.mp4", MP4 + b"\0\0", "its last box is cut off"),
        ("cut.flv", flv(3)[:-100], "its last tag is cut off"),
        ("begun.flv", flv(0), "no tag of it is complete"),
    ],
)
def test_a_container_that_shows_no_end_waits(tmp_path: Path, name: str, data: bytes, missing: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert why_unfinished(tmp_path / name) == missing
    assert settled(tmp_path, WatchOptions(min_bytes=1))[name] == ("waiting", missing)


def test_a_recording_whose_recorder_has_died_is_taken_as_it_is_after_a_time(tmp_path: Path) -> None:
    (tmp_path / "cut.flv").write_bytes(flv(3)[:-100])
    (tmp_path / "empty.flv").touch()
    inbox = Inbox(tmp_path, QUICK)
    for now in (0.0, 11.0, 3599.0):
        assert {verdict for verdict, _ in verdicts(inbox, now).values()} == {"waiting"}
    found = verdicts(inbox, 3600.0)
    assert found["cut.flv"] == ("ready", "")
    assert found["empty.flv"][0] == "rejected" and "empty" in found["empty.flv"][1]


def test_what_was_left_unfinished_long_ago_needs_no_more_than_its_quiet_time(tmp_path: Path) -> None:
    """`--once` looks at a folder for seconds: the file's own time tells."""
    (tmp_path / "cut.flv").write_bytes(flv(3)[:-100])
    os.utime(tmp_path / "cut.flv", (time.time() - 4000, time.time() - 4000))
    assert settled(tmp_path)["cut.flv"] == ("ready", "")


@pytest.mark.parametrize("data", [MP4, box(b"ftyp", 24) + box(b"moov", 400) + b"\0\0\0\0mdat" + bytes(50), flv(3)])
def test_a_complete_end_is_seen(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x").write_bytes(data)
    assert why_unfinished(tmp_path / "x") is None


def test_a_file_that_somebody_writes_waits_however_quiet_it_is(tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    with file.open("wb") as open_file:
        open_file.write(MP4)
        open_file.flush()
        status = file.stat()
        assert (status.st_dev, status.st_ino) in open_for_writing()
        assert settled(tmp_path)["a.mp4"] == ("waiting", "open for writing")
    with file.open("rb"):
        assert settled(tmp_path)["a.mp4"][0] == "ready"


def test_temporary_names_links_pipes_and_folders_are_left_alone(tmp_path: Path) -> None:
    for name in ("a.mp4.part", ".b.mp4", "~c.mp4", "d.FLV.CRDOWNLOAD", "._e.mp4", "f.mp4.aria2"):
        (tmp_path / name).write_bytes(MP4)
    (tmp_path / "@eaDir").mkdir()
    (tmp_path / "@eaDir" / "thumb.mp4").write_bytes(MP4)
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "g.mp4").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "h.mp4")
    (tmp_path / "i.mp4").mkdir()
    (tmp_path / "i.mp4" / "inside.mp4").write_bytes(MP4)
    (tmp_path / "show.xml").write_text("<i/>")
    found = settled(tmp_path)
    assert found.pop("inside.mp4") == ("ready", "")
    assert {why for verdict, why in found.values()} == {
        "temporary or hidden name",
        "symbolic link",
        "no regular file",
        "side file",
    }
    assert {verdict for verdict, _ in found.values()} == {"ignored"}
    assert "thumb.mp4" not in found and len(found) == 10


def test_what_is_no_recording_is_rejected_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "list.mp4").write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n" * 20)
    verdict, why = settled(tmp_path)["list.mp4"]
    assert verdict == "rejected" and "HLS playlist" in why


@pytest.mark.parametrize(
    "name",
    [b"bad\xff\xfe.mp4", b"-vf.mp4", b"new\nline.mp4", "🍊.mp4".encode(), ("直" * 83).encode() + b".mp4", b"a:b|c;$(touch pwned).mp4"],
)
def test_any_name_comes_through_byte_for_byte(tmp_path: Path, name: bytes) -> None:
    path = os.fsencode(tmp_path) + b"/" + name
    with open(path, "wb") as file:  # noqa: PTH123  Path takes no bytes
        file.write(MP4)
    inbox = Inbox(tmp_path, QUICK)
    list(inbox.scan(0.0))
    (judged,) = inbox.scan(20.0)
    assert os.fsencode(judged.entry.seen.path) == path and judged.verdict == "ready"


def test_what_was_dealt_with_is_left_out_until_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    file.write_bytes(MP4)
    (entry,) = walk(tmp_path, QUICK)
    known = {str(entry.seen.path): entry.seen.stamp}
    assert list(Inbox(tmp_path, QUICK).scan(0.0, known)) == []
    os.replace(file, tmp_path / "old")  # noqa: PTH105
    file.write_bytes(MP4)
    assert {judged.entry.seen.path.name for judged in Inbox(tmp_path, QUICK).scan(0.0, known)} == {"a.mp4", "old"}


def test_a_lost_folder_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is it mounted"):
        list(walk(tmp_path / "gone", QUICK))


def test_a_name_without_permission_is_blocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.mp4").write_bytes(MP4)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert settled(tmp_path)["a.mp4"] == ("blocked", "permission denied")


def test_options_say_their_range() -> None:
    with pytest.raises(InputError, match=r"watch\.stable_s = -1: expected 0"):
        WatchOptions(stable_s=-1)


def test_what_a_recorder_has_closed_need_not_be_quiet(tmp_path: Path) -> None:
    (tmp_path / "a.flv").write_bytes(flv(2))
    (tmp_path / "b.flv").write_bytes(flv(2)[:-9])
    inbox = Inbox(tmp_path, QUICK)
    inbox.closed |= {str(tmp_path / "a.flv"), str(tmp_path / "b.flv")}
    assert {name: verdict for name, (verdict, _) in verdicts(inbox, 0.0).items()} == {"a.flv": "ready", "b.flv": "waiting"}


def test_results_that_lie_in_the_folder_are_not_entered(tmp_path: Path) -> None:
    for folder in ("run", "out"):
        (tmp_path / folder / "clips").mkdir(parents=True)
        (tmp_path / folder / "clips" / "001.mp4").write_bytes(MP4)
    (tmp_path / "run" / "manifest.json").write_text("{}")
    assert [entry.seen.path.parent.parent.name for entry in walk(tmp_path, QUICK)] == ["out"]
    assert list(walk(tmp_path, QUICK, apart=tmp_path / "out")) == []


def test_names_that_the_options_leave_alone(tmp_path: Path) -> None:
    for name in ("a.BAK", "b.mp4", "keep.mp4"):
        (tmp_path / name).write_bytes(MP4)
    assert {entry.seen.path.name for entry in walk(tmp_path, WatchOptions(ignore=("*.bak", "b.*"))) if not entry.why_not} == {"keep.mp4"}
