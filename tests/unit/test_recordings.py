"""What is meant by files, folders and patterns, and what is left alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipelines.recordings import expand, is_several, looks_like_a_recording


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def names(folder: Path, *arguments: Path, out: str = "out") -> tuple[list[str], dict[str, str]]:
    ignored: dict[str, str] = {}
    found = expand(arguments, out=folder / out, ignored=lambda path, why: ignored.update({str(path.relative_to(folder)): why}))
    return [str(path.relative_to(folder)) for path in found], ignored


def test_a_folder_means_its_recordings_and_those_below(tmp_path: Path) -> None:
    touch(tmp_path, "b.mp4", "a.FLV", "a.xml", "catalog.csv", "deep/er/c.ts", "notes.txt")
    assert names(tmp_path, tmp_path)[0] == ["a.FLV", "b.mp4", "deep/er/c.ts"]


def test_what_is_temporary_hidden_or_linked_is_left_alone_and_told(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "b.mp4.part", ".c.mp4", "._d.mp4", "@eaDir/e.mp4", ".stfolder/f.mp4", "g.mp4.crdownload")
    (tmp_path / "h.mp4").symlink_to(tmp_path / "a.mp4")
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "i.mp4")
    found, ignored = names(tmp_path, tmp_path)
    assert found == ["a.mp4"]
    assert ignored == {
        "b.mp4.part": "temporary: somebody still writes it",
        "g.mp4.crdownload": "temporary: somebody still writes it",
        ".c.mp4": "hidden",
        "._d.mp4": "hidden",
        "h.mp4": "a link",
        "i.mp4": "not a regular file",
    }


def test_results_are_never_taken_for_recordings(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "out/a/clips/001.mp4", "old/show/manifest.json", "old/show/clips/001.mp4", "half/.lock", "half/media/x.ts")
    assert names(tmp_path, tmp_path)[0] == ["a.mp4"]


def test_patterns_match_and_unknown_names_stay_to_be_complained_about(tmp_path: Path) -> None:
    touch(tmp_path, "a1.mp4", "a2.mp4", "b.mp4", "a[1].mp4")
    assert names(tmp_path, tmp_path / "a?.mp4")[0] == ["a1.mp4", "a2.mp4"]
    assert names(tmp_path, tmp_path / "a[1].mp4")[0] == ["a[1].mp4"], "a file that exists is meant"
    assert names(tmp_path, tmp_path / "z*.mp4", tmp_path / "absent.mp4")[0] == ["z*.mp4", "absent.mp4"]


def test_each_is_meant_once(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "b.mp4")
    assert names(tmp_path, tmp_path / "b.mp4", tmp_path, tmp_path / "*.mp4")[0] == ["b.mp4", "a.mp4"]


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a.mp4", "locked/b.mp4")
    scan = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found, ignored = names(tmp_path, tmp_path)
    assert (found, ignored) == (["a.mp4"], {"locked": "cannot be read: Permission denied"})


def test_names_that_are_no_text_pass(tmp_path: Path) -> None:
    name = os.fsdecode(b"bad\xff\xfe.mp4")
    touch(tmp_path, name, "-x.mp4", "a\nb.mp4")
    assert names(tmp_path, tmp_path)[0] == ["-x.mp4", "a\nb.mp4", name]


def test_one_file_is_one(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "a[1].mp4")
    assert not is_several(tmp_path / "a.mp4")
    assert not is_several(tmp_path / "a[1].mp4")
    assert not is_several(tmp_path / "absent.mp4")
    assert is_several(tmp_path)
    assert is_several(tmp_path / "*.mp4")
    assert looks_like_a_recording("SHOW.MP4.part")
    assert not looks_like_a_recording("show.mp4.txt")
