"""Measure recognition against plain sequential faster-whisper, in one process, on one recording.

    python -m tests.bench.bench_recognition RECORDING [--truth truth.json] [--threads 2] [--plain-compute-type int8]

The plain side is `faster_whisper.WhisperModel.transcribe(word_timestamps=True, beam_size=5)` on the same weights, threads and
number format. Both times count the whole way from the file to words with times. Seconds on a shared machine vary; ratios of
one run hold, and processor seconds vary least.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clipper import media
from clipper.catalog import find_catalog, read_catalog
from clipper.speech import weights
from clipper.speech.transcribe import SpeechOptions, transcribe
from clipper.values import Recording
from tests.bench.metrics import boundary_errors, cer


@dataclass(frozen=True)
class Timed:
    """What one side did."""

    text: str
    edges: list[tuple[float, float]]
    wall_s: float
    cpu_s: float
    peak_mb: float


def timed(work: Callable[[], tuple[str, list[tuple[float, float]]]]) -> Timed:
    wall, cpu = time.perf_counter(), time.process_time()
    text, edges = work()
    peak = (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        / (1 if sys.platform == "darwin" else 1024)
        / (1024 if sys.platform == "darwin" else 1)
    )
    return Timed(text, edges, time.perf_counter() - wall, time.process_time() - cpu, peak)


def ours(recording: Recording, threads: int) -> tuple[str, list[tuple[float, float]]]:
    catalog = find_catalog(Path(recording.path).parent)
    products = read_catalog(catalog).products if catalog else ()
    transcript = transcribe(recording, products, SpeechOptions(threads=threads))
    return " ".join(sentence.text for sentence in transcript.sentences), [(s.start, s.end) for s in transcript.sentences]


def plain(recording: Recording, threads: int, compute_type: str) -> tuple[str, list[tuple[float, float]]]:
    from faster_whisper import WhisperModel

    model = WhisperModel(str(weights.locate("base")), device="cpu", compute_type=compute_type, cpu_threads=threads, local_files_only=True)
    segments, _ = model.transcribe(recording.path, word_timestamps=True, beam_size=5)
    found = list(segments)
    return " ".join(segment.text for segment in found), [(segment.start, segment.end) for segment in found]


def report(side: Timed, truth: Any | None, duration: float) -> str:
    line = (
        f"{side.wall_s:7.1f} s wall ({duration / side.wall_s:4.1f}x real time) {side.cpu_s:7.1f} s cpu  peak so far {side.peak_mb:5.0f} MB"
    )
    if truth:
        errors = sorted(
            abs(error) for error in boundary_errors([(spoken["start"], spoken["end"]) for spoken in truth["lines"]], side.edges)
        )
        said = "".join(spoken["text"] for spoken in truth["lines"])
        median, most = errors[len(errors) // 2], errors[len(errors) * 95 // 100]
        line += f"  CER {cer(said, side.text):6.2%}  line edges: median {median:.3f} s, 95 % under {most:.3f} s"
    return line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", type=Path)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--plain-compute-type", default="int8")
    options = parser.parse_args()
    truth_file = options.truth or options.recording.parent / "truth.json"
    truth = json.loads(truth_file.read_text(encoding="utf-8")) if truth_file.is_file() else None
    recording = media.probe(options.recording)
    here = timed(lambda: ours(recording, options.threads))
    there = timed(lambda: plain(recording, options.threads, options.plain_compute_type))
    print(f"livecut  {report(here, truth, recording.duration)}")
    print(f"plain    {report(there, truth, recording.duration)}")
    print(f"recognition is {there.wall_s / here.wall_s:.2f}x faster by the clock, {there.cpu_s / here.cpu_s:.2f}x by processor time")


if __name__ == "__main__":
    main()
