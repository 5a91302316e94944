"""Storyboard files: written for people to edit, and never overwritten once somebody did."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clipper import artefact
from clipper.errors import ArtefactError
from generators.values import Storyboard
from pipelines.plans import Written, safe_name

SCHEMA, VERSION = "storyboard", 1
LONGEST_S = 120.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BoardFile:
    """A storyboard and the stem of its files."""

    name: str
    board: Storyboard
    edited: bool
    """Whether a person changed it since it was written."""


def is_storyboard(path: Path) -> bool:
    """Say whether a plan file is a storyboard and not a clip's plan."""
    try:
        box = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(box, dict) and box.get("schema") == f"livecut.{SCHEMA}"


def load_board(path: Path) -> Storyboard:
    """Read one storyboard. Raises ArtefactError naming the field that is wrong."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ArtefactError(f"could not read plan {path}: {error.strerror or error}; check the path") from error
    board = artefact.loads(data, Storyboard, SCHEMA, VERSION, where=str(path))
    _check(board, path)
    return board


def save_boards(folder: Path, boards: Sequence[Storyboard], *, replan: bool) -> tuple[BoardFile, ...]:
    """Write storyboards as files; return what is to be made, with the edits that were found.

    A file that a person changed is kept and used, also when this run plans none of its name. `replan` writes everything anew.
    """
    written = Written(folder)
    names = names_of(boards)
    result = []
    for name, board in zip(names, boards, strict=True):
        path = folder / f"{name}.json"
        if written.is_edited(path) and not replan:
            result.append(BoardFile(name, load_board(path), True))
            continue
        written.write(path, artefact.dumps(board, SCHEMA, VERSION))
        result.append(BoardFile(name, board, False))
    for path in sorted(folder.glob("*.json")):
        if path.stem not in names and written.is_edited(path) and not replan:
            log.warning("%s was edited and is kept, though no video of this run has its name", path)
            result.append(BoardFile(path.stem, load_board(path), True))
    written.save()
    return tuple(result)


def stored_boards(folder: Path) -> tuple[BoardFile, ...]:
    """Read every storyboard of a run."""
    written = Written(folder)
    return tuple(BoardFile(path.stem, load_board(path), written.is_edited(path)) for path in sorted(folder.glob("*.json")))


def names_of(boards: Sequence[Storyboard]) -> list[str]:
    """Stems of the files: number and style, e.g. 001-clean-studio."""
    return [f"{number:03d}-{safe_name(Path(board.style).stem)}" for number, board in enumerate(boards, 1)]


def _check(board: Storyboard, path: Path) -> None:
    """Refuse what a hand may have written and nothing could show."""

    def wrong(text: str) -> ArtefactError:
        return ArtefactError(f"could not use plan {path}: {text}")

    if not board.shots:
        raise wrong("shots is empty; name at least one shot")
    if (
        board.width_px % 2
        or board.height_px % 2
        or not 64 <= min(board.width_px, board.height_px) <= max(board.width_px, board.height_px) <= 4096
    ):
        raise wrong(f"the frame is {board.width_px}×{board.height_px}; expected even numbers from 64 to 4096")
    if not 1 <= board.fps <= 120:
        raise wrong(f"fps is {board.fps}; expected 1 to 120")
    for number, shot in enumerate(board.shots):
        if not 0 <= shot.photo < len(board.pictures):
            raise wrong(f"shots[{number}].photo is {shot.photo}; the storyboard has {len(board.pictures)} pictures, counted from 0")
        if shot.last is not None and not 0 <= shot.last < len(board.pictures):
            raise wrong(f"shots[{number}].last is {shot.last}; the storyboard has {len(board.pictures)} pictures, counted from 0")
        if not 0 < shot.seconds <= LONGEST_S or shot.transition_s < 0:
            raise wrong(
                f"shots[{number}]: seconds is {shot.seconds:g}, transition_s {shot.transition_s:g}; expected above 0, and 0 or more"
            )
    if len({shot.id for shot in board.shots}) != len(board.shots):
        raise wrong("two shots have the same id; ids tell shots apart")
    if not 0 < board.seconds <= LONGEST_S:
        raise wrong(f"it lasts {board.seconds:g} s; expected at most {LONGEST_S:g}")
    for number, overlay in enumerate(board.overlays):
        if not 0 <= overlay.start < overlay.end:
            raise wrong(f"overlays[{number}] runs from {overlay.start:g} to {overlay.end:g} s; expected 0 ≤ start < end")
