"""Broken media: what is there is used, what is missing is said, and nothing is believed that only a header claims.

More lies in tests/e2e/test_media_formats.py, where every kind of file is read, and in tests/e2e/test_render.py.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from clipper import ffmpeg, media
from clipper.errors import InputError
from clipper.media import structure
from clipper.render import RenderOptions, render
from clipper.values import Plan, Recording, Span
from pipelines import cli, verdicts
from pipelines.ledger import Ledger
from tests.media import build_clock, read_frame_index, shift_flv, truncate

FULL = os.environ.get("LIVECUT_FAULTS") == "full"
QUICK = RenderOptions(preset="ultrafast", crf=28)


def plan_of(recording: Recording, start: float, end: float) -> Plan:
    return Plan(
        id="c1",
        type="explanation",
        sku=None,
        recording=recording.path,
        recording_sha256=recording.sha256,
        sources=(Span(start, end),),
        title="",
        score=1.0,
        width_px=180,
        height_px=320,
    )


def scramble(path: Path, share: float, count: int = 4096, seed: int = 1) -> Path:
    data = bytearray(path.read_bytes())
    at = int(len(data) * share)
    data[at : at + count] = np.random.default_rng(seed).bytes(count)
    path.write_bytes(data)
    return path


def shown(recording: Recording, work: Path) -> list[int]:
    """What the frames of a recording spell, once it is on one clock."""
    whole = media.normalise(recording, work)
    return [read_frame_index(frame.image) for frame in media.frames(whole, Span(0, whole.duration + 1))]


# --- files that are not whole ---------------------------------------------------------------------


def test_an_mp4_without_its_index_is_put_aside_and_kept(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    path = truncate(build_clock(tmp_path / "in" / "show.mp4"), 0.5)
    before = path.read_bytes()
    for _ in range(2):
        assert cli.run(["clip", str(path.parent), "-o", str(tmp_path / "out"), "-q"]) == 2, "none could be used"
    said = capfd.readouterr()
    assert "untrunc" in said.err + said.out
    assert path.read_bytes() == before
    with Ledger(tmp_path / "out" / "livecut.ledger") as ledger:
        (job,) = ledger.jobs()
        assert (job.state, job.attempt) == ("quarantined", 1), "it is not tried again for nothing"
        assert "moov" in job.reason


def test_what_is_missing_makes_a_job_degraded(tmp_path: Path) -> None:
    recording = media.probe(truncate(build_clock(tmp_path / "a.mp4", seconds=6, faststart=True), 0.5))
    (lost,) = recording.damaged
    assert lost.end == pytest.approx(6.0, abs=0.1)
    verdict = verdicts.of_manifest({"coverage": {"damaged_s": lost.duration}})
    assert (verdict.outcome, verdict.state) == ("finished", "degraded")


@pytest.mark.parametrize("share", [0.4, 0.6, 0.8])
def test_overwritten_bytes_are_damage_with_a_place(tmp_path: Path, share: float) -> None:
    path = build_clock(tmp_path / "a.mp4", seconds=6, width_px=360, height_px=640, faststart=True)
    assert media.probe(path).damaged == ()
    recording = media.probe(scramble(path, share))
    assert recording.duration == pytest.approx(6.0, abs=0.05)
    assert recording.damaged and all(0.5 < span.start < span.end < 6.0 for span in recording.damaged)
    assert sum(span.duration for span in recording.damaged) < 1.0
    assert any("in the middle could not be read" in warning for warning in recording.warnings)
    done = render(plan_of(recording, 0.2, 5.8), recording, tmp_path / "out", "clip", QUICK)
    assert done.duration == pytest.approx(5.6, abs=0.1), "what can be shown is shown, in its place"


def test_a_frame_is_whole_when_its_parts_fill_it() -> None:
    frame = b"\0\0\0\x03\x65ab\0\0\0\x02\x41c"
    assert structure.is_whole(frame, 4, "h264")
    for damaged in (frame[:-1], b"\0\0\0\x03\xe5ab\0\0\0\x02\x41c", b"\0\0\0\x0a\x65ab\0\0\0\x02\x41c", b"\x01"):
        assert not structure.is_whole(damaged, 4, "h264")
    assert structure.length_bytes("h264", b"\x01\x64\0\x1f\xff") == 4
    assert structure.length_bytes("h264", b"\0\0\0\x01\x67") is None, "MPEG-TS has start codes instead"
    assert structure.length_bytes("vp9", b"\x01" * 30) is None


# --- clocks that are broken -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def sound_flv(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return build_clock(tmp_path_factory.mktemp("flv") / "a.flv", seconds=6).read_bytes()


@pytest.mark.parametrize(
    ("change", "breaks"),
    [
        (lambda _, at: at if at < 3000 else at + 3_600_000, 1),
        (lambda _, at: at if at < 3000 else at - 3000, 1),
        (lambda _, at: at if at < 3000 else at + 24 * 86_400_000, 1),
        (lambda _, at: at + 0x7FFFE000 - 3000, 0),
        (lambda _, at: at + 0xFFFFFFFF - 3000, None),
    ],
    ids=["an hour ahead", "from 0 again", "24 days ahead", "near the sign", "over the end of 32 bits"],
)
def test_flv_clocks_that_jump_keep_every_frame(
    tmp_path: Path, sound_flv: bytes, change: Callable[[int, int], int], breaks: int | None
) -> None:
    path = tmp_path / "a.flv"
    path.write_bytes(shift_flv(sound_flv, change))
    began = time.monotonic()
    recording = media.probe(path)
    assert breaks is None or len(recording.breaks) == breaks
    assert shown(recording, tmp_path / "work") == list(range(150))
    whole = media.normalise(recording, tmp_path / "work")
    assert whole.duration == pytest.approx(6.0, abs=0.15)
    assert sum(len(block.samples) for block in media.audio_blocks(whole)) == pytest.approx(6.0 * 16_000, abs=0.15 * 16_000)
    assert time.monotonic() - began < 60, "an hour of nothing is not decoded"


def test_a_short_step_back_keeps_every_frame_and_is_counted(tmp_path: Path, sound_flv: bytes) -> None:
    path = tmp_path / "a.flv"
    path.write_bytes(shift_flv(sound_flv, lambda _, at: at if at < 3000 else at - 700))
    recording = media.probe(path)
    assert recording.breaks == ()
    assert any("small steps back" in warning for warning in recording.warnings)
    seen = {read_frame_index(frame.image) for frame in media.frames(recording, Span(0, 7))}
    assert seen == set(range(150))


def test_two_recordings_glued_together_are_both_there(tmp_path: Path, sound_flv: bytes) -> None:
    path = tmp_path / "a.flv"
    path.write_bytes(sound_flv + sound_flv[13:])
    assert shown(media.probe(path), tmp_path / "work") == [*range(150), *range(150)]


def test_sound_that_jumps_away_from_the_picture_is_told(tmp_path: Path, sound_flv: bytes) -> None:
    path = tmp_path / "a.flv"
    path.write_bytes(shift_flv(sound_flv, lambda kind, at: at + 2000 if kind == 8 and at >= 3000 else at))
    recording = media.probe(path)
    assert any("sound ends at 8.0 s, the picture at 6.0 s" in warning for warning in recording.warnings)
    assert shown(recording, tmp_path / "work") == list(range(150))


def test_a_header_that_claims_ten_hours_costs_no_time(tmp_path: Path) -> None:
    path = build_clock(tmp_path / "a.mp4")
    data = bytearray(path.read_bytes())
    at = data.index(b"mvhd") + 4
    data[at + 16 : at + 20] = (36_000 * int.from_bytes(data[at + 12 : at + 16], "big")).to_bytes(4, "big")
    path.write_bytes(data)
    assert media.probe(path).duration == 4.0


# --- unusual pictures and sound -------------------------------------------------------------------


def test_a_change_of_resolution_in_mid_stream_is_read_and_rendered(tmp_path: Path) -> None:
    parts = [build_clock(tmp_path / f"{n}.ts", seconds=3, width_px=w, height_px=h) for n, (w, h) in enumerate([(180, 320), (360, 640)])]
    both = tmp_path / "both.ts"
    both.write_bytes(b"".join(part.read_bytes() for part in parts))
    recording = media.normalise(media.probe(both), tmp_path / "work")
    assert recording.duration == pytest.approx(6.0, abs=0.3)
    sizes = {frame.image.shape for frame in media.frames(recording, Span(0, 7))}
    assert sizes == {(320, 180, 3)}, "all frames come in the size of the first"
    done = render(plan_of(recording, 2.0, 4.5), recording, tmp_path / "out", "clip", QUICK)
    assert done.duration == pytest.approx(2.5, abs=0.1)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".flv", ".ts"])
def test_a_single_frame_divides_nothing_by_zero(tmp_path: Path, suffix: str) -> None:
    recording = media.probe(build_clock(tmp_path / f"a{suffix}", seconds=0.04))
    assert 0 < recording.duration <= 0.1 and recording.fps > 0
    assert len(list(media.frames(recording, Span(0, 1)))) == 1
    assert len(list(media.key_frames(recording, width_px=90))) == 1
    list(media.audio_blocks(recording))


def test_hours_take_no_more_memory_than_minutes(tmp_path: Path) -> None:
    hours = 12 if FULL else 1
    path = tmp_path / "long.mkv"
    graph = f"color=gray:s=64x36:r=1:d={hours * 3600}"
    args = ["-f", "lavfi", "-i", graph, "-f", "lavfi", "-i", f"anullsrc=r=8000:cl=mono:d={hours * 3600}"]
    args += ["-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-c:a", "aac", "-b:a", "8k", "-threads", "2", "-y", str(path)]
    ffmpeg.run(args, what="build")
    process = psutil.Process()
    before, most = process.memory_info().rss, 0
    recording = media.probe(path)
    assert recording.duration == pytest.approx(hours * 3600, abs=2)
    for _ in media.audio_blocks(recording, rate_hz=8_000, block_s=30.0):
        most = max(most, process.memory_info().rss)
    for number, _ in enumerate(media.key_frames(recording, width_px=64)):
        most = max(most, process.memory_info().rss) if number % 50 == 0 else most
    assert most - before < 150e6


@pytest.mark.slow
@pytest.mark.parametrize("sound", ["anullsrc=d=6", "anoisesrc=d=6:a=0.05:seed=1", "sine=f=440:d=6"], ids=["silence", "noise", "a tone"])
def test_nothing_said_becomes_no_captions(tmp_path: Path, sound: str) -> None:
    from clipper.speech.transcribe import SpeechOptions, transcribe

    path = tmp_path / "a.mp4"
    args = ["-f", "lavfi", "-i", "testsrc2=s=64x64:d=6", "-f", "lavfi", "-i", sound, "-c:a", "aac", "-shortest", "-y", str(path)]
    ffmpeg.run(args, what="build")
    assert transcribe(media.probe(path), (), SpeechOptions()).sentences == ()


def test_an_encrypted_recording_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    source = build_clock(tmp_path / "clear.mp4", seconds=2)
    key = ["-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "76a6c65c5ea762046bd749a2e632ccbb"]
    key += ["-encryption_kid", "a7e61c373e219033c21091fa607bf3b8"]
    ffmpeg.run(["-i", str(source), "-c", "copy", *key, "-y", str(path)], what="build")
    with pytest.raises(InputError, match="encrypted"):
        media.probe(path)


def test_a_codec_nobody_knows_is_named(tmp_path: Path) -> None:
    path = build_clock(tmp_path / "a.mp4", channels=0)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"avc1", b"zzz1"))
    with pytest.raises(InputError, match=r"coded in a way|cannot be opened|no video stream|no frame"):
        media.probe(path)


@pytest.mark.parametrize(("size", "sound"), [("320x182", "mono:r=8000"), ("182x322", "5.1:r=48000")])
def test_odd_sizes_and_rates_come_out_even(tmp_path: Path, size: str, sound: str) -> None:
    path = tmp_path / "a.mkv"
    width, height = (int(side) - 1 for side in size.split("x"))
    graph = f"testsrc2=s={size}:d=2,format=yuv444p,crop={width}:{height}"
    args = ["-f", "lavfi", "-i", graph, "-f", "lavfi", "-i", f"anoisesrc=d=2:r={sound.split('=')[1]}", "-pix_fmt", "yuv444p", "-c:a", "aac"]
    layout = sound.split(":")[0]
    ffmpeg.run([*args, "-ch_layout", layout, "-c:v", "libx264", "-preset", "ultrafast", "-y", str(path)], what="build")
    recording = media.probe(path)
    assert (recording.width_px, recording.height_px) == (width, height)
    done = render(plan_of(recording, 0.2, 1.8), recording, tmp_path / "out", "clip", QUICK)
    assert (done.width_px, done.height_px) == (180, 320)
    finished = media.probe(tmp_path / "out" / "clip.mp4")
    assert (finished.audio_channels, finished.audio_rate_hz) == (2, 48_000)


def test_a_frame_that_claims_to_be_shown_weeks_later_stretches_nothing(tmp_path: Path, sound_flv: bytes) -> None:
    """Four bytes of one frame's composition offset, found by a mutant: the recording became 49 days long."""
    data, at, pictures = bytearray(sound_flv), 13, 0
    while at + 16 <= len(data):
        kind, size = data[at] & 0x1F, int.from_bytes(data[at + 1 : at + 4], "big")
        pictures += kind == 9
        if kind == 9 and pictures == 60:
            data[at + 13 : at + 16] = b"\x80\0\0"
        at += 11 + size + 4
    path = tmp_path / "a.flv"
    path.write_bytes(bytes(data))
    recording = media.probe(path)
    assert recording.duration == pytest.approx(6.0, abs=0.1)
    assert len(list(media.frames(recording, Span(0, 9)))) >= 148
    assert sum(span.duration for span in recording.damaged) < 0.2


def test_pixels_of_an_absurd_shape_are_taken_for_square(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    plain = build_clock(tmp_path / "plain.mp4", seconds=1)
    ffmpeg.run(["-i", str(plain), "-c", "copy", "-aspect", "9:17", "-y", str(path)], what="build")
    data = path.read_bytes()
    at = data.index(b"pasp") + 4
    for shape in ((1, 2**31 - 1), (2**31 - 1, 1), (0, 0)):
        path.write_bytes(data[:at] + shape[0].to_bytes(4, "big") + shape[1].to_bytes(4, "big") + data[at + 8 :])
        recording = media.probe(path)
        assert 150 < recording.width_px <= 180 and recording.height_px == 320
        assert len(list(media.key_frames(recording, width_px=90))) == 1
