"""Which pauses are joints: those at which an utterance surely ends."""

from __future__ import annotations

from clipper.condense import CondenseOptions, joints
from clipper.detect.boundaries import edges
from clipper.values import Span
from tests.conftest import sentence


def test_a_breath_inside_a_thought_is_no_joint() -> None:
    sentences = [sentence(i * 2.5, i * 2.5 + (1.8 if i % 2 else 2.25), "说一句话。") for i in range(20)]
    pauses = [Span(s.end, (i + 1) * 2.5) for i, s in enumerate(sentences)]
    long = joints(sentences, pauses, edges(tuple(sentences), tuple(pauses), (), 50.0), CondenseOptions())
    assert len(long) >= 8
    assert set(long) <= {pause for pause in pauses[:-1] if pause.duration > 0.5}


def test_without_pauses_between_sentences_there_is_no_joint() -> None:
    sentences = [sentence(i * 1.0, i * 1.0 + 1.0, "一") for i in range(3)]
    silent = (Span(3.5, 4.0),)
    assert joints(sentences, silent, edges(tuple(sentences), silent, (), 4.0), CondenseOptions()) == ()
