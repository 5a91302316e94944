"""What one job is: one content with one set of options, as the ledger knows it.

Two recordings are the same when their bytes are; two runs are the same when options and side files are, too. What only says
where and how fast (folder, threads, device) makes no other job.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from clipper import artefact, audience, media
from clipper.catalog import find_catalog, read_catalog
from clipper.errors import InputError, LivecutError
from clipper.media.formats import HEAD_BYTES, sniff_bytes
from pipelines import carrying, places
from pipelines.inputs import Inputs
from pipelines.ledger import Job, Ledger, Seen
from pipelines.settings import Settings
from pipelines.workdir import digest, run_folder

_NO_MATTER = {"run": ("out", "jobs", "recordings", "attempts", "ledger", "executor", "scratch", "http"), "speech": ("threads", "device")}
"""Options that change where and how fast, and not what."""
_SECTIONS = {
    "clip": ("run", "speech", "vision", "gather", "find", "plan", "render"),
    "generate": ("generate", "plan", "render"),
}
"""Sections of the options that each kind of job looks at."""


def enrol(ledger: Ledger, inputs: Inputs, settings: Settings, *, replan: bool = False) -> Job:
    """Record a recording and its job in the ledger; its bytes are read only when the ledger does not know them yet.

    A folder is one product's pictures, to make videos of. Raises InputError for what is no recording: such a file is recorded
    as rejected.
    """
    path = places.absolute(inputs.recording)
    if not places.is_url(path) and path.is_dir():
        return _enrol_pictures(ledger, path, inputs, settings, replan=replan)
    try:
        _sniff(path, settings)
    except InputError as error:
        found = _found_at(path, settings)
        if found is not None:
            ledger.note([found], "rejected", str(error))
        raise
    seen = Seen.of(path)
    chosen = {
        "kind": "clip",
        "settings": what_matters(settings, "clip"),
        "side_files": _side_files(inputs, settings),
        "start_time": inputs.start_time,
    }
    folder = _folder_of(path, settings)
    return _add(
        ledger,
        seen,
        chosen,
        content=content_of(ledger, seen),
        task=task_text(inputs, settings, replan=replan),
        folder=folder,
        spare=folder.with_name(f"{path.stem[:80]}-{digest(str(path))[:8]}"),
    )


def _add(ledger: Ledger, seen: Seen, chosen: Mapping[str, Any], *, content: str, task: str, folder: Path, spare: Path) -> Job:
    """Record a job by its content and by all that was chosen for it, its kind among them."""
    return ledger.add(
        seen,
        kind=chosen["kind"],
        content=content,
        options=digest(chosen),
        plain=json.dumps(chosen, sort_keys=True),
        task=task,
        folder=folder,
        spare=spare,
    )


def _sniff(path: Path, settings: Settings) -> None:
    """Raise InputError for what is no recording, read from its first bytes wherever it lies."""
    if not places.is_url(path):
        media.sniff(path)
        return
    places.refuse_strange(path, http=settings.run.http)
    with places.reading(path) as file:
        sniff_bytes(file.read(HEAD_BYTES), places.written(path))


def _found_at(path: Path, settings: Settings) -> Seen | None:
    """What lies there; None when nothing does. Of what may not be read nothing is asked."""
    if not places.is_url(path):
        return Seen.of(path) if path.is_file() else None
    try:
        places.refuse_strange(path, http=settings.run.http)
    except InputError:
        return Seen(path=path, size=0, mtime_ns=0, device=0, inode=0)
    try:
        return Seen.of(path)
    except LivecutError:
        return None


def _folder_of(path: Path, settings: Settings) -> Path:
    """The run's folder for a recording; where one of both lies elsewhere, the ledger alone keeps two of one name apart."""
    out = places.absolute(settings.run.out)
    if places.is_url(path) or places.is_url(out):
        return out / path.stem
    return Path(os.path.abspath(run_folder(Path(settings.run.out), path)))  # noqa: PTH100


def _enrol_pictures(ledger: Ledger, folder: Path, inputs: Inputs, settings: Settings, *, replan: bool) -> Job:
    source = _product_in(folder, settings)
    content = digest([(Path(picture).name, media.sha256(Path(picture))) for picture in source.pictures])
    chosen = {"kind": "generate", "settings": what_matters(settings, "generate"), "name": source.name}
    place = places.absolute(settings.run.out) / source.name
    return _add(
        ledger,
        Seen.of(folder),
        chosen,
        content=content,
        task=task_text(inputs, settings, replan=replan),
        folder=place,
        spare=place.with_name(f"{source.name}-{digest(str(folder))[:8]}"),
    )


def enrol_made(ledger: Ledger, folder: Path, settings: Settings) -> Job:
    """Record a folder of videos that were made already, by the pictures its manifest names; its job waits to be published."""
    folder = Path(os.path.abspath(folder))  # noqa: PTH100
    made = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    pictures = made["inputs"]["pictures"]
    chosen = {"kind": "generate", "settings": what_matters(settings, "generate"), "product": made["product"], "folder": str(folder)}
    content = digest([(Path(picture["path"]).name, picture["sha256"]) for picture in pictures])
    inputs = Inputs(recording=Path(pictures[0]["path"]).absolute())
    job: Job | None = None
    for picture in pictures:
        job = _add(
            ledger,
            Seen.of(Path(picture["path"]).absolute()),
            chosen,
            content=content,
            task=task_text(inputs, settings, replan=False),
            folder=folder,
            spare=folder,
        )
    assert job is not None, "videos are made of pictures"
    ledger.retry(job.id, "made again")
    return job


def _product_in(folder: Path, settings: Settings) -> Any:
    from pipelines.casting import cast

    sources = cast([folder], None, (), settings.generate).sources
    if len(sources) != 1:
        raise InputError(f"could not use {folder}: it holds {len(sources)} products; give the folder of each")
    return sources[0]


def content_of(ledger: Ledger, seen: Seen) -> str:
    """Digest a file, or take the digest from the ledger when the file looks as it did then."""
    known = ledger.file(seen.path)
    if known and known.job_id is not None and known.stamp == seen.stamp:
        return ledger.job(known.job_id).content
    return places.sha256(seen.path)


def what_matters(settings: Settings, kind: str) -> dict[str, Any]:
    """Options that decide what comes out of a kind of job, as plain data."""
    everything: dict[str, Any] = artefact.plain(settings)
    return {
        section: {name: value for name, value in everything[section].items() if name not in _NO_MATTER.get(section, ())}
        for section in _SECTIONS[kind]
    }


def _side_files(inputs: Inputs, settings: Settings) -> list[str]:
    """Digests of the catalogue, its pictures and the logs that a run would use, given or found."""
    if any(places.is_url(path) for path in (inputs.recording, inputs.catalog or "", *inputs.chat, *inputs.events)):
        with carrying.side_files_of(inputs, scratch=settings.run.scratch, http=settings.run.http) as here:
            return _digests(here)
    return _digests(inputs)


def _digests(inputs: Inputs) -> list[str]:
    catalog = inputs.catalog or find_catalog(inputs.recording.parent)
    logs = (
        [*inputs.chat, *inputs.events]
        if inputs.chat and inputs.events
        else [*inputs.chat, *inputs.events, *audience.find_logs(inputs.recording)]
    )
    files = [*([catalog] if catalog else []), *dict.fromkeys(logs)]
    digests = [_digest(path) for path in files]
    if catalog:
        digests += [_digest(Path(image)) for product in _products(catalog) for image in product.images]
    return digests


def _products(catalog: Path) -> Sequence[Any]:
    try:
        return read_catalog(catalog).products
    except LivecutError:
        return ()  # the run says what is wrong with it


def _digest(path: Path) -> str:
    try:
        return media.sha256(path)
    except OSError:
        return "missing"


def task_text(inputs: Inputs, settings: Settings, *, replan: bool) -> str:
    """Write down all that a worker needs, as JSON; file names of any bytes survive."""
    given = {
        "recording": str(places.absolute(inputs.recording)),
        "catalog": str(places.absolute(inputs.catalog)) if inputs.catalog else None,
        "chat": [str(places.absolute(path)) for path in inputs.chat],
        "events": [str(places.absolute(path)) for path in inputs.events],
        "start_time": inputs.start_time,
    }
    return json.dumps({"inputs": given, "settings": artefact.plain(settings), "replan": replan})
