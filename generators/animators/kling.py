"""Kling's hosted model: the picture is sent, a film comes back. Every shot costs money, so it is asked for once and never twice.

What was asked is written down before it is sent, and found again by its name at the service: a run that was killed anywhere
goes on where it was, with the task it has paid for.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from clipper import artefact, media
from clipper.errors import ArtefactError, InputError, LivecutError, ToolError
from clipper.values import Span
from generators.footage import SUFFIX, FileFootage, open_footage, write_footage
from generators.kling_access import BASE_URL, GLOBAL, Keys, check_base
from generators.kling_client import KlingClient, KlingTask, KlingTimes, NotThere, Refused
from generators.kling_models import (
    LARGEST_PICTURE,
    LONGEST_PROMPT,
    SMALLEST_SIDE_PX,
    WIDEST,
    kling_model,
    prices_as_of,
)
from generators.prefit import prefit, prefit_last
from generators.values import Origin, Photo, Shot, ShotRequest

log = logging.getLogger(__name__)

VERSION = 1
"""Goes up when the same request means another film: it is part of a task's name."""
QUALITY = (95, 88, 80)
"""JPEG qualities that are tried until a picture is small enough."""
ATTEMPTS = 5
"""Names a task may have: one whose last attempt failed at the service is asked for under the next."""
SHORTEST_SHARE = 0.9
"""A film must be at least this long, against what was ordered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KlingOptions:
    """How the hosted model is asked."""

    model: str = "kling-v2-5-turbo"
    """Model name of the API; see the table in `docs/kling.md`."""
    mode: Literal["std", "pro"] = "pro"
    """std is 720p, pro 1080p."""
    cfg_scale: float = 0.5
    """How closely the prompt is followed, 0 to 1; only sent to models that take it."""
    base_url: str = ""
    """Address of the API, https only; empty takes KLING_BASE_URL from the environment, else the global one."""
    times: KlingTimes = field(default_factory=KlingTimes)
    """How long to wait for what."""

    def __post_init__(self) -> None:
        kling_model(self.model).mode(self.mode)
        if not 0 <= self.cfg_scale <= 1:
            raise InputError(f"could not use kling.cfg_scale = {self.cfg_scale}: it must be from 0 to 1")
        if self.base_url:
            check_base(self.base_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What shots would cost."""

    shots: int
    dollars: float
    text: str
    """For people, with the day the prices are of."""


def estimate(shots: Sequence[Shot], options: KlingOptions | None = None) -> Estimate:
    """Reckon what shots would cost, at the list prices of the table. Raises InputError for a shot the model does not make."""
    options = options or KlingOptions()
    model = kling_model(options.model)
    mode = model.mode(options.mode)
    lengths = [model.length(shot.seconds) for shot in shots]
    dollars = sum(model.cost(mode, length) for length in lengths)
    seconds = " + ".join(f"{lengths.count(length)} × {length} s" for length in model.seconds if length in lengths) or "nothing"
    named = f"{model.name} {mode}".strip()
    text = f"{seconds} of {named}: about US${dollars:.2f} (estimate, list prices of {prices_as_of()})"
    return Estimate(shots=len(lengths), dollars=round(dollars, 4), text=text)


def confirm(shots: Sequence[Shot], options: KlingOptions | None = None, *, confirmed: bool) -> Estimate:
    """Return the estimate, or raise InputError with it when nobody has agreed to pay."""
    found = estimate(shots, options)
    if not confirmed:
        raise InputError(f"could not use Kling without your consent to the cost: {found.text}; give --yes to pay it")
    return found


class Kling:
    """Turns a picture into a shot with the hosted model."""

    def __init__(self, options: KlingOptions | None = None, *, confirmed: bool = False) -> None:
        """Check options and keys; nothing is sent. `confirmed` says that the cost is agreed to. Raises InputError."""
        self.options = options or KlingOptions()
        self.model = kling_model(self.options.model)
        self.base_url = check_base(self.options.base_url or os.environ.get(BASE_URL, "").strip() or GLOBAL)
        self._keys = Keys.from_environment()
        self._confirmed = confirmed

    def animate(
        self, request: ShotRequest, work: Path, *, progress: Callable[[float], None], cancelled: Callable[[], bool]
    ) -> tuple[FileFootage, Origin]:
        """Make the shot, or go on with what a former run has ordered in `work`.

        Raises InputError (not agreed to, or refused by the service), ToolError (service, account, line, deadline) and Cancelled.
        """
        order = self._order(request)
        files = _Files(work, order.name)
        footage = files.finished()
        if footage is None:
            confirm([request.shot], self.options, confirmed=self._confirmed)
            client = KlingClient(self._keys, self.base_url, self.options.times, cancelled=cancelled)
            self._film(client, order, files, progress)
            footage = files.cut(request.shot.seconds, order.length, cancelled)
        progress(1.0)
        return footage, self._origin(request, order, files)

    def close(self) -> None:
        """Nothing is held."""

    def _order(self, request: ShotRequest) -> _Order:
        """Check a request against the model's row and write down what is to be sent. Raises InputError."""
        mode, length = self.model.mode(self.options.mode), self.model.length(request.shot.seconds)
        if request.last is not None:
            self.model.check_last(mode, length)
        for what, text in (("prompt", request.shot.prompt), ("negative prompt", request.shot.negative)):
            if len(text) > LONGEST_PROMPT:
                raise InputError(
                    f"could not send shot {request.shot.id} to Kling: its {what} has {len(text)} characters; shorten it to {LONGEST_PROMPT}"
                )
        short, long = sorted((request.width_px, request.height_px))
        if short < SMALLEST_SIDE_PX or long > WIDEST * short:
            size = f"{request.width_px}×{request.height_px}"
            raise InputError(
                f"could not send a picture of {size} to Kling: it takes sides from {SMALLEST_SIDE_PX} px, and shapes up to {WIDEST:g}:1"
            )
        settings = {
            "version": VERSION,
            "model": self.model.name,
            "mode": mode,
            "length": length,
            "cfg_scale": self.options.cfg_scale if self.model.takes_cfg_scale else None,
            "picture": request.photo.sha256,
            "last": request.last.sha256 if request.last else None,
            "size": [request.width_px, request.height_px],
            "prompt": request.shot.prompt,
            "negative": request.shot.negative,
            "seed": request.shot.seed,
        }
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
        return _Order(name=f"livecut-{digest[:32]}", mode=mode, length=length, request=request)

    def _film(self, client: KlingClient, order: _Order, files: _Files, progress: Callable[[float], None]) -> None:
        """Bring the film of an order into its folder."""
        if files.film.exists():
            return
        task = self._task(client, order, files)
        for _ in range(2):
            task = client.wait(task, progress=progress)
            files.note(task=task.id, stage="made", units=task.units)
            try:
                client.download(task.url, files.film)
                return
            except NotThere as error:
                log.info("kling: %s; asking for a new address", error)
                lost = error
                task = client.look_up(task.id) or task
        raise ToolError(f"could not fetch the film of Kling's task {task.id}: {lost}; run again to ask for it anew") from lost

    def _task(self, client: KlingClient, order: _Order, files: _Files) -> KlingTask:
        """Find the task of an order, or create it: what failed at the service before is ordered under its next name."""
        known = files.known_task()
        found = client.look_up(known) if known else None
        if found is not None and found.status != "failed":
            return found
        for attempt in range(1, ATTEMPTS + 1):
            name = order.name if attempt == 1 else f"{order.name}-{attempt}"
            files.note(task="", stage="ordered", name=name)
            found = client.look_up(name)
            if found is not None and found.status == "failed":
                continue
            if found is None:
                found = client.create(self._body(order, name))
            files.note(task=found.id, stage="created", name=name)
            return found
        words = found.message if found else ""
        raise Refused(f"could not make the shot: Kling has failed at it {ATTEMPTS} times: {words}; change the prompt or the seed")

    def _body(self, order: _Order, name: str) -> dict[str, Any]:
        request = order.request
        picture = prefit(request.photo, request.cutout, request.width_px, request.height_px, request.style.palette.background)
        body: dict[str, Any] = {
            "model_name": self.model.name,
            "image": _encoded(picture, request.photo),
            "prompt": request.shot.prompt,
            "duration": str(order.length),
            "external_task_id": name,
        }
        if request.shot.negative:
            body["negative_prompt"] = request.shot.negative
        if order.mode:
            body["mode"] = order.mode
        if self.model.takes_cfg_scale:
            body["cfg_scale"] = self.options.cfg_scale
        if request.last is not None:
            body["image_tail"] = _encoded(prefit_last(request, request.width_px, request.height_px), request.last)
        return body

    def _origin(self, request: ShotRequest, order: _Order, files: _Files) -> Origin:
        notes = files.notes()
        settings = [("mode", order.mode), ("duration", str(order.length)), ("external_task_id", notes.get("name", order.name))]
        settings += [(name, str(notes[name])) for name in ("task", "units") if notes.get(name)]
        if self.model.takes_cfg_scale:
            settings.append(("cfg_scale", f"{self.options.cfg_scale:g}"))
        return Origin(
            backend="kling",
            is_generated=True,
            seed=request.shot.seed,
            model=self.model.name,
            licence="Kling AI terms of service",
            prompt=request.shot.prompt,
            negative=request.shot.negative,
            picture_sha256=request.photo.sha256,
            settings=tuple(settings),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What is asked for, and the name it has everywhere."""

    name: str
    """Made from picture, prompt, seed and settings: the same order has the same name on every machine."""
    mode: str
    length: int
    request: ShotRequest


class _Files:
    """An order's files in the work folder."""

    def __init__(self, work: Path, name: str) -> None:
        work.mkdir(parents=True, exist_ok=True)
        self.state, self.film, self.footage = work / f"{name}.json", work / f"{name}.mp4", work / f"{name}{SUFFIX}"

    def notes(self) -> dict[str, str]:
        """What was written down; empty when nothing readable was."""
        try:
            found = json.loads(self.state.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def note(self, **facts: str) -> None:
        """Write facts down, on the disk before anything else happens."""
        artefact.save(self.state, json.dumps({**self.notes(), **facts}, indent=1).encode() + b"\n")

    def known_task(self) -> str:
        """Id of the task that a former run has created, if it came to that."""
        task = self.notes().get("task", "")
        return task if isinstance(task, str) else ""

    def finished(self) -> FileFootage | None:
        """The finished shot of a former run."""
        if not self.footage.exists():
            return None
        try:
            return open_footage(self.footage)
        except ArtefactError as error:
            log.warning("%s", error)
            self.footage.unlink()
            return None

    def cut(self, seconds: float, length: int, cancelled: Callable[[], bool]) -> FileFootage:
        """Check the film and keep as much of it as the shot is long. Raises ToolError when it is not what was ordered."""
        try:
            film = media.probe(self.film)
        except LivecutError as error:
            self.film.unlink(missing_ok=True)
            raise ToolError(f"could not use the film that came from Kling: {error}; run again to fetch it anew") from error
        if film.duration < min(SHORTEST_SHARE * length, seconds) or film.damaged:
            self.film.unlink(missing_ok=True)
            raise ToolError(
                f"could not use the film that came from Kling: {film.duration:g} s of {length} s can be read; run again to fetch it anew"
            )
        count = math.ceil(min(seconds, film.duration) * film.fps - 0.5)
        frames = (frame.image[..., ::-1] for frame in media.frames(film, Span(0, (count - 0.5) / float(film.fps))))
        rows, columns = film.height_px, film.width_px
        footage = write_footage(self.footage, map(_plain, frames), width_px=columns, height_px=rows, fps=film.fps, cancelled=cancelled)
        self.note(stage="finished")
        return footage


def _plain(image: Any) -> Any:
    import numpy as np

    return np.ascontiguousarray(image)


def _encoded(picture: Any, photo: Photo) -> str:
    """Write a picture as base64 of a JPEG that the service takes. Raises InputError when it stays too large."""
    import cv2

    for quality in QUALITY:
        done, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        if done and data.size <= LARGEST_PICTURE:
            return base64.b64encode(data.tobytes()).decode()
    raise InputError(
        f"could not send {photo.path} to Kling: it has more than {LARGEST_PICTURE // 1_000_000} MB as JPEG; ask for a smaller video"
    )
