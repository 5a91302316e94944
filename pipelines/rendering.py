"""Edited storyboards rendered anew, with the options of the run that they belong to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from generators.values import Storyboard
from pipelines import config
from pipelines.backends import Backends, choose_backends
from pipelines.clips import alone, writable
from pipelines.consent import agree, unmade
from pipelines.filming import Gallery, make_video
from pipelines.progress import Asked, Callback, Meter, ignore, never
from pipelines.settings import Settings
from pipelines.storyboards import BoardFile, load_board, stored_boards
from pipelines.videos import publish
from pipelines.workdir import Workdir


def render_boards(
    paths: Sequence[str | Path],
    *,
    settings: Settings | None = None,
    progress: Callback = ignore,
    cancelled: Asked = never,
    confirmed: bool = False,
) -> tuple[Path, ...]:
    """Render storyboard files anew and bring their run's manifest up to date; one outside a run is rendered beside itself.

    `confirmed` says that the kling backend may spend what it costs. Raises InputError, ModelError, ToolError, and Cancelled.
    """
    meter = Meter(progress, cancelled)
    videos: list[Path] = []
    for path in map(Path, paths):
        own = settings or settings_of_run(path)
        board = load_board(path)
        backends = choose_backends(replace(own.generate, backend=board.backend), confirmed=confirmed)  # type: ignore[arg-type]
        try:
            videos.append(_again(path, board, backends, own, meter))
        finally:
            backends.close()
    return tuple(videos)


def settings_of_run(plan: Path, flags: Mapping[str, Any] | None = None) -> Settings:
    """Options of the run that a storyboard lies in, with `flags` on top; outside a run those of livecut.toml and the environment.

    The run's own, because its videos were made with them: others would make them all anew, and with another model.
    """
    try:
        told = json.loads((_root_of(plan) / "run.json").read_bytes())["options"]
    except (OSError, ValueError, KeyError, TypeError):
        return config.load(Settings, file=config.find_file(Path.cwd()), flags=flags)
    return config.load(Settings, base=told, environ={}, flags=flags)


def _root_of(plan: Path) -> Path:
    return plan.resolve().parent.parent


def _again(path: Path, board: Storyboard, backends: Backends, settings: Settings, meter: Meter) -> Path:
    """Render a storyboard, and with it whatever of its run does not fit any more."""
    root = _root_of(path)
    in_run = path.resolve().parent.name == "plans" and (root / "manifest.json").is_file()
    work = Workdir(root if in_run else path.resolve().parent)
    prefix = "videos/" if in_run else ""
    with writable(work.root), alone(work.root) if in_run else nullcontext():
        files = stored_boards(root / "plans") if in_run else (BoardFile(path.stem, board, True),)
        if backends.name == "kling":
            agree(unmade(files, backends, settings, work, prefix), backends, settings, meter)
        gallery: Gallery = {}
        videos = [make_video(file, backends, settings, work, meter, prefix, gallery) for file in files]
        if in_run:
            old = json.loads((root / "manifest.json").read_text(encoding="utf-8"))
            publish(old["product"], old.get("inputs", {}), videos, backends, settings, work, meter)
    return work.root / next(video.film.video for video in videos if video.name == path.stem)
