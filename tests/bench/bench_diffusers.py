"""What our code costs over calling a diffusion pipeline plainly: `python -m tests.bench.bench_diffusers [NAME] [--products 20]`.

Both make the same shots of the same products in one process, in turn, so that a busy machine slows both alike; both load the
model once. "plain" is the pipeline of diffusers called with the same picture, prompt, seed and size, and nothing else: its
frames are not even written. Ours encodes and caches the prompt, fits the picture, watches every step, keeps latents,
decodes, checks, writes lossless footage and where it came from. A real model takes minutes a shot where a tiny one takes a
second, so the share measured here is the largest it will ever be.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from generators.animators import animator
from generators.checkpoints import fit
from generators.diffusion import DiffusersOptions, family_of, seeded
from generators.prefit import prefit
from tests import tiny_pipelines
from tests.tiny_pipelines import ACCEPTED, shot_request

WORDS = {"wan": 512, "ltx": 256, "cogvideox": 32, "ltx2": 1024}


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


def measure(name: str, products: int, size: tuple[int, int], seconds: float, steps: int) -> None:
    """Print both times and their ratio."""
    import diffusers

    folder = tiny_pipelines.folder(name)
    with tempfile.TemporaryDirectory() as scratch:
        options = DiffusersOptions(model=str(folder), steps=steps, accept_licenses=ACCEPTED, cache=f"{scratch}/cache")
        maker = animator(family_of(options), options)
        kind = getattr(diffusers, maker.choice.checkpoint.pipeline)  # type: ignore[attr-defined]
        pipe = kind.from_pretrained(folder, local_files_only=True)
        pipe.set_progress_bar_config(disable=True)
        ours, plain, shots, busy = [], [], [], [0.0, 0.0]
        for index in range(-1, products):  # the first of each warms up
            request = shot_request(*size, seconds=seconds, seed=index + 2, prompt=f"product {index}", colour=(200, 10 + index, 40))
            began, at_first = time.perf_counter(), time.process_time()
            video = pipe(**plain_arguments(maker, request)).frames[0]
            middle, at_half = time.perf_counter(), time.process_time()
            footage, _ = maker.animate(request, Path(scratch) / str(index), progress=lambda done: None, cancelled=lambda: False)
            ended = time.perf_counter()
            assert footage.count == len(video)
            if index >= 0:
                busy = [busy[0] + at_half - at_first, busy[1] + time.process_time() - at_half]
                plain.append(middle - began)
                ours.append(ended - middle)
                shots.append(footage)
    extra = [b - a for a, b in zip(plain, ours, strict=True)]
    shot = shots[0]
    print(f"{name}: {products} products, {shot.width_px}x{shot.height_px}x{shot.count}, {steps} steps, model loaded once")
    print(f"  plain  {sum(plain):7.2f} s   {statistics.median(plain):.3f} s a shot")
    print(f"  ours   {sum(ours):7.2f} s   {statistics.median(ours):.3f} s a shot, {statistics.median(extra):+.3f} s")
    share = statistics.median(extra) / statistics.median(plain)
    print(f"  overhead {100 * (sum(ours) / sum(plain) - 1):+.1f} % in sum, {100 * share:+.1f} % in the median", end=", ")
    print(f"{100 * (busy[1] / busy[0] - 1):+.1f} % of processor time ({busy[0] / products:.3f} and {busy[1] / products:.3f} s a shot)")


def main(arguments: list[str] | None = None) -> None:
    """Measure the named tiny pipeline."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", default="wan2.2-ti2v", choices=tiny_pipelines.NAMES)
    parser.add_argument("--products", type=int, default=20)
    parser.add_argument("--size", default="128x224")
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--steps", type=int, default=8)
    given = parser.parse_args(arguments)
    width, height = (int(edge) for edge in given.size.split("x"))
    measure(given.name, given.products, (width, height), given.seconds, given.steps)


if __name__ == "__main__":
    main()
