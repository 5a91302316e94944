"""Which files are meant: recordings given one by one, as folders or as patterns, and what is left alone in a folder."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from clipper.audience.files import RECORDING_SUFFIXES
from pipelines import places

TEMPORARY = (".part", ".tmp", ".temp", ".crdownload", ".download", ".filepart", ".aria2", ".ytdl", ".!qb", ".bak", "~")
"""Ends of names of files that somebody is still writing."""
PICTURE_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".heic", ".heif", ".hif", ".avif")
)
"""Ends of names of product pictures: of every kind that `generators.images` reads."""
SYSTEM_FOLDERS = frozenset({"@eadir", "#recycle", "$recycle.bin", "lost+found", "system volume information", "__macosx"})
RUN_FILES = ("manifest.json", ".plans.json", ".lock")
"""Any of these marks a folder of results."""

Told = Callable[[Path, str], None]


def expand(arguments: Iterable[Path], *, out: Path, ignored: Told = lambda path, why: None) -> Iterator[Path]:
    """Name the recordings that are meant, one after another and each once, before a large folder has been read to its end.

    A folder means the recordings in it and below, by their suffix; a pattern (`*`, `?`, `[…]`) what it matches; anything else
    itself. `out` is never searched. `ignored` hears of every file that looks like a recording and is left alone, and why.
    """
    seen: set[str] = set()
    for argument in arguments:
        for path in _meant(argument, os.path.realpath(out), ignored):
            name = str(places.absolute(path))  # two links to one file are told apart by content, later
            if name not in seen:
                seen.add(name)
                yield path


def is_several(argument: Path) -> bool:
    """Whether an argument may stand for several recordings."""
    return places.is_url(argument) or argument.is_dir() or (not argument.exists() and glob.has_magic(str(argument)))


def why_ignored(entry: os.DirEntry[str]) -> str | None:
    """Say why a file or folder is left alone; None when it is not."""
    name = entry.name.casefold()
    if name.startswith("."):
        return "hidden"
    if name.endswith(TEMPORARY):
        return "temporary: somebody still writes it"
    if name in SYSTEM_FOLDERS:
        return "belongs to the system"
    if entry.is_symlink():
        return "a link"
    if not entry.is_file(follow_symlinks=False) and not entry.is_dir(follow_symlinks=False):
        return "not a regular file"
    return None


def looks_like_a_recording(name: str) -> bool:
    """Whether a name ends like a recording's; `show.mp4.part` does, too."""
    lower = name.casefold()
    for ending in TEMPORARY:
        lower = lower.removesuffix(ending)
    return os.path.splitext(lower)[1] in RECORDING_SUFFIXES  # noqa: PTH122  names, not paths


def _meant(argument: Path, out: str, ignored: Told) -> Iterator[Path]:
    if places.is_url(argument) and not os.path.lexists(argument):
        yield from _at_url(argument, out)
    elif argument.is_dir():
        yield from walk(argument, out=out, ignored=ignored)
    elif not argument.exists() and glob.has_magic(str(argument)):
        found = sorted(glob.glob(str(argument), recursive=True))  # noqa: PTH207  ** and absolute patterns in one
        for path in map(Path, found or [str(argument)]):
            yield from walk(path, out=out, ignored=ignored) if path.is_dir() else [path]
    else:
        yield argument


def _at_url(argument: Path, out: str) -> Iterator[Path]:
    """Recordings that a URL means: itself, what it matches, or what lies below it, folders of results left out."""
    if str(argument).startswith(places.WEB):
        yield argument  # nobody can list what the web holds
        return
    if glob.has_magic(str(argument)):
        yield from places.matching(argument)
        return
    if not places.is_folder(argument):
        yield argument
        return
    found = sorted(places.below(argument))
    results = {path.parent for path in found if path.name in RUN_FILES}
    for path in found:
        hidden = any(part.startswith(".") for part in path.relative_to(argument).parts)
        looks_right = os.path.splitext(path.name.casefold())[1] in RECORDING_SUFFIXES  # noqa: PTH122  a name, not a path
        if looks_right and not hidden and not results & set(path.parents):
            yield path


def walk(folder: Path, *, out: str = "", ignored: Told = lambda path, why: None) -> Iterator[Path]:
    """Go through a folder and those below it, names in order, without following links; folders of results are left out.

    A folder that cannot be read is told to `ignored`, and the others go on.
    """
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        ignored(folder, f"cannot be read: {error.strerror or error}")
        return
    names = {entry.name for entry in entries}
    if any(name in names for name in RUN_FILES) or os.path.realpath(folder) == out:
        return
    for entry in entries:
        path, why = folder / entry.name, why_ignored(entry)
        is_folder = entry.is_dir(follow_symlinks=False)
        if why is None and is_folder:
            yield from walk(path, out=out, ignored=ignored)
        elif not looks_like_a_recording(entry.name):
            continue
        elif why is None:
            yield path
        else:
            ignored(path, why)
