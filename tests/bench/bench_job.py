"""The whole job against its parts: recognition alone, and one plain ffmpeg line per clip.

    python -m tests.bench.bench_job show.mp4

Runs `livecut clip` in a process of its own, then the same recognition alone, then one ffmpeg line per clip with the filters and
the encoder of that clip but nothing around it. Prints seconds, the ratio, and peak memory; then a second, unchanged run.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from clipper import artefact, media
from clipper.speech import transcribe
from clipper.values import Plan, Recording
from pipelines.plans import load_plan
from pipelines.settings import Settings
from tests.bench.bench_render import plain_commands


def main(arguments: list[str]) -> None:
    recording = Path(arguments[0])
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "out"
        seconds, peak = timed([sys.executable, "-m", "pipelines", "clip", str(recording), "-o", str(out), "-q"])
        folder = out / recording.stem
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        length = manifest["recording"]["duration_s"]
        again, _ = timed([sys.executable, "-m", "pipelines", "clip", str(recording), "-o", str(out), "-q"])
        recognition, _ = timed([sys.executable, "-m", "tests.bench.bench_job", "--recognise", str(recording), str(folder)])
        plain = sum(plain_render(folder / clip["plan"], recording, Path(scratch)) for clip in manifest["clips"])
    stages = ", ".join(f"{clip['duration_s']:.0f} s" for clip in manifest["clips"])
    print(f"recording {length:.0f} s, {len(manifest['clips'])} clips ({stages})")
    print(f"whole job               {seconds:7.1f} s   {seconds / length:6.1%} of the recording's length")
    print(f"recognition alone       {recognition:7.1f} s")
    print(f"plain ffmpeg, all clips {plain:7.1f} s")
    print(f"whole ÷ (recognition + plain ffmpeg) = {seconds / (recognition + plain):.2f}")
    print(f"peak memory of all processes {peak / 1e9:.2f} GB")
    print(f"second, unchanged run   {again:7.1f} s")


def timed(command: list[str]) -> tuple[float, float]:
    """Run a command; return its seconds and the peak of the memory of all its processes together, in bytes."""
    begin = time.monotonic()
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = 0.0
    watched = psutil.Process(running.pid)
    while running.poll() is None:
        peak = max(peak, _memory(watched))
        time.sleep(0.1)
    if running.returncode:
        raise SystemExit(f"{command} failed with {running.returncode}")
    return time.monotonic() - begin, peak


def _memory(process: psutil.Process) -> float:
    total = 0.0
    try:
        for one in (process, *process.children(recursive=True)):
            total += one.memory_info().rss
    except psutil.NoSuchProcess:
        pass
    return total


def recognise(recording: Path, folder: Path) -> None:
    """Recognition alone, with the products of the finished run and without its checkpoints."""
    source: Recording = artefact.loads((folder / "recording.json").read_bytes(), Recording, "recording", 1)
    from pipelines.analysing import stored

    transcribe.transcribe(source, stored(folder).catalog.products, Settings().speech)


def plain_render(path: Path, recording: Path, scratch: Path) -> float:
    """One ffmpeg line per source of a clip, with the clip's filters and encoder; seconds."""
    plan: Plan = load_plan(path)
    work = scratch / "plain"
    work.mkdir(exist_ok=True)
    lines = plain_commands(plan, media.probe(recording), work)
    begin = time.monotonic()
    for line in lines:
        subprocess.run(line, check=True, cwd=work, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - begin


if __name__ == "__main__":
    if sys.argv[1] == "--recognise":
        recognise(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main(sys.argv[1:])
