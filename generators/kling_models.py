"""What each model of the Kling API takes and about what it costs: a table that answers before anything is sent or paid.

The table is `kling_models.toml`. The service refuses a wrong parameter only after the upload, and takes some without effect.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files

from clipper.errors import InputError

LONGEST_PROMPT = 2500
"""Characters of a prompt, and of a negative prompt."""
LARGEST_PICTURE = 10_000_000
"""Bytes of a picture: the service says 10 MB."""
SMALLEST_SIDE_PX = 300
WIDEST = 2.5
"""Ratio of the longer side of a picture to the shorter one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KlingModel:
    """One row of the table."""

    name: str
    modes: tuple[str, ...]
    """std (720p) and pro (1080p); empty where the model has no such parameter."""
    seconds: tuple[int, ...]
    """Lengths it makes, ascending."""
    takes_cfg_scale: bool
    last_image: tuple[str, ...]
    """Modes in which it takes a picture to end on."""
    last_image_seconds: tuple[int, ...]
    price: tuple[tuple[str, int, float], ...]
    """Mode, seconds, US dollars."""

    def mode(self, wanted: str) -> str:
        """Return the mode to send, empty when the model has none. Raises InputError for one that it lacks."""
        if not self.modes:
            return ""
        if wanted not in self.modes:
            raise InputError(f"could not use {self.name} in mode {wanted}: it has {' and '.join(self.modes)}")
        return wanted

    def length(self, seconds: float) -> int:
        """Return the shortest length that holds a shot. Raises InputError for a shot that is longer than all."""
        for length in self.seconds:
            if seconds <= length + 1e-6:
                return length
        raise InputError(f"could not make a shot of {seconds:g} s with {self.name}: it makes {_list(self.seconds)} s; shorten the shot")

    def check_last(self, mode: str, length: int) -> None:
        """Raise InputError where the model takes no picture to end on."""
        if mode not in self.last_image:
            where = f"mode {mode} takes none; use mode {' or '.join(self.last_image)}" if self.last_image else "it takes none"
            raise InputError(f"could not end a shot of {self.name} on a picture: {where}")
        if length not in self.last_image_seconds:
            raise InputError(
                f"could not end a shot of {length} s of {self.name} on a picture: only shots of {_list(self.last_image_seconds)} s"
            )

    def cost(self, mode: str, length: int) -> float:
        """Return about what one shot costs, in US dollars."""
        return next(dollars for name, seconds, dollars in self.price if (name, seconds) == (mode, length))


def _list(numbers: tuple[int, ...]) -> str:
    return " or ".join(map(str, numbers))


@lru_cache(maxsize=1)
def _table() -> tuple[str, dict[str, KlingModel]]:
    rows = tomllib.loads(files("generators").joinpath("kling_models.toml").read_text(encoding="utf-8"))
    as_of = rows.pop("as_of")
    models = {}
    for name, row in rows.items():
        price = tuple((mode, int(length), float(cost)) for mode, lengths in row["price"].items() for length, cost in lengths.items())
        seconds = tuple(row["seconds"])
        models[name] = KlingModel(
            name=name,
            modes=tuple(row["modes"]),
            seconds=seconds,
            takes_cfg_scale=row.get("cfg_scale", False),
            last_image=tuple(row.get("last_image", ())),
            last_image_seconds=tuple(row.get("last_image_seconds", seconds)),
            price=price,
        )
    return str(as_of), models


def kling_models() -> dict[str, KlingModel]:
    """Return the whole table by name."""
    return dict(_table()[1])


def prices_as_of() -> str:
    """Return the day on which the prices were looked up, YYYY-MM-DD."""
    return _table()[0]


def kling_model(name: str) -> KlingModel:
    """Look a model up. Raises InputError with the nearest name."""
    models = _table()[1]
    if name not in models:
        near = get_close_matches(name, models, n=1)
        raise InputError(
            f"{name} is not a model of the Kling API; " + (f"did you mean {near[0]}?" if near else f"known: {', '.join(models)}")
        )
    return models[name]
