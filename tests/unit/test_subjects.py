"""Products from catalogues, folders and files: grouped, named, read one at a time."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from clipper.catalog import read_catalog
from clipper.errors import InputError
from clipper.values import Catalog, Product
from generators.subjects import (
    SubjectOptions,
    print_price,
    read_subject,
    read_subjects,
    safe_name,
    sources_of_catalog,
    sources_of_pictures,
)

SAMPLES = Path(__file__).parent.parent.parent / "samples"


def draw(path: Path, colour: str = "navy", size: int = 300) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new("RGB", (size, size), "white")
    ImageDraw.Draw(picture).rounded_rectangle((80, 60, 220, 250), 18, fill=colour)
    picture.save(path)
    return path


def product(sku: str, images: tuple[str, ...] = (), **more: object) -> Product:
    return Product(sku=sku, title=f"Title {sku}", images=images, **more)  # type: ignore[arg-type]


def test_the_sample_s_catalogue() -> None:
    found = sources_of_catalog(read_catalog(SAMPLES / "catalog.csv"))
    assert [source.name for source in found.sources] == ["L001", "L002", "L003"]
    tea = found.sources[0]
    assert (tea.sku, tea.price, tea.list_price) == ("L001", "¥49", "¥98")
    assert tea.title.startswith("小满山房")
    assert len(tea.pictures) == 2
    subject = read_subject(tea)
    assert Path(subject.photos[0].path).name == "L001-white.jpg", "the picture that gives a layer comes first"
    assert len(subject.cutouts) == len(subject.photos) == 2


def test_skus_are_taken_in_the_order_asked(tmp_path: Path) -> None:
    picture = str(draw(tmp_path / "a.png"))
    catalog = Catalog(path="c.csv", products=tuple(product(sku, (picture,)) for sku in ("A001", "A002", "A003")))
    assert [source.sku for source in sources_of_catalog(catalog, ["A003", "A001", "A003"]).sources] == ["A003", "A001"]
    with pytest.raises(InputError, match="did you mean A002"):
        sources_of_catalog(catalog, ["A0O2"])


def test_products_without_pictures_are_reported(tmp_path: Path) -> None:
    catalog = Catalog(path="c.csv", products=(product("A"), product("B", (str(draw(tmp_path / "b.png")),))))
    found = sources_of_catalog(catalog)
    assert [source.sku for source in found.sources] == ["B"]
    assert [(reject.path, reject.reason) for reject in found.rejects] == [("A", "has no picture on this machine")]
    with pytest.raises(InputError, match="of A none has a picture"):
        sources_of_catalog(catalog, ["A"])


def test_texts_given_win_over_the_catalogue(tmp_path: Path) -> None:
    row = product("A", (str(draw(tmp_path / "a.png")),), price=59.0, list_price=99.0)
    catalog = Catalog(path=None, products=(row,))
    plain = sources_of_catalog(catalog).sources[0]
    assert (plain.price, plain.list_price) == ("¥59", "¥99")
    given = sources_of_catalog(catalog, options=SubjectOptions(title="New", price="¥39.9", call="Come")).sources[0]
    assert (given.title, given.price, given.list_price, given.call) == ("New", "¥39.9", "", "Come")
    assert sources_of_catalog(catalog, options=SubjectOptions(price="")).sources[0].price == ""
    raised = sources_of_catalog(Catalog(path=None, products=(product("A", row.images, price=59.0, list_price=59.0),))).sources[0]
    assert raised.list_price == "", "a list price that is no more than the price is no reduction"


def test_folders_are_products_and_loose_files_too(tmp_path: Path) -> None:
    for name in ("mug/2.png", "mug/10.png", "mug/1.png", "all/cup/a.png", "all/pan/b.png", "all/c.png"):
        draw(tmp_path / name)
    (tmp_path / "mug" / "notes.txt").write_text("text", encoding="utf-8")
    loose = [draw(tmp_path / "x.png"), draw(tmp_path / "y.png")]
    found = sources_of_pictures([tmp_path / "mug", tmp_path / "all", *loose])
    assert [source.name for source in found.sources] == ["mug", "all", "cup", "pan", "x", "y"]
    assert [Path(picture).name for picture in found.sources[0].pictures] == ["1.png", "2.png", "10.png"]
    assert [Path(reject.path).name for reject in found.rejects] == ["notes.txt"]
    single = sources_of_pictures([tmp_path / "mug"], SubjectOptions(group="file"))
    assert [source.name for source in single.sources] == ["1", "2", "10"]
    assert len(sources_of_pictures([tmp_path / "mug"], SubjectOptions(max_pictures=2)).sources[0].pictures) == 2


def test_names_are_folders_and_differ(tmp_path: Path) -> None:
    first, second = draw(tmp_path / "a" / "Mug.png"), draw(tmp_path / "b" / "mug.png")
    assert [source.name for source in sources_of_pictures([first, second]).sources] == ["Mug", "mug-2"]
    assert safe_name("../../etc/passwd") == "etc-passwd"
    assert safe_name("  炒锅: 32cm? ") == "炒锅-32cm"
    assert safe_name("...") == ""
    assert len(safe_name("长" * 100).encode()) <= 60


def test_no_picture_at_all(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text", encoding="utf-8")
    with pytest.raises(InputError, match="is a text file"):
        sources_of_pictures([tmp_path])
    with pytest.raises(InputError, match="no such file"):
        sources_of_pictures([tmp_path / "none.png"])


def test_a_damaged_picture_is_left_out_and_told(tmp_path: Path) -> None:
    folder = tmp_path / "mug"
    good = draw(folder / "1.png")
    (folder / "2.png").write_bytes(good.read_bytes()[:300])
    (folder / "3.png").write_bytes(good.read_bytes())
    source = sources_of_pictures([folder]).sources[0]
    subject = read_subject(source)
    assert [Path(photo.path).name for photo in subject.photos] == ["1.png"], "equal files are used once"
    assert "2.png" in subject.warnings[0]
    (folder / "1.png").unlink()
    (folder / "3.png").unlink()
    with pytest.raises(InputError, match="no usable picture"):
        read_subject(sources_of_pictures([folder]).sources[0])


def test_subjects_are_read_one_at_a_time(tmp_path: Path) -> None:
    sources = sources_of_pictures([draw(tmp_path / "a.png"), draw(tmp_path / "b.png", "maroon")]).sources
    reading = read_subjects(sources)
    Path(sources[1].pictures[0]).unlink()
    assert next(reading).name == "a"
    with pytest.raises(InputError, match="no usable picture"):
        next(reading)


@pytest.mark.parametrize(
    ("price", "currency", "printed"),
    [(59, "CNY", "¥59"), (29.9, "CNY", "¥29.9"), (19.9, "USD", "$19.90"), (1299, "EUR", "€1,299"), (5, "CHF", "CHF 5"), (None, "CNY", "")],
)
def test_prices_are_printed_as_people_write_them(price: float | None, currency: str, printed: str) -> None:
    assert print_price(price, currency) == printed
