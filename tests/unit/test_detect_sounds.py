"""Hearing: tokens, costs, numbers, names, mentions and cues."""

from __future__ import annotations

import pytest

from clipper.detect.cues import find_cues, languages, lexicon, pattern
from clipper.detect.mentions import MentionOptions, find_mentions
from clipper.detect.names import know
from clipper.detect.numerals import numbers
from clipper.detect.sounds import Heard, latin_cost, syllable_cost, tokens
from clipper.errors import InputError
from clipper.values import Product
from tests.bench.detect.scripts import spoken


def score(name: str, heard: str) -> float:
    hits = Heard(tokens(heard)).find(tokens(name), 0.0)
    return hits[0][2] if hits else 0.0


@pytest.mark.parametrize(
    ("name", "heard"),
    [("连衣裙", "连益群"), ("不锈钢", "不秀钢"), ("针织开衫", "真值开山"), ("橙子", "城子"), ("面霜", "面双"), ("密封罐", "密风罐")],
)
def test_a_misheard_name_still_sounds_like_itself(name: str, heard: str) -> None:
    assert score(name, heard) >= 0.85


@pytest.mark.parametrize(("name", "heard"), [("连衣裙", "保温杯"), ("橙子", "盒子"), ("面霜", "口红"), ("backpack", "bottle")])
def test_another_name_does_not(name: str, heard: str) -> None:
    assert score(name, heard) < 0.75


def test_costs_are_symmetric_and_bounded() -> None:
    for a, b in [("zhang", "zang"), ("lan", "nan"), ("shi", "si"), ("gui", "hong"), ("yi", "yin")]:
        assert syllable_cost(a, b) == syllable_cost(b, a)
        assert 0 < syllable_cost(a, b) <= 1
    assert syllable_cost("zhang", "zang") < syllable_cost("zhang", "hong")


def test_short_latin_words_have_to_agree() -> None:
    assert latin_cost("pack", "packs") < 0.1
    assert latin_cost("pack", "back") == 1.0
    assert latin_cost("swiftline", "swiftlines") < 0.1


@pytest.mark.parametrize(
    ("text", "value", "money", "unit"),
    [
        ("一百二十九", 129, False, ""),
        ("39块9", 39.9, True, ""),
        ("三一六", 316, False, ""),
        ("两百三十九块", 239, True, ""),
        ("一百五", 150, False, ""),
        ("一百零五", 105, False, ""),
        ("五百毫升", 500, False, "ml"),
        ("a hundred and forty-nine", 149, False, ""),
        ("one-oh-nine", 109, False, ""),
        ("cost $24", 24, True, ""),
        ("thirty-two ounces", 32, False, "oz"),
        ("二点五", 2.5, False, ""),
        ("1,200", 1200, False, ""),
    ],
)
def test_numbers_are_read_as_spoken(text: str, value: float, money: bool, unit: str) -> None:
    (number,) = numbers(text)
    assert (number.value, number.money, number.unit) == (value, money, unit)


CUP = Product(sku="A", title="暖山 316不锈钢保温杯 500ml 便携水杯", brand="暖山", price=59)
SHOE = Product(sku="B", title="远步 透气网面跑步鞋 男女款运动鞋", price=199)


def test_names_come_from_the_title_when_none_are_given() -> None:
    cup, shoe = know((CUP, SHOE))
    assert {"保温杯", "暖山"} <= {name.text for name in cup.names}
    assert any(name.text.endswith("鞋") for name in shoe.names)
    assert "不锈钢" in cup.attributes
    assert {316.0, 500.0} <= set(cup.figures)


def test_one_character_names_that_several_products_share_are_dropped() -> None:
    first, second = know((Product(sku="A", title="x", aliases=("洁面",)), Product(sku="B", title="y", aliases=("面膜",))))
    assert "面" not in {name.text for name in (*first.names, *second.names)}


def test_mentions_survive_misrecognition_and_know_their_place() -> None:
    lines = spoken(["先看这个宝温杯，五百毫升。", "下面是跑步协，透气的。"])
    found = find_mentions(lines, (CUP, SHOE), "zh")
    names = [m for m in found if m.kind in ("name", "title")]
    assert {m.sku for m in names} == {"A", "B"}
    cup = next(m for m in names if m.sku == "A")
    assert cup.text == "宝温杯"
    assert lines[0].start < cup.start < cup.end < lines[0].end


def test_a_preview_weighs_less_than_a_presentation() -> None:
    now, later = spoken(["这个保温杯，拿在手里刚好。", "保温杯等会儿再给大家上。"])
    weight = {s: max(m.weight for m in find_mentions((s,), (CUP,), "zh")) for s in (now, later)}
    assert weight[later] < 0.5 < weight[now]


def test_a_list_in_one_breath_weighs_little() -> None:
    products = tuple(Product(sku=str(n), title=t, aliases=(t,)) for n, t in enumerate(("保温杯", "开衫", "橙子")))
    found = find_mentions(spoken(["一号保温杯，二号开衫，三号橙子，别拍错。"]), products, "zh")
    assert {m.sku for m in found} == {"0", "1", "2"}
    assert all(m.weight <= 0.2 for m in found)


def test_links_are_found_by_number_in_both_languages() -> None:
    products = (CUP, SHOE)
    zh = [m.sku for m in find_mentions(spoken(["要的拍二号练接。"]), products, "zh") if m.kind == "link"]
    en = [m.sku for m in find_mentions(spoken(["It's number two in the list."]), products, "en") if m.kind == "link"]
    assert zh == en == ["B"]


def test_a_compound_is_found_however_it_is_spaced() -> None:
    product = Product(sku="A", title="Swiftline Trail Shoes", aliases=("Swiftlines",))
    assert find_mentions(spoken(["So these are the swift lines."]), (product,), "en")


def test_nearly_the_same_names_are_told_apart() -> None:
    white = Product(sku="W", title="白色羊毛围巾", aliases=("白围巾",))
    black = Product(sku="K", title="黑色羊毛围巾", aliases=("黑围巾",))
    found = find_mentions(spoken(["这条黑围巾，羊毛的。"]), (white, black), "zh")
    best = max(found, key=lambda m: m.score)
    assert best.sku == "K"


def test_cues_are_heard_by_what_they_do() -> None:
    kinds = {cue.kind for cue in find_cues(spoken(["接下来给大家看，原价一百，今天到手价五十九，二号链接，赶紧拍。"]), "zh")}
    assert {"transition", "price", "link", "urgency"} <= kinds
    assert {cue.kind for cue in find_cues(spoken(["Moving on, the next one is down from forty dollars."]), "en")} >= {"finish", "price"}
    assert find_cues(spoken(["Bonjour tout le monde."]), "fr") == ()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_phrase_has_two_meanings(language: str) -> None:
    phrases = [phrase for row in lexicon(language).values() for phrase in row]
    assert len(phrases) == len(set(phrases))


def test_expressions_are_of_all_languages_and_an_unknown_kind_matches_nothing() -> None:
    assert languages() == ("en", "zh")
    assert pattern("result").search("一点都没掉") and pattern("result").search("Not a single drop came out")
    assert pattern("no such kind").search("anything at all") is None


def test_options_say_what_is_wrong() -> None:
    with pytest.raises(InputError, match=r"mentions\.recap_weight is 2"):
        MentionOptions(recap_weight=2)
