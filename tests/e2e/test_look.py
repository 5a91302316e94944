"""One look at a real file: products, cuts, sharpness, progress, cancelling."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from clipper import ffmpeg, media
from clipper.cover import OPEN
from clipper.errors import Cancelled
from clipper.speech import weights
from clipper.values import Product, Span
from clipper.vision import LookOptions, look
from clipper.vision.faces import FaceFinder, openness
from tests.unit.test_vision_sightings import pack

SAMPLES = Path(__file__).parents[2] / "samples"
FPS = 10
SECONDS = 24


def film(path: Path, landscape: bool) -> Path:
    """Two rooms, changed at 12.3 s; pack 1 shown from 4 to 10 s, pack 2 from 16 s on."""
    size = (640, 360) if landscape else (360, 640)
    rooms = [np.asarray(cv2.resize(np.random.default_rng(seed).integers(40, 220, (9, 9, 3)).astype(np.uint8), size)) for seed in (1, 2)]
    packs = {number: np.asarray(cv2.resize(np.ascontiguousarray(pack(number)[40:-40, 40:-40, :3]), (110, 140))) for number in (1, 2)}

    def frames():
        for index in range(FPS * SECONDS):
            time = index / FPS
            frame = rooms[time >= 12.3].copy()
            held = 1 if 4 <= time < 10 else 2 if time >= 16 else None
            if held:
                x, y = 120 + round(8 * np.sin(time)), 150
                frame[y : y + 140, x : x + 110] = packs[held]
            yield frame.tobytes()

    args = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{size[0]}x{size[1]}", "-r", str(FPS), "-i", "pipe:0"]
    args += [
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-g",
        "20",
        "-sc_threshold",
        "0",
        "-pix_fmt",
        "yuv420p",
        "-y",
        "-f",
        "mp4",
        ffmpeg.url(path),
    ]
    ffmpeg.run(args, what="could not build the film", feed=frames())
    return path


@pytest.fixture(scope="module", params=[True, False], ids=["landscape", "portrait"])
def recording(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    return media.probe(film(tmp_path_factory.mktemp("film") / "a.mp4", request.param))


@pytest.fixture(scope="module")
def products(tmp_path_factory: pytest.TempPathFactory) -> list[Product]:
    folder = tmp_path_factory.mktemp("pictures")
    for number in (1, 2, 3):
        (folder / f"{number}.png").write_bytes(cv2.imencode(".png", pack(number))[1].tobytes())
    return [Product(sku=f"P{number}", title="x", images=(str(folder / f"{number}.png"),)) for number in (1, 2, 3)]


def test_a_look_finds_products_and_cuts(recording, products) -> None:
    told: list[float] = []
    picture = look(recording, products, LookOptions(), face_model=None, progress=told.append)
    shown = {(sighting.time, sighting.sku) for sighting in picture.sightings}
    assert {sku for time, sku in shown if 4 <= time < 10} == {"P1"}
    assert {sku for time, sku in shown if time >= 16} == {"P2"}
    assert not [time for time, _ in shown if time < 4 or 10 <= time < 16]
    assert {time for time, _ in shown} == {4.0, 6.0, 8.0, 16.0, 18.0, 20.0, 22.0}
    late = 0.0 if recording.width_px > recording.height_px else 0.3
    assert picture.cuts == pytest.approx((12.3,), abs=late)
    assert [one.time for one in picture.looks] == [2.0 * step for step in range(12)]
    assert told == sorted(told) and told[-1] > 0.9
    assert picture.faces == () and picture.warnings == ()


def test_two_looks_see_the_same(recording, products) -> None:
    first, second = (look(recording, products, LookOptions(), face_model=None) for _ in range(2))
    assert first == second


def test_without_pictures_there_are_no_sightings_to_speak_of(recording) -> None:
    assert look(recording, [Product(sku="A", title="x")], LookOptions(), face_model=None).sightings is None


def test_a_look_can_be_stopped(recording) -> None:
    with pytest.raises(Cancelled):
        look(recording, [], LookOptions(), face_model=None, cancelled=lambda: True)


def test_the_blink_of_a_real_looking_face_is_seen() -> None:
    finder = FaceFinder(weights.locate("centerface") / "centerface.onnx")
    recording = media.probe(SAMPLES / "show.mp4")
    measured = []
    for frame in media.frames(recording, Span(9.0, 9.6), width_px=480):
        measured += [(frame.time, openness(frame.image, face)) for face in finder.find(frame.image)[:1]]
    eyes = [value for _, value in measured if value is not None]
    assert len(eyes) == 15
    shut = [time for time, value in measured if value is not None and value < OPEN * np.median(eyes)]
    assert shut == pytest.approx([9.24, 9.28, 9.32, 9.36], abs=0.001)
