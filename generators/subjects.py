"""Subjects to make videos of: from a catalogue's products, or from picture files and folders.

Sources come first, light values that only name files; `read_subject` then reads and cuts out one at a time, so that twenty
products never lie in memory together.

- a catalogue: one subject per product that has pictures, or per SKU asked for, in the order asked;
- a folder: its pictures are views of one product; each sub-folder is a product of its own;
- a picture file given by itself: one product each.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from clipper.errors import InputError
from clipper.values import Catalog, Product
from generators.cutout import CutoutOptions, Matting, cut_out
from generators.images import PictureOptions, read_pictures
from generators.picture_files import Refused, files_below, find_pictures, why_no_picture
from generators.values import Cutout, Photo, Subject

log = logging.getLogger(__name__)

SIGNS = {"CNY": "¥", "RMB": "¥", "JPY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "KRW": "₩", "HKD": "HK$", "TWD": "NT$", "SGD": "S$"}
SIGNS |= {"INR": "₹", "THB": "฿", "VND": "₫", "PHP": "₱", "MYR": "RM", "AUD": "A$", "CAD": "C$"}
PICTURES, CUTOUTS = PictureOptions(), CutoutOptions()
NAME_BYTES = 60
"""Longest folder name that is made of a title."""
_UNSAFE = re.compile(r"[\x00-\x1f/\\:*?\"<>|.\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectOptions:
    """How pictures become subjects, and what is written of them."""

    group: Literal["folder", "file"] = "folder"
    """folder: the pictures of a folder show one product; file: every picture is a product of its own."""
    max_pictures: int = 6
    """Pictures used of each product, 1 to 24."""
    title: str | None = None
    """Replaces the catalogue's title; with several products every one gets it."""
    price: str | None = None
    """Replaces the catalogue's price, printed as it is given; empty for none."""
    list_price: str | None = None
    """Replaces the catalogue's list price, printed as it is given; empty for none."""
    call: str | None = None
    """What the video asks for; empty for nothing."""

    def __post_init__(self) -> None:
        if not 1 <= self.max_pictures <= 24:
            raise InputError(f"max_pictures = {self.max_pictures}: expected 1 to 24")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One product before its pictures are read."""

    name: str
    """Folder name of its results; unique among the sources of a run."""
    sku: str | None
    title: str
    price: str = ""
    list_price: str = ""
    call: str = ""
    points: tuple[str, ...] = ()
    category: str = ""
    pictures: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """All products of a run, and what could not be used."""

    sources: tuple[Source, ...]
    rejects: tuple[Refused, ...] = ()


def sources_of_catalog(catalog: Catalog, skus: Sequence[str] = (), options: SubjectOptions = SubjectOptions()) -> Sources:
    """Take the products of a catalogue, all that have pictures or those named by SKU.

    Raises InputError for a SKU that is not in the catalogue (naming the nearest), or when nothing has a picture.
    """
    chosen = [_product(catalog, sku) for sku in dict.fromkeys(skus)] if skus else list(catalog.products)
    sources, rejects = [], []
    for product in dict.fromkeys(chosen):
        if product.images:
            sources.append(_of_product(product, options))
        else:
            rejects.append(Refused(product.sku, "has no picture on this machine"))
    if not sources:
        asked = f"of {', '.join(skus)} none" if skus else "no product"
        raise InputError(
            f"could not make videos from {catalog.path or 'the catalogue'}: {asked} has a picture; give image paths in the catalogue"
        )
    return Sources(sources=_named_apart(sources), rejects=tuple(rejects))


def sources_of_pictures(paths: Iterable[str | Path], options: SubjectOptions = SubjectOptions()) -> Sources:
    """Group picture files and folders into products: a folder is one product, a file given by itself is one product.

    Raises InputError for a path that does not exist, or when there is no picture at all.
    """
    sources: list[Source] = []
    rejects: list[Refused] = []
    asked = [Path(path) for path in paths]
    for path in asked:
        groups = _folder_groups(path, rejects) if path.is_dir() else [(path.stem, _checked(path, rejects))]
        for title, pictures in groups:
            if options.group == "file":
                sources += [_of_files(Path(picture).stem, (picture,), options) for picture in pictures]
            elif pictures:
                sources.append(_of_files(title, pictures, options))
    if not sources:
        found = f"; {rejects[0].path} {rejects[0].reason}" if rejects else ""
        raise InputError(
            f"could not find a picture in {', '.join(map(str, asked)) or 'nothing'}{found}; give JPEG, PNG, WebP, AVIF or HEIC files"
        )
    return Sources(sources=_named_apart(sources), rejects=tuple(rejects))


def read_subjects(
    sources: Iterable[Source],
    pictures: PictureOptions = PICTURES,
    cutouts: CutoutOptions = CUTOUTS,
    *,
    matting: Matting | None = None,
) -> Iterator[Subject]:
    """Read subjects one at a time; raises InputError at one whose pictures are all unusable."""
    return (read_subject(source, pictures, cutouts, matting=matting) for source in sources)


def read_subject(
    source: Source,
    pictures: PictureOptions = PICTURES,
    cutouts: CutoutOptions = CUTOUTS,
    *,
    matting: Matting | None = None,
) -> Subject:
    """Read a product's pictures and cut the product out of each; the picture that is surest comes first.

    Pictures that cannot be read are left out and told in `warnings`. Raises InputError when none can be read.
    """
    read = read_pictures(source.pictures, pictures)
    if not read.photos:
        reasons = "; ".join(reject.reason for reject in read.rejects)
        raise InputError(f"could not make a video of {source.title or source.name}: no usable picture ({reasons})")
    pairs = _best_first([(photo, cut_out(photo, cutouts, matting=matting)) for photo in _distinct(read.photos)])
    told = [reject.reason for reject in read.rejects]
    told += [f"{photo.path}: {text}" for photo, _ in pairs for text in photo.warnings]
    return Subject(
        name=source.name,
        sku=source.sku,
        title=source.title,
        price=source.price,
        list_price=source.list_price,
        call=source.call,
        points=source.points,
        category=source.category,
        photos=tuple(photo for photo, _ in pairs),
        cutouts=tuple(cutout for _, cutout in pairs),
        warnings=tuple(told),
    )


def print_price(price: float | None, currency: str) -> str:
    """Write a price as it is printed on a card: ¥59, $19.90; empty when it is not known."""
    if price is None:
        return ""
    number = f"{price:,.0f}" if price == int(price) else f"{price:,.2f}"
    if currency in ("CNY", "RMB") and "." in number:
        number = number.rstrip("0")
    return f"{SIGNS.get(currency, currency + ' ')}{number}"


def _best_first(pairs: list[tuple[Photo, Cutout]]) -> list[tuple[Photo, Cutout]]:
    """Bring the picture that carries a video best to the front: a layer, large, filled well by the product; others keep their order."""

    def worth(pair: tuple[Photo, Cutout]) -> float:
        photo, cutout = pair
        size = min(1.0, min(photo.width_px * cutout.box.w, photo.height_px * cutout.box.h) / 700)
        return (1.0 if cutout.is_layer() else 0.0) + 0.5 * size

    best = max(range(len(pairs)), key=lambda index: (round(worth(pairs[index]), 2), -index))
    return [pairs[best], *pairs[:best], *pairs[best + 1 :]]


def _distinct(photos: tuple[Photo, ...]) -> list[Photo]:
    """Use equal files once."""
    return list({photo.sha256: photo for photo in reversed(photos)}.values())[::-1]


def _product(catalog: Catalog, sku: str) -> Product:
    product = catalog.named(sku)
    if product is not None:
        return product
    known = [product.sku for product in catalog.products]
    near = get_close_matches(sku, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(known[:8])}{' …' if len(known) > 8 else ''}"
    raise InputError(f"could not find SKU {sku} in {catalog.path or 'the catalogue'}; {hint}")


def _of_product(product: Product, options: SubjectOptions) -> Source:
    is_reduced = product.price is not None and product.list_price is not None and product.list_price > product.price
    source = Source(
        name=safe_name(product.sku) or "product",
        sku=product.sku,
        title=product.title,
        price=print_price(product.price, product.currency),
        list_price=print_price(product.list_price, product.currency) if is_reduced else "",
        points=product.points,
        category=product.category,
        pictures=product.images[: options.max_pictures],
    )
    return _with_texts(source, options)


def _of_files(title: str, pictures: Sequence[str], options: SubjectOptions) -> Source:
    """Make a source of files; a file's name is no title that anybody would print."""
    return _with_texts(
        Source(name=safe_name(title) or "product", sku=None, title="", pictures=tuple(pictures[: options.max_pictures])), options
    )


def _with_texts(source: Source, options: SubjectOptions) -> Source:
    given = {name: getattr(options, name) for name in ("title", "price", "list_price", "call") if getattr(options, name) is not None}
    if "price" in given and "list_price" not in given:
        given["list_price"] = ""  # the catalogue's no longer belongs to this price
    return replace(source, **given)


def _folder_groups(folder: Path, rejects: list[Refused]) -> list[tuple[str, list[str]]]:
    """List every folder below, and including, a folder that directly holds pictures."""
    groups: dict[Path, list[str]] = {}
    for file in files_below(folder):
        reason = why_no_picture(file)
        if reason:
            rejects.append(Refused(str(file), reason))
        else:
            groups.setdefault(file.parent, []).append(str(file))
    return [(place.resolve().name, pictures) for place, pictures in groups.items()]


def _checked(path: Path, rejects: list[Refused]) -> list[str]:
    found = find_pictures([path])
    rejects += found.rejects
    return [str(picture) for picture in found.pictures]


def _named_apart(sources: Sequence[Source]) -> tuple[Source, ...]:
    """Number sources whose names are equal, letter case aside: they become folders."""
    taken: set[str] = set()
    named = []
    for source in sources:
        name, number = source.name, 2
        while name.casefold() in taken:
            name, number = f"{source.name}-{number}", number + 1
        taken.add(name.casefold())
        named.append(replace(source, name=name))
    return tuple(named)


def safe_name(text: str) -> str:
    """Make a folder name of a text: no separators, dots or control characters, 60 bytes at most."""
    name = _UNSAFE.sub("-", text).strip("-")
    while len(name.encode()) > NAME_BYTES:
        name = name[:-1]
    return name.strip("-")
