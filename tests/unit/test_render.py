"""Render decisions: the frame grid, the crop path and the argv, without starting anything."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipper.captions import load_style
from clipper.errors import InputError, ToolError
from clipper.fonts import Face
from clipper.render import Files, RenderOptions, Source, cards, command
from clipper.render.crop import at, largest, window
from clipper.render.loudness import cut_args, level_args, read_summary
from clipper.render.timing import cuts
from clipper.render.verify import Output, check
from clipper.values import CropKey, Plan, ProductCard, Recording, Span
from tests.golden.compare import matches

FOLDER = Path("/work folder/直播")


@pytest.fixture
def plan(recording: Recording) -> Plan:
    return Plan(
        id="c1",
        type="teaser",
        sku="A1",
        recording=recording.path,
        recording_sha256=recording.sha256,
        sources=(Span(12.0, 15.5), Span(40.0, 42.0)),
        title="炒锅'; drawtext=text=%{pts}",
        score=1.0,
        card=ProductCard(title="锅", price="¥129", image=None, start=0.8, end=4.0),
        badge="已售128件",
        end_card="来直播间\n店",
    )


# --- the frame grid -------------------------------------------------------------------------------


@pytest.mark.parametrize("fps", [Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(60)])
def test_cuts_stand_half_a_frame_off_the_grid(fps: Fraction, recording: Recording, plan: Plan) -> None:
    source = replace(recording, fps=fps, duration=20_000.0)
    for start in (0.0, 1.001, 12.345, 14_399.983):
        (cut,) = cuts(replace(plan, sources=(Span(start, start + 2.0),)), source)
        index = (cut.picture_start + 0.5 / fps) * fps
        assert float(index) == pytest.approx(round(start * float(fps)), abs=1e-3)
        assert cut.zero - cut.picture_start == pytest.approx(0.5 / float(fps))
        assert cut.samples == cut.frames * 1600


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0.2, 9)), min_size=1, max_size=8))
def test_pieces_add_up_without_drift(pieces: list[tuple[float, float]]) -> None:
    source = Recording(
        path="/a.mp4",
        sha256="",
        size_bytes=1,
        format="mov",
        duration=60.0,
        claimed_duration=None,
        width_px=720,
        height_px=1280,
        rotation_deg=0,
        fps=Fraction(24000, 1001),
        is_vfr=False,
        has_audio=True,
        audio_rate_hz=48000,
        audio_channels=2,
        video_codec="h264",
        audio_codec="aac",
        creation_time=None,
    )
    spans = tuple(Span(start, start + length) for start, length in pieces)
    plan = Plan(id="c", type="teaser", sku=None, recording="/a.mp4", recording_sha256="", sources=spans, title="", score=0)
    found = cuts(plan, source)
    counted = sum(round(span.end * 24000 / 1001) - round(span.start * 24000 / 1001) for span in spans)
    assert abs(sum(cut.frames for cut in found) / 30 - counted * 1001 / 24000) <= (0.5 + len(spans) * 0.01) / 30 + 0.05
    assert sum(cut.samples for cut in found) == sum(cut.frames for cut in found) * 1600


def test_the_lead_and_the_seek_move_the_bounds(recording: Recording, plan: Plan) -> None:
    late = replace(recording, fps=Fraction(25), lead_s=0.08)
    (cut, _) = cuts(plan, late, (4.0, 30.0), 1.4)
    assert cut.seek == 4.0
    assert cut.zero == pytest.approx(1.4 + 0.08 + 12.0)


@pytest.mark.parametrize("span", [Span(5, 5), Span(-1, 3), Span(59, 99), Span(80, 90), Span(9, 2)])
def test_sources_outside_the_recording_are_refused(span: Span, recording: Recording, plan: Plan) -> None:
    with pytest.raises(InputError, match="lies outside the recording, which holds 0–60 s"):
        cuts(replace(plan, sources=(span,)), recording)


# --- the crop path --------------------------------------------------------------------------------


def value(expression: str, t: float) -> float:
    """Evaluate one of ffmpeg's expressions."""
    names = {"t": t, "lt": lambda a, b: a < b, "if_": lambda c, a, b: a if c else b}
    return float(eval(re.sub(r"\bif\(", "if_(", expression), {"__builtins__": {}}, names))


PORTRAIT = {"width_px": 1920, "height_px": 1080, "shape": 9 / 16}
W = largest(1920, 1080, 9 / 16)[0]


def test_without_keys_the_window_is_the_largest_in_the_middle() -> None:
    view = window((), Span(0, 9), 0.0, **PORTRAIT)
    assert float(view.w) == pytest.approx(W)
    assert float(view.x) == pytest.approx((1 - W) / 2)


@given(st.lists(st.floats(0, 1 - W), min_size=2, max_size=60))
def test_the_path_meets_its_keys_and_never_overshoots(places: list[float]) -> None:
    keys = tuple(CropKey(10.0 + number, x, 0.0, W, 1.0) for number, x in enumerate(places))
    view = window(keys, Span(10, 10 + len(places)), 10.0, **PORTRAIT)
    for number, (x, after) in enumerate(pairwise(places)):
        assert value(view.x, float(number)) == pytest.approx(x, abs=1e-5)
        inside = value(view.x, number + 0.37)
        assert min(x, after) - 1e-5 <= inside <= max(x, after) + 1e-5
    assert value(view.x, 999.0) == pytest.approx(places[-1], abs=1e-5)


def test_a_dense_track_does_not_stop_at_its_keys() -> None:
    keys = tuple(CropKey(number / 4, 0.02 * number, 0.0, W, 1.0) for number in range(20))
    view = window(keys, Span(0, 5), 0.0, **PORTRAIT)
    speeds = [(value(view.x, 1.0 + n / 50 + 0.01) - value(view.x, 1.0 + n / 50)) / 0.01 for n in range(50)]
    assert max(speeds) / min(speeds) < 1.2


def test_hundreds_of_keys_stay_shallow() -> None:
    keys = tuple(CropKey(number / 2, 0.3 + 0.1 * math.sin(number), 0.0, W, 1.0) for number in range(240))
    expression = window(keys, Span(0, 120), 0.0, **PORTRAIT).x
    depth = deepest = 0
    for char in expression:
        depth += {"(": 1, ")": -1}.get(char, 0)
        deepest = max(deepest, depth)
    assert deepest < 20


def test_a_window_is_brought_into_the_picture_and_into_shape() -> None:
    keys = (CropKey(1.0, 0.9, -0.5, 0.6, 0.2),)
    x, y, w, h = at(keys, 1.0, **PORTRAIT)
    assert (w, h) == pytest.approx((W, 1.0))
    assert x == pytest.approx(1 - W)
    assert y == 0.0


# --- the argv -------------------------------------------------------------------------------------

SOURCE = Source(video="0", audio="1", matrix="bt709", start=0.0, seeks=(11.0, 39.0))
FILES = Files(folder=FOLDER, captions=True, card=(41, 820), badge=(47, 252), end_card=True, source=SOURCE)


def printed(argv: list[str]) -> str:
    """One argument a line, the graph one filter a line."""
    return "\n".join(part.replace(";", ";\n  ") for part in argv) + "\n"


def test_golden_argv(request: pytest.FixtureRequest, plan: Plan, recording: Recording) -> None:
    matches(request, "render-teaser.txt", printed(command(plan, recording, FILES, RenderOptions())))
    matches(request, "render-teaser-sound.txt", printed(cut_args(plan, recording, FILES)))
    matches(request, "render-level.txt", printed(level_args(FILES.folder, RenderOptions(), 6.25, -1.5)))
    landscape = replace(recording, width_px=1920, height_px=1080, fps=Fraction(30))
    keys = (CropKey(12.0, 0.2, 0, W, 1), CropKey(14.0, 0.5, 0, W, 1))
    bare = Files(folder=FOLDER, source=replace(SOURCE, seeks=(11.0,)))
    one = replace(plan, sources=(Span(12.0, 15.5),), crop=keys)
    matches(request, "render-crop.txt", printed(command(one, landscape, bare, RenderOptions())))
    matches(request, "render-blur.txt", printed(command(replace(one, framing="blur"), landscape, bare, RenderOptions())))
    matches(request, "render-vfr.txt", printed(command(one, replace(recording, is_vfr=True), bare, RenderOptions())))


def test_no_text_of_the_plan_reaches_the_graph(plan: Plan, recording: Recording) -> None:
    argv = command(replace(plan, badge="BADGE", end_card="CLOSING"), recording, FILES, RenderOptions())
    for text in ("drawtext", "炒锅", "BADGE", "CLOSING", "锅"):
        assert not any(text in part for part in argv)


def test_high_dynamic_range_is_tone_mapped(plan: Plan, recording: Recording) -> None:
    files = replace(FILES, source=replace(SOURCE, transfer="smpte2084"))
    graph = next(part for part in command(plan, recording, files, RenderOptions()) if "setpts" in part)
    assert graph.count("]tonemap=") == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"crf": 99}, "crf = 99: expected 0 to 40"),
        ({"preset": "warp"}, "preset = 'warp': expected one of"),
        ({"captions": "none"}, "captions = 'none'"),
        ({"safe_box": (900, 0, 100, 50)}, "safe_box"),
        ({"threads": 0}, "threads = 0"),
    ],
)
def test_options_out_of_range_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        RenderOptions(**changes)


# --- checks ---------------------------------------------------------------------------------------

GOOD = Output(
    width_px=1080, height_px=1920, video_codec="h264 High", pixels="yuv420p", fps=30.0, frames=165, video_start=0.0, video_end=5.5,
    audio_codec="aac", audio_rate_hz=48_000, audio_start=0.0, audio_end=5.52,
)  # fmt: skip


def test_a_right_file_passes(plan: Plan) -> None:
    check(GOOD, plan, 165, sound=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frames": 150}, "frames 150, planned 165"),
        ({"width_px": 720}, "size 720×1920, planned 1080×1920"),
        ({"audio_end": 4.0}, "sound ends at 4.000 s"),
        ({"audio_codec": None, "audio_rate_hz": None, "audio_start": None, "audio_end": None}, "planned AAC at 48000 Hz"),
        ({"fps": 25.0}, "frame rate 25.0, planned 30"),
        ({"pixels": "yuv444p"}, "pixel format yuv444p"),
    ],
)
def test_a_wrong_file_is_named_by_what_is_wrong(changes: dict[str, Any], message: str, plan: Plan) -> None:
    with pytest.raises(ToolError, match=re.escape(message)):
        check(replace(GOOD, **changes), plan, 165, sound=True)


def test_the_loudness_summary_is_read() -> None:
    text = "x Summary:\n\n  Integrated loudness:\n    I:   -23.4 LUFS\n    Threshold: -33.9 LUFS\n  True peak:\n    Peak:   -5.1 dBFS\n"
    assert (read_summary(text).integrated_lufs, read_summary(text).true_peak_dbtp) == (-23.4, -5.1)
    assert read_summary(text.replace("-23.4", "-inf").replace("-5.1", "-inf")).is_silent
    with pytest.raises(ToolError, match="no summary"):
        read_summary("nothing")


# --- cards ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("title", ["锅", "厨见麦饭石色不粘炒锅三十二厘米家用平底少油烟电磁炉燃气灶通用", "W" * 200, "\x00\n{}%", ""])
@pytest.mark.parametrize("width", [180, 720, 1080])
def test_card_and_badge_stay_inside_the_safe_box(title: str, width: int, plan: Plan, face: Face) -> None:
    style, scale, box = load_style("pop"), width / 1080, (65, 270, 940, 1248)
    framed = replace(plan, width_px=width, height_px=width * 16 // 9)
    card = cards.draw_card(ProductCard(title=title, price="¥129", image=None, start=0, end=1), style, face, scale)
    left, top = cards.place_card(card, framed, style, box, face.line_em)
    shadow = round(24 * scale)
    assert left + shadow >= 64 * scale
    assert left + card.width - shadow <= 940 * scale + 1
    assert top + shadow >= 270 * scale - 1
    assert top + card.height - shadow < 1248 * scale
    badge = cards.draw_badge(title, style, face, scale)
    x, y = cards.place_badge(badge, framed, box)
    assert x + badge.width - round(18 * scale) <= 940 * scale + 1
    assert y >= 0
