"""Read labelled recordings: folders with the truth, and what `livecut clip` has made of the recording.

    DATA/NAME/truth.json                    duration_s, segments (sku, start, end), hot (sku, uplift), teaser (start, end)
    DATA/NAME/recording.*, catalog.*, log   the recording (not read) and its side files, as livecut takes them
    DATA/NAME/run/                          a finished run: recording, transcript, picture, loudness, catalog and evidence.json

The run folder may have any name, lie deeper (`livecut clip … -o DATA/NAME/out`), be the folder itself, or lie beside it as
DATA/NAME.run. Mentions are found anew; side files that are missing are taken from the run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from clipper import artefact, audience, catalog
from clipper.values import AudienceLog, Catalog, Evidence, Picture, Recording, Track, Transcript
from tests.bench.detect.cases import Case
from tests.bench.detect.evaluate import Labelled

T = TypeVar("T")
ANY_VERSION = 99


def streams(folder: Path) -> Iterator[Case]:
    """Yield every recording that has a truth and a finished run, by name."""
    for truth_path in sorted(folder.glob("*/truth.json")):
        home = truth_path.parent
        run = run_of(home)
        if run is not None:
            yield _case(home, run, json.loads(truth_path.read_text(encoding="utf-8")))


def run_of(home: Path) -> Path | None:
    """Find the run of a labelled folder: the shallowest folder inside it, or in the one beside it, that has a transcript."""
    places = [home, home.parent / f"{home.name}.run"]
    found = [path.parent for place in places for path in sorted(place.rglob("transcript.json"), key=lambda p: (len(p.parts), p))]
    return found[0] if found else None


def _case(home: Path, run: Path, truth: dict) -> Case:  # type: ignore[type-arg]
    transcript = _load(run, Transcript, "transcript")
    if transcript is None:
        raise FileNotFoundError(f"{run} has no transcript.json")
    return Case(
        name=home.name,
        transcript=transcript,
        products=_catalogue(home, run).products,
        log=_log(home, run, truth["duration_s"]),
        picture=_load(run, Picture, "picture"),
        loudness=_load(run, Track, "loudness"),
        truth=tuple(Labelled(s["start"], s["end"], s["sku"]) for s in truth["segments"]),
        hot=frozenset(item["sku"] for item in truth["hot"]),
        uplifts=tuple((item["sku"], item["uplift"]) for item in truth["hot"] if "uplift" in item),
        teaser=tuple((line["start"], line["end"]) for line in truth.get("teaser", ())),
    )


def _catalogue(home: Path, run: Path) -> Catalog:
    tables = sorted(path for path in home.glob("catalog.*") if path.suffix != ".json")
    if tables:
        return catalog.read_catalog(tables[0])
    return _load(run, Catalog, "catalog") or Catalog(path=None, products=())


def _log(home: Path, run: Path, duration: float) -> AudienceLog:
    """Read the side files of a recording; without any, take the log of the run."""
    probed = _load(run, Recording, "recording")
    media = next((path for path in sorted(home.glob("recording.*")) if path.suffix != ".json"), None)
    recording = media or home / (Path(probed.path).name if probed is not None else "recording.mp4")
    events = tuple(path for path in (home / "events.jsonl",) if path.is_file())
    log = audience.read_logs(recording, events=events, duration=duration) if events else audience.read_logs(recording, duration=duration)
    evidence = _load(run, Evidence, "evidence") if not log.sources else None
    return evidence.log if evidence is not None else log


def _load(run: Path, kind: type[T], schema: str) -> T | None:
    path = run / f"{schema}.json"
    return artefact.loads(path.read_bytes(), kind, schema, ANY_VERSION, where=str(path)) if path.is_file() else None
