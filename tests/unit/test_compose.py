"""Timeline, transitions, rates, sizes, blending: the parts of composition that start nothing."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from clipper.errors import InputError
from clipper.render import RenderOptions
from generators.compose.encoding import arguments
from generators.compose.reading import Ahead, Reader, Sample, samples, shaped
from generators.compose.stage import Stage
from generators.compose.timeline import frame_count, place, wanted_seconds
from generators.compose.transitions import BLENDS, blend
from generators.layout import Area
from generators.overlays.ground import survey
from generators.overlays.motion import Layer
from generators.sprites import Pose, Sprite, lay, sprite
from generators.values import Storyboard
from tests import films

KINDS = some.sampled_from(["cut", "dissolve", "wipe", "flash", "slide"])


# --- timeline --------------------------------------------------------------------------------------


@given(
    lengths=some.lists(some.floats(0.2, 5), min_size=1, max_size=8),
    kind=KINDS,
    lasts=some.floats(0, 2),
    fps=some.sampled_from([24, 25, 30, 60]),
    loop=some.booleans(),
)
def test_shots_follow_one_another_and_transitions_fit(lengths: list[float], kind: str, lasts: float, fps: int, loop: bool) -> None:
    board = films.board(*lengths, transition=kind, lasts=lasts, fps=fps, loop=loop)
    placed = place(board)
    assert [one.first for one in placed] == [0, *(one.end for one in placed[:-1])]
    assert placed[-1].end == frame_count(board)
    assert abs(frame_count(board) - board.seconds * fps) <= 1
    for number, one in enumerate(placed):
        before = placed[number - 1]
        assert 0 <= one.lead <= min(one.count, before.count) / 2
        assert before.tail == one.lead
    assert placed[0].lead == 0 or loop


def test_shots_need_footage_for_the_transition_after_them() -> None:
    board = films.board(2.0, 1.0, transition="dissolve", lasts=0.4)
    assert wanted_seconds(board) == (2.4, 1.0)


def test_a_loop_begins_with_the_last_shot_and_a_closed_one_with_itself() -> None:
    looped = films.board(2.0, loop=True)
    assert place(looped)[0].lead > 0
    assert wanted_seconds(looped)[0] > 2.0
    assert place(looped, closed=True)[0].lead == 0
    assert wanted_seconds(looped, closed=True) == (2.0,)


@given(
    lengths=some.lists(some.floats(0.5, 4), min_size=1, max_size=6),
    kind=KINDS,
    begins=some.floats(0, 5),
    fps=some.sampled_from([24, 30]),
)
def test_a_loop_is_a_ring(lengths: list[float], kind: str, begins: float, fps: int) -> None:
    board = films.board(*lengths, transition=kind, fps=fps, loop=True, begins=begins)
    placed, total = place(board), frame_count(board)
    assert sum(one.count for one in placed) == total
    seen = {}
    for one in placed:
        for start, end, first in one.pieces(total):
            assert 0 <= start < end <= total
            seen.update({start + number: (one.index, first + number) for number in range(end - start)})
    assert sorted(seen) == list(range(total)), "every frame shows one shot"
    for number, (index, frame) in seen.items():
        after = seen[(number + 1) % total]
        assert after == (index, frame + 1) or (frame + 1 == placed[index].count and after == ((index + 1) % len(placed), 0))


def test_a_loops_seam_lies_within_one_running_shot() -> None:
    board = films.board(1.0, 1.0, loop=True, begins=0.4)
    placed = place(board)
    assert placed[0].pieces(60) == ((48, 60, 0), (0, 18, 12)) and placed[1].first == 18
    assert place(films.board(1.0, loop=True, begins=0.4), closed=True)[0].first == 0, "a closed shot needs no turning"
    readers = [Reader(one.footage, films.SIZE, spot.count + spot.tail, 30) for one, spot in zip(films.made(board), placed, strict=True)]
    stage = Stage(list(zip(placed, readers, strict=True)), (), size=films.SIZE, fps=30)
    try:
        numbers = [films.number_in(frame) for frame in stage.frames()]
    finally:
        stage.close()
    assert (numbers[0], numbers[17], numbers[-1]) == (12, 29, 11)


def test_a_loops_seam_is_coded_finely() -> None:
    board = films.board(2.0, loop=True)
    assert "zones=0,0,q=8/56,59,q=8" in " ".join(arguments(board, 60, Path("work"), RenderOptions(), 2))
    assert "zones" not in " ".join(arguments(replace(board, loop=False), 60, Path("work"), RenderOptions(), 2))


def test_a_shot_of_no_frame_is_refused() -> None:
    with pytest.raises(InputError, match=r"shot s2 lasts 0\.01 s"):
        place(films.board(1.0, 0.01))


# --- transitions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", BLENDS)
def test_transitions_begin_with_the_old_shot_and_end_with_the_new(kind: str) -> None:
    old, new = np.full((40, 60, 3), 40, np.uint8), np.full((40, 60, 3), 200, np.uint8)
    assert blend(kind, old, new, 0.0) is old  # type: ignore[arg-type]
    assert blend(kind, old, new, 1.0) is new  # type: ignore[arg-type]
    halfway = blend(kind, old, new, 0.5)  # type: ignore[arg-type]
    assert halfway.shape == old.shape and halfway.dtype == np.uint8
    assert halfway.mean() > 40


def test_a_wipe_runs_from_left_to_right_with_a_soft_edge() -> None:
    old, new = np.full((4, 200, 3), 0, np.uint8), np.full((4, 200, 3), 255, np.uint8)
    row = blend("wipe", old, new, 0.5)[0, :, 0].astype(int)
    assert row[0] == 255 and row[-1] == 0
    assert (np.diff(row) <= 0).all()
    assert len(np.unique(row)) > 10


def test_a_slide_moves_pixels_and_mixes_none() -> None:
    old, new = films.Numbered(colour=(10, 20, 30)).frame(3), films.Numbered(colour=(200, 1, 2)).frame(200)
    found = blend("slide", old, new, 0.4)
    assert set(np.unique(found)) <= set(np.unique(np.concatenate([old, new])))


# --- rates and sizes -------------------------------------------------------------------------------


def test_sixteen_frames_a_second_are_blended_into_thirty() -> None:
    found = samples(81, 16, 150, 30)
    assert found[0] == Sample(0)
    assert any(sample.mix > 0.1 for sample in found)
    assert [sample.frame for sample in found] == sorted(sample.frame for sample in found)
    assert found[15].frame + found[15].mix == pytest.approx(8.0, abs=0.05)


def test_film_rates_are_repeated_and_not_blended() -> None:
    assert not any(sample.mix for sample in samples(121, 24, 150, 30))


def test_a_short_shot_is_slowed_down_and_then_held() -> None:
    slowed = samples(20, 30, 24, 30)
    assert slowed[-1].frame == 19 and slowed[12].frame < 12
    held = samples(10, 30, 60, 30)
    assert [sample.frame for sample in held[-20:]] == [9] * 20


@given(count=some.integers(1, 200), rate=some.floats(7, 60), wanted=some.integers(1, 200), fps=some.sampled_from([24, 30, 60]))
def test_only_frames_that_exist_are_asked_for(count: int, rate: float, wanted: int, fps: int) -> None:
    for sample in samples(count, rate, wanted, fps):
        assert 0 <= sample.frame < count and 0 <= sample.mix < 1
        assert sample.frame + (1 if sample.mix else 0) < count


def test_a_reader_finds_frames_forwards_and_back() -> None:
    reader = Reader(films.Numbered(count=40), films.SIZE, 40, 30)
    assert [films.number_in(reader.at(number)) for number in (0, 1, 5, 5, 2, 39)] == [0, 1, 5, 5, 2, 39]
    reader.close()


def test_what_goes_wrong_in_the_thread_comes_out_here() -> None:
    reader = Reader(films.Numbered(count=40, fails_at=3), films.SIZE, 40, 30)
    assert films.number_in(reader.at(1)) == 1
    with pytest.raises(ValueError, match="cannot be made"):
        reader.at(5)
    reader.close()


def test_a_thread_that_is_ahead_ends_when_told() -> None:
    ahead = Ahead(lambda: iter(range(1000)))
    assert ahead.take() == 0
    ahead.close()
    assert not ahead._thread.is_alive()


def test_footage_that_ends_early_is_no_silence() -> None:
    ahead = Ahead(lambda: iter(()))
    with pytest.raises(EOFError):
        ahead.take()


def disc(width: int, height: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    inside = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (min(width, height) * 0.12) ** 2
    return np.where(inside[..., None], np.uint8(230), np.uint8(20)).repeat(3, axis=2)


@pytest.mark.parametrize("size", [(480, 832), (832, 480), (512, 704), (100, 100)])
def test_nothing_is_ever_stretched(size: tuple[int, int]) -> None:
    found = shaped(disc(*size), films.SIZE)
    assert found.shape == (films.SIZE[1], films.SIZE[0], 3)
    seen = found[:, :, 0] > 128
    across, down = seen.any(axis=0).sum(), seen.any(axis=1).sum()
    assert across == pytest.approx(down, rel=0.04)


# --- blending --------------------------------------------------------------------------------------


def drawn(alpha: int, at: tuple[int, int] = (20, 12)) -> Sprite:
    from PIL import Image

    rng = np.random.default_rng(1)
    pixels = np.dstack([rng.integers(0, 256, (*at[::-1], 3), np.uint8), np.full(at[::-1], alpha, np.uint8)])
    return sprite(Image.fromarray(pixels))


@pytest.mark.parametrize("alpha", [0, 64, 200, 255])
@pytest.mark.parametrize("opacity", [0.3, 1.0])
def test_blending_is_what_the_formula_says(alpha: int, opacity: float) -> None:
    from PIL import Image

    rng = np.random.default_rng(2)
    front, back = rng.integers(0, 256, (12, 20, 3), np.uint8), rng.integers(0, 256, (40, 60, 3), np.uint8)
    shown = sprite(Image.fromarray(np.dstack([front, np.full((12, 20), alpha, np.uint8)])))
    wanted = back.astype(float)
    share = alpha / 255 * opacity
    wanted[5:17, 7:27] = wanted[5:17, 7:27] * (1 - share) + front * share
    lay(back, shown, Pose(x=7, y=5, opacity=opacity))
    assert np.abs(back - wanted).max() <= 2.5


def test_a_sprite_outside_the_frame_does_no_harm() -> None:
    frame = np.zeros((30, 30, 3), np.uint8)
    for x, y in ((-100, 0), (100, 0), (-10, -5), (25, 25), (0, 1000)):
        lay(frame, drawn(255), Pose(x=x, y=y))
    assert frame.any()


def test_motion_is_finer_than_a_pixel() -> None:
    from PIL import Image

    shown = sprite(Image.new("RGBA", (10, 10), (255, 255, 255, 255)))
    middles = []
    for x in (10.0, 10.25, 10.5, 10.75):
        frame = np.zeros((30, 40, 3), np.uint8)
        lay(frame, shown, Pose(x=x, y=8))
        weight = frame[:, :, 0].astype(float).sum(axis=0)
        middles.append((weight * np.arange(40)).sum() / weight.sum())
    assert np.diff(middles) == pytest.approx([0.25] * 3, abs=0.02)


def test_the_calmest_place_is_found() -> None:
    frame = np.full((800, 450, 3), 240, np.uint8)
    frame[500:700, 40:200] = np.random.default_rng(0).integers(0, 255, (200, 160, 3), np.uint8)
    frame[300:480, 240:420] = (200, 30, 30)  # smooth, and still no place to stand
    ground = survey([1.0], lambda _time: frame)
    areas = [(Area(40, 520, 190, 680), 0.0), (Area(240, 320, 400, 460), 0.5), (Area(240, 520, 400, 680), 1.0)]
    assert ground.calmest(areas, 0.5, 1.5) == 2
    assert ground.calmest(areas, 5.0, 6.0) == 0, "where nothing was looked at, the first place"
    assert set(ground.tones(Area(240, 520, 400, 680), 0, 2)) == {"#f0f0f0"}
    assert ground.tones(Area(230, 300, 430, 680), 0, 2) == ("#c81e1e", "#f0f0f0"), "the darkest and the lightest"


# --- the stage -------------------------------------------------------------------------------------


def staged(board: Storyboard, layers: list[Layer], **more: object) -> Stage:
    placed = place(board)
    shots = films.made(board)
    readers = [Reader(one.footage, films.SIZE, spot.count + spot.tail, board.fps) for one, spot in zip(shots, placed, strict=True)]
    return Stage(list(zip(placed, readers, strict=True)), layers, size=films.SIZE, fps=board.fps)


def test_every_frame_of_every_shot_stands_in_its_place() -> None:
    board = films.board(1.0, 0.7, 0.5, transition="cut")
    stage = staged(board, [])
    numbers = [films.number_in(frame) for frame in stage.frames()]
    stage.close()
    assert numbers == [*range(30), *range(21), *range(15)]


def test_the_old_shot_goes_on_under_a_transition() -> None:
    board = films.board(1.0, 1.0, transition="slide", lasts=0.4)
    stage = staged(board, [])
    early = stage.frame(31)
    assert films.number_in(np.ascontiguousarray(early[:, :20])) in (31, 32), "the first shot's next frames, pushed to the left"
    stage.close()


def test_a_loop_leads_back_into_its_first_frame() -> None:
    board = films.board(1.0, 1.0, transition="dissolve", lasts=0.4, loop=True)
    stage = staged(board, [])
    first = stage.frame(0).astype(int)
    stage.close()
    again = staged(board, [])
    frames = [again.frame(number).astype(int).mean(axis=(0, 1)) for number in range(frame_count(board))]
    again.close()
    steps = [np.abs(one - other).max() for one, other in pairwise(frames)]
    assert np.abs(first.mean(axis=(0, 1)) - frames[-1]).max() <= 1.5 * max(steps)


def test_shots_under_a_full_card_are_not_read() -> None:
    from PIL import Image

    board = films.board(1.0)
    full = sprite(Image.new("RGBA", films.SIZE, (1, 2, 3, 255)))
    stage = staged(board, [Layer(sprite=full, start=0.0, end=1.0, order=1, pose=lambda _time: Pose(x=0, y=0))])
    assert stage.frame(10)[0, 0].tolist() == [1, 2, 3]
    assert stage._shots[0][1]._ahead is None
    stage.close()


def test_the_encoder_is_asked_for_exactly_the_frames(tmp_path: object) -> None:
    from pathlib import Path

    from clipper.render import RenderOptions

    argv = arguments(replace(films.board(1.0), fps=25), 25, Path("/work folder"), RenderOptions(), 2)
    assert argv[argv.index("-frames:v") + 1] == "25"
    assert argv[argv.index("-framerate") + 1] == "25"
    assert argv[-1] == "file:/work folder/video.mp4"
    assert Fraction(argv[argv.index("-g") + 1]) == 50
