"""Products that are hard to tell apart: what distinguishes them decides, and what they share does not."""

from __future__ import annotations

import numpy as np
import pytest

from clipper import detect
from clipper.detect import constants as c
from clipper.detect import spoken as scoring
from clipper.detect.mentions import find_mentions
from clipper.detect.names import know
from clipper.detect.numerals import spelled
from clipper.detect.reading import Read, read
from clipper.detect.twins import twins
from clipper.values import AudienceLog, Catalog, Mention, Product, Transcript
from tests.bench.detect.scripts import spoken


def heard(lines: tuple[str, ...], products: tuple[Product, ...], language: str = "zh") -> Read:
    sentences = spoken(lines, language)
    transcript = Transcript(language=language, sentences=sentences, heard=(), duration=600.0, engine="script", model="script")
    return read(detect.gather(transcript, Catalog(path=None, products=products), AudienceLog(), None, None), products)


def mentioned(text: str, products: tuple[Product, ...], language: str = "zh") -> dict[str, Mention]:
    return {m.sku: m for m in find_mentions(spoken((text,), language), products, language)}


SHEETS = (
    Product(sku="M", title="棉麻床单 2021年新棉 1.8米", aliases=("棉麻床单",), category="家纺/床单", price=129.0),
    Product(sku="Z", title="真丝床单 2023年春蚕 1.8米", aliases=("真丝床单",), category="家纺/床单", price=329.0),
    Product(sku="K", title="真丝枕套 48乘74", aliases=("真丝枕套",), category="家纺/枕套", price=89.0),
)


def test_twins_have_nearly_one_name_and_are_of_one_kind() -> None:
    assert twins(know(SHEETS)).tolist() == [[False, True, False], [True, False, False], [False, False, False]]


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [("钛钢发簪", "银丝发簪", True), ("超轻球拍", "超轻哑铃", False), ("跑步手环8", "跑步手环9", True), ("手环", "手环", False)],
)
def test_without_categories_the_thing_itself_has_to_be_the_same(left: str, right: str, expected: bool) -> None:
    pair = tuple(
        Product(sku=name + at, title=f"轻便 耐用 好物 {name}", aliases=(name,)) for at, name in zip("ab", (left, right), strict=True)
    )
    assert bool(twins(know(pair))[0, 1]) is expected


def test_a_name_said_once_speaks_a_little_for_its_twin_and_a_repeated_one_does_not() -> None:
    lines = ("真丝床单摸着凉。", "很滑。", "不起静电。", "洗了不皱。", "夏天睡着凉快。", "跟棉麻床单一样大。", "也是四个角。")
    stream = heard(lines, SHEETS)
    table = np.zeros((len(lines), 3))
    table[0, 1], table[5, 0] = 3.0, 3.0
    none = np.zeros_like(table)
    assert scoring.with_twins(table, stream, none)[5].tolist() == pytest.approx([3.0, c.TWIN_SHARE * 3.0, 0.0])
    table[4, 0] = 3.0
    assert np.array_equal(scoring.with_twins(table, stream, none)[4:], table[4:])


def test_a_name_beside_its_own_year_or_link_says_nothing_for_the_twin() -> None:
    stream = heard(("跟棉麻床单一样大。",), SHEETS)
    named, marks = np.array([[3.0, 0.0, 0.0]]), np.zeros((1, 3))
    assert scoring.with_twins(named, stream, marks)[0, 1] > 0
    marks[0, 0] = c.TWIN_MARKED
    assert scoring.with_twins(named, stream, marks)[0, 1] == 0


def test_the_nearer_sound_of_the_distinguishing_syllables_is_the_one_that_was_said() -> None:
    assert set(mentioned("这个真思床单多滑。", SHEETS)) == {"Z"}
    assert set(mentioned("这个免麻床单多透气。", SHEETS)) == {"M"}


def test_a_name_that_fits_three_products_is_one_thing_and_no_list() -> None:
    bands = tuple(Product(sku=f"B{n}", title=f"跑步手环{n}", aliases=(f"跑步手环{n}", "跑步手环")) for n in (7, 8, 9))
    found = mentioned("这个跑步手环很轻。", bands)
    assert {m.weight for m in found.values()} == {1.0} and len(found) == 3
    listed = mentioned("棉麻床单、真丝床单、真丝枕套都有。", SHEETS)
    assert {m.weight for m in listed.values()} == {0.15}


@pytest.mark.parametrize(("text", "language"), [("跑步手环八今天到货。", "zh"), ("The pulse band eight is here.", "en")])
def test_the_number_of_a_name_decides_however_it_is_written(text: str, language: str) -> None:
    name = "跑步手环" if language == "zh" else "pulse band "
    bands = tuple(Product(sku=f"B{n}", title=f"{name}{n}", aliases=(f"{name}{n}",)) for n in (8, 9))
    found = mentioned(text, bands, language)
    assert found["B8"].score > found["B9"].score if "B9" in found else set(found) == {"B8"}


@pytest.mark.parametrize(
    ("text", "expected"), [("手环8", "手环八"), ("316钢", "三一六钢"), ("12寸锅", "十二寸锅"), ("pad 2", "pad two"), ("1.8米", "1.8米")]
)
def test_numbers_of_names_are_spelled_as_they_are_said(text: str, expected: str) -> None:
    assert spelled(text) == expected


@pytest.mark.parametrize(
    ("text", "language", "contrasted"),
    [
        ("拍二号，别跟一号弄混。", "zh", "M"),
        ("这不是棉麻床单。", "zh", "M"),
        ("It's not the linen sheet, feel how cool it is.", "en", "M"),
        ("Don't confuse it with the linen sheet.", "en", "M"),
    ],
)
def test_what_is_meant_not_to_be_this_one_counts_less(text: str, language: str, contrasted: str) -> None:
    english = (
        Product(sku="M", title="Linen Sheet", aliases=("linen sheet",)),
        Product(sku="Z", title="Silk Sheet", aliases=("silk sheet",)),
    )
    found = mentioned(text, SHEETS if language == "zh" else english, language)
    assert found[contrasted].weight < 0.5
    assert all(mention.weight == 1.0 for sku, mention in found.items() if sku != contrasted)


def test_asking_whether_it_is_this_one_is_no_contrast() -> None:
    assert mentioned("这是不是棉麻床单？对，棉麻床单。", SHEETS)["M"].weight > 0.3


def test_a_name_is_not_heard_in_the_middle_of_a_number() -> None:
    wipes = (Product(sku="W", title="婴儿湿巾", aliases=("湿巾",)),)
    assert "W" not in mentioned("一共二十斤，够用一个月。", wipes)
    assert "W" in mentioned("这包十巾很厚。", wipes)


def test_a_year_of_the_title_may_be_said_short() -> None:
    table = scoring.words(heard(("这床是21年的棉。", "我卖了21年了。"), SHEETS))
    assert table[0, 0] >= c.FIGURE_SAID * c.YEAR_SHARE > table[0, 1]
    assert table[1, 0] < c.FIGURE_SAID * c.YEAR_SHARE


def test_a_near_list_price_hardly_tells_two_products_apart() -> None:
    pair = (
        Product(sku="A", title="竹炭滤芯", aliases=("滤芯",), price=59.9, list_price=99.0),
        Product(sku="B", title="棉柔面巾", aliases=("面巾",), price=29.9, list_price=59.0),
    )
    table = scoring.prices(heard(("今天到手59块钱。", "今天到手59.9块。"), pair))
    assert 0 < table[0, 0] < table[0, 1] and table[0, 1] - table[0, 0] < 1.0
    assert table[1].tolist() == [c.PRICE_SAID, 0.0]
