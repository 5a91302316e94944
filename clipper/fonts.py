"""Find a font that has the plan's script, and show libass that font alone.

Looked for in this order: the caller's path, the system's fonts (their folders are read by ourselves), the model table's
Noto Sans SC. Names and line heights are read from the font file's own tables.
"""

from __future__ import annotations

import os
import shutil
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from clipper.errors import InputError, LivecutError, ModelError

SUFFIXES = (".otf", ".ttf", ".ttc", ".otc")
WEIGHTS_ROW = "noto-sans-sc"
_KNOWN = (
    "notosanscjksc",
    "notosanssc",
    "notosanscjk",
    "sourcehansanssc",
    "sourcehansanscn",
    "sourcehansans",
    "pingfang",
    "hiraginosansgb",
    "msyhbd",
    "msyh",
    "harmonyossans",
    "misans",
    "alibabapuhuiti",
    "wqymicrohei",
    "wqyzenhei",
    "droidsansfallback",
)
"""Beginnings of file names, letters and digits only, best first."""
_SAMPLE = "播间价爆款，¥0Ag"
"""What a font must be able to draw."""


@dataclass(frozen=True, slots=True)
class Face:
    """One face of a font file."""

    path: str
    index: int
    family: str
    weight: int
    """400 is regular, 700 bold."""
    line_em: float
    """Height of a line in em, as libass reckons it: the Windows ascent and descent."""

    def width(self, text: str) -> float:
        """Measure a text, in em."""
        return float(_pillow(self.path, self.index, 1000).getlength(text)) / 1000

    def pillow(self, size_px: float) -> Any:
        """Open the face in Pillow at a size in px an em."""
        return _pillow(self.path, self.index, max(1, round(size_px)))

    @property
    def is_bold(self) -> bool:
        """Say whether the face is heavy by itself; a lighter one is made bold by its user."""
        return self.weight >= 600


def find_font(chosen: str = "", *, bold: bool = True) -> Face:
    """Find a face that draws Chinese and Latin.

    `chosen` is a font file of the caller's; empty looks on this machine. With `bold` a heavy face of the same file is
    preferred. Raises InputError for a `chosen` file that cannot be used, ModelError when nothing is found.
    """
    if chosen:
        return _best(_usable(Path(chosen), Path(chosen)), bold)
    return _found(bold)


@lru_cache(maxsize=2)
def _found(bold: bool) -> Face:
    for path in _candidates():
        try:
            faces = [face for face in faces_of(path) if _draws(face)]
        except InputError:
            continue
        if faces:
            return _best(faces, bold)
    return _best(_usable(_from_weights(), None), bold)


def _from_weights() -> Path:
    from clipper.speech import weights

    try:
        folder = Path(weights.locate(WEIGHTS_ROW))
    except LivecutError as error:
        raise ModelError(
            f"could not find a font with Chinese characters: none in {', '.join(map(str, folders()))}, and {error}; "
            "install Noto Sans CJK, run `livecut models fetch`, or name a font file (render.font)"
        ) from error
    found = [folder] if folder.is_file() else [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES]
    sans = [path for path in found if "sans" in path.name.lower()]
    if not found:
        raise ModelError(f"could not find a font in {folder}: no file ends in {', '.join(SUFFIXES)}; run `livecut models fetch` again")
    return (sans or found)[0]


def _usable(path: Path, chosen: Path | None) -> list[Face]:
    faces = [face for face in faces_of(path) if _draws(face)]
    if not faces:
        named = "the font that was named" if chosen else "the font of the model table"
        raise InputError(f"could not use {path}, {named}: it lacks some of {_SAMPLE}; choose a font with Chinese characters")
    return faces


def folders() -> tuple[Path, ...]:
    """Folders in which this system keeps fonts."""
    home = Path.home()
    if sys.platform == "darwin":
        return (home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts"))
    data = os.environ.get("XDG_DATA_HOME") or str(home / ".local/share")
    return (Path(data) / "fonts", home / ".fonts", Path("/usr/local/share/fonts"), Path("/usr/share/fonts"))


def _candidates() -> Iterator[Path]:
    """Font files whose names are known to be Chinese, best first; a bold file before a regular one of the same family."""
    ranked = []
    for folder in folders():
        for parent, _, names in os.walk(folder):
            for name in names:
                plain = "".join(char for char in name.lower() if char.isalnum())
                rank = next((number for number, known in enumerate(_KNOWN) if plain.startswith(known)), None)
                if rank is not None and name.lower().endswith(SUFFIXES) and "mono" not in plain:
                    weight = next((number for number, word in enumerate(("bold", "heavy", "medium", "regular")) if word in plain), 4)
                    ranked.append((rank, weight, str(Path(parent) / name)))
    return (Path(path) for _, _, path in sorted(ranked))


def _best(faces: list[Face], bold: bool) -> Face:
    """Prefer Simplified Chinese shapes, then the weight that was asked for."""

    def rank(face: Face) -> tuple[bool, int, int]:
        simplified = any(mark in face.family for mark in (" SC", "CJK SC", " CN", "GB")) or len(faces) == 1
        return (not simplified, abs(face.weight - (700 if bold else 400)), face.index)

    return min(faces, key=rank)


def font_folder(face: Face, folder: Path) -> Path:
    """Make a folder that holds the face's file alone: libass reads every file of the folder it is given."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / ("font" + Path(face.path).suffix.lower())
    target.unlink(missing_ok=True)
    try:
        target.symlink_to(Path(face.path).absolute())
    except OSError:
        shutil.copyfile(face.path, target)
    return folder


# --- the font file's own tables -------------------------------------------------------------------


@lru_cache(maxsize=64)
def faces_of(path: Path) -> tuple[Face, ...]:
    """Read the faces of a font file. Raises InputError when it is no font.

    Source: the OpenType specification, tables ttcf, name, head, hhea and OS/2.
    """
    try:
        with path.open("rb") as file:
            head = file.read(12)
            starts = [0]
            if head[:4] == b"ttcf":
                count = min(struct.unpack(">I", head[8:12])[0], 64)
                starts = list(struct.unpack(f">{count}I", file.read(4 * count)))
            elif head[:4] not in (b"OTTO", b"\0\1\0\0", b"true"):
                raise InputError(f"could not read font {path}: its first bytes are {head[:4]!r}; give an .otf, .ttf or .ttc file")
            return tuple(_face(file, str(path), number, start) for number, start in enumerate(starts))
    except (OSError, struct.error, KeyError, IndexError) as error:
        raise InputError(f"could not read font {path}: {error or type(error).__name__}; give an .otf, .ttf or .ttc file") from error


def _face(file: Any, path: str, index: int, start: int) -> Face:
    file.seek(start)
    count = struct.unpack(">4xH6x", file.read(12))[0]
    tables: dict[bytes, tuple[int, int]] = {}
    for _ in range(min(count, 128)):
        tag, offset, length = struct.unpack(">4s4xII", file.read(16))
        tables[tag] = (offset, length)

    def table(tag: bytes) -> bytes:
        offset, length = tables[tag]
        file.seek(offset)
        return bytes(file.read(min(length, 1 << 20)))

    units = struct.unpack(">H", table(b"head")[18:20])[0]
    ascent, descent = struct.unpack(">hh", table(b"hhea")[4:8])
    height, weight = ascent - descent, 400
    if b"OS/2" in tables:
        os2 = table(b"OS/2")
        weight = struct.unpack(">H", os2[4:6])[0]
        windows = sum(struct.unpack(">HH", os2[74:78]))
        height = windows or height
    return Face(path=path, index=index, family=_family(table(b"name")), weight=weight, line_em=height / units)


def _family(data: bytes) -> str:
    """Read the English family name (name id 1; Windows before Macintosh)."""
    count, strings = struct.unpack(">HH", data[2:6])
    best, rank = "", 9
    for number in range(count):
        platform, _, language, name, length, offset = struct.unpack(">6H", data[6 + 12 * number : 18 + 12 * number])
        if name != 1:
            continue
        raw = data[strings + offset : strings + offset + length]
        order = 0 if (platform, language) == (3, 0x409) else 1 if platform == 0 else 2 if platform == 1 and language == 0 else 3
        if order < rank:
            best, rank = raw.decode("mac-roman" if platform == 1 else "utf-16-be", errors="replace"), order
    return best


def _draws(face: Face) -> bool:
    """Say whether a face has glyphs for the sample: the box of a missing glyph is the same for all characters."""
    try:
        font = _pillow(face.path, face.index, 32)
        missing = bytes(font.getmask("\U0010fffd"))
        return all(bytes(font.getmask(char)) != missing for char in _SAMPLE)
    except OSError:
        return False


@lru_cache(maxsize=64)
def _pillow(path: str, index: int, size: int) -> Any:
    from PIL import ImageFont

    try:
        return ImageFont.truetype(path, size, index=index, layout_engine=ImageFont.Layout.BASIC)
    except OSError as error:
        raise InputError(f"could not open font {path}: {error}; give an .otf, .ttf or .ttc file") from error
