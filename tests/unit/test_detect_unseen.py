"""Names from the speech, for products that no catalogue tells."""

from __future__ import annotations

import pytest

from clipper import detect
from clipper.detect.naming import full_name, name_of
from clipper.detect.nouns import is_thing, things
from clipper.values import AudienceLog, Catalog, Findings, Product, Transcript
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
