"""Captions: where lines break, from when to when they stand, and that no text can become markup."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipper import captions
from clipper.captions import CaptionOptions, ass, lines, load_style, shown, srt, style_names
from clipper.captions.ass import box_of, overflow
from clipper.captions.breaks import ems, tokens, wrap
from clipper.errors import InputError
from clipper.values import CaptionLine, Plan, Product, Sentence, Span, Word
from tests.conftest import sentence
from tests.golden.compare import matches

POT = Product(sku="A1", title="厨见 麦饭石色不粘炒锅 32cm", aliases=("不粘炒锅", "炒锅"), brand="厨见")
POP = load_style("pop")
OPTIONS = CaptionOptions()


def plan_of(lines_: tuple[CaptionLine, ...], *sources: tuple[float, float], **changes: object) -> Plan:
    plan = Plan(
        id="c1",
        type="explanation",
        sku="A1",
        recording="/videos/show.mp4",
        recording_sha256="0" * 64,
        sources=tuple(Span(*source) for source in sources or ((0, 60),)),
        title="炒锅",
        score=1.0,
        captions=lines_,
    )
    return replace(plan, **changes)  # type: ignore[arg-type]


def words_of(*parts: tuple[float, float, str]) -> tuple[Word, ...]:
    return tuple(Word(*part) for part in parts)


def visible(script: str) -> list[str]:
    """Texts of the events as libass shows them."""
    rows = [line.split(",", 9)[9] for line in script.splitlines() if line.startswith("Dialogue:")]
    return [re.sub(r"\{[^}]*\}", "", row) for row in rows]


# --- breaking -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("今天只要一百二十九块钱就能带走", "一百二十九块钱"),
        ("这个是1000ml的大容量", "1000ml"),
        ("原价¥59.9现在打折", "¥59.9"),
        ("一共5卷送给你", "5卷"),
        ("我们家的麦饭石色不粘炒锅特别好用", "麦饭石色不粘炒锅"),
        ("这个Type-C接口很方便", "Type-C"),
        ("It's a carry-on bag", "carry-on "),
        ("涂层是三层的", "涂层"),
    ],
)
def test_what_belongs_together_is_one_token(text: str, whole: str) -> None:
    found = tokens(text, ("麦饭石色不粘炒锅", "炒锅"))
    assert "".join(found) == text
    assert whole in found


def test_closing_punctuation_stays_with_what_it_closes() -> None:
    assert tokens("好，来（真的）！") == ["好，", "来", "（真的）！"]


@given(st.text(max_size=60))
@settings(max_examples=150, deadline=None)
def test_tokens_lose_nothing(text: str) -> None:
    assert "".join(tokens(text, ("炒锅",))) == text


@given(
    st.lists(st.sampled_from(["好用", "的", "不粘锅，", "really ", "1000ml", "三层涂层", "我"]), min_size=1, max_size=24),
    st.integers(4, 14),
)
@settings(max_examples=150, deadline=None)
def test_wrapped_lines_fit_and_hold_everything(pieces: list[str], limit: int) -> None:
    rows = wrap(pieces, limit)
    assert all(ems(row) <= limit for row in rows)
    assert "".join(rows).replace(" ", "") == "".join(pieces).replace(" ", "")


def test_lines_break_evenly_and_at_punctuation() -> None:
    assert wrap(tokens("好，看着啊，我不用铲子，我就晃"), 12) == ["好，看着啊，", "我不用铲子，我就晃"]


# --- events ---------------------------------------------------------------------------------------


def test_chinese_lines_drop_closing_commas_and_keep_questions() -> None:
    found = lines([sentence(0, 3, "能看清楚吗？"), sentence(4, 7, "三层涂层，不粘。")], (), "zh", OPTIONS)
    assert [line.text for line in found] == ["能看清楚吗？", "三层涂层，不粘"]


def test_english_lines_keep_their_punctuation() -> None:
    words = words_of((0, 0.4, "It's"), (0.4, 0.8, " pinned"), (0.8, 1.4, " here."))
    assert [line.text for line in lines([Sentence(words)], (), "en", OPTIONS)] == ["It's pinned here."]


def test_a_product_name_is_never_torn() -> None:
    found = lines([sentence(0, 6, "大家来看这一口厨见麦饭石色不粘炒锅真的特别好用")], (POT,), "zh", OPTIONS)
    assert any("麦饭石色不粘炒锅" in row for line in found for row in line.text.split("\n"))


def test_no_event_spans_a_long_silence() -> None:
    found = lines([Sentence(words_of((0, 0.5, "好的"), (3.0, 3.5, "来看")))], (), "zh", OPTIONS)
    assert [line.text for line in found] == ["好的", "来看"]
    assert found[0].end < 2.0


@st.composite
def talk(draw: st.DrawFn) -> list[Sentence]:
    clock, out = 0.0, []
    for _ in range(draw(st.integers(1, 6))):
        clock += draw(st.floats(0.05, 2.5))
        words = []
        for _ in range(draw(st.integers(1, 14))):
            length = draw(st.floats(0.12, 0.5))
            words.append(
                Word(clock, clock + length, draw(st.sampled_from(["这个", "锅", "不粘，", "好用", "的", " really", "129块", "。"])))
            )
            clock += length
        out.append(Sentence(tuple(words)))
    return out


@given(talk())
@settings(max_examples=80, deadline=None)
def test_events_keep_their_limits(sentences: list[Sentence]) -> None:
    found = lines(sentences, (POT,), "zh", OPTIONS)
    for line in found:
        rows = line.text.split("\n")
        assert 1 <= len(rows) <= 2
        assert all(ems(row) <= OPTIONS.max_em for row in rows)
        assert 0 < line.end - line.start <= OPTIONS.max_s + 0.001
    for before, after in pairwise(found):
        assert after.start - before.end >= OPTIONS.gap_s - 0.002
    spoken = "".join(char for part in sentences for char in part.text if char.isalnum())
    assert "".join(char for line in found for char in line.text if char.isalnum()) == spoken


def test_events_stay_long_enough_at_an_ordinary_pace() -> None:
    said = "别光听我说来打个蛋一滴油都没有啊你们盯着我的手没有油听见没有滋啦滋啦的现在先不动它等边上翘起来"
    found = lines([sentence(0, len(said) / 5.8, said)], (), "zh", OPTIONS)
    assert min(line.end - line.start for line in found) >= OPTIONS.min_s - 0.001


def test_runaway_times_do_no_harm() -> None:
    words = words_of((5.0, 5.2, "先"), (4.0, 4.1, "倒"), (5.1, 5.1, "退"), (5.2, 30.0, "久"))
    found = lines([Sentence(words)], (), "zh", OPTIONS)
    assert all(0 < line.end - line.start <= 7.001 for line in found)
    assert all(after.start > before.end for before, after in pairwise(found))


@pytest.mark.parametrize("changes", [{"max_em": 2}, {"min_s": 9}, {"max_s": 0.5}, {"chars_per_s": 0}])
def test_options_out_of_range_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(changes))):
        CaptionOptions(**changes)  # type: ignore[arg-type]


# --- the clip's clock -----------------------------------------------------------------------------

LINE = CaptionLine(
    start=10.0, end=12.0, text="三层涂层不粘", words=words_of((10.0, 10.6, "三层"), (10.6, 11.2, "涂层"), (11.2, 12.0, "不粘"))
)


def test_times_move_to_the_clip() -> None:
    (event,) = shown(plan_of((LINE,), (0, 2), (9.5, 14)))
    assert (event.start, event.end) == (2.5, 4.5)
    assert [(piece.text, piece.start, piece.end) for piece in event.rows[0]] == [("三层", 2.5, 3.1), ("涂层", 3.1, 3.7), ("不粘", 3.7, 4.5)]


def test_words_outside_the_sources_are_dropped() -> None:
    (event,) = shown(plan_of((LINE,), (10.7, 14)))
    assert event.texts == ("涂层不粘",)
    assert event.start == 0.0


def test_a_line_shown_by_two_sources_appears_twice() -> None:
    assert len(shown(plan_of((LINE,), (9, 13), (9, 13)))) == 2


def test_an_edited_line_keeps_the_times_of_what_was_not_edited() -> None:
    (event,) = shown(plan_of((replace(LINE, text="三层图层\n不沾"),), (10, 14)))
    assert event.texts == ("三层图层", "不沾")
    times = {piece.text: (piece.start, piece.end) for row in event.rows for piece in row}
    assert times["三层"] == (0.0, 0.6)
    assert times["图"] == (0.6, 0.9)


def test_a_rewritten_line_spreads_its_time_over_its_characters() -> None:
    (event,) = shown(plan_of((CaptionLine(start=10, end=12, text="全新文字"),), (10, 14)))
    assert [(piece.text, piece.start, piece.end) for piece in event.rows[0]] == [("全新", 0.0, 1.0), ("文字", 1.0, 2.0)]


def test_events_never_stand_together() -> None:
    other = CaptionLine(start=11.5, end=13.0, text="下一句")
    first, second = shown(plan_of((LINE, other), (10, 14)))
    assert second.start - first.end >= 0.06


# --- ASS and SRT ----------------------------------------------------------------------------------

HOSTILE = (
    "{\\fs400}大",
    "a\\Nb\\h{\\p1}m 0 0",
    "line\nDialogue: 0,0:00:00.00,9:00:00.00,Caption,,0,0,0,,PWNED",
    "<font size=400>x</font>",
    "%{pts}'\";:,[0:v]",
    "\x00\x08\x1b[31m红\u202e反",
    "1\n\n2\n00:00:00,000 --> 00:00:09,000\n插入",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_markup(text: str) -> None:
    plan = plan_of((CaptionLine(start=1, end=4, text=text),))
    script = ass(plan, POP)
    assert len([line for line in script.splitlines() if line.startswith("Dialogue:")]) == 1
    for row in (line.split(",", 9)[9] for line in script.splitlines() if line.startswith("Dialogue:")):
        for block in re.findall(r"\{([^}]*)\}", row):
            assert re.fullmatch(r"(\\(pos\([\d,]+\)|fs[\d.]+|fscx\d+|fscy\d+|1c&H[0-9A-F]{6}&|t\([^{}]*\)))+", block), block
        bare = re.sub(r"\{[^}]*\}", "", row).replace("\\N", "")
        assert not set(bare) & set("{}\\")
    assert not any(ord(char) < 32 and char != "\n" for char in script)
    blocks = srt(plan).strip().split("\n\n")
    assert len(blocks) == 1
    assert blocks[0].count("-->") == 1
    assert "<" not in blocks[0]


@pytest.mark.parametrize("name", style_names())
@pytest.mark.parametrize("box", [(65, 270, 940, 1248), (65, 240, 930, 1320), (0, 0, 600, 1920)])
def test_captions_stand_inside_the_safe_box(name: str, box: tuple[int, int, int, int]) -> None:
    texts = ("三层涂层不粘真的好\n三层涂层不粘真的好", "一" * 30, "W" * 40, "good " * 14, "一二三四五六七八九十一二三四五六七八九十")
    plan = plan_of(tuple(CaptionLine(start=3 * n, end=3 * n + 2, text=text) for n, text in enumerate(texts)))
    style = load_style(name)
    assert overflow(plan, style, safe_box=box) == []
    for line in ass(plan, style, safe_box=box).splitlines():
        if line.startswith("Dialogue:"):
            x, y = map(int, re.search(r"\\pos\((\d+),(\d+)\)", line).groups())  # type: ignore[union-attr]
            left, top, right, bottom = box_of(plan, box)
            assert left < x < right
            assert top < y <= bottom


def test_an_absurd_text_is_reported_and_not_hidden() -> None:
    assert overflow(plan_of((CaptionLine(start=0, end=5, text="字" * 900),)), POP) != []


def test_line_breaks_are_ours() -> None:
    plan = plan_of((CaptionLine(start=0, end=3, text="第一行\n第二行"),))
    assert visible(ass(plan, POP)) == ["第一行\\N第二行"]
    assert "WrapStyle: 2" in ass(plan, POP)


def test_the_frame_scales_the_type() -> None:
    plan = plan_of((LINE,), (10, 14))
    small = ass(replace(plan, width_px=540, height_px=960), POP)
    assert "PlayResX: 540" in small
    assert f",{POP.size_px / 2 * 1.448:.1f}," in small


def test_golden_ass_and_srt(request: pytest.FixtureRequest) -> None:
    said = [sentence(1.0, 5.2, "来，这口炒锅，三十二公分的，一家四口刚刚好。"), sentence(5.9, 9.0, "一百二十九块钱，送木铲！")]
    plan = plan_of(lines(said, (POT,), "zh", OPTIONS), (0.8, 5.4), (5.7, 9.3))
    matches(request, "captions.srt", srt(plan))
    for name in style_names():
        matches(request, f"captions-{name}.ass", ass(plan, load_style(name)))


# --- styles ---------------------------------------------------------------------------------------


def test_presets_load_and_unknown_ones_are_named() -> None:
    assert {"pop", "clean", "festival", "bold", "minimal"} <= set(style_names())
    with pytest.raises(InputError, match="did you mean festival"):
        load_style("festval")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("size_px = 5", "size_px = 5: expected 16 to 160"),
        ('colour = "red"', "expected a colour such as"),
        ("siz_px = 60", "did you mean size_px"),
        ("bold = 1", "expected bool"),
        ('[card]\nfil = "#FFFFFF"', "card.fil is not a setting; did you mean fill"),
        ("=", "not valid TOML"),
    ],
)
def test_a_style_of_ones_own_is_checked(text: str, message: str, tmp_path: object) -> None:
    from pathlib import Path

    path = Path(str(tmp_path)) / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(message)):
        captions.load_style(str(path))
