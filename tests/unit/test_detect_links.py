"""Links called by number, as recognisers write them."""

from __future__ import annotations

import pytest

from clipper.detect.links import calls, link_number, links_called, lists_links, resolve
from clipper.detect.mentions import find_mentions
from clipper.detect.numerals import numbers
from clipper.values import Product
from tests.bench.detect.scripts import spoken


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("要的去拍六号链接", "zh", (6,)),
        ("就在十二号连结", "zh", (12,)),
        ("七后练接，自己去", "zh", (7,)),
        ("物浩连结挂好了", "zh", (5,)),
        ("拍3号", "zh", (3,)),
        ("三好学生用的", "zh", ()),
        ("这个号码是我的", "zh", ()),
        ("今天1.5号", "zh", ()),
        ("29快九六号，自己去", "zh", (6,)),
        ("二十一号", "zh", (21,)),
        ("信号和旗号", "zh", ()),
        ("tap number seven for the green one", "en", (7,)),
        ("it went five, four, three, two, one", "en", ()),
        ("I have two of these.", "en", ()),
    ],
)
def test_calls_survive_misrecognition(text: str, language: str, expected: tuple[int, ...]) -> None:
    assert links_called(text, language) == expected


def test_a_price_glued_to_a_link_is_taken_off() -> None:
    assert resolve(496, {1, 6}) == 6
    assert resolve(4912, {2, 12}) == 12
    assert resolve(12, {2}) == 2
    assert resolve(7, {1, 2}) is None
    assert [n.value for n in numbers("今晚496号链接")] == [49]
    assert [n.value for n in numbers("今晚49块，6号链接")] == [49, 6]
    products = tuple(Product(sku=f"P{n}", title=f"商品{n}") for n in range(1, 8))
    assert [m.sku for m in find_mentions(spoken(["到手496号链接"]), products, "zh") if m.kind == "link"] == ["P6"]


@pytest.mark.parametrize(
    ("text", "language", "is_list"),
    [
        ("一号枕头，二号被子，四号床单", "zh", True),
        ("一好枕头、二好被子、四好床单", "zh", True),
        ("一号枕头，二号被子，误号床单", "zh", True),
        ("二号链接，二号，二号去拍", "zh", False),
        ("Pillow one, blanket two, sheets four.", "en", True),
        ("Two is the pots, three kneeler, four planter.", "en", True),
        ("One, two, three, and off you go.", "en", False),
        ("Three sizes, two colors, one price.", "en", False),
        ("It is number two, number two.", "en", False),
    ],
)
def test_running_through_the_list_is_no_call(text: str, language: str, is_list: bool) -> None:
    assert lists_links(text, language) is is_list


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("19快九六号", [(19.9, True), (6, False)]),
        ("五十九快，包邮", [(59, True)]),
        ("总共25块旧，去拍", [(25.9, True)]),
        ("25块吧，去拍", [(25, True)]),
        ("25块就拿走", [(25, True)]),
        ("第3快点来", [(3, False)]),
    ],
)
def test_prices_are_read_as_they_were_meant(text: str, expected: list[tuple[float, bool]]) -> None:
    assert [(n.value, n.money) for n in numbers(text)] == expected


def test_a_name_in_a_list_of_links_weighs_little() -> None:
    pillow = Product(sku="A", title="乳胶枕头", aliases=("枕头",))
    (alone,) = find_mentions(spoken(["这个枕头很软"]), (pillow,), "zh")
    listed = [m for m in find_mentions(spoken(["一好枕头、二好被子、四好床单"]), (pillow,), "zh") if m.kind == "name"]
    assert alone.weight == 1.0
    assert listed and all(m.weight <= 0.2 for m in listed)


def test_numbers_of_links() -> None:
    assert [link_number(text) for text in ("12", "十二", "两", "seven", "一", "好")] == [12, 12, 2, 7, 1, 0]
    assert [(c.number, c.start, c.end) for c in calls("去拍二号链接", "zh")] == [(2, 2, 4)]
