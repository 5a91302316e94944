"""Names from the speech, for products that no catalogue tells."""

from __future__ import annotations

import numpy as np
import pytest

from clipper import detect
from clipper.detect.explanations import ExplanationOptions
from clipper.detect.naming import full_name, name_of
from clipper.detect.nouns import is_thing, things
from clipper.detect.numerals import numbers
from clipper.detect.spoken import price_falls
from clipper.detect.topic_edges import rest_worth
from clipper.detect.topics import find_topics
from clipper.values import AudienceLog, Catalog, Evidence, Findings, Product, Transcript
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


def test_a_number_and_a_lower_one_are_a_price_in_any_words() -> None:
    told = ("挂牌三百二十块，我这儿一百八", "110 down to 72")
    assert all(price_falls(numbers(text)) for text in told)
    assert not any(price_falls(numbers(text)) for text in ("装了500毫升，还有300毫升", "先100再200"))


def test_what_a_host_does_cuts_a_stream_that_no_phrase_of_moving_on_cuts() -> None:
    lines = (
        "这口砂锅是紫砂的，你看它的底，特别厚。",
        "砂锅炖汤，汤面上一层油花，非常入味。",
        "砂锅挂牌三百二，我这儿一百八，一号链接。",
        "一号只剩四十口了，抓紧。",
        "这条围裙是帆布的，你看它的兜，特别大。",
        "围裙洗了三十回，非常耐用。",
        "围裙挂牌七十九，我这儿三十九，二号链接。",
        "二号还有一百条，抓紧。",
    )
    sentences = spoken(lines)
    found = find_topics(Evidence(duration=90.0, language="zh", sentences=sentences, mentions=(), log=AudienceLog()), ExplanationOptions())
    edges = [(segment.start, segment.end) for segment in found.segments]
    assert edges == [(sentences[0].start, sentences[3].end), (sentences[4].start, sentences[7].end)]


def test_how_much_a_rest_says_of_a_new_topic_is_learned_from_the_host() -> None:
    edge = np.tile([1.0, 0.0, 0.0, 0.0, 0.0], 20)
    rests, runs_on = np.where(edge > 0, 1.2, -0.3), np.tile([0.0, 0.8, -0.8, 0.8, -0.8], 20)
    assert rest_worth(rests, edge) > 1.2
    assert rest_worth(runs_on, edge) < 0.5
    assert rest_worth(rests[:1], edge[:1]) == pytest.approx(1.0)
