"""The guard on text alone: what is a loop, what is a recital, and what is only somebody laughing."""

from __future__ import annotations

import pytest

from clipper.speech.guard import faults, is_hopeless, is_loop, is_recited, longest_hole
from clipper.speech.recognizer import Heard
from clipper.values import Span, Word


def heard(text: str, logprob: float = -0.2, no_speech: float = 0.05, voiced_s: float = 3.0) -> Heard:
    step = voiced_s / max(len(text), 1)
    return Heard(tuple(Word(i * step, (i + 1) * step, char) for i, char in enumerate(text)), logprob, no_speech)


@pytest.mark.parametrize(
    "text", ["哀哀哀哀哀哀哀哀哀哀哀哀", "谢谢大家谢谢大家谢谢大家谢谢大家", "buy it now, buy it now, buy it now, buy it now,"]
)
def test_a_loop_is_a_fault(text: str) -> None:
    assert is_loop(text)
    assert is_hopeless(faults(heard(text), (Span(0, 8),)))


@pytest.mark.parametrize(
    "text", ["哈哈哈哈，太好笑了", "三二一，三二一，上链接", "好好好，真的真的好", "no no no, look at this", "买它买它买它"]
)
def test_people_repeat_themselves(text: str) -> None:
    assert faults(heard(text), (Span(0, 3),)) == ()


def test_a_recited_prompt_is_a_fault() -> None:
    names = ("保温杯", "针织开衫", "橙子", "面膜")
    assert is_recited("保温杯、针织开衫、橙子", names, "")
    assert is_recited("以下是普通话的句子。", (), "以下是普通话的句子，用简体中文。") is False
    assert is_recited("以下是普通话的句子，用简体中文", (), "以下是普通话的句子，用简体中文。")
    assert not is_recited("先看保温杯，再看针织开衫", names, "")
    assert not is_recited("一号保温杯，二号针织开衫，三号橙子", names, "")


@pytest.mark.parametrize(
    ("text", "voiced_s", "logprob", "no_speech", "expected"),
    [
        ("先看这个保温杯，五百毫升，拿在手里刚好一握", 4.0, -0.2, 0.1, ()),
        ("先看这个保温杯，五百毫升，拿在手里刚好一握", 0.8, -0.2, 0.1, ("fast",)),
        ("好的", 9.0, -0.2, 0.1, ("hole", "sparse")),
        ("", 9.0, -0.2, 0.1, ("sparse",)),
        ("", 1.0, -0.2, 0.1, ()),
        ("先看这个保温杯", 2.0, -1.4, 0.1, ("unlikely",)),
        ("先看这个保温杯", 2.0, -1.4, 0.9, ("unlikely", "silence")),
        ("字幕由志愿者提供", 1.5, -0.4, 0.1, ("phantom",)),
        ("This backpack weighs two pounds and carries like one.", 3.0, -0.2, 0.1, ()),
    ],
)
def test_names_what_is_wrong(text: str, voiced_s: float, logprob: float, no_speech: float, expected: tuple[str, ...]) -> None:
    assert faults(heard(text, logprob, no_speech, voiced_s), (Span(0, voiced_s),) if voiced_s else ()) == expected


def test_a_sparse_window_may_be_shown() -> None:
    assert not is_hopeless(("sparse", "unlikely"))
    assert is_hopeless(("sparse", "loop"))


def test_a_phrase_left_out_leaves_a_hole() -> None:
    pieces = (Word(0.0, 0.3, "先"), Word(0.3, 3.5, "看"), Word(3.5, 3.8, "好"))
    assert longest_hole(pieces, (Span(0.0, 0.6), Span(1.6, 3.9))) == pytest.approx(2.2)
    assert longest_hole(pieces, (Span(0.0, 0.6), Span(3.4, 3.9))) < 0.5
    assert longest_hole((), (Span(0.0, 4.0),)) == 4.0


def test_a_whole_phrase_twice_is_an_echo() -> None:
    assert "echo" in faults(heard("今天拍一瓶给一瓶补充装今天拍一瓶给一瓶补充装"), (Span(0, 6),))
    assert faults(heard("真没有了，真没有了"), (Span(0, 3),)) == ()
