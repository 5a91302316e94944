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


def checks() -> tuple[Check, ...]:
    """Look at everything; a check that fails never hides the others."""
    return (
        _check("python", lambda: f"{sys.version.split()[0]} at {sys.executable}"),
        _check("ffmpeg", _ffmpeg),
        *(_check(f"model {name}", lambda name=name: str(weights.locate(name))) for name in weights.DEFAULTS),  # type: ignore[misc]
        _check("font", lambda: str(fonts.find_font())),
        _check("disk", _disk),
        _check(
            "processors",
            lambda: f"{os.cpu_count()} here, {len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()} for us",
        ),
        _check("sandbox", _sandbox),
    )


def _check(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except (LivecutError, OSError) as error:
        return Check(name, False, str(error))


def _ffmpeg() -> str:
    tool = ffmpeg.find()
    return f"{tool.version} from {tool.source}: {tool.path}"


def _disk() -> str:
    here, scratch = shutil.disk_usage(Path.cwd()).free, shutil.disk_usage(tempfile.gettempdir()).free
    if min(here, scratch) < FREE_BYTES:
        raise LivecutError(
            f"{here / 1e9:.1f} GB free here, {scratch / 1e9:.1f} GB in {tempfile.gettempdir()}; a night of clips needs more than 2 GB"
        )
    return f"{here / 1e9:.0f} GB free here"


def _sandbox() -> str:
    """User namespaces let ffmpeg run without a network; where they are off, only its own white lists protect."""
    limit = Path("/proc/sys/user/max_user_namespaces")
    allowed = limit.is_file() and int(limit.read_text() or 0) > 0
    return "user namespaces are on" if allowed else "user namespaces are off: ffmpeg is held by its protocol and format white lists alone"
