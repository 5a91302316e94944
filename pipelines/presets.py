"""Platform presets as options: frame, title limit, length limits and safe box, from clipper/presets/*.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import resources
from typing import Any

from clipper.errors import InputError


def names() -> tuple[str, ...]:
    """Names of the presets that ship."""
    folder = resources.files("clipper") / "presets"
    return tuple(sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml")))


def preset_flags(name: str) -> dict[str, Any]:
    """Read a preset as dotted option paths. Raises InputError for an unknown name."""
    if name not in names():
        near = get_close_matches(name, names(), n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(names())}"
        raise InputError(f"--preset {name}: no such preset; {hint}")
    data = tomllib.loads((resources.files("clipper") / "presets" / f"{name}.toml").read_text(encoding="utf-8"))
    return dict(_flat(data.get("options", {})))


def _flat(tree: Mapping[str, Any], path: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, value in tree.items():
        if isinstance(value, Mapping):
            rows += _flat(value, f"{path}{key}.")
        else:
            rows.append((f"{path}{key}", value))
    return rows
