"""Runs: from a recording or a picture to finished files, from the command line or from Python.

>>> from pipelines import make_clips
>>> run = make_clips("show.mp4", progress=print)   # doctest: +SKIP
>>> run.videos                                      # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.clips import Run, make_clips, render_plans
    from pipelines.progress import Progress
    from pipelines.rendering import render_boards
    from pipelines.settings import Settings
    from pipelines.videos import VideoRun, make_videos

__all__ = ["Progress", "Run", "Settings", "VideoRun", "make_clips", "make_videos", "render_boards", "render_plans"]

_HOME = {
    "Progress": "pipelines.progress",
    "Run": "pipelines.clips",
    "Settings": "pipelines.settings",
    "VideoRun": "pipelines.videos",
    "make_clips": "pipelines.clips",
    "make_videos": "pipelines.videos",
    "render_boards": "pipelines.rendering",
    "render_plans": "pipelines.clips",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for only then: importing the package stays light."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)
