"""What the camera draws of the sample's photographs is the product itself: similarity on the worst frame, and the same text."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from clipper.values import Box
from generators.animators.camera import Camera, CameraOptions
from generators.cutout import cut_out
from generators.fidelity import FidelityOptions, measure
from generators.images import read_picture
from generators.styles import style_named
from generators.values import Fidelity, Move, Shot, ShotRequest
from tests.fidelity_clips import Frames

IMAGES = Path(__file__).parent.parent.parent / "samples" / "images"


def judge(name: str, move: Move, work: Path, *, read_text: bool) -> Fidelity:
    """Draw first, middle and last frame of a shot at full size, and measure them."""
    photo = read_picture(IMAGES / f"{name}.jpg")
    cutout = cut_out(photo)
    shot = Shot(id="s", photo=0, seconds=2.0, move=move, focus=Box(0.3, 0.3, 0.4, 0.4), seed=1)
    style = style_named("clean-studio")
    request = ShotRequest(shot=shot, photo=photo, cutout=cutout, style=style, width_px=1080, height_px=1920, fps=Fraction(30))
    camera = Camera(CameraOptions(threads=1))
    footage, _ = camera.animate(request, work, progress=lambda share: None, cancelled=lambda: False)
    picked = tuple(next(iter(footage.frames(at, at + 1))) for at in (0, footage.count // 2, footage.count - 1))
    camera.close()
    return measure(photo, cutout, Frames(picked), FidelityOptions(frames=3, read_text=read_text, max_flicker=20))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "move"), [("L001-white", "push_in"), ("L002-white", "pan"), ("L003-white", "pull_out"), ("L001-white", "detail")]
)
def test_the_camera_keeps_the_product(name: str, move: Move, tmp_path: Path) -> None:
    found = judge(name, move, tmp_path, read_text=False)
    assert found.ssim >= 0.97, found
    assert found.passed, found.reasons


@pytest.mark.slow
def test_the_camera_keeps_the_text(tmp_path: Path) -> None:
    found = judge("L001-white", "push_in", tmp_path, read_text=True)
    assert found.text == 1.0 and found.passed, found
