"""Plan files: written for people to edit, and never overwritten once somebody did."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from clipper import artefact
from clipper.errors import ArtefactError
from clipper.values import Plan

SCHEMA, VERSION = "plan", 1

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan and the stem of its files."""

    name: str
    plan: Plan
    edited: bool
    """Whether a person changed it since it was written."""


def load_plan(path: Path) -> Plan:
    """Read one plan file. Raises ArtefactError naming the field that is wrong."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ArtefactError(f"could not read plan {path}: {error.strerror or error}; check the path") from error
    plan = artefact.loads(data, Plan, SCHEMA, VERSION, where=str(path))
    _check(plan, path)
    return plan


def save_plans(folder: Path, plans: Sequence[Plan], *, replan: bool) -> tuple[PlanFile, ...]:
    """Write plans as files; return what is to be rendered, with the edits that were found.

    A file that a person changed is kept and used, also when no plan of this run has its name any more. `replan` writes
    everything anew.
    """
    written = Written(folder)
    names = _names(plans)
    result = []
    for name, plan in zip(names, plans, strict=True):
        path = folder / f"{name}.json"
        if written.is_edited(path) and not replan:
            result.append(PlanFile(name, load_plan(path), True))
            continue
        data = artefact.dumps(plan, SCHEMA, VERSION)
        written.write(path, data)
        result.append(PlanFile(name, plan, False))
    for path in sorted(folder.glob("*.json")):
        if path.stem in names:
            continue
        if written.is_edited(path) and not replan:
            log.warning("%s was edited and is kept, though no clip of this run has its name", path)
            result.append(PlanFile(path.stem, load_plan(path), True))
        else:
            path.unlink()
    written.save()
    return tuple(result)


def stored_plans(folder: Path) -> tuple[PlanFile, ...]:
    """Read every plan of a run."""
    written = Written(folder)
    return tuple(PlanFile(path.stem, load_plan(path), written.is_edited(path)) for path in sorted(folder.glob("*.json")))


def safe_name(text: str, length: int = 40) -> str:
    """Turn an sku into part of a file name; a short digest keeps apart what this makes equal.

    Path separators, control characters, reserved device names and trailing dots cannot get through.
    """
    plain = unicodedata.normalize("NFC", text)
    kept = re.sub(r"[^\w\-]+", "-", plain, flags=re.UNICODE).strip("-_")[:length].strip("-_")
    reserved = re.fullmatch(r"(?i)con|prn|aux|nul|com\d|lpt\d", kept)
    if kept and kept == text and not reserved:
        return kept
    return f"{kept or 'x'}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:6]}"


def _names(plans: Iterable[Plan]) -> list[str]:
    return [f"{number:03d}-{plan.type}" + (f"-{safe_name(plan.sku)}" if plan.sku else "") for number, plan in enumerate(plans, 1)]


def _check(plan: Plan, path: Path) -> None:
    if not plan.sources:
        raise ArtefactError(f"could not use plan {path}: sources is empty; name at least one stretch of the recording")
    for number, span in enumerate(plan.sources):
        if not 0 <= span.start < span.end:
            raise ArtefactError(
                f"could not use plan {path}: sources[{number}] runs from {span.start} to {span.end} s; expected 0 ≤ start < end"
            )


class Written:
    """Digests of the plan files as this program wrote them: what differs was edited."""

    def __init__(self, folder: Path) -> None:
        self.path = folder.parent / ".plans.json"
        try:
            self.digests: dict[str, str] = dict(json.loads(self.path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            self.digests = {}

    def is_edited(self, path: Path) -> bool:
        """Say whether a file is there and not as it was written."""
        if not path.is_file():
            return False
        return self.digests.get(path.stem) != hashlib.sha256(path.read_bytes()).hexdigest()

    def write(self, path: Path, data: bytes) -> None:
        """Write a file when it differs, and remember it."""
        new = hashlib.sha256(data).hexdigest()
        if self.digests.get(path.stem) != new or not path.is_file():
            artefact.save(path, data)
        self.digests[path.stem] = new
        self.save()

    def save(self) -> None:
        """Write the digests."""
        artefact.save(self.path, json.dumps(self.digests, indent=1, sort_keys=True).encode() + b"\n")
