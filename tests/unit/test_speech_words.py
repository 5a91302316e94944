"""Words and sentences: ordered, never overlapping, never across a pause."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipper.speech.words import joined, sentences_of, simplified, words_of
from clipper.values import Span, Word


def pieces(text: str, start: float, end: float) -> list[Word]:
    step = (end - start) / len(text)
    return [Word(start + i * step, start + (i + 1) * step, char) for i, char in enumerate(text)]


def test_words_end_and_start_where_the_voice_does() -> None:
    dragged = [*pieces("先看保温杯，", 0.0, 3.1), *pieces("五百毫升。", 3.1, 5.0)]
    found = words_of(dragged, (Span(0.3, 1.8), Span(2.6, 4.7)), "zh")
    assert "".join(word.text for word in found) == "先看保温杯，五百毫升。"
    before, after = next((a, b) for a, b in pairwise(found) if a.text.endswith("，"))
    assert (found[0].start, before.end, after.start, found[-1].end) == (0.3, 1.8, 2.6, 4.7)


def test_a_word_is_not_dragged_to_a_run_it_does_not_reach() -> None:
    found = words_of(pieces("好", 5.0, 5.2), (Span(1.0, 9.0),), "zh")
    assert found == (Word(5.0, 5.2, "好"),)


def test_catalogue_names_stay_whole() -> None:
    line = pieces("来看冰糖心苹果", 0.0, 2.0)
    names = [word.text for word in words_of(line, (Span(0.0, 2.0),), "zh", ("冰糖心苹果",))]
    assert "冰糖心苹果" in names


def test_subwords_join_at_spaces_and_marks_join_the_word_before() -> None:
    parts = [
        Word(0.0, 0.2, " trail"),
        Word(0.2, 0.3, " run"),
        Word(0.3, 0.5, "ners"),
        Word(0.5, 0.6, ","),
        Word(0.6, 0.8, " $89"),
        Word(0.8, 0.9, "."),
    ]
    assert [word.text for word in words_of(parts, (Span(0.0, 0.9),), "en")] == [" trail", " runners,", " $89."]


def test_mixed_speech_keeps_both() -> None:
    parts = [*pieces("这个是", 0.0, 0.6), Word(0.6, 1.0, " iPhone"), Word(1.0, 1.2, " 15"), *pieces("，好", 1.2, 1.6)]
    assert "".join(word.text for word in words_of(parts, (Span(0.0, 1.6),), "zh")) == "这个是 iPhone 15，好"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("這個保溫杯,不鏽鋼", "这个保温杯，不锈钢"),
        ("今天59,就它", "今天59，就它"),
        ("好.你看3.5折", "好。你看3.5折"),
        ("只要1,299元", "只要1,299元"),
    ],
)
def test_writes_simplified_chinese(before: str, after: str) -> None:
    assert "".join(piece.text for piece in simplified(pieces(before, 0.0, 1.0), "zh")) == after


def test_leaves_other_languages_alone() -> None:
    japanese = pieces("東京で,買う.", 0.0, 1.0)
    assert simplified(japanese, "ja") == tuple(japanese)


def test_sentences_end_at_stops_and_pauses() -> None:
    spoken = [
        Word(0.0, 0.5, "你好。"),
        Word(0.5, 1.0, "看这"),
        Word(1.0, 1.4, "里，"),
        Word(1.8, 2.2, "便宜"),
        Word(2.3, 2.6, "吗？"),
        Word(2.6, 3.0, "好"),
    ]
    assert [sentence.text for sentence in sentences_of(spoken)] == ["你好。", "看这里，", "便宜吗？", "好"]


def test_a_decimal_point_ends_nothing() -> None:
    spoken = [Word(0.0, 0.5, " It"), Word(0.5, 1.0, " costs"), Word(1.0, 1.4, " 3."), Word(1.4, 1.6, "50."), Word(1.6, 2.0, " Now")]
    assert [sentence.text for sentence in sentences_of(spoken)] == ["It costs 3.50.", "Now"]


@given(st.lists(st.tuples(st.floats(0.02, 0.6), st.floats(0, 0.3), st.sampled_from(["好", "的，", "看", "word", "吗"])), max_size=120))
def test_sentences_lose_nothing_and_stay_short(steps: list[tuple[float, float, str]]) -> None:
    spoken: list[Word] = []
    at = 0.0
    for length, gap, text in steps:
        spoken.append(Word(at, at + length, text))
        at += length + gap
    found = sentences_of(spoken)
    assert [word for sentence in found for word in sentence.words] == spoken
    assert all(sentence.end - sentence.start <= 12.0 for sentence in found)


@given(
    st.text("先看保温杯的吗，。a1 ", min_size=1, max_size=60),
    st.lists(st.tuples(st.floats(0.0, 2.0), st.floats(0.1, 4.0)), min_size=1, max_size=8),
    st.lists(st.floats(0, 30), min_size=60, max_size=60),
)
def test_words_are_monotone_and_inside_runs(text: str, gaps: list[tuple[float, float]], times: list[float]) -> None:
    runs: list[Span] = []
    at = 0.0
    for gap, length in gaps:
        runs.append(Span(at + gap, at + gap + length))
        at += gap + length
    ordered = sorted(times)
    parts = [Word(ordered[i], ordered[i + 1] if i + 1 < len(text) else ordered[i], char) for i, char in enumerate(text[:59])]
    found = words_of(parts, runs, "zh")
    assert "".join(word.text for word in found).strip() == text[:59].strip() or not any(char.isalnum() for char in text)
    allowed = joined(runs)
    for word in found:
        assert word.start <= word.end
        assert any(run.start <= word.start and word.end <= run.end for run in allowed)
    for one, two in pairwise(found):
        assert one.end <= two.start
