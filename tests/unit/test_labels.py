"""Labels: who gets which, what they say, how large they are, and that nothing leaves them out."""

from __future__ import annotations

import json
import re
from dataclasses import fields

import numpy as np
import pytest

from clipper.errors import InputError
from generators.aigc import FIELDS
from generators.compose import ComposeOptions
from generators.labels import LabelOptions, decide, metadata
from generators.overlays.canvas import Canvas, box_in
from generators.overlays.typeset import type_of
from generators.sprites import lay
from generators.takes import TakeOptions
from generators.visible_label import draw_label, likeness, plate
from pipelines.generate_options import GenerateOptions
from tests import films
from tests.camera import PALETTE

ALLOWED = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
OTHERS = json.dumps({"Label": "1", "ContentProducer": "studio", "ProduceID": "p-7", "ReservedCode1": "x", "ContentPropagator": "studio"})


def canvas(width: int = 1080, height: int = 1920) -> Canvas:
    board = films.board(3.0, size=(width, height))
    return Canvas(width_px=width, height_px=height, box=box_in(board, (65, 270, 940, 1248)), palette=PALETTE, type=type_of("modern"))


def test_one_generated_shot_makes_a_video_generated() -> None:
    shots = [films.origin(), films.origin(generated=True), films.origin()]
    label = decide(shots, [films.photo()], LabelOptions())
    assert (label.kind, label.text, label.value, label.generated) == ("generated", "AI生成", "1", True)


def test_moved_photographs_are_edited_and_not_generated() -> None:
    label = decide([films.origin()], [films.photo()], LabelOptions())
    assert (label.kind, label.is_visible) == ("edited", False)
    tags = metadata(label, "c0ffee", "id", LabelOptions())
    assert "AIGC" not in tags
    assert json.loads(tags["livecut_edited"])["generated"] is False


def test_a_label_of_a_picture_is_carried_on() -> None:
    label = decide([films.origin()], [films.photo(aigc=OTHERS)], LabelOptions())
    assert (label.kind, label.text) == ("generated", "AI生成")
    tags = metadata(label, "c0ffee", "id-1", LabelOptions(producer="shop"))
    found = json.loads(tags["AIGC"])
    assert (found["ContentProducer"], found["ProduceID"], found["ReservedCode1"]) == ("studio", "p-7", "x")
    assert (found["ContentPropagator"], found["PropagateID"]) == ("shop", "id-1")
    assert json.loads(tags["AIGC_sources"]) == [json.loads(OTHERS)]


def test_a_model_on_a_labelled_picture_names_itself_and_keeps_the_picture() -> None:
    label = decide([films.origin(generated=True)], [films.photo(aigc=OTHERS)], LabelOptions())
    tags = metadata(label, "c0ffee", "id-1", LabelOptions())
    assert json.loads(tags["AIGC"])["ContentProducer"] == "livecut"
    assert json.loads(tags["AIGC_sources"]) == [json.loads(OTHERS)]


@pytest.mark.parametrize(("value", "text"), [("2", "可能含AI生成内容"), ("3", "疑似AI生成"), ("9", "疑似AI生成")])
def test_what_is_only_suspected_says_so(value: str, text: str) -> None:
    label = decide([films.origin()], [films.photo(aigc=json.dumps({"Label": value}))], LabelOptions())
    assert label.text == text


def test_the_metadata_has_seven_fields_of_allowed_characters() -> None:
    label = decide([films.origin(generated=True)], [], LabelOptions())
    found = json.loads(metadata(label, "c0ffee", "pack-1", LabelOptions())["AIGC"])
    assert tuple(found) == FIELDS
    assert all(isinstance(value, str) and ALLOWED.fullmatch(value) for value in found.values())


@pytest.mark.parametrize("text", ["made with love", "AI", "生成", " "])
def test_the_visible_words_must_say_it(text: str) -> None:
    with pytest.raises(InputError, match="must say that AI generated it"):
        LabelOptions(text=text)


@pytest.mark.parametrize("text", ["AI生成", "人工智能合成", "AI-generated video", "本视频由AI生成"])
def test_other_words_that_say_it_are_taken(text: str) -> None:
    assert decide([films.origin(generated=True)], [], LabelOptions(text=text)).text == text


@pytest.mark.parametrize("wrong", [{"seconds": 1.9}, {"producer": ""}, {"producer": "my shop"}, {"producer": "店"}, {"producer": 'a"b'}])
def test_options_out_of_the_law_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        LabelOptions(**wrong)  # type: ignore[arg-type]


def test_no_option_leaves_the_label_out() -> None:
    names = {item.name for kind in (LabelOptions, ComposeOptions, TakeOptions, GenerateOptions) for item in fields(kind)}
    assert not {name for name in names if re.search(r"no_|skip|without|unlabel|hide", name)}
    switches = {item.name for item in fields(LabelOptions) if isinstance(getattr(LabelOptions(), item.name), bool)}
    assert not switches


@pytest.mark.parametrize("size", [(1080, 1920), (1920, 1080), (720, 720), (270, 480)], ids=str)
@pytest.mark.parametrize("text", ["AI生成", "AI-generated"])
def test_every_character_is_a_twentieth_of_the_short_edge(size: tuple[int, int], text: str) -> None:
    place = canvas(*size)
    drawn = np.asarray(plate(text, place))
    bright = (drawn[:, :, :3].min(axis=2) > 128) & (drawn[:, :, 3] > 128)
    columns = np.flatnonzero(bright.any(axis=0))
    groups = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1)
    heights = [np.ptp(np.flatnonzero(bright[:, group].any(axis=1))) + 1 for group in groups if len(group) > 0.012 * min(size)]
    tall = [height for height in heights if height > 0.03 * min(size)]  # not the hyphen
    assert tall and min(tall) >= 0.05 * min(size) - 1


@pytest.mark.parametrize("ground", ["black", "white", "noise"])
def test_a_label_is_found_where_it_is_and_nowhere_else(ground: str) -> None:
    rng = np.random.default_rng(0)
    frame = {"black": np.zeros, "white": lambda shape: np.full(shape, 255.0), "noise": lambda shape: rng.uniform(0, 255, shape)}[ground](
        (1920, 1080, 3)
    ).astype(np.uint8)
    layer = draw_label("AI生成", canvas(), LabelOptions())
    assert likeness(frame.mean(axis=2), layer) < 0.6
    lay(frame, layer.sprite, layer.pose(0.0))
    assert likeness(frame.mean(axis=2), layer) > 0.85


def test_the_label_is_there_from_the_first_frame_for_two_seconds() -> None:
    layer = draw_label("AI生成", canvas(), LabelOptions(seconds=2))
    assert layer.start == 0 and layer.end >= 2
    assert layer.pose(0.0).opacity == layer.pose(1.99).opacity == 1.0
