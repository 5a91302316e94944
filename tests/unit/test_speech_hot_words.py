"""Which names a recognizer is told, and how."""

from __future__ import annotations

import pytest

from clipper.speech.hot_words import choose_names, estimated_tokens, prompt_for
from clipper.values import Product


def product(index: int, *aliases: str, brand: str = "") -> Product:
    return Product(sku=f"P{index}", title=f"标题{index}", aliases=aliases, brand=brand)


def test_every_product_gets_a_name_before_one_gets_two() -> None:
    names = choose_names([product(1, "保温杯", "杯子", brand="暖川"), product(2, "针织开衫", "毛衣", brand="絮语里")], 200)
    assert names == ("保温杯", "针织开衫", "杯子", "毛衣", "暖川", "絮语里")


def test_a_large_catalogue_stays_within_the_budget() -> None:
    products = [product(i, f"商品名{chr(0x4E00 + i)}", f"别名{chr(0x5E00 + i)}") for i in range(80)]
    names = choose_names(products, 120)
    assert 0 < len(names) < 80
    assert all(name.startswith("商品名") for name in names)
    assert sum(estimated_tokens(name) + 1 for name in names) <= 120


def test_counts_with_the_callers_ruler() -> None:
    assert choose_names([product(1, "a"), product(2, "b"), product(3, "c")], 4, count_tokens=lambda text: 1) == ("a", "b")


def test_leaves_out_names_within_names_and_whole_titles() -> None:
    assert choose_names([product(1, "保温杯", "杯"), product(2, "x" * 60), product(3)], 200) == ("保温杯",)


@pytest.mark.parametrize(
    ("language", "names", "own", "expected"),
    [
        ("zh", ("保温杯", "开衫"), "", "商品有保温杯、开衫。以下是普通话的句子，用简体中文。"),
        ("zh", (), "", "以下是普通话的句子，用简体中文。"),
        ("zh", ("保温杯",), "说普通话。", "商品有保温杯。说普通话。"),
        ("en", ("trail runners", "rain shell"), "", "trail runners, rain shell."),
        ("en", (), "", ""),
    ],
)
def test_writes_the_prompt(language: str, names: tuple[str, ...], own: str, expected: str) -> None:
    assert prompt_for(language, names, own) == expected
