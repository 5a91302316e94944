"""Names from the speech, for products that no catalogue tells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clipper import detect
from clipper.detect.explanations import ExplanationOptions
from clipper.detect.naming import full_name, name_of
from clipper.detect.nouns import is_thing, things
from clipper.detect.topics import find_topics, with_unnamed
from clipper.values import AudienceLog, Catalog, Evidence, Findings, Product, Segment, Transcript
from tests.bench.detect.scripts import spoken

LINES = (
    "Hello there, good to have you all.",
    "Okay so what you get here is wool slippers, in grey and in blue.",
    "Wool slippers keep the floor cold away, and the sole bends.",
    "They go into the washing machine and come out the same.",
    "Now for the copper kettle, this one whistles.",
    "The copper kettle boils in four minutes on gas.",
)


def test_a_thing_is_named_without_an_article_and_with_its_describing_word() -> None:
    sentences = spoken(LINES, "en")
    assert name_of(sentences, 1, 4) == "slippers"
    assert full_name(sentences, 1, 4, "slippers") == "wool slippers"
    assert full_name(sentences, 4, 6, name_of(sentences, 4, 6)) == "copper kettle"


@pytest.mark.parametrize(("noun", "expected"), [("", ""), ("炒锅", "炒锅"), ("kettle", "kettle")])
def test_a_name_without_a_steady_describing_word_stays_alone(noun: str, expected: str) -> None:
    assert full_name(spoken(["My kettle whistles.", "The old kettle is gone.", "A kettle."], "en"), 0, 3, noun) == expected


def test_things_head_phrases() -> None:
    assert things("I brought lip balm and a wool scarf with me.") == ("balm", "scarf")
    assert things("the kettle lid came off") == ()
    assert is_thing("slippers") and not is_thing("tonight")


@pytest.mark.parametrize(
    ("lines", "language", "expected"),
    [
        (("大家好。", "台灯等会儿再给大家上。"), "zh", "预告"),
        (("有人问台灯，台灯卖完了。",), "zh", "卖完"),
        (("一号毛巾，二号台灯，三号凉席。",), "zh", "报链接"),
        (("Somebody asked about the desk lamp.",), "en", "answer"),
        (("The desk lamp is all gone.",), "en", "sold out"),
    ],
)
def test_a_product_named_in_passing_is_told_what_for(lines: tuple[str, ...], language: str, expected: str) -> None:
    lamp = Product(sku="L", title="护眼台灯" if language == "zh" else "Desk Lamp", aliases=("台灯" if language == "zh" else "desk lamp",))
    sentences = spoken(lines, language)
    transcript = Transcript(language=language, sentences=sentences, heard=(), duration=60.0, engine="script", model="script")
    evidence = detect.gather(transcript, Catalog(path=None, products=(lamp,)), AudienceLog(), None, None)
    ((sku, why),) = detect.why_none(evidence, (lamp,), Findings(segments=(), hot_items=(), teasers=(), curves=(), warnings=()))
    assert sku == "L"
    assert expected in why


def test_what_is_sold_without_a_name_is_a_topic_all_the_same() -> None:
    sentences = spoken(["大家随便聊聊。", *["他说的也对，慢慢来。"] * 8, "好吧，那就这样。"])
    read = find_topics(Evidence(duration=40.0, language="zh", sentences=sentences, mentions=(), log=AudienceLog()), ExplanationOptions())
    posterior = np.full_like(read.posterior, 0.0)
    posterior[:, -1] = [0.9, *[0.4] * 8, 0.9]
    posterior[:, 0] = posterior[:, 1] = (1 - posterior[:, -1]) / 2
    (found,) = with_unnamed(replace(read, posterior=posterior, segments=()))
    assert (found.start, found.end) == (sentences[1].start, sentences[8].end)
    covered = Segment(sku="slot-1", start=0.0, end=40.0, confidence=0.5, reasons=())
    assert with_unnamed(replace(read, posterior=posterior, segments=(covered,))) == (covered,)
