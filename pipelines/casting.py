"""Who plays: from pictures, folders and catalogues to subjects, and from a subject to the storyboards of its videos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clipper.catalog import read_catalog
from clipper.errors import InputError
from clipper.values import Product
from generators.cutout import cut_out
from generators.images import find_pictures, read_pictures
from generators.values import Overlay, PictureRef, Shot, Storyboard, Style, Subject
from pipelines.generate_options import GenerateOptions
from pipelines.plans import safe_name
from pipelines.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One product that videos are wanted of."""

    name: str
    """Folder name of its results."""
    pictures: tuple[Path, ...]
    """Files or folders."""
    product: Product | None = None
    catalog: Path | None = None


def wishes(pictures: Sequence[str | Path], catalog: str | Path | None, skus: Sequence[str], options: GenerateOptions) -> tuple[Wish, ...]:
    """Say of which products videos are wanted: files together are one, folders one each, a catalogue's products one each.

    Raises InputError for paths and skus that do not exist, and when nothing is named.
    """
    if catalog is not None:
        return _of_catalog(Path(catalog), skus, [Path(path) for path in pictures])
    paths = [Path(path) for path in pictures]
    if not paths:
        raise InputError("could not make videos: no picture was named; give pictures, folders of pictures, or a catalogue with --catalog")
    for path in paths:
        if not path.exists():
            raise InputError(f"could not find {path}: no such file or folder; give pictures, or --catalog with skus")
    files = tuple(path for path in paths if not path.is_dir())
    found = [Wish(name=safe_name(files[0].stem), pictures=files)] if files else []
    found += [Wish(name=safe_name(path.resolve().name), pictures=(path,)) for path in paths if path.is_dir()]
    return tuple(found)


def _of_catalog(path: Path, skus: Sequence[str], extra: Sequence[Path]) -> tuple[Wish, ...]:
    if extra:
        raise InputError(f"could not use {extra[0]} beside --catalog: name skus of the catalogue, or pictures without it")
    known = read_catalog(path)
    chosen: list[Product] = []
    for sku in skus:
        product = known.named(sku)
        if product is None:
            raise InputError(f"could not find sku {sku} in {path}; it has {', '.join(item.sku for item in known.products[:12])}")
        chosen.append(product)
    return tuple(
        Wish(name=safe_name(product.sku), pictures=tuple(map(Path, product.images)), product=product, catalog=path)
        for product in chosen or known.products
    )


def subject_of(wish: Wish, options: GenerateOptions) -> Subject:
    found = find_pictures(wish.pictures)
    read = read_pictures(found.pictures, options.picture)
    if not read.photos:
        raise InputError(f"could not make a video of {wish.name}: no usable picture")
    product = wish.product
    return Subject(
        name=wish.name,
        sku=product.sku if product else None,
        title=options.title or (product.title if product else wish.name),
        price=options.price or (f"¥{product.price:g}" if product and product.price else ""),
        list_price=f"¥{product.list_price:g}" if product and product.list_price else "",
        call=options.call,
        photos=read.photos,
        cutouts=tuple(cut_out(photo, options.cutout) for photo in read.photos),
    )


def plan_boards(subject: Subject, style: Style, settings: Settings) -> tuple[Storyboard, ...]:
    o = settings.generate
    w, h = o.frame(settings.plan.width_px, settings.plan.height_px)
    n = max(1, round(o.seconds / style.pace_s))
    each = o.seconds / n
    out = []
    for v in range(o.variants):
        shots = tuple(
            Shot(
                id=f"s{k + 1}",
                photo=k % len(subject.photos),
                seconds=each,
                move=style.moves[(k + v) % len(style.moves)],
                seed=o.seed + k + 100 * v,
                transition=style.transitions[k % len(style.transitions)],
                transition_s=0.4,
            )
            for k in range(n)
        )
        ov = [Overlay(kind="title", text=subject.title, start=0.2, end=o.seconds * 0.5)]
        if subject.price:
            ov.append(Overlay(kind="price", text=subject.price, detail=subject.list_price, start=o.seconds * 0.25, end=o.seconds - 1.6))
        ov.append(Overlay(kind="end_card", text=subject.title, detail=subject.call or "点击下方购买", start=o.seconds - 1.6, end=o.seconds))
        out.append(
            Storyboard(
                id=f"v{v + 1}",
                sku=subject.sku,
                title=subject.title,
                style=o.style,
                backend=o.backend,
                pictures=tuple(PictureRef(path=p.path, sha256=p.sha256) for p in subject.photos),
                shots=shots,
                overlays=tuple(ov),
                width_px=w,
                height_px=h,
                fps=settings.plan.fps,
                seed=o.seed,
                music=o.music or None,
                music_gain_db=o.music_gain_db,
                loop=o.loop,
            )
        )
    return tuple(out)
