"""Rendering one clip: livecut, one plain ffmpeg line, and MoviePy, on the same cut, size and captions.

    python -m tests.bench.bench_render show.mp4 [seconds]

All three in one run; the plain line has livecut's own filters and encoder, and loudnorm for the sound. MoviePy sets the same
captions as text clips and gets the same encoder. Trust the ratios, not the seconds.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clipper import captions, ffmpeg, media
from clipper.fonts import find_font, font_folder
from clipper.render import RenderOptions, render
from clipper.values import Plan, Recording, Sentence, Span, Word

WORDS = "这款锅是三层涂层不粘又好洗家里四口人用刚刚好今天直播间还送一把木铲"
CLIP_S = 20.0
ROUNDS = 2


def main(arguments: list[str]) -> None:
    recording = media.probe(Path(arguments[0]))
    seconds = min(float(arguments[1]) if len(arguments) > 1 else CLIP_S, 0.8 * recording.duration)
    plan = clip_plan(recording, seconds)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        rows: list[tuple[str, Callable[[], None]]] = [
            ("livecut", lambda: ours(plan, recording, folder)),
            ("plain ffmpeg", lambda: plain(plan, recording, folder)),
        ]
        best = {name: min(timed(run) for _ in range(ROUNDS)) for name, run in rows}
        best["MoviePy"] = timed(lambda: moviepy(plan, recording, folder))
    for name, took in best.items():
        print(f"{name:14} {took:7.1f} s   {seconds / took:5.2f}× real time")
    print(f"livecut ÷ plain ffmpeg = {best['livecut'] / best['plain ffmpeg']:.2f}   (bar: 1.15 or less)")
    print(f"MoviePy ÷ livecut = {best['MoviePy'] / best['livecut']:.1f}   (bar: 10 or more)")


def clip_plan(recording: Recording, seconds: float) -> Plan:
    """A clip from the middle of a recording, with captions in its whole length."""
    start = round((recording.duration - seconds) / 2, 3)
    words = tuple(Word(start + 0.25 * n, start + 0.25 * n + 0.22, WORDS[n % len(WORDS)]) for n in range(int(seconds * 4)))
    sentences = [Sentence(words[at : at + 24]) for at in range(0, len(words), 24)]
    return Plan(
        id="bench",
        type="explanation",
        sku=None,
        recording=recording.path,
        recording_sha256=recording.sha256,
        sources=(Span(start, start + seconds),),
        title="三层涂层不粘炒锅",
        score=1.0,
        captions=captions.lines(sentences, (), "zh", captions.CaptionOptions()),
    )


def timed(run: Callable[[], None]) -> float:
    begin = time.monotonic()
    run()
    return time.monotonic() - begin


def ours(plan: Plan, recording: Recording, folder: Path) -> None:
    render(plan, recording, folder / "ours", "clip", RenderOptions())


def plain(plan: Plan, recording: Recording, folder: Path) -> None:
    work = folder / "plain"
    work.mkdir(exist_ok=True)
    for argv in plain_commands(plan, recording, work):
        subprocess.run(argv, check=True, cwd=work, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def plain_commands(plan: Plan, recording: Recording, work: Path) -> list[list[str]]:
    """One plain ffmpeg line for each source of a plan: the filters and the encoder of the clip, nothing around them."""
    options = RenderOptions()
    style = captions.load_style(plan.caption_style)
    face = find_font(bold=style.bold)
    font_folder(face, work / "fonts")
    (work / "captions.ass").write_text(captions.ass(plan, style, font=face), encoding="utf-8")
    size = f"scale={plan.width_px}:{plan.height_px}:force_original_aspect_ratio=increase:flags={options.scaler}"
    size += f",crop={plan.width_px}:{plan.height_px}"
    picture = f"{size},fps={plan.fps},subtitles=captions.ass:fontsdir=fonts"
    coding = ["-c:v", "libx264", "-preset", options.preset, "-crf", str(options.crf), "-x264-params", "mbtree=1:rc-lookahead=10"]
    coding += ["-profile:v", "high", "-pix_fmt", "yuv420p", "-g", str(2 * plan.fps), "-threads", str(options.threads)]
    sound = ["-af", "loudnorm=I=-14:TP=-1", "-c:a", "aac", "-b:a", "192k", "-ar", "48000"] if recording.has_audio else []
    return [
        [
            *(ffmpeg.find().path, "-y", "-nostdin", "-ss", str(span.start), "-t", str(span.duration), "-i", recording.path),
            *("-vf", picture, *coding, *sound, "-movflags", "+faststart", str(work / f"plain-{number}.mp4")),
        ]
        for number, span in enumerate(plan.sources)
    ]


def moviepy(plan: Plan, recording: Recording, folder: Path) -> None:
    from moviepy import CompositeVideoClip, TextClip, VideoFileClip

    logging.getLogger("imageio_ffmpeg").setLevel(logging.ERROR)
    span, face = plan.sources[0], find_font()
    with VideoFileClip(recording.path) as source:
        clip: Any = source.subclipped(span.start, span.end).resized((plan.width_px, plan.height_px))
        texts = [
            TextClip(font=face.path, text="\n".join(event.texts), font_size=64, color="white", stroke_color="black", stroke_width=6)
            .with_start(event.start)
            .with_end(event.end)
            .with_position(("center", 1050))
            for event in captions.shown(plan)
        ]
        CompositeVideoClip([clip, *texts]).write_videofile(
            str(folder / "moviepy.mp4"), fps=plan.fps, codec="libx264", preset="superfast", audio_codec="aac", threads=2, logger=None
        )


if __name__ == "__main__":
    main(sys.argv[1:])
