"""How captions, card, badge, cover and closing card look: one preset, read from a TOML file in clipper/styles/.

Sizes are pixels on a frame 1080 wide and scale with the plan's width; colours are #RRGGBB or #RRGGBBAA.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from clipper.errors import InputError

_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}(?:[0-9A-Fa-f]{2})?")
_SECTIONS = ("card", "badge", "cover", "end_card")


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Colours of something drawn: product card, badge, cover title or closing card."""

    fill: str = "#FFFFFF"
    """Background."""
    text: str = "#1A1A1A"
    accent: str = "#FF2442"
    """Price, second line, underline."""
    outline: str = "#000000"
    radius_px: float = 28.0
    """Corner radius; 0 to 200."""
    size_px: float = 40.0
    """Size of the main text, in px an em; 12 to 240."""

    def __post_init__(self) -> None:
        _check_colours(self, ("fill", "text", "accent", "outline"))
        _check_range(self, {"radius_px": (0, 200), "size_px": (12, 240)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """One caption preset."""

    name: str = "pop"
    size_px: float = 64.0
    """Height of an em; 16 to 160."""
    bold: bool = True
    colour: str = "#FFFFFF"
    highlight: str = "#FFE14D"
    """Colour of the word that is spoken now; equal to `colour` for none."""
    outline: str = "#000000"
    outline_px: float = 6.0
    """Width of the outline, 0 to 30; with `box` the padding of the box."""
    shadow: str = "#00000080"
    shadow_px: float = 3.0
    """Distance of the drop shadow, 0 to 30."""
    box: bool = False
    """Stand on a box of the colour `outline` and not in an outline."""
    spacing_px: float = 0.0
    """Extra space between characters, -5 to 20."""
    lift_px: float = 0.0
    """Distance of the last line from the bottom of the safe box, 0 to 900."""
    pop: bool = False
    """Let each event grow in over a tenth of a second."""
    card: Panel = field(default_factory=Panel)
    badge: Panel = field(default_factory=Panel)
    cover: Panel = field(default_factory=Panel)
    end_card: Panel = field(default_factory=Panel)

    def __post_init__(self) -> None:
        _check_colours(self, ("colour", "highlight", "outline", "shadow"))
        bounds = {"size_px": (16, 160), "outline_px": (0, 30), "shadow_px": (0, 30), "spacing_px": (-5, 20), "lift_px": (0, 900)}
        _check_range(self, bounds)


def style_names() -> tuple[str, ...]:
    """Names of the presets that ship."""
    folder = resources.files("clipper") / "styles"
    return tuple(sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml")))


@lru_cache(maxsize=32)
def load_style(name: str) -> Style:
    """Read a preset: one that ships, by name, or a TOML file of your own, by path. Raises InputError."""
    if name.endswith(".toml"):
        return _parse(_read(Path(name)), name, Path(name).stem)
    if name not in style_names():
        near = get_close_matches(name, style_names(), n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(style_names())}, or the path of a .toml file"
        raise InputError(f"no caption style is called {name!r}; {hint}")
    return _parse((resources.files("clipper") / "styles" / f"{name}.toml").read_text(encoding="utf-8"), f"style {name}", name)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"could not read caption style {path}: {error}; give a UTF-8 TOML file") from error


def _parse(text: str, where: str, name: str) -> Style:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"could not read caption style {where}: not valid TOML ({error})") from error
    panels = {key: _build(Panel, data.pop(key, {}), f"{where}: {key}.") for key in _SECTIONS}
    style: Style = _build(Style, {"name": name, **data, **panels}, f"{where}: ")
    return style


def _build(kind: type[Any], values: Any, where: str) -> Any:
    if not isinstance(values, Mapping):
        raise InputError(f"{where.rstrip('. ')} is a section, found {values!r}")
    known = {item.name: item.type for item in fields(kind)}
    for key, value in values.items():
        if key not in known:
            near = get_close_matches(key, known, n=1)
            raise InputError(f"{where}{key} is not a setting" + (f"; did you mean {near[0]}?" if near else f"; known: {', '.join(known)}"))
        right = {"float": (int, float), "bool": (bool,), "str": (str,)}.get(str(known[key]))
        if right and (not isinstance(value, right) or (isinstance(value, bool) and bool not in right)):
            raise InputError(f"{where}{key} = {value!r}: expected {known[key]}")
    return kind(**values)


def _check_colours(value: object, names: tuple[str, ...]) -> None:
    for name in names:
        if not _COLOUR.fullmatch(getattr(value, name)):
            raise InputError(f"{name} = {getattr(value, name)!r}: expected a colour such as #FFE14D or #000000CC")


def _check_range(value: object, bounds: Mapping[str, tuple[float, float]]) -> None:
    for name, (low, high) in bounds.items():
        if not low <= getattr(value, name) <= high:
            raise InputError(f"{name} = {getattr(value, name)}: expected {low:g} to {high:g}")


def rgba(colour: str) -> tuple[int, int, int, int]:
    """Split #RRGGBB or #RRGGBBAA into bytes; opaque when no alpha is given."""
    text = colour.lstrip("#")
    parts = [int(text[at : at + 2], 16) for at in range(0, len(text), 2)]
    return parts[0], parts[1], parts[2], parts[3] if len(parts) > 3 else 255
