"""Every format of catalogue tells the same two products, and no bytes make a reader crash."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clipper.catalog import READERS, read_catalog
from clipper.errors import InputError
from clipper.values import Catalog
from tests.tables import workbook

CUP, ROPE = "厨见 不锈钢保温杯 500ml", "跳绳 成人款"

OURS = f"""sku,title,aliases,brand,category,price,list_price,currency,image
A1,{CUP},保温杯|杯子,厨见,厨房/杯,59.9,129,CNY,images/A1.png
A2,{ROPE},,,,19,39,CNY,
"""
CHINESE = f"""导出时间：2026-11-20,,,,,,,
序号,商品ID,商品名称,商品简称,品牌,类目,到手价（元）,吊牌价(元),主图
1,A1,{CUP},保温杯、杯子,厨见,厨房/杯,¥59.9,￥129.00,images/A1.png
2,A2,{ROPE},,,,19元,39元,
"""
GOOGLE = (
    "id\ttitle\tdescription\tlink\timage_link\tavailability\tprice\tsale_price\tbrand\tproduct_type\n"
    f'A1\t{CUP}\t<b>x</b>, "y"\thttps://shop.example/a1\timages/A1.png\tin_stock\t129.00 CNY\t59.90 CNY\t厨见\t厨房/杯\n'
    f"A2\t{ROPE}\t\thttps://shop.example/a2\t\tin_stock\t39.00 CNY\t19.00 CNY\t\t\n"
)
SHOPIFY_OLD = f"""Handle,Title,Body (HTML),Vendor,Type,Tags,Option1 Name,Option1 Value,Variant SKU,Variant Price,\
Variant Compare At Price,Image Src,Image Position
cup,{CUP},"<p>Warm,
all day</p>",厨见,厨房/杯,,Colour,green,A1,59.90,129.00,images/A1.png,1
cup,,,,,,,red,A1-RED,61.00,129.00,,2
rope,{ROPE},,,,,,,A2,19,39,,
"""
SHOPIFY_NEW = f"""Title,URL handle,Description,Vendor,Product category,SKU,Price,Compare-at price,Product image URL
{CUP},cup,<p>Warm</p>,厨见,厨房/杯,A1,59.90,129.00,images/A1.png
,cup,,,,A1-RED,61.00,129.00,
{ROPE},rope,,,,A2,19,39,
"""
JSON_OURS = [
    {
        "sku": "A1",
        "title": CUP,
        "aliases": ["保温杯", "杯子"],
        "brand": "厨见",
        "category": "厨房/杯",
        "price": 59.9,
        "list_price": 129,
        "image": "images/A1.png",
    },
    {"sku": "A2", "title": ROPE, "price": 19, "list_price": 39},
]
KUAISHOU = {
    "result": 1,
    "data": {
        "items": [
            {
                "kwaiItemId": "A1",
                "title": CUP,
                "brand": "厨见",
                "categoryName": "厨房/杯",
                "imageUrls": ["images/A1.png"],
                "skuList": [{"skuId": 901, "skuSalePrice": 5990, "skuMarketPrice": 12900}],
            },
            {"kwaiItemId": "A2", "title": ROPE, "imageUrls": [], "skuList": [{"skuId": 902, "skuSalePrice": 1900, "skuMarketPrice": 3900}]},
        ]
    },
}
SCHEMA_ORG = {
    "@context": "https://schema.org",
    "@graph": [
        {
            "@type": "Product",
            "sku": "A1",
            "name": CUP,
            "brand": {"@type": "Brand", "name": "厨见"},
            "category": "厨房/杯",
            "image": ["images/A1.png"],
            "offers": {"@type": "Offer", "price": "59.90", "priceCurrency": "CNY"},
        },
        {"@type": "Product", "sku": "A2", "name": ROPE, "offers": [{"price": 19, "priceCurrency": "CNY"}]},
    ],
}
SHOPIFY_JSON = {
    "products": [
        {
            "id": 1,
            "title": CUP,
            "handle": "cup",
            "vendor": "厨见",
            "product_type": "厨房/杯",
            "images": [{"src": "images/A1.png"}],
            "variants": [{"sku": "A1", "price": "59.90", "compare_at_price": "129"}],
        },
        {"id": 2, "title": ROPE, "handle": "rope", "variants": [{"sku": "A2", "price": "19", "compare_at_price": "39"}]},
    ]
}
RSS = f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>
<item><g:id>A1</g:id><title>{CUP}</title><link>https://shop.example</link>
<g:price>129.00 CNY</g:price><g:sale_price>59.90 CNY</g:sale_price>
<g:brand>厨见</g:brand><g:product_type>厨房/杯</g:product_type><g:image_link>images/A1.png</g:image_link></item>
<item><g:id>A2</g:id><g:title>{ROPE}</g:title><g:price>39.00 CNY</g:price><g:sale_price>19.00 CNY</g:sale_price></item></channel></rss>"""
ATOM = f"""<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0"><title>Shop</title>
<entry><g:id>A1</g:id><title>{CUP}</title><link href="https://shop.example"/><g:price>129 CNY</g:price><g:sale_price>59.9 CNY</g:sale_price>
<g:brand>厨见</g:brand><g:product_type>厨房/杯</g:product_type><g:image_link>images/A1.png</g:image_link></entry>
<entry><g:id>A2</g:id><title>{ROPE}</title><g:price>39 CNY</g:price><g:sale_price>19 CNY</g:sale_price></entry></feed>"""
CELLS = [
    ["sku", "title", "aliases", "brand", "category", "price", "list_price", "image"],
    ["A1", CUP, "保温杯|杯子", "厨见", "厨房/杯", 59.9, 129, "images/A1.png"],
    ["A2", ROPE, "", "", "", 19, 39, ""],
]

FEEDS: dict[str, bytes] = {
    "ours": OURS.encode(),
    "ours-bom": OURS.encode("utf-8-sig"),
    "ours-gb18030": OURS.encode("gb18030"),
    "ours-utf16": OURS.encode("utf-16"),
    "ours-utf16-le-without-mark": OURS.encode("utf-16-le"),
    "ours-semicolon": OURS.replace(",", ";").encode(),
    "ours-crlf": OURS.replace("\n", "\r\n").encode(),
    "ours-utf8-with-one-broken-byte": OURS.encode() + b"A3,\xff\xfe,,,,bad,,,\n",
    "chinese": CHINESE.encode(),
    "chinese-gb18030": CHINESE.encode("gb18030"),
    "google": GOOGLE.encode(),
    "shopify-old": SHOPIFY_OLD.encode(),
    "shopify-new": SHOPIFY_NEW.encode(),
    "xlsx": workbook({"说明": [["请勿修改"]], "商品": CELLS}),
    "json-list": json.dumps(JSON_OURS, ensure_ascii=False).encode(),
    "json-products": json.dumps({"products": JSON_OURS}).encode(),
    "json-lines": "\n".join(json.dumps(item) for item in JSON_OURS).encode(),
    "json-kuaishou": json.dumps(KUAISHOU).encode(),
    "json-schema-org": json.dumps(SCHEMA_ORG).encode(),
    "json-shopify": json.dumps(SHOPIFY_JSON).encode(),
    "rss": RSS.encode(),
    "atom": ATOM.encode(),
    "rss-gb18030": RSS.replace("UTF-8", "GB18030").encode("gb18030"),
}


def read(folder: Path, data: bytes) -> Catalog:
    (folder / "images").mkdir(exist_ok=True)
    (folder / "images" / "A1.png").write_bytes(b"png")
    path = folder / "catalog.bin"
    path.write_bytes(data)
    return read_catalog(path)


@pytest.mark.parametrize("name", FEEDS)
def test_every_format_tells_the_same_products(name: str, tmp_path: Path) -> None:
    catalog = read(tmp_path, FEEDS[name])
    cup, rope = catalog.products[:2]
    assert (cup.sku, cup.title, cup.brand, cup.category, cup.price, cup.currency, cup.link) == (
        "A1",
        CUP,
        "厨见",
        "厨房/杯",
        59.9,
        "CNY",
        1,
    )
    assert (rope.sku, rope.title, rope.price, rope.link) == ("A2", ROPE, 19.0, 2)
    assert (cup.list_price, rope.list_price) == ((None, None) if name == "json-schema-org" else (129.0, 39.0))
    assert cup.images == (str((tmp_path / "images" / "A1.png").resolve()),)
    assert rope.images == ()
    assert catalog.named("A1") is cup


@pytest.mark.parametrize("name", [name for name in FEEDS if name.startswith(("ours", "chinese", "xlsx", "json-list"))])
def test_spoken_names_are_kept_in_order(name: str, tmp_path: Path) -> None:
    assert read(tmp_path, FEEDS[name]).products[0].aliases == ("保温杯", "杯子")


@pytest.mark.parametrize("name", ["shopify-old", "shopify-new"])
def test_variants_count_as_one_product(name: str, tmp_path: Path) -> None:
    catalog = read(tmp_path, FEEDS[name])
    assert len(catalog.products) == 2
    assert catalog.products[0].variants == ("A1-RED",)
    assert catalog.named("A1-RED") is catalog.products[0]


def test_every_reader_has_a_feed() -> None:
    assert set(READERS) == {"table", "json", "xml"}
    assert {"ours", "json-list", "rss"} <= set(FEEDS)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.one_of(st.binary(max_size=2000), st.text(max_size=1000).map(lambda text: text.encode("utf-8", "surrogatepass"))))
def test_arbitrary_bytes_are_read_or_refused(data: bytes, tmp_path: Path) -> None:
    reads_or_refuses(tmp_path, data)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(FEEDS)), seed=st.integers(0, 2**32), cut=st.floats(0, 1))
def test_damaged_files_are_read_or_refused(name: str, seed: int, cut: float, tmp_path: Path) -> None:
    data = bytearray(FEEDS[name])
    dice = random.Random(seed)
    for _ in range(dice.randrange(1, 8)):
        data[dice.randrange(len(data))] = dice.randrange(256)
    reads_or_refuses(tmp_path, bytes(data[: max(1, int(len(data) * cut))]))


def reads_or_refuses(folder: Path, data: bytes) -> None:
    try:
        catalog = read(folder, data)
    except InputError as error:
        assert "catalog" in str(error)
    else:
        assert catalog.products
        assert all(product.sku and product.title for product in catalog.products)
        assert len({product.sku for product in catalog.products}) == len(catalog.products)
