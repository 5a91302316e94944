"""Doubles for composition: footage whose frames spell their own number, an animator that makes it, a storyboard of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from clipper.values import Box
from generators.compose import Cast, Made, wanted_seconds
from generators.values import Cutout, Fidelity, Footage, Origin, Overlay, Photo, Shot, ShotRequest, Storyboard, Style
from tests.camera import style

SIZE = (270, 480)
BITS = 8


@dataclass(frozen=True, kw_only=True)
class Numbered:
    """Footage of one colour with its frame's number in bands across the lower half; satisfies the protocol Footage."""

    colour: tuple[int, int, int] = (90, 140, 200)
    width_px: int = SIZE[0]
    height_px: int = SIZE[1]
    fps: Fraction = Fraction(30)
    count: int = 60
    fails_at: int | None = None

    def frames(self, start: int = 0, stop: int | None = None, step: int = 1) -> Iterator[Any]:
        for number in range(self.count)[start:stop:step]:
            if number == self.fails_at:
                raise ValueError("this frame cannot be made")
            yield self.frame(number)

    def frame(self, number: int) -> Any:
        picture = np.full((self.height_px, self.width_px, 3), self.colour, np.uint8)
        top, high = self.height_px // 2, self.height_px // 2 // BITS
        for bit in range(BITS):
            picture[top + bit * high : top + (bit + 1) * high] = 235 if number >> bit & 1 else 30
        return picture


def number_in(frame: Any) -> int:
    """Read the number back."""
    top, high = frame.shape[0] // 2, frame.shape[0] // 2 // BITS
    middles = [frame[top + bit * high + high // 2, frame.shape[1] // 2].mean() for bit in range(BITS)]
    return sum(1 << bit for bit, value in enumerate(middles) if value > 128)


def origin(*, generated: bool = False, **changes: Any) -> Origin:
    """Where such footage comes from."""
    backend = "wan" if generated else "camera"
    return Origin(**{"backend": backend, "is_generated": generated, "seed": 1, "model": "tiny" if generated else "", **changes})


def photo(*, aigc: str | None = None, size: tuple[int, int] = (240, 320)) -> Photo:
    """A red pack on white."""
    pixels = np.full((size[1], size[0], 3), 250, np.uint8)
    pixels[size[1] // 4 : size[1] * 3 // 4, size[0] // 3 : size[0] * 2 // 3] = (180, 40, 40)
    return Photo(path="pack.png", sha256="ab" * 32, pixels=pixels, aigc=aigc)


def cutout(of: Photo) -> Cutout:
    """The pack's outline."""
    mask = np.zeros(of.pixels.shape[:2], np.uint8)
    mask[of.height_px // 4 : of.height_px * 3 // 4, of.width_px // 3 : of.width_px * 2 // 3] = 255
    return Cutout(mask=mask, box=Box(1 / 3, 1 / 4, 1 / 3, 1 / 2), confidence=0.95, method="key")


def board(*seconds: float, transition: str = "dissolve", lasts: float = 0.4, size: tuple[int, int] = SIZE, **changes: Any) -> Storyboard:
    """A storyboard of shots of these lengths."""
    shots = tuple(
        Shot(
            id=f"s{number + 1}",
            photo=0,
            seconds=length,
            move="push_in",
            seed=number,
            transition="cut" if number == 0 else transition,  # type: ignore[arg-type]
            transition_s=0.0 if number == 0 else lasts,
        )
        for number, length in enumerate(seconds)
    )
    given = {"id": "pack-plain", "sku": None, "title": "红盒", "style": "plain", "backend": "camera", "pictures": ()}
    return Storyboard(**{**given, "shots": shots, "width_px": size[0], "height_px": size[1], **changes})


def overlays(end: float) -> tuple[Overlay, ...]:
    """One of every kind that needs no file."""
    return (
        Overlay(kind="title", text="红色礼盒", detail="送礼有面子", start=0.1, end=0.6 * end),
        Overlay(kind="point", text="一盒十二枚", start=0.2 * end, end=0.6 * end),
        Overlay(kind="price", text="¥49.90", detail="¥98", start=0.3 * end, end=0.7 * end),
        Overlay(kind="call", text="点击购买", start=0.3 * end, end=0.7 * end),
        Overlay(kind="end_card", text="红色礼盒", detail="点击购买", start=0.7 * end, end=end),
    )


def made(of: Storyboard, *, generated: bool = False, fps: int = 30) -> list[Made]:
    """Footage for every shot, each of another colour."""
    colours = [(90, 140, 200), (200, 150, 90), (110, 180, 120), (170, 110, 180)]
    return [
        Made(
            footage=Numbered(colour=colours[number % 4], count=max(2, round(seconds * fps)), fps=Fraction(fps)),
            origin=origin(generated=generated),
        )
        for number, seconds in enumerate(wanted_seconds(of))
    ]


def cast(*, aigc: str | None = None, look: Style | None = None, **more: Any) -> Cast:
    """Style and picture of the storyboard."""
    one = photo(aigc=aigc)
    return Cast(style=look or style(), photos=(one,), cutouts=(cutout(one),), **more)


def verdict(passed: bool, ssim: float = 0.9) -> Fidelity:
    """What the gate says."""
    reasons = () if passed else ("the label has melted",)
    return Fidelity(passed=passed, ssim=ssim, inliers=0.9, colour=1.0, flicker=0.1, motion=0.1, text=None, reasons=reasons)


@dataclass
class Fake:
    """An animator that makes numbered footage and remembers what it was asked; satisfies the protocol Animator."""

    generated: bool = True
    error: Exception | None = None
    asked: list[ShotRequest] = field(default_factory=list)
    closed: int = 0

    def animate(
        self, request: ShotRequest, work: Path, *, progress: Callable[[float], None], cancelled: Callable[[], bool]
    ) -> tuple[Footage, Origin]:
        self.asked.append(request)
        if self.error is not None:
            raise self.error
        progress(1.0)
        count = max(2, round(request.shot.seconds * request.fps))
        return Numbered(count=count, width_px=request.width_px, height_px=request.height_px), origin(
            generated=self.generated, seed=request.shot.seed
        )

    def close(self) -> None:
        self.closed += 1


def asked(**changes: Any) -> ShotRequest:
    """A request for one shot."""
    one = photo()
    shot = Shot(id="s1", photo=0, seconds=1.0, move="push_in", seed=5, prompt="a red pack")
    request = ShotRequest(shot=shot, photo=one, cutout=cutout(one), style=style(), width_px=SIZE[0], height_px=SIZE[1], fps=Fraction(30))
    return replace(request, **changes)
