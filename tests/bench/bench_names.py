"""Measure what the catalogue's names in the prompt do: names heard, names written right, names that nobody said.

    python -m tests.bench.bench_names FOLDER… [--distractors 60] [--threads 2] [--only without,with,among]

Each folder holds a recording, its catalog.* and a truth.json whose `lines` have start, end and text. A name of a line counts
as heard when a mention of its product lies in the line, and as written when the line's text has it letter by letter. A false
name is one that is written where no line says it; in silence means outside every line.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from clipper import media
from clipper.catalog import find_catalog, read_catalog
from clipper.detect.mentions import find_mentions
from clipper.speech.transcribe import SpeechOptions, transcribe
from clipper.values import Product, Transcript
from tests.bench.detect.vocabulary import catalogue
from tests.bench.metrics import cer

SLACK_S = 1.5
HEARD = 0.5
"""Score times weight-free similarity from which a mention counts as heard."""
SIDES = ("without", "with", "among")


@dataclass(frozen=True)
class Names:
    """What came of the names of one recording."""

    said: int
    heard: int
    written: int
    false: int
    in_silence: int
    error_rate: float


def names_of(transcript: Transcript, shown: Sequence[Product], prompted: Sequence[Product], lines: Sequence[dict[str, Any]]) -> Names:
    """Compare a transcript with what was said. `shown` are the recording's own products, `prompted` all of the catalogue."""
    mentions = find_mentions(transcript.sentences, tuple(prompted), transcript.language)
    said = [(line, product, alias) for line in lines for product in shown if (alias := _said(product, line["text"]))]
    heard = sum(
        any(m.sku == product.sku and m.score >= HEARD and _within(m.start, line, SLACK_S) for m in mentions) for line, product, _ in said
    )
    written = sum(alias.lower() in _text(transcript, line).lower() for line, _, alias in said)
    false = [
        at for at, alias in _written(transcript, prompted) if not any(_within(at, line, SLACK_S) and _has(alias, line) for line in lines)
    ]
    return Names(
        said=len(said),
        heard=heard,
        written=written,
        false=len(false),
        in_silence=sum(not any(_within(at, line, 0.5) for line in lines) for at in false),
        error_rate=cer("".join(line["text"] for line in lines), "".join(s.text for s in transcript.sentences)),
    )


def _said(product: Product, text: str) -> str:
    return next((alias for alias in sorted(product.aliases, key=len, reverse=True) if _has(alias, {"text": text})), "")


def _has(alias: str, line: dict[str, Any]) -> bool:
    return alias.lower() in str(line["text"]).lower()


def _within(at: float, line: dict[str, Any], slack: float) -> bool:
    return bool(line["start"] - slack <= at <= line["end"] + slack)


def _text(transcript: Transcript, line: dict[str, Any]) -> str:
    return "".join(
        w.text for s in transcript.sentences for w in s.words if line["start"] - 0.5 <= (w.start + w.end) / 2 <= line["end"] + 0.5
    )


def _written(transcript: Transcript, products: Iterable[Product]) -> list[tuple[float, str]]:
    """List where a catalogue name stands in the transcript letter by letter, with its time."""
    found = []
    for sentence in transcript.sentences:
        for product in products:
            found += [(sentence.start, alias) for alias in product.aliases if len(alias) >= 2 and alias.lower() in sentence.text.lower()]
    return found


def measure(folder: Path, side: str, distractors: int, threads: int) -> tuple[Names, float]:
    """Recognise one recording on one side; returns the names and the seconds it took."""
    path = next(p for p in sorted(folder.iterdir()) if p.suffix.lower() in (".mp4", ".flv", ".mov", ".mkv"))
    table = find_catalog(folder)
    shown = read_catalog(table).products if table else ()
    others = catalogue(Random(7), 1, distractors)[1:] if side == "among" else ()
    prompted = tuple(sorted((*shown, *others), key=lambda product: product.title)) if others else shown
    lines = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["lines"]
    begin = time.process_time()
    transcript = transcribe(media.probe(path), prompted, SpeechOptions(threads=threads, hot_words=side != "without"))
    return names_of(transcript, shown, prompted, lines), time.process_time() - begin


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--distractors", type=int, default=60)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default=",".join(SIDES))
    options = parser.parse_args(arguments)
    print(f"{'recording':14} {'names':8} {'said':>4} {'heard':>6} {'written':>8} {'false':>6} {'in silence':>10} {'CER':>7} {'cpu s':>6}")
    for folder in options.folders:
        for side in options.only.split(","):
            found, spent = measure(folder, side, options.distractors, options.threads)
            print(
                f"{folder.name:14} {side:8} {found.said:4} {found.heard:6} {found.written:8} {found.false:6} {found.in_silence:10}"
                f" {found.error_rate:7.2%} {spent:6.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
