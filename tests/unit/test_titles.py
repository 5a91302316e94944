"""What a clip is called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipper.titles import clip_title, selling_point, short_name
from clipper.values import HotItem, Product

CUP = Product(sku="D1", title="暖川 316不锈钢保温杯 500ml 大容量便携防漏水杯 墨绿色", aliases=("保温杯",), brand="暖川", price=59)
PACK = Product(
    sku="C1", title="Tarnfell Ridge 38L Hiking Backpack with Ventilated Back Panel, Padded Hip Belt", aliases=("pack",), brand="Tarnfell"
)
HOT = HotItem(sku="D1", start=0, end=20, peak=9, uplift=6, uplift_low=3, uplift_high=9, confidence=0.9, basis="orders", sold=41)


def test_a_short_name_is_brand_and_kind() -> None:
    assert short_name(CUP) == "暖川316不锈钢保温杯"
    assert short_name(PACK) == "Tarnfell Ridge 38L Hiking Backpack"


def test_a_selling_point_is_no_specification_and_not_the_name() -> None:
    assert selling_point(CUP) == "大容量便携防漏水杯"
    assert selling_point(PACK) == "Padded Hip Belt"


def test_words_that_the_law_forbids_stay_out_of_titles() -> None:
    product = Product(sku="x", title="某牌 面霜 全网最低价神器 温和不刺激保湿", brand="某牌", aliases=("面霜",))
    assert selling_point(product) == "温和不刺激保湿"


@pytest.mark.parametrize(
    ("hot", "title"),
    [(HOT, "暖川316不锈钢保温杯｜这一段卖出41件"), (None, "暖川316不锈钢保温杯｜直播间热卖片段")],
)
def test_sold_is_only_said_of_orders(hot: HotItem | None, title: str) -> None:
    assert clip_title("hot_item", CUP, "zh", limit=30, hot=hot) == title


def test_a_teaser_names_the_room_when_it_fits() -> None:
    assert clip_title("teaser", CUP, "zh", limit=30, room="暖川家居") == "暖川家居｜来直播间看暖川316不锈钢保温杯"
    assert clip_title("teaser", CUP, "zh", limit=20, room="暖川家居") == "来直播间看暖川316不锈钢保温杯"
    assert clip_title("teaser", None, "en", limit=30) == "Come to the live room"


@given(
    st.sampled_from(["explanation", "hot_item", "teaser"]),
    st.builds(Product, sku=st.just("x"), title=st.text(min_size=1, max_size=60), brand=st.text(max_size=6), aliases=st.just(())),
    st.integers(4, 40),
)
def test_a_title_fits_the_platform(kind: str, product: Product, limit: int) -> None:
    assert len(clip_title(kind, product, "zh", limit=limit)) <= limit  # type: ignore[arg-type]
