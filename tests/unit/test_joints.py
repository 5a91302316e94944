"""Which pauses are long enough for a joint."""

from __future__ import annotations

from clipper.condense import CondenseOptions, joints
from clipper.values import Span
from tests.conftest import sentence


def test_a_breath_inside_a_thought_is_no_joint() -> None:
    sentences = [sentence(i * 3.0, i * 3.0 + 2.4, "说一句话") for i in range(6)]
    pauses = [Span(i * 3.0 + 2.4, i * 3.0 + (2.6 if i % 2 else 3.0)) for i in range(5)]
    long = joints(sentences, pauses, CondenseOptions())
    assert long == tuple(pause for pause in pauses if pause.duration > 0.5)


def test_without_pauses_between_sentences_nothing_changes() -> None:
    assert joints([sentence(0, 1, "一")], [Span(3, 4)], CondenseOptions()) == (Span(3, 4),)
