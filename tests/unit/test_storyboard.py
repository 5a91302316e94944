"""Plans of generated videos: cuts on frames and beats, moves that pictures bear, texts that can be read."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipper import artefact
from clipper.errors import ArtefactError, InputError
from clipper.values import Box
from generators.cutting import cut_instants, ring_instants
from generators.storyboard import NEEDS_LAYER, StoryboardOptions, plan_variants, plan_video
from generators.styles import ORDER, style_named, styles
from generators.texts import LEAST_S, default_call, read_s, shorten, split_title, unsaid, width
from generators.values import Cutout, Overlay, Photo, Storyboard, Subject


def photo(seed: int = 1, size: int = 600) -> Photo:
    pixels = np.full((size, size, 3), 245, np.uint8)
    rng = np.random.default_rng(seed)
    pixels[100:500, 150:450] = (40, 60, 90)
    pixels[150:250, 200:400] = rng.integers(0, 255, (100, 200, 3))
    pixels[350:450, 180:300] = rng.integers(60, 190, (100, 120, 3))
    return Photo(path=f"/pictures/{seed}.png", sha256=f"{seed:064d}", pixels=pixels)


def cutout(confidence: float = 0.95) -> Cutout:
    mask = np.zeros((600, 600), np.uint8)
    mask[100:500, 150:450] = 255
    return Cutout(mask=mask, box=Box(0.25, 1 / 6, 0.5, 2 / 3), confidence=confidence, method="key")


def subject(pictures: int = 1, confidence: float = 0.95, **more: object) -> Subject:
    texts: dict[str, object] = {"title": "小满山房 茉莉花茶 浓香型七窨 罐装 100g", "price": "¥49", "list_price": "¥98", **more}
    return Subject(
        name="L001",
        sku="L001",
        photos=tuple(photo(number) for number in range(1, pictures + 1)),
        cutouts=tuple(cutout(confidence) for _ in range(pictures)),
        **texts,  # type: ignore[arg-type]
    )


ONE, TWO, FLAT = subject(), subject(2, points=("鲜花七窨", "明前茶坯", "小罐锁香")), subject(2, 0.2)


def check(board: Storyboard, options: StoryboardOptions) -> None:
    """What holds of every plan."""
    assert board.seconds == pytest.approx(options.seconds, abs=0.5 / options.fps + 0.002)
    at = 0.0
    for number, shot in enumerate(board.shots):
        assert 0 <= shot.photo < len(board.pictures)
        assert shot.seconds >= 0.75
        assert at * options.fps == pytest.approx(round(at * options.fps), abs=0.04), "a cut lies on a frame"
        assert shot.transition_s <= 0.36 * shot.seconds
        assert (shot.transition == "cut") == (shot.transition_s == 0)
        assert shot.prompt
        assert shot.negative
        assert (shot.focus is not None) == (shot.move == "detail")
        if number:
            assert shot.move != board.shots[number - 1].move
        at += shot.seconds
    assert board.shots[0].move != "detail"
    assert board.shots[-1].move != "detail"
    assert len({shot.seed for shot in board.shots}) == len(board.shots)
    for overlay in board.overlays:
        assert 0 <= overlay.start < overlay.end <= board.seconds + 0.001
        assert overlay.end - overlay.start >= LEAST_S - 0.002, overlay
    points = [overlay for overlay in board.overlays if overlay.kind == "point"]
    for one, other in pairwise(points):
        assert one.end <= other.start + 0.001


@settings(max_examples=40, deadline=None)
@given(
    seconds=st.floats(3, 30),
    fps=st.sampled_from([24, 25, 30, 60]),
    seed=st.integers(0, 2**31 - 1),
    variant=st.integers(0, 20),
    style=st.sampled_from(ORDER),
    loop=st.booleans(),
    beat=st.floats(0, 1.2),
    who=st.sampled_from([ONE, TWO, FLAT]),
    least=st.sampled_from([0.8, 2.0]),
)
def test_every_plan_is_sound(
    seconds: float, fps: int, seed: int, variant: int, style: str, loop: bool, beat: float, who: Subject, least: float
) -> None:
    options = StoryboardOptions(seconds=seconds, fps=fps, seed=seed, variant=variant, loop=loop, least_shot_s=least)
    beats = tuple(np.arange(0.1, seconds, beat)) if beat > 0.2 else ()
    board = plan_video(who, style_named(style), options, beats)
    check(board, options)
    assert board == plan_video(who, style_named(style), options, beats)
    assert artefact.loads(artefact.dumps(board, "storyboard", 1), Storyboard, "storyboard", 1) == board
    if who is FLAT:
        assert not {shot.move for shot in board.shots} & NEEDS_LAYER
    if len(board.shots) > 1:
        assert min(shot.seconds for shot in board.shots) >= least - 0.05


@pytest.mark.parametrize("style", styles(), ids=lambda style: style.name)
def test_three_variants_differ_visibly(style: object) -> None:
    boards = plan_variants(TWO, style, StoryboardOptions(seconds=9), count=3)  # type: ignore[arg-type]
    looks = [tuple((shot.move, shot.photo, shot.focus) for shot in board.shots) for board in boards]
    assert len(set(looks)) == 3
    assert len({board.light for board in boards}) == 3
    assert len({board.light_deg for board in boards}) == 3
    assert [board.id for board in boards] == [f"L001-{boards[0].style}{end}" for end in ("", "-2", "-3")]


def test_cuts_fall_on_beats() -> None:
    beats = [0.13 + 0.48 * number for number in range(30)]
    cuts = cut_instants(10, pace=2.0, fps=30, beats=beats)
    for cut in cuts[1:-1]:
        assert min(abs(cut - beat) for beat in beats) <= 1 / 60 + 0.001
    lengths = np.diff(cuts)
    assert max(lengths) < 3.6
    assert min(lengths) > 0.8


@given(
    seconds=st.floats(3, 30),
    pace=st.floats(1, 4),
    fps=st.sampled_from([24, 30]),
    beat=st.floats(0.3, 0.9),
    least=st.sampled_from([0.8, 2.0]),
)
def test_a_loop_is_cut_on_beats_and_not_at_its_seam(seconds: float, pace: float, fps: int, beat: float, least: float) -> None:
    beats = tuple(np.arange(0.1, seconds, beat))
    cuts, begins = ring_instants(seconds, pace=pace, fps=fps, beats=beats, least=least)
    assert cuts[0] == 0 and cuts[-1] == pytest.approx(seconds, abs=0.5 / fps + 0.001)
    assert min(np.diff(cuts)) >= min(least, cuts[-1]) - 1.1 / fps
    assert 0.19 < begins < cuts[1] - 0.1 * cuts[1]


@pytest.mark.parametrize("seconds", [6.0, 9.0, 14.0, 30.0])
@pytest.mark.parametrize("beat", [0.42, 0.5, 0.57])
def test_a_loop_is_cut_on_its_beats(seconds: float, beat: float) -> None:
    beats = [0.13 + beat * number for number in range(80)]
    cuts, begins = ring_instants(seconds, pace=2.0, fps=30, beats=beats)
    missed = [min(abs(cut - begins - one) for one in beats) for cut in cuts[1:]]
    assert sum(miss <= 1 / 60 + 0.002 for miss in missed) >= len(missed) - 1, "one cut may lie where the music itself begins again"


def test_without_usable_beats_cuts_are_free() -> None:
    free = cut_instants(9, pace=2.0, fps=30)
    assert cut_instants(9, pace=2.0, fps=30, beats=(0.1, 8.9)) == free
    assert cut_instants(9, pace=2.0, fps=30, beats=(float("nan"), -4, 99)) == free
    assert cut_instants(4, pace=2.0, fps=30, single=True) == (0.0, 4.0)


@given(
    seconds=st.floats(3, 30),
    pace=st.floats(1, 6),
    fps=st.integers(12, 60),
    beats=st.lists(st.floats(-1, 40), max_size=80),
    least=st.sampled_from([0.8, 2.0]),
)
def test_cuts_rise_and_end_with_the_video(seconds: float, pace: float, fps: int, beats: list[float], least: float) -> None:
    cuts = cut_instants(seconds, pace=pace, fps=fps, beats=beats, least=least)
    assert cuts[0] == 0
    assert cuts[-1] == pytest.approx(seconds, abs=0.5 / fps + 0.001)
    lengths = np.diff(cuts)
    if len(lengths) > 1:
        assert min(lengths) >= least - 1.1 / fps


def test_texts_are_placed_in_time() -> None:
    board = plan_video(TWO, style_named("festival-red"), StoryboardOptions(seconds=12))
    kinds = [overlay.kind for overlay in board.overlays]
    assert kinds == ["title", "price", "point", "point", "point", "end_card"]
    title, price, first = board.overlays[:3]
    end_card = board.overlays[-1]
    assert (title.text, price.text, price.detail, end_card.detail) == ("小满山房 茉莉花茶", "¥49", "¥98", "点击购买")
    assert title.end <= first.start + 0.001
    assert price.end == end_card.start
    assert end_card.end == board.seconds


def test_short_videos_still_say_what_matters() -> None:
    board = plan_video(TWO, style_named("street-fashion"), StoryboardOptions(seconds=3))
    assert {"title", "price", "end_card"} <= {overlay.kind for overlay in board.overlays}


def test_a_looping_video_has_a_call_and_no_end_card() -> None:
    board = plan_video(ONE, style_named("luxury-dark"), StoryboardOptions(seconds=9, loop=True, logo="/logo.png"))
    kinds = {overlay.kind for overlay in board.overlays}
    assert "end_card" not in kinds
    assert {"call", "logo"} <= kinds
    assert 0 < board.begins < board.shots[0].seconds, "the seam lies within the first shot"
    assert all(overlay.end <= board.seconds - 0.19 for overlay in board.overlays if overlay.kind != "logo"), "nothing leaves at the seam"
    assert len(plan_video(ONE, style_named("luxury-dark"), StoryboardOptions(seconds=4, loop=True)).shots) == 1


def test_calls_are_given_defaulted_and_left_out() -> None:
    def call(options: StoryboardOptions, who: Subject = ONE) -> str:
        return next(
            overlay.detail for overlay in plan_video(who, style_named("clean-studio"), options).overlays if overlay.kind == "end_card"
        )

    assert call(StoryboardOptions()) == "点击购买"
    assert call(StoryboardOptions(), subject(title="Trail shoe")) == "Shop now"
    assert call(StoryboardOptions(), subject(call="进直播间")) == "进直播间"
    assert call(StoryboardOptions(call="Buy")) == "Buy"
    assert call(StoryboardOptions(call="")) == ""


def test_pictures_without_a_title_get_no_empty_texts() -> None:
    board = plan_video(subject(title="", price="", list_price=""), style_named("clean-studio"))
    assert all(overlay.text or overlay.detail for overlay in board.overlays)


def test_small_and_plain_pictures_get_no_close_look() -> None:
    small = replace(ONE, photos=(Photo(path="a", sha256="0" * 64, pixels=np.zeros((300, 300, 3), np.uint8)),))
    small = replace(small, cutouts=(Cutout(mask=np.full((300, 300), 255, np.uint8), box=Box(0, 0, 1, 1), confidence=0, method="none"),))
    for board in plan_variants(small, style_named("street-fashion"), StoryboardOptions(seconds=12), count=4):
        assert all(shot.move != "detail" for shot in board.shots)


def test_a_subject_without_pictures_and_wrong_options() -> None:
    with pytest.raises(InputError, match="no picture"):
        plan_video(replace(ONE, photos=(), cutouts=()), style_named("clean-studio"))
    for wrong in ({"seconds": 2.9}, {"seconds": 31}, {"fps": 5}, {"width_px": 1081}, {"variant": -1}):
        with pytest.raises(InputError, match="expected"):
            StoryboardOptions(**wrong)  # type: ignore[arg-type]


def test_a_plan_edited_by_hand_is_checked_field_by_field() -> None:
    data = artefact.dumps(plan_video(ONE, style_named("clean-studio")), "storyboard", 1)
    with pytest.raises(ArtefactError, match=r"shots\[0\]\.move|\$\.shots"):
        artefact.loads(data.replace(b'"move": "push_in"', b'"move": "jump"', 1), Storyboard, "storyboard", 1)
    with pytest.raises(ArtefactError, match="did you mean shots"):
        artefact.loads(data.replace(b'"shots":', b'"shotz":', 1), Storyboard, "storyboard", 1)


@pytest.mark.parametrize(
    ("title", "first", "second"),
    [
        ("北巷 羊毛围巾 女", "北巷 羊毛围巾", ""),
        ("青岭 特级初榨橄榄油 750ml", "青岭 特级初榨橄榄油", "750ml"),
        ("飞驰 碳纤维折叠电动滑板车", "飞驰 碳纤维折叠电动滑板车", ""),
        (
            "Tarnfell Ridge Ultralight 38L Hiking Backpack with Ventilated Back Panel, Padded Hip Belt",
            "Tarnfell Ridge Ultralight 38L Hiking Backpack",
            "with Ventilated Back Panel",
        ),
    ],
)
def test_a_name_ends_where_its_description_begins(title: str, first: str, second: str) -> None:
    assert split_title(title) == (first, second)


def test_titles_are_split_where_people_pause() -> None:
    assert split_title("小满山房 茉莉花茶 浓香型七窨 明前绿茶坯") == ("小满山房 茉莉花茶", "浓香型七窨 明前绿茶坯")
    assert split_title("") == ("", "")
    first, second = split_title("很" * 60)
    assert width(first) == 60 and width(second) <= 28 and second.endswith("…")


@pytest.mark.parametrize(
    ("title", "first", "second"),
    [
        ("新疆阿克苏冰糖心苹果新鲜脆甜当季水果整箱包邮", "新疆阿克苏冰糖心苹果新鲜脆甜当季水果整箱包邮", ""),
        ("小满山房 新疆阿克苏冰糖心苹果新鲜脆甜当季水果", "小满山房 新疆阿克苏冰糖心苹果新鲜脆甜当季水果", ""),
        (
            "不锈钢保温杯男女士大容量便携水杯2024新款高档办公室泡茶杯子商务礼品定制刻字",
            "不锈钢保温杯男女士大容量便携水杯2024新款高档办公室泡茶杯子",
            "商务礼品定制刻字",
        ),
    ],
)
def test_long_names_without_a_space_stay_whole_and_go_on_between_words(title: str, first: str, second: str) -> None:
    assert split_title(title) == (first, second)


def test_what_is_not_written_of_a_title_is_told() -> None:
    def lost(title: str, *shown: str) -> str:
        return unsaid(title, [Overlay(kind="title", text=text, start=0, end=1) for text in shown])

    assert lost("小满山房 茉莉花茶 浓香型七窨 特级 女", "小满山房 茉莉花茶", "浓香型七窨") == "特级 女"
    assert lost("不锈钢保温杯商务礼品", "不锈钢保温杯", "商务礼品") == "", "torn over two lines"
    assert lost("不锈钢保温杯商务礼品", "不锈钢保温杯…") == "商务礼品"
    assert lost("Earbuds, Adaptive Noise Cancelling", "Earbuds", "Noise") == "Adaptive Cancelling"
    assert lost("", "") == ""


@given(st.text(max_size=80), st.integers(2, 40))
def test_shortened_texts_fit(text: str, limit: int) -> None:
    assert width(shorten(text, limit)) <= max(limit, width("…"))


def test_reading_takes_time() -> None:
    assert read_s("好") == LEAST_S
    assert read_s("鲜花七窨明前茶坯小罐锁香十二字") > read_s("鲜花七窨") >= LEAST_S
    assert read_s("a long line of English words that takes a while") > 2
    assert (default_call("茶"), default_call("tea")) == ("点击购买", "Shop now")
