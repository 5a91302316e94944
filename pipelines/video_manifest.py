"""manifest.json and the sidecars of generated videos, version 1. Fields may be added, never changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import TYPE_CHECKING, Any

from clipper import ffmpeg
from clipper.version import __version__
from generators.values import Fidelity, Origin, Take

if TYPE_CHECKING:
    from pipelines.filming import ShotRecord, Video

SCHEMA, SIDECAR = "livecut.manifest", "livecut.sidecar"
VERSION = 1
KIND = "videos"
"""Tells this manifest from that of a recording's clips."""


def manifest(
    product: Mapping[str, Any], inputs: Mapping[str, Any], videos: Sequence[Video], *, backend: str, used: str, why: str
) -> dict[str, Any]:
    """Build the manifest as plain data."""
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "kind": KIND,
        "product": dict(product),
        "inputs": dict(inputs),
        "backend": {"asked": backend, "used": used, "why": why},
        "videos": [_video(video) for video in videos],
        "coverage": {"warnings": _warnings(inputs, videos)},
    }


def _warnings(inputs: Mapping[str, Any], videos: Sequence[Video]) -> list[str]:
    said = list(inputs.get("warnings", ()))
    for video in videos:
        said += list(video.film.warnings)
        said += [f"{video.name}, shot {record.shot.id}: {note}" for record in video.shots for note in record.notes]
    return list(dict.fromkeys(said))


def _video(video: Video) -> dict[str, Any]:
    board, film = video.board, video.film
    return {
        "id": board.id,
        "sku": board.sku,
        "title": board.title,
        "style": board.style,
        "file": film.video,
        "cover": film.cover,
        "plan": f"plans/{video.name}.json",
        "sidecar": film.video.removesuffix(".mp4") + ".json",
        "duration_s": film.duration,
        "width": film.width_px,
        "height": film.height_px,
        "fps": board.fps,
        "loudness_lufs": film.loudness_lufs,
        "true_peak_dbtp": film.true_peak_dbtp,
        "seed": board.seed,
        "loop": board.loop,
        "music": board.music,
        "backend": board.backend,
        "label": _label(video),
        "synthetic_elements": synthetic_elements(video),
        "edits": edits(video),
        "shots": [_shot(record) for record in video.shots],
        "reasons": reasons(video),
        "warnings": list(film.warnings),
        "edited": video.edited,
        "sha256": film.sha256,
    }


def _label(video: Video) -> dict[str, Any]:
    film = video.film
    return {"kind": film.label, "text": film.label_text, "metadata": {name: json.loads(value) for name, value in film.metadata}}


def synthetic_elements(video: Video) -> list[str]:
    """Name what a model made, and pictures that came with a label of their own."""
    found = []
    for record in video.shots:
        take = used(record)
        if take is not None and take.origin.is_generated:
            model = f" ({take.origin.model})" if take.origin.model else ""
            kept = "; the product's own pixels put back" if take.pixel_lock else ""
            found.append(f"shot {record.shot.id}: {take.origin.backend}{model}{kept}")
    if any(name == "AIGC_sources" for name, _ in video.film.metadata):
        found.append("a picture that carries an AIGC label")
    return found


def edits(video: Video) -> list[str]:
    """Name what was done to real photographs."""
    moved = [record.shot.id for record in video.shots if record.is_camera]
    return [f"camera moves over a photograph: shot {', '.join(moved)}"] if moved else []


def reasons(video: Video) -> list[str]:
    """Say in words why each shot is what it is."""
    said = []
    for record in video.shots:
        failed = [take for take in record.takes if not take.used]
        if failed:
            why = "; ".join(dict.fromkeys(reason for take in failed for reason in take.fidelity.reasons))
            said.append(f"shot {record.shot.id}: {len(failed)} take(s) not used ({why}); {record.rung} in the end")
    return said


def used(record: ShotRecord) -> Take | None:
    """The take that is shown."""
    return next((take for take in record.takes if take.used), None)


def _shot(record: ShotRecord) -> dict[str, Any]:
    return {
        "id": record.shot.id,
        "picture": record.shot.photo,
        "move": record.shot.move,
        "seconds": record.shot.seconds,
        "backend": record.rung,
        "takes": [_take(take) for take in record.takes],
        "notes": list(record.notes),
    }


def _take(take: Take) -> dict[str, Any]:
    return {
        "backend": take.origin.backend,
        "model": take.origin.model,
        "seed": take.origin.seed,
        "generated": take.origin.is_generated,
        "pixel_lock": take.pixel_lock,
        "used": take.used,
        "why": take.why,
        "fidelity": _fidelity(take.fidelity),
    }


def _fidelity(said: Fidelity) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name in said.__dataclass_fields__:
        value = getattr(said, name)
        row[name] = round(value, 4) if isinstance(value, float) else list(value) if isinstance(value, tuple) else value
    return row


# --- sidecars --------------------------------------------------------------------------------------


def sidecar(video: Video) -> dict[str, Any]:
    """Say everything that is needed to make a video again, and what its label says."""
    film, board = video.film, video.board
    return {
        "schema": SIDECAR,
        "version": VERSION,
        "file": film.video.rpartition("/")[2],
        "sha256": film.sha256,
        "content": film.content,
        "label": _label(video),
        "synthetic_elements": synthetic_elements(video),
        "edits": edits(video),
        "seed": board.seed,
        "style": board.style,
        "pictures": [{"path": ref.path, "sha256": ref.sha256} for ref in board.pictures],
        "music": board.music,
        "shots": [{"id": record.shot.id, **_origin(take.origin), "pixel_lock": take.pixel_lock} for record, take in _shown(video)],
        "versions": versions(),
    }


def _shown(video: Video) -> list[tuple[ShotRecord, Take]]:
    return [(record, take) for record in video.shots if (take := used(record)) is not None]


def _origin(origin: Origin) -> dict[str, Any]:
    return {
        "backend": origin.backend,
        "generated": origin.is_generated,
        "seed": origin.seed,
        "model": origin.model,
        "revision": origin.revision,
        "licence": origin.licence,
        "scheduler": origin.scheduler,
        "prompt": origin.prompt,
        "negative": origin.negative,
        "picture_sha256": origin.picture_sha256,
        "settings": dict(origin.settings),
        "versions": dict(origin.versions),
    }


def versions() -> dict[str, str]:
    """Versions of what every video goes through."""
    found = {"livecut": __version__, "ffmpeg": ffmpeg.find().version}
    for name in ("moviepy", "pillow", "numpy", "opencv-python-headless"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
