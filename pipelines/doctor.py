"""`livecut doctor`: is everything here that a run needs?"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from clipper import ffmpeg, fonts
from clipper.errors import LivecutError
from clipper.speech import weights

FREE_BYTES = 2_000_000_000
"""Less free space than this is worth a word: a night of clips needs more."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str


def checks(out: Path | None = None, ledger: Path | None = None) -> tuple[Check, ...]:
    """Look at everything, and at the ledger of the results in `out`, by default in it; a check that fails never hides the others."""
    return (
        _check("python", lambda: f"{sys.version.split()[0]} at {sys.executable}"),
        _check("ffmpeg", _ffmpeg),
        *(_check(f"model {name}", lambda name=name: f"{weights.locate(name)}, hashes right") for name in weights.DEFAULTS),  # type: ignore[misc]
        _check("font", _font),
        _check("GPU", _gpu),
        _check("disk", lambda: _disk(out)),
        _check(
            "processors",
            lambda: f"{os.cpu_count()} here, {len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()} for us",
        ),
        _check("network off", _network),
        _check("sandbox", _sandbox),
        _check("elsewhere", _elsewhere),
        *([_check("ledger", lambda: _ledger(ledger or out / "livecut.ledger"))] if out is not None else []),
    )


def _check(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except (LivecutError, OSError) as error:
        return Check(name, False, str(error))


def _ffmpeg() -> str:
    tool = ffmpeg.find()
    return f"{tool.version} from {tool.source}, with {', '.join(ffmpeg.NEEDED)}: {tool.path}"


def _font() -> str:
    face = fonts.find_font()
    return f"{face.family}: {face.path}"


def _gpu() -> str:
    """Name the graphics processors that recognition can use: asked of the library that does it, which is small beside torch."""
    try:
        import ctranslate2
    except ImportError:
        return "not asked for: no speech engine is installed"
    count = int(ctranslate2.get_cuda_device_count())
    return f"{count} with CUDA" if count else "none: everything runs on the processors"


def _disk(out: Path | None) -> str:
    place = next((folder for folder in (out, *(out.parents if out else ())) if folder and folder.is_dir()), Path.cwd())
    here, scratch = shutil.disk_usage(place).free, shutil.disk_usage(tempfile.gettempdir()).free
    if min(here, scratch) < FREE_BYTES:
        raise LivecutError(
            f"{here / 1e9:.1f} GB free in {place}, {scratch / 1e9:.1f} GB in {tempfile.gettempdir()}; a night of clips needs more than 2 GB"
        )
    return f"{here / 1e9:.0f} GB free in {place}"


def _network() -> str:
    """Name spaces let ffmpeg run without a network; where they are off, only its own white lists protect."""
    if ffmpeg.guards()[0].works:
        return "user name spaces are on: ffmpeg runs in a network name space of its own, without a network"
    return "user name spaces are off for this user: ffmpeg is kept from the network by its protocol and format white lists alone"


def _sandbox() -> str:
    held = [guard.what for guard in ffmpeg.guards()[1:] if guard.works]
    lacking = [f"{guard.what} ({guard.command[0] if guard.command else 'no helper'})" for guard in ffmpeg.guards()[1:] if not guard.works]
    return "ffmpeg is held by: " + ", ".join(held or ["nothing"]) + (f"; not here: {', '.join(lacking)}" if lacking else "")


def _elsewhere() -> str:
    """Say what is installed for work on other machines and files at URLs; a run here needs neither."""
    from importlib.metadata import PackageNotFoundError, version

    told = []
    for package, purpose in (("ray", "clusters"), ("fsspec", "files at URLs")):
        try:
            told.append(f"{purpose} by {package} {version(package)}")
        except PackageNotFoundError:
            told.append(f"no {purpose}: {package} is not installed")
    return ", ".join(told)


def _ledger(path: Path) -> str:
    """Open the ledger of a folder of results: its schema, its pages, and what its files came to."""
    from pipelines.ledger import Ledger
    from pipelines.ledger.filesystem import network_name

    if not path.is_file():
        kind = network_name(path.parent) if path.parent.is_dir() else None
        return f"none in {path.parent} yet" + (
            f", and none can be: {kind} is a network file system; name one with --ledger" if kind else ""
        )
    with Ledger(path) as ledger:
        counts = ", ".join(f"{count} {state}" for state, count in sorted(ledger.counts().items()))
    return f"{path} is sound: {counts or 'empty'}; livecut ledger audit compares it with the files"
