"""Bad input gets a clear error, nothing half-written under a final name, and leaves the source alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pipelines import cli
from tests.e2e.conftest import SAMPLES

MP4_HEAD = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("absent.mp4", None, "no such file"),
        ("empty.mp4", b"", "empty"),
        ("text.mp4", b"hello, this is not a video\n" * 50, "text"),
        ("list.mp4", b"#EXTM3U\n#EXT-X-TARGETDURATION:10\nfile:///etc/passwd\n", "playlist"),
        ("concat.mp4", b"ffconcat version 1.0\nfile canary.txt\n", "concat"),
        ("dash.mp4", b'<?xml version="1.0"?><MPD></MPD>', "DASH"),
        ("noise.mp4", bytes(range(256)) * 40, "not"),
        ("headonly.mp4", MP4_HEAD, "moov"),
    ],
)
def test_what_is_no_recording_is_refused(
    name: str, data: bytes | None, says: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    assert cli.run(["clip", str(path), "-o", str(tmp_path / "out"), "-q"]) == 2
    message = capfd.readouterr().err
    assert name in message
    assert says.casefold() in message.casefold(), message
    assert not list((tmp_path / "out").rglob("*.mp4")) if (tmp_path / "out").exists() else True
    assert data is None or path.read_bytes() == data


def test_a_broken_catalogue_is_refused_by_name(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "catalog.csv"
    bad.write_bytes(b"\xff\xfe\x00\x01nothing here")
    assert cli.run(["clip", str(SAMPLES / "show.mp4"), "--catalog", str(bad), "-o", str(tmp_path / "out"), "-q"]) == 2
    assert "catalog.csv" in capfd.readouterr().err


def test_one_bad_file_does_not_stop_the_others(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first, second = tmp_path / "a.mp4", tmp_path / "b.mp4"
    first.write_bytes(b"")
    second.write_bytes(b"text")
    assert cli.run(["clip", str(first), str(second), "-o", str(tmp_path / "out"), "-q"]) == 2
    message = capfd.readouterr().err
    assert "a.mp4" in message
    assert "b.mp4" in message


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["clip"], 2, "RECORDING"),
        (["clip", "x.mp4", "--nope"], 2, "No such option"),
        (["clip", "x.mp4", "--set", "plan.titel_max=3"], 2, "did you mean title_max?"),
        (["clip", "x.mp4", "--set", "plan.title_max"], 2, "SECTION.KEY=VALUE"),
        (["clip", "x.mp4", "--preset", "duoyin"], 2, "did you mean douyin?"),
        (["render", "absent.json"], 1, "No such file"),
        (["nonsense"], 2, "No such command"),
    ],
)
def test_wrong_use_is_said(arguments: list[str], code: int, says: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(arguments) == code
    assert says in capfd.readouterr().err


def test_the_source_is_never_touched(tmp_path: Path) -> None:
    source = SAMPLES / "show.mp4"
    before = hashlib.sha256(source.read_bytes()).hexdigest(), source.stat().st_mtime_ns
    assert cli.run(["clip", str(source), "--dry-run", "-o", str(tmp_path / "out"), "-q"]) == 0
    assert (hashlib.sha256(source.read_bytes()).hexdigest(), source.stat().st_mtime_ns) == before
    assert not (tmp_path / "out").exists()
