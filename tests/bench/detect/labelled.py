"""Read labelled recordings: folders with a catalogue, a log, the truth and a cached transcript."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from clipper import artefact, audience, catalog, detect
from clipper.values import Evidence, Picture, Product, Track, Transcript
from tests.bench.detect.evaluate import Labelled

TRANSCRIPT_VERSION = 99


def streams(folder: Path) -> Iterator[tuple[str, Evidence, tuple[Product, ...], tuple[Labelled, ...], frozenset[str]]]:
    """Yield every recording that has a truth and a transcript, by name."""
    for truth_path in sorted(folder.glob("*/truth.json")):
        home = truth_path.parent
        if not (home / "transcript.json").is_file():
            continue
        truth = json.loads(truth_path.read_text(encoding="utf-8"))
        products = catalog.read_catalog(home / "catalog.csv")
        recording = next(home.glob("recording.*"))
        log = audience.read_logs(recording, duration=truth["duration_s"])
        events = home / "events.jsonl"
        if events.is_file() and log.missing:
            log = audience.read_logs(recording, events=(events,), duration=truth["duration_s"])
        transcript = _load(home / "transcript.json", Transcript, "transcript")
        picture = _load(home / "picture.json", Picture, "picture") if (home / "picture.json").is_file() else None
        loudness = _load(home / "loudness.json", Track, "loudness") if (home / "loudness.json").is_file() else None
        evidence = detect.gather(transcript, products, log, picture, loudness)
        segments = tuple(Labelled(s["start"], s["end"], s["sku"]) for s in truth["segments"])
        yield home.name, evidence, products.products, segments, frozenset(item["sku"] for item in truth["hot"])


def _load(path, kind, schema):  # type: ignore[no-untyped-def]
    return artefact.loads(path.read_bytes(), kind, schema, TRANSCRIPT_VERSION, where=str(path))
