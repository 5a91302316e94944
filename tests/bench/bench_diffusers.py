"""What our code costs over calling a diffusion pipeline plainly: `python -m tests.bench.bench_diffusers [NAME …] [--products 20]`.

Both make the same shots of the same products in one process, in pairs whose order turns, so that a busy machine slows both
alike; both load the model once. "plain" is the pipeline of diffusers called with a picture that is already the right size, the
prompts, the seed and the size, and nothing else: its frames are not even written. Ours is an animator's `animate`, whole: it
looks whether the shot is there, encodes and caches the prompt, fits the picture, watches every step, keeps latents, decodes,
checks every number, writes lossless footage and where it came from. What a run does to a shot besides, which a plain call has
no counterpart of (the gate, composition), is not in it; the gate's cost is printed below the table.

A real model takes minutes a shot where a tiny one takes a second, so the share measured here is the largest it will ever be.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

from generators.animators import animator
from generators.checkpoints import fit
from generators.diffusion import DiffusersOptions, family_of, seeded
from generators.fidelity import FidelityOptions, measure
from generators.prefit import prefit
from tests import tiny_pipelines
from tests.tiny_pipelines import ACCEPTED, shot_request

USUAL = ("wan2.2-ti2v", "ltx", "cogvideox", "svd")
WORDS = {"wan": 512, "ltx": 256, "cogvideox": 32, "ltx2": 1024}
PARTS = ("prompts", "denoising", "decoding", "picture to size", "latents kept", "frames checked and written", "the rest")


@dataclass(slots=True)
class Clock:
    """Processor time by part: a part that calls another one is not charged for it."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    inner: list[float] = field(default_factory=list)

    def timed(self, part: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            began = time.process_time()
            self.inner.append(0.0)
            try:
                return call(*args, **kwargs)
            finally:
                whole = time.process_time() - began
                self.seconds[part] += whole - self.inner.pop()
                if self.inner:
                    self.inner[-1] += whole

        return wrapped


@dataclass(slots=True)
class Side:
    """One of the two that are compared."""

    clock: Clock = field(default_factory=Clock)
    elapsed: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)

    def run(self, call: Callable[[], Any]) -> Any:
        began, at_first = time.perf_counter(), time.process_time()
        made = self.clock.timed("the rest", call)()
        self.busy.append(time.process_time() - at_first)
        self.elapsed.append(time.perf_counter() - began)
        return made

    def forget(self) -> None:
        """Start anew, after a first shot that warmed up."""
        self.clock.seconds.clear()
        self.elapsed.clear()
        self.busy.clear()


def plain_arguments(maker: Any, request: Any) -> dict[str, Any]:
    """Arguments that a direct call needs for the same shot."""
    from PIL import Image

    row, preset = maker.choice.checkpoint, maker.choice.preset
    fitted = fit(row, preset, request)
    picture = prefit(request.photo, request.cutout, fitted.width_px, fitted.height_px)
    arguments = {
        "image": Image.fromarray(picture),
        "width": fitted.width_px,
        "height": fitted.height_px,
        "num_frames": fitted.frames,
        "num_inference_steps": preset.steps,
        "generator": seeded(request.shot.seed),
        "output_type": "np",
    }
    if row.family == "svd":
        return arguments | {"fps": round(fitted.fps), "min_guidance_scale": preset.guidance[0], "max_guidance_scale": preset.guidance[-1]}
    words = {"prompt": request.shot.prompt, "negative_prompt": request.shot.negative, "max_sequence_length": WORDS[row.family]}
    return arguments | words | {"guidance_scale": preset.guidance[0]}


def compare(name: str, products: int, size: tuple[int, int], seconds: float, steps: int) -> None:
    """Make the shots both ways and print what they took."""
    import diffusers

    folder = tiny_pipelines.folder(name)
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        options = DiffusersOptions(model=str(folder), steps=steps, accept_licenses=ACCEPTED, cache=f"{scratch}/cache")
        maker: Any = animator(family_of(options), options)
        pipe = getattr(diffusers, maker.choice.checkpoint.pipeline).from_pretrained(folder, local_files_only=True)
        pipe.set_progress_bar_config(disable=True)
        plain, ours = Side(), Side()
        _watch_plain(plain.clock, pipe)
        _watch_ours(ours.clock, maker, stack)
        for index in range(-1, products):
            request = shot_request(*size, seconds=seconds, seed=index + 2, prompt=f"product {index}", colour=(200, 10 + index, 40))
            arguments = plain_arguments(maker, request)
            work = Path(scratch) / str(index)

            def by_us(request: Any = request, work: Path = work) -> Any:
                return maker.animate(request, work, progress=lambda done: None, cancelled=lambda: False)[0]

            def plainly(arguments: Any = arguments) -> Any:
                return plain.clock.timed("denoising", pipe)(**arguments).frames[0]

            if index % 2:
                footage, video = ours.run(by_us), plain.run(plainly)
            else:
                video, footage = plain.run(plainly), ours.run(by_us)
            assert footage.count == len(video)
            if index < 0:
                _watch_decoding(ours.clock, maker.model.pipe)
                plain.forget()
                ours.forget()
        report(f"{name}, {footage.width_px}x{footage.height_px}x{footage.count}, {steps} steps", plain, ours)
        began = time.process_time()
        measure(request.photo, request.cutout, footage, FidelityOptions(read_text=False))
        print(f"\nNot in it: the gate, {time.process_time() - began:.2f} s of processor time for a shot of this size.")


def _watch_plain(clock: Clock, pipe: Any) -> None:
    if hasattr(pipe, "encode_prompt"):
        pipe.encode_prompt = clock.timed("prompts", pipe.encode_prompt)
    _watch_decoding(clock, pipe)


def _watch_decoding(clock: Clock, pipe: Any) -> None:
    pipe.vae.decode = clock.timed("decoding", pipe.vae.decode)


def _watch_ours(clock: Clock, maker: Any, stack: ExitStack) -> None:
    module = import_module(type(maker).__module__)
    parts = {"denoise": "denoising", "prefit": "picture to size", "save_tensors": "latents kept", "write": "frames checked and written"}
    for name, part in parts.items():
        stack.enter_context(mock.patch.object(module, name, clock.timed(part, getattr(module, name))))
    words = import_module("generators.diffusion.loading").Loaded
    stack.enter_context(mock.patch.object(words, "words", clock.timed("prompts", words.words)))


def report(title: str, plain: Side, ours: Side) -> None:
    """Print the ratios and where the time goes."""
    count = len(plain.busy)
    print(f"\n### {title}, {count} products, model loaded once\n")
    print("| | plain, s a shot | ours, s a shot | ours ÷ plain | median of the pairs, middle half |\n|---|---|---|---|---|")
    for what, a, b in (("processor time", plain.busy, ours.busy), ("elapsed", plain.elapsed, ours.elapsed)):
        pairs = [ours / plain for plain, ours in zip(a, b, strict=True)]
        low, middle, high = statistics.quantiles(pairs, n=4) if count > 1 else pairs * 3
        print(f"| {what} | {sum(a) / count:.3f} | {sum(b) / count:.3f} | {sum(b) / sum(a):.3f} | {middle:.3f} ({low:.3f}–{high:.3f}) |")
    print("\n| part, ms of processor time a shot | plain | ours |\n|---|---|---|")
    for part in PARTS:
        cells = (1000 * side.clock.seconds[part] / count for side in (plain, ours))
        print(f"| {part} | " + " | ".join(f"{cell:.1f}" for cell in cells) + " |")


def main(arguments: list[str] | None = None) -> None:
    """Compare the named tiny pipelines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(tiny_pipelines.NAMES)}; {', '.join(USUAL)} without any")
    parser.add_argument("--products", type=int, default=20)
    parser.add_argument("--size", default="128x224")
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--steps", type=int, default=8)
    given = parser.parse_args(arguments)
    width, height = (int(edge) for edge in given.size.split("x"))
    for name in given.names or USUAL:
        compare(name, given.products, (width, height), given.seconds, given.steps)


if __name__ == "__main__":
    main()
