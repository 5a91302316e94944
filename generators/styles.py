"""Styles are data: how a product's video looks, moves and is prompted, one TOML file each in generators/styles.

A prompt is a sentence with slots. For products the usual advice to image-to-video models is turned round: the subject is
static and described as unchanged, and all motion goes to camera, light and background; the words name no text to be written,
because models that are told to write do.
"""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from clipper.errors import InputError
from generators.product_words import describe_product
from generators.values import Palette, Style, Subject

ORDER = (
    "clean-studio",
    "bright-home",
    "fresh-food",
    "luxury-dark",
    "festival-red",
    "street-fashion",
    "tech-blue",
    "handmade-warm",
    "soft-beauty",
    "wild-outdoor",
)
"""The styles that ship, in the order in which they are shown."""

NEGATIVE = (
    "warped or melting logo, changing label, new or altered text, captions, subtitles, watermark, extra products, duplicated product, "
    "hands, people, deformed shape, rotating product, morphing, changing colours, flicker, blur, low quality, jpeg artefacts"
)
"""What no product video wants, whatever its style; a style's own `negative` comes before it."""

SLOTS = ("product", "camera", "light", "background", "motion")
LIMITS = {
    "pace_s": (1, 6),
    "light_sweep": (0, 0.06),
    "light_deg": (-90, 90),
    "shadow": (0, 1),
    "vignette": (0, 0.5),
    "transition_s": (0, 1),
}

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def style_names() -> tuple[str, ...]:
    """Names of the styles that ship."""
    return ORDER


def styles() -> tuple[Style, ...]:
    """Read every style that ships."""
    return tuple(style_named(name) for name in ORDER)


@lru_cache(maxsize=64)
def style_named(name: str) -> Style:
    """Read a style: one that ships, by its name or label, or a TOML file of your own, by path.

    A file of your own may begin with `based_on = "NAME"` and give only what differs. Raises InputError that names the nearest
    style, key or value.
    """
    if name.endswith(".toml"):
        return replace(_style(_own(Path(name)), Path(name).stem, name), source=name)
    if name in ORDER:
        return _style(_shipped(name), name, f"style {name}")
    labels = _labels()
    if name.strip().casefold() in labels:
        return style_named(labels[name.strip().casefold()])
    near = get_close_matches(name.strip().casefold(), [*ORDER, *labels], n=1, cutoff=0.5)
    hint = f"did you mean {labels.get(near[0], near[0])}?" if near else f"known: {', '.join(ORDER)}, or the path of a .toml file"
    raise InputError(f"no style is called {name!r}; {hint}")


def prompt_for(style: Style, subject: Subject, shot_index: int, *, light: str = "", camera: str = "") -> str:
    """Fill a style's prompt for one shot: English, product described first, at most one camera move.

    `shot_index` counts the style's camera words, which belong to its moves one by one; `light` and `camera` replace the style's own words.
    """
    words = {
        "product": describe_product(subject),
        "camera": camera or style.camera[shot_index % len(style.camera)],
        "light": light or style.light,
        "background": style.background,
        "motion": style.motion,
    }
    filled = re.sub(r"\{(\w+)\}", lambda slot: words[slot.group(1)], style.prompt)
    return _sentences(" ".join(filled.split()))


def _sentences(text: str) -> str:
    """Begin every sentence with a capital letter."""
    return re.sub(r"(^|[.!?] )([a-z])", lambda start: start.group(1) + start.group(2).upper(), text)


@lru_cache(maxsize=1)
def _labels() -> dict[str, str]:
    """Map every label, folded, to the style's name."""
    found: dict[str, str] = {}
    for name in ORDER:
        data = _shipped(name)
        found |= {str(data[key]).casefold(): name for key in ("label", "label_en")}
    return found


@lru_cache(maxsize=64)
def _shipped(name: str) -> dict[str, Any]:
    return tomllib.loads((resources.files("generators") / "styles" / f"{name}.toml").read_text(encoding="utf-8"))


def _own(path: Path) -> dict[str, Any]:
    """Read a file of the user's, with what it is based on."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"could not read style {path}: {error}; give a UTF-8 TOML file") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"could not read style {path}: not valid TOML ({error})") from error
    base = data.pop("based_on", None)
    if base is None:
        return data
    if base not in ORDER:
        near = get_close_matches(str(base), ORDER, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(ORDER)}"
        raise InputError(f"could not read style {path}: based_on = {base!r} is no style that ships; {hint}")
    below = _shipped(base)
    if isinstance(data.get("palette"), Mapping):
        data["palette"] = {**below["palette"], **data["palette"]}
    return {**below, **data}


def _style(data: Mapping[str, Any], name: str, where: str) -> Style:
    _refuse_unknown(data, Style, where, "")
    if isinstance(data.get("palette"), Mapping):
        _refuse_unknown(data["palette"], Palette, where, "palette.")
    try:
        style = msgspec.convert({"label_en": name, "label": name, **data, "name": name}, Style)
    except msgspec.ValidationError as error:
        raise InputError(f"could not read {where}: {error}") from error
    _check(style, where)
    return replace(style, negative=f"{style.negative}, {NEGATIVE}" if style.negative else NEGATIVE)


def _refuse_unknown(data: Mapping[str, Any], kind: type, where: str, prefix: str) -> None:
    known = [field.name for field in fields(kind) if field.name not in ("name", "source")]
    for key in data:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            raise InputError(f"could not read {where}: {prefix}{key} is not a setting; {hint}")


def _check(style: Style, where: str) -> None:
    for name, (low, high) in LIMITS.items():
        if not low <= getattr(style, name) <= high:
            raise InputError(f"could not read {where}: {name} = {getattr(style, name):g}, expected {low:g} to {high:g}")
    for field in fields(Palette):
        if not _COLOUR.fullmatch(getattr(style.palette, field.name)):
            raise InputError(
                f"could not read {where}: palette.{field.name} = {getattr(style.palette, field.name)!r}, expected a colour such as #1c1c1e"
            )
    if not style.moves or not style.transitions:
        raise InputError(f"could not read {where}: moves and transitions need at least one entry each")
    if len(style.camera) != len(style.moves):
        raise InputError(
            f"could not read {where}: {len(style.camera)} entries in camera and {len(style.moves)} in moves; "
            "give each move its camera words"
        )
    _check_slots(style.prompt, where)


def _check_slots(prompt: str, where: str) -> None:
    try:
        slots = [slot for _, slot, _, _ in string.Formatter().parse(prompt) if slot is not None]
    except ValueError as error:
        raise InputError(f"could not read {where}: prompt has a stray brace ({error})") from error
    for slot in slots:
        if slot not in SLOTS:
            near = get_close_matches(slot, SLOTS, n=1)
            hint = f"did you mean {{{near[0]}}}?" if near else f"known: {', '.join(SLOTS)}"
            raise InputError(f"could not read {where}: prompt has a slot {{{slot}}}; {hint}")
    if "product" not in slots:
        raise InputError(f"could not read {where}: prompt has no slot {{product}}; say where the product is named")
