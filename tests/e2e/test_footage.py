"""Lossless shots on disk: exact, readable from any frame, whole or not there."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clipper import ffmpeg
from clipper.errors import ArtefactError, Cancelled, InputError
from generators.footage import FileFootage, open_footage, write_footage

RATES = (Fraction(7), Fraction(16), Fraction(24000, 1001), Fraction(30))


def noise(count: int, width: int = 34, height: int = 50) -> list[Any]:
    chance = np.random.default_rng(1)
    return [chance.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(count)]


def write(path: Path, frames: Any, fps: Fraction = Fraction(16), **more: Any) -> FileFootage:
    return write_footage(path, frames, width_px=34, height_px=50, fps=fps, **more)


@pytest.mark.parametrize("fps", RATES, ids=str)
def test_every_frame_comes_back_exactly_from_anywhere(fps: Fraction, tmp_path: Path) -> None:
    frames = noise(23)
    shot = write(tmp_path / "shot.nut", frames, fps)
    assert (shot.count, shot.fps) == (23, fps)
    assert open_footage(shot.path) == shot
    for start, stop, step in [(0, None, 1), (0, 23, 5), (7, 8, 1), (11, 23, 3), (22, 23, 1), (5, 5, 1)]:
        assert np.array_equal(list(shot.frames(start, stop, step)), frames[start : stop or 23 : step])


def test_ranges_outside_are_refused(tmp_path: Path) -> None:
    shot = write(tmp_path / "shot.nut", noise(4))
    for wrong in [(0, 5, 1), (3, 2, 1), (-1, 2, 1), (0, 4, 0)]:
        with pytest.raises(InputError, match="could not read frames"):
            shot.frames(*wrong)


def test_an_error_of_the_frames_comes_through_and_leaves_no_file(tmp_path: Path) -> None:
    def breaking() -> Iterator[Any]:
        yield from noise(2)
        raise RuntimeError("the card is on fire")

    with pytest.raises(RuntimeError, match="on fire"):
        write(tmp_path / "shot.nut", breaking())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [np.zeros((50, 36, 3), np.uint8), np.zeros((50, 34, 3), np.float32)])
def test_frames_of_another_kind_are_refused(wrong: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"could not write shot.nut: frame 1 is"):
        write(tmp_path / "shot.nut", [*noise(1), wrong])
    with pytest.raises(InputError):
        write(tmp_path / "shot.nut", [])
    assert list(tmp_path.iterdir()) == []


def test_writing_can_be_stopped(tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        write(tmp_path / "shot.nut", (frame for _ in range(100_000) for frame in noise(1)), cancelled=lambda: True)
    assert list(tmp_path.iterdir()) == []


def test_files_of_others_are_no_shots(tmp_path: Path) -> None:
    (tmp_path / "text.nut").write_text("not a video")
    with pytest.raises(ArtefactError, match="delete it to have it made again"):
        open_footage(tmp_path / "text.nut")
    shot = write(tmp_path / "shot.nut", noise(6))
    shot.path.write_bytes(shot.path.read_bytes()[: shot.path.stat().st_size // 2])
    with pytest.raises(ArtefactError, match=r"frame \d of 6 is missing|delete it to have it made again"):
        list(shot.frames())


def test_a_film_of_someone_else_is_no_shot(tmp_path: Path) -> None:
    graph = ["-f", "lavfi", "-i", "testsrc2=s=64x96:r=24:d=1", "-c:v", "mpeg4", "-f", "nut", "-y", str(tmp_path / "clip.nut")]
    ffmpeg.run(graph, what="could not make a clip")
    with pytest.raises(ArtefactError, match="24 frames of mpeg4 yuv420p are not a shot of ours"):
        open_footage(tmp_path / "clip.nut")
