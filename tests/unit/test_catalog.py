"""What a catalogue reports, joins and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clipper.catalog import find_catalog, parse_price, read_catalog
from clipper.errors import InputError
from clipper.values import Catalog


def read(folder: Path, text: str, name: str = "catalog.csv") -> Catalog:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_catalog(path)


@pytest.mark.parametrize(
    ("text", "price", "currency"),
    [
        ("59.9", 59.9, None),
        ("¥59.9", 59.9, "CNY"),
        ("￥５９．９", 59.9, "CNY"),
        ("59.90 CNY", 59.9, "CNY"),
        ("1,299.00", 1299.0, None),
        ("1,299", 1299.0, None),
        ("59,90", 59.9, None),
        ("1.299,00 €", 1299.0, "EUR"),
        ("1.299 €", 1299.0, "EUR"),
        ("$1,299", 1299.0, "USD"),
        ("HK$88", 88.0, "HKD"),
        ("US$ 9.5", 9.5, "USD"),
        ("£12", 12.0, "GBP"),
        ("99-129", 99.0, None),
        ("¥99 ~ ¥129", 99.0, "CNY"),
        ("39元", 39.0, "CNY"),
        ("1.2万", 12000.0, None),
        ("1 299,50", 1299.5, None),
        ("0", 0.0, None),
        ("-5", None, None),
        ("面议", None, None),
        ("", None, None),
        ("1e400", 1.0, None),
        ("9" * 400, None, None),
    ],
)
def test_prices_as_shops_write_them(text: str, price: float | None, currency: str | None) -> None:
    assert parse_price(text) == (price, currency)


def test_unusable_rows_are_reported_with_line_and_reason(tmp_path: Path) -> None:
    catalog = read(tmp_path, 'sku,title,price\nA1,"Cup,\nlarge",5\nA2,,5\n,Bag,5\n\nA3,Rope,cheap\n')
    assert [product.sku for product in catalog.products] == ["A1", "A3"]
    assert [(reject.line, reject.reason) for reject in catalog.rejects] == [(4, "no title (sku A2)"), (5, "no sku (Bag)")]
    assert catalog.products[1].price is None
    assert any("line 7" in text and "'cheap'" in text for text in catalog.warnings)


def test_repeated_skus_are_joined_and_reported(tmp_path: Path) -> None:
    catalog = read(tmp_path, "sku,title,brand,aliases\nA1,Cup,,mug\nA1,Other,Acme,beaker\n")
    (cup,) = catalog.products
    assert (cup.title, cup.brand, cup.aliases) == ("Cup", "Acme", ("mug", "beaker"))
    assert catalog.warnings == ("line 3: sku A1 again under another title (Other); joined with line 2",)


def test_html_and_control_characters_leave_a_title(tmp_path: Path) -> None:
    catalog = read(tmp_path, "sku,title\nA1,<b>Cup</b>&nbsp;&amp; <script>x</script>lid\x07\u202e\n")
    assert catalog.products[0].title == "Cup & x lid"


def test_a_file_without_skus_gets_numbers(tmp_path: Path) -> None:
    catalog = read(tmp_path, "商品名称,价格\n保温杯,59\n跳绳,19\n")
    assert [product.sku for product in catalog.products] == ["P001", "P002"]


def test_missing_pictures_and_addresses_are_reported_not_fatal(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "b c.jpg").write_bytes(b"x")
    catalog = read(tmp_path, "sku,title,image\nA1,Cup,a.png|b c.jpg|gone.png|https://cdn.example/x.png\n")
    assert [Path(path).name for path in catalog.products[0].images] == ["a.png", "b c.jpg"]
    assert any("gone.png was not found" in text for text in catalog.warnings)
    assert any("is an address and is not fetched" in text for text in catalog.warnings)


def test_windows_paths_and_absolute_paths_find_pictures(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(b"x")
    catalog = read(tmp_path, f"sku,title,image\nA1,Cup,images\\a.png\nA2,Bag,{tmp_path}/images/a.png\n")
    assert catalog.products[0].images == catalog.products[1].images == (str((tmp_path / "images" / "a.png").resolve()),)


def test_link_numbers_come_from_the_column_or_the_rows(tmp_path: Path) -> None:
    assert [p.link for p in read(tmp_path, "sku,title,link\nA,Cup,3\nB,Bag,1号链接\n").products] == [3, 1]
    assert [p.link for p in read(tmp_path, "sku,title\nA,Cup\nB,Bag\n").products] == [1, 2]
    twice = read(tmp_path, "sku,title,link\nA,Cup,2\nB,Bag,2\n")
    assert [p.link for p in twice.products] == [1, 2]
    assert any("link column" in text for text in twice.warnings)


def test_the_price_that_is_paid_stands_before_the_one_beside_it(tmp_path: Path) -> None:
    catalog = read(tmp_path, "商品编码,商品名称,售价,直播价\nA,杯子,99,59\n")
    assert (catalog.products[0].price, catalog.products[0].list_price) == (59.0, 99.0)


def test_cents_are_known_by_their_header(tmp_path: Path) -> None:
    assert read(tmp_path, "商品编码,商品名称,价格（分）\nA,杯子,5990\n").products[0].price == 59.9


def test_selling_points_and_currency(tmp_path: Path) -> None:
    product = read(tmp_path, "sku,title,points,price,currency\nA,杯子,保温12小时|316不锈钢，不串味,9.5,usd\n").products[0]
    assert (product.points, product.currency) == (("保温12小时", "316不锈钢，不串味"), "USD")


def test_google_variants_of_a_group_are_one_product(tmp_path: Path) -> None:
    catalog = read(tmp_path, "id\ttitle\tprice\titem_group_id\nA-red\tCup\t9.00 USD\tA\nA-blue\tCup\t8.00 USD\tA\nB\tBag\t5 USD\t\n")
    assert [(p.sku, p.variants, p.price) for p in catalog.products] == [("A-red", ("A-blue",), 8.0), ("B", (), 5.0)]


def test_kuaishou_items_keep_their_own_id_and_their_skus(tmp_path: Path) -> None:
    item = {"itemId": 77, "title": "杯子", "skuList": [{"skuId": 1, "skuSalePrice": 990}, {"skuId": 2, "skuSalePrice": 1290}]}
    product = read(tmp_path, json.dumps([item]), "catalog.json").products[0]
    assert (product.sku, product.variants, product.price) == ("77", ("1", "2"), 9.9)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "the file is empty"),
        ("foo,bar\n1,2\n", "the headers are: foo, bar"),
        ("sku,title\n", "no rows"),
        ("sku,title\nA1,\n", "line 2: no title"),
        ("{}", "no list of products"),
        ('{"products": ', "not valid JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("<rss><item>", "not valid XML"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><rss><item><id>1</id><title>&a;</title></item></rss>', "declares a document type"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, found: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"could not read catalogue .*catalog\.csv") as caught:
        read(tmp_path, text)
    assert found in str(caught.value)


def test_missing_files_and_folders_are_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_catalog(tmp_path / "gone.csv")
    with pytest.raises(InputError, match="it is a folder"):
        read_catalog(tmp_path)


def test_a_feed_that_breaks_off_is_read_up_to_there(tmp_path: Path) -> None:
    catalog = read(tmp_path, "<rss><item><id>1</id><title>Cup</title></item><item><id>2</id><tit", "catalog.xml")
    assert [product.sku for product in catalog.products] == ["1"]


def test_catalogues_are_found_by_name(tmp_path: Path) -> None:
    assert find_catalog(tmp_path) is None
    (tmp_path / "catalog.xlsx").write_bytes(b"x")
    (tmp_path / "catalog.tsv").write_bytes(b"x")
    assert find_catalog(tmp_path) == tmp_path / "catalog.tsv"
    assert find_catalog(tmp_path / "gone") is None
