"""Looking at the frames against PySceneDetect's default detector on the same file: `bench_vision.py RECORDING CATALOG`.

PySceneDetect finds cuts alone; `look` also finds faces and products. Both run twice, in turn; the better of each counts.
The face model comes from `livecut models fetch`, or from --faces. Exit code 1 when the bar (5 times faster) is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from scenedetect import AdaptiveDetector, detect

from clipper import media
from clipper.catalog import read_catalog
from clipper.speech import weights
from clipper.vision import LookOptions, look

T = TypeVar("T")
BAR = 5.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recording", type=Path)
    parser.add_argument("catalog", type=Path)
    parser.add_argument("--faces", type=Path, default=None, help="centerface.onnx")
    parser.add_argument("--rounds", type=int, default=2)
    args = parser.parse_args()
    faces = args.faces or weights.locate("centerface") / "centerface.onnx"
    recording, products = media.probe(args.recording), read_catalog(args.catalog).products
    ours, theirs = [], []
    for _ in range(args.rounds):
        ours.append(timed(lambda: look(recording, products, LookOptions(), face_model=faces)))
        theirs.append(timed(lambda: detect(str(args.recording), AdaptiveDetector())))
    (our_s, picture), (their_s, scenes) = min(ours, key=lambda pair: pair[0]), min(theirs, key=lambda pair: pair[0])
    result = {
        "recording_s": recording.duration,
        "look_s": round(our_s, 2),
        "pyscenedetect_s": round(their_s, 2),
        "times_faster": round(their_s / our_s, 2),
        "bar": BAR,
        "frames": len(picture.looks),
        "cuts": len(picture.cuts),
        "their_cuts": len(scenes) - 1,
        "faces": len(picture.faces),
        "sightings": len(picture.sightings or ()),
    }
    print(json.dumps(result))
    return 0 if result["times_faster"] >= BAR else 1


def timed(call: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    value = call()
    return time.perf_counter() - began, value


if __name__ == "__main__":
    sys.exit(main())
