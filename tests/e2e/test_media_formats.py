"""Real files of every kind the project takes, with a built-in answer: each frame says which one it is."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from clipper import media, sound
from clipper.errors import InputError
from clipper.values import Recording, Span
from tests.media import beep_onsets, build_clock, read_frame_index, read_pitch, shift_flv, truncate

KINDS = {
    "mp4": {},
    "flv": {},
    "ts": {},
    "mkv": {},
    "mov": {},
    "mp4 landscape": {"width_px": 640, "height_px": 360},
    "mp4 turned": {"rotation_deg": 90},
    "mp4 upside down": {"rotation_deg": 180},
    "mkv turned back": {"rotation_deg": 270},
    "mp4 uneven": {"is_vfr": True},
    "flv uneven": {"is_vfr": True},
    "mp4 mono": {"channels": 1},
    "mp4 5.1": {"channels": 6},
    "mp4 late sound": {"audio_delay_s": 0.5},
    "ts early sound": {"audio_delay_s": -0.5},
    "flv late sound": {"audio_delay_s": 0.7},
    "mp4 ntsc": {"fps": Fraction(30000, 1001)},
    "ts 50": {"fps": Fraction(50)},
    "mp4 long groups": {"seconds": 13, "gop_frames": 1000},
}


def heard(recording: Recording, **options: float) -> np.ndarray:
    return np.concatenate([block.samples for block in media.audio_blocks(recording, **options)])  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "changes"), KINDS.items())
def test_every_kind_is_read_on_one_clock(tmp_path: Path, name: str, changes: dict[str, object]) -> None:
    path = build_clock(tmp_path / f"钟 clock.{name.split()[0]}", **changes)
    recording = media.probe(path)
    seconds, fps = float(changes.get("seconds", 4.0)), changes.get("fps", Fraction(25))
    frames = round(seconds * fps)
    assert recording.duration == pytest.approx(frames / fps, abs=0.005)
    assert (recording.width_px, recording.height_px) == (changes.get("width_px", 180), changes.get("height_px", 320))
    assert recording.is_vfr == bool(changes.get("is_vfr"))
    assert recording.is_vfr or recording.fps == fps
    assert (recording.damaged, recording.breaks, recording.warnings) == ((), (), ())
    for time in (0.0, 1.0, 2.52, recording.duration - 0.05):
        shown = read_frame_index(media.frame_at(recording, time))
        assert abs(shown - time * fps) <= (1.5 if recording.is_vfr else 0.51), time
    for frame in media.key_frames(recording, width_px=120):
        assert frame.image.shape == (round(120 * recording.height_px / recording.width_px), 120, 3)
        assert read_frame_index(frame.image) == round(frame.time * fps)
    delay = float(changes.get("audio_delay_s", 0.0)) % 1.0
    onsets = [onset for onset in beep_onsets(heard(recording), 16_000) if onset > 0.02]
    assert onsets
    assert all(abs((onset - delay + 0.5) % 1.0 - 0.5) < 0.005 for onset in onsets), onsets


def test_every_frame_of_a_stretch_comes_once_and_in_order(tmp_path: Path) -> None:
    recording = media.probe(build_clock(tmp_path / "a.ts"))
    shown = [(frame.time, read_frame_index(frame.image)) for frame in media.frames(recording, Span(1.5, 2.5))]
    assert shown == [(round(index / 25, 3), index) for index in range(38, 63)]


def test_long_groups_are_sampled_between_key_frames(tmp_path: Path) -> None:
    recording = media.probe(build_clock(tmp_path / "a.mp4", seconds=21, gop_frames=1000))
    times = [frame.time for frame in media.key_frames(recording, width_px=90)]
    assert all(3.9 <= after - before <= 4.2 for before, after in itertools.pairwise(times))
    assert times[-1] > 16


@pytest.mark.parametrize("container", ["mp4", "flv", "ts"])
def test_sound_can_be_read_from_the_middle(tmp_path: Path, container: str) -> None:
    recording = media.probe(build_clock(tmp_path / f"a.{container}", seconds=6))
    part = heard(recording, start=2.2, end=5.0, block_s=1.0)
    assert len(part) == round(2.8 * 16_000)
    assert beep_onsets(part[8_000:], 16_000) == pytest.approx([0.3, 1.3], abs=0.003)
    assert [read_pitch(part[at : at + 1_600], 16_000) for at in (14_000, 30_000)] == [3, 4]
    starts = [block.start for block in media.audio_blocks(recording, start=2.2, end=5.0, block_s=1.0)]
    assert starts == [2.2, 3.2, 4.2]


def test_a_recording_without_sound_has_no_blocks(tmp_path: Path) -> None:
    recording = media.probe(build_clock(tmp_path / "a.mp4", channels=0))
    assert (recording.has_audio, recording.audio_rate_hz) == (False, None)
    assert sound.measure_loudness(media.audio_blocks(recording)).values == ()


@pytest.mark.parametrize("name", ["a.mp4", "a.mp3"])
def test_sound_alone_is_a_clear_error(tmp_path: Path, name: str) -> None:
    path = build_clock(tmp_path / name, has_video=False)
    with pytest.raises(InputError, match="no video stream, 1 audio stream"):
        media.probe(path)


@pytest.mark.parametrize(("container", "faststart"), [("mp4", True), ("flv", False), ("mkv", False)])
def test_a_file_that_was_cut_off_gives_what_is_there(tmp_path: Path, container: str, faststart: bool) -> None:
    recording = media.probe(truncate(build_clock(tmp_path / f"a.{container}", seconds=6, faststart=faststart), 0.5))
    assert 2.0 < recording.duration < 4.0
    assert recording.claimed_duration == pytest.approx(6.0, abs=0.1)
    assert recording.damaged == (Span(recording.duration, recording.claimed_duration),)
    assert any("end of the file is missing" in warning for warning in recording.warnings)
    assert abs(read_frame_index(media.frame_at(recording, recording.duration)) - recording.duration * 25) <= 5
    assert len(heard(recording)) == round(recording.duration * 16_000)


def test_an_mp4_without_its_index_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no moov box"):
        media.probe(truncate(build_clock(tmp_path / "a.mp4"), 0.5))


def test_scrambled_bytes_cost_only_what_they_hit(tmp_path: Path) -> None:
    path = build_clock(tmp_path / "a.ts", seconds=6)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 8_000] = np.random.default_rng(1).bytes(8_000)
    path.write_bytes(data)
    recording = media.probe(path)
    assert recording.duration == pytest.approx(6.0, abs=0.05)
    onsets = beep_onsets(heard(recording), 16_000)
    assert [round(onset) for onset in onsets if abs(onset - round(onset)) < 0.005][-2:] == [4, 5]


def broken(tmp_path: Path, kind: str) -> Path:
    source = build_clock(tmp_path / "sound.flv", seconds=6).read_bytes()
    made = {
        "reset": shift_flv(source, lambda _, time: time if time < 3000 else time - 3000),
        "jump": shift_flv(source, lambda _, time: time if time < 3000 else time + 3_600_000),
        "glued": source + source[13:],
    }
    path = tmp_path / f"{kind}.flv"
    path.write_bytes(made[kind])
    return path


@pytest.mark.parametrize(("kind", "seconds", "place"), [("reset", 6, 3), ("jump", 6, 3), ("glued", 12, 6)])
def test_broken_time_stamps_are_put_on_one_clock(tmp_path: Path, kind: str, seconds: int, place: int) -> None:
    path = broken(tmp_path, kind)
    recording = media.probe(path)
    assert recording.breaks == pytest.approx([place], abs=0.1)
    whole = media.normalise(recording, tmp_path / "work")
    assert whole.original_path == str(path)
    assert (whole.breaks, [file.name for file in (tmp_path / "work").iterdir()]) == ((), [Path(whole.path).name])
    assert whole.duration == pytest.approx(seconds, abs=0.15)
    shown = [read_frame_index(frame.image) for frame in media.frames(whole, Span(0, seconds + 1))]
    assert shown == [index % 150 for index in range(25 * seconds)]
    keys = [frame.time for frame in media.key_frames(whole, width_px=90)]
    onsets = beep_onsets(heard(whole), 16_000)
    assert onsets == pytest.approx(keys, abs=0.02)


def test_a_sound_recording_is_left_alone(tmp_path: Path) -> None:
    recording = media.probe(build_clock(tmp_path / "a.flv"))
    assert media.normalise(recording, tmp_path / "work") is recording
    assert not (tmp_path / "work").exists()


def test_the_claim_of_a_lying_header_is_not_believed(tmp_path: Path) -> None:
    path = build_clock(tmp_path / "a.flv")
    data = path.read_bytes()
    at = data.index(b"duration") + len(b"duration") + 1
    path.write_bytes(data[:at] + np.array(36_000.0, ">f8").tobytes() + data[at + 8 :])
    recording = media.probe(path)
    assert recording.duration == 4.0
    assert any("promises 36000.0 s" in warning for warning in recording.warnings)
