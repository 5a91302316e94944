"""Picture files: what a file is by its first bytes, and which pictures lie in a folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from clipper.errors import InputError

SNIFF_BYTES = 4096
_BRANDS = {b"avif": "AVIF", b"avis": "AVIF", b"heic": "HEIF", b"heix": "HEIF", b"heim": "HEIF", b"heis": "HEIF", b"mif1": "HEIF"}
_BRANDS |= {b"msf1": "HEIF", b"hevc": "HEIF", b"hevx": "HEIF", b"hevm": "HEIF", b"hevs": "HEIF"}
_STARTS = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"II+\x00": "TIFF",
    b"MM\x00+": "TIFF",
    b"BM": "BMP",
}
_FOREIGN = {
    b"%PDF": "a PDF document",
    b"8BPS": "a Photoshop file",
    b"%!PS": "a PostScript file",
    b"PK\x03\x04": "a ZIP archive",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x1f\x8b": "a gzip archive",
    b"\x1aE\xdf\xa3": "a Matroska video",
    b"FLV": "an FLV video",
    b"\x00\x00\x01\x00": "a Windows icon",
    b"\x00\x00\x00\x0cjP  ": "a JPEG 2000 picture",
    b"\x00\x00\x00\x0cJXL ": "a JPEG XL picture",
    b"\xff\x0a": "a JPEG XL picture",
    b"version https://git-lfs": "a Git LFS pointer and not the picture itself",
    b"MZ": "a program",
    b"\x7fELF": "a program",
}


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that is not used, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Files that look like pictures, and those that were passed over."""

    pictures: tuple[Path, ...]
    rejects: tuple[Refused, ...] = ()


def find_pictures(paths: Iterable[str | Path]) -> Found:
    """Find the pictures among files and in folders and their sub-folders, in the order given, folders sorted as people count.

    Hidden files are left out silently, other files of a folder are reported. Raises InputError for a path that does not exist.
    """
    pictures: list[Path] = []
    rejects: list[Refused] = []
    for path in map(Path, paths):
        if not path.exists():
            raise InputError(f"could not find {path}: no such file or folder; give pictures, or folders of pictures")
        for file in files_below(path) if path.is_dir() else (path,):
            reason = why_no_picture(file)
            if reason:
                rejects.append(Refused(str(file), reason))
            else:
                pictures.append(file)
    return Found(pictures=tuple(dict.fromkeys(pictures)), rejects=tuple(rejects))


def files_below(folder: Path) -> Iterator[Path]:
    """Walk a folder: its own files first, then its sub-folders; hidden ones are left out, links to folders not followed."""
    entries = sorted((item for item in folder.iterdir() if not item.name.startswith((".", "__MACOSX"))), key=in_order)
    yield from (item for item in entries if item.is_file())
    for item in entries:
        if item.is_dir() and not item.is_symlink():
            yield from files_below(item)


def in_order(path: Path) -> tuple[tuple[int, int, str], ...]:
    """Sort key that puts 2 before 10."""
    parts = re.findall(r"(\d+)|(\D+)", path.name.casefold())
    return tuple((0, int(digits), "") if digits else (1, 0, text) for digits, text in parts)


def why_no_picture(path: Path) -> str:
    """Say in words why a file is no picture that can be read; empty when its first bytes look like one."""
    try:
        with path.open("rb") as file:
            head = file.read(SNIFF_BYTES)
    except OSError as error:
        return f"cannot be opened ({error.strerror or error})"
    kind, foreign = sniff(head)
    return "" if kind else f"is {foreign}"


def sniff(head: bytes) -> tuple[str, str]:
    """Name a picture's format from its first bytes, or say what the bytes are instead: one of the two texts is empty."""
    if head[:4] == b"RIFF":
        return ("WEBP", "") if head[8:12] == b"WEBP" else ("", "a RIFF file, sound or video")
    if head[4:8] == b"ftyp":
        brands = (head[8:12], *(head[at : at + 4] for at in range(16, min(int.from_bytes(head[:4], "big"), len(head), 128), 4)))
        kinds = [_BRANDS[brand] for brand in brands if brand in _BRANDS]
        if kinds:
            return ("AVIF" if "AVIF" in kinds else "HEIF"), ""
        return "", "an MP4 or MOV video"
    for start, kind in _STARTS.items():
        if head.startswith(start):
            return kind, ""
    for start, what in _FOREIGN.items():
        if head.startswith(start):
            return "", what
    return "", _text_or_not(head)


def _text_or_not(head: bytes) -> str:
    if not head:
        return "an empty file"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"<svg") or (text.startswith((b"<?xml", b"<!doctype svg")) and b"<svg" in text):
        return "an SVG drawing; export it as PNG"
    if text.startswith((b"<!doctype html", b"<html")):
        return "a web page and not the picture itself"
    return "a text file" if b"\x00" not in head and sum(byte < 9 for byte in head) == 0 else "no known picture format"
