"""What the camera backend draws: true shape, true colour, smooth movement, exact loops, nothing drawn before it is asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest

from clipper.errors import Cancelled, InputError
from clipper.values import Box
from generators.animators.camera import Camera, CameraOptions
from generators.animators.camera.product import clean_edges
from generators.values import Cutout, Move, Photo
from tests.camera import DARK, RED, cutout, disc_photo, film, place, redness, request, style, textured_photo

MOVES: tuple[Move, ...] = get_args(Move)
BACKDROPS = ("gradient", "studio", "stage", "table", "pattern", "bokeh")


def lab(rgb: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(np.float32(rgb) / 255, cv2.COLOR_RGB2Lab)


# --- interface ----------------------------------------------------------------------------------


def test_footage_has_the_wanted_size_rate_and_length() -> None:
    footage, origin = film(request(disc_photo(), seconds=1.5))
    assert (footage.width_px, footage.height_px, footage.fps, footage.count) == (270, 480, 30, 45)
    frame = next(footage.frames())
    assert frame.shape == (480, 270, 3) and frame.dtype == np.uint8
    assert origin.backend == "camera" and not origin.is_generated
    assert dict(origin.settings)["planes"] == "layers"


@pytest.mark.parametrize("move", MOVES)
def test_the_same_request_gives_the_same_pixels(move: Move) -> None:
    wanted = request(disc_photo(), move, look=style(backdrop="table"))
    one, other = film(wanted, CameraOptions(threads=1))[0], film(wanted, CameraOptions(threads=2))[0]
    for first, second in zip(one.frames(0, 12, 5), other.frames(0, 12, 5), strict=True):
        assert np.array_equal(first, second)


def test_frames_are_found_from_anywhere() -> None:
    footage, _ = film(request(disc_photo()))
    whole = list(footage.frames())
    assert len(whole) == 30
    for start, stop, step in ((7, None, 1), (0, 9, 4), (28, 40, 1), (30, None, 1)):
        part = list(footage.frames(start, stop, step))
        assert len(part) == len(whole[start:stop:step])
        assert all(np.array_equal(a, b) for a, b in zip(part, whole[start:stop:step], strict=True))


def test_nothing_is_drawn_before_it_is_asked_for() -> None:
    footage, _ = film(request(disc_photo(), seconds=20))
    drawn = []
    scene = footage._scene

    class Watched:
        def draw(self, view: object) -> object:
            drawn.append(view)
            return scene.draw(view)

    footage._scene = Watched()
    frames = footage.frames()
    assert drawn == []
    next(frames)
    assert len(drawn) <= 6
    frames.close()
    assert len(drawn) <= 6


def test_cancelling_and_wrong_requests() -> None:
    wanted = request(disc_photo())
    with pytest.raises(Cancelled):
        Camera().animate(wanted, Path("x"), progress=lambda _: None, cancelled=lambda: True)
    for wrong in (
        replace(wanted, width_px=32),
        replace(wanted, shot=replace(wanted.shot, seconds=0)),
        replace(wanted, cutout=replace(wanted.cutout, mask=wanted.cutout.mask[:-1])),
    ):
        with pytest.raises(InputError, match="could not film disc"):
            film(wrong)


# --- shape --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(270, 480), (360, 360), (480, 270), (288, 360)])
@pytest.mark.parametrize("layered", [True, False])
def test_a_round_product_stays_round_in_every_frame_shape(size: tuple[int, int], layered: bool) -> None:
    photo, cut = disc_photo(radius=0.22)
    cut = cut if layered else replace(cut, confidence=0.1)
    footage, origin = film(request((photo, cut), "push_in", size=size))
    assert dict(origin.settings)["planes"] == ("layers" if layered else "card")
    for frame in footage.frames(0, None, 29):
        _, _, across, down = place(frame)
        assert across == pytest.approx(down, rel=0.004)


@pytest.mark.parametrize("move", [move for move in MOVES if move != "still"])
def test_the_product_moves_by_a_similarity_alone(move: Move) -> None:
    pair = textured_photo()
    footage, _ = film(request(pair, move, size=(540, 960), look=style(light_sweep=0.0)))
    photo, cut = pair
    for frame in footage.frames(3, None, 13):
        fitted = fit(photo.pixels, cut.mask, frame)
        scales = np.hypot(fitted[0, :2], fitted[1, :2])
        assert abs(scales[0] / scales[1] - 1) < 0.002, "stretched"
        assert abs(fitted[0, 1]) < 0.002 * scales[0] and abs(fitted[1, 0]) < 0.002 * scales[0], "turned or sheared"


def fit(picture: np.ndarray, mask: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Fit the affine map from the picture to a frame by its features."""
    finder = cv2.SIFT_create(1500)
    inside = cv2.erode((mask > 250).astype(np.uint8) * 255, np.ones((9, 9), np.uint8))
    keys, words = finder.detectAndCompute(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), inside)
    other_keys, other_words = finder.detectAndCompute(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), None)
    pairs = [m for m, n in cv2.BFMatcher().knnMatch(words, other_words, k=2) if m.distance < 0.7 * n.distance]
    assert len(pairs) > 60
    source = np.float32([keys[pair.queryIdx].pt for pair in pairs])
    target = np.float32([other_keys[pair.trainIdx].pt for pair in pairs])
    matrix, good = cv2.estimateAffine2D(source, target, ransacReprojThreshold=1.0, refineIters=30)
    assert good.mean() > 0.7
    return matrix


@pytest.mark.parametrize("move", ["push_in", "parallax", "pan", "rise"])
def test_movement_is_smooth_below_a_pixel(move: Move) -> None:
    footage, _ = film(request(disc_photo(), move, seconds=3))
    found = np.array([place(frame)[:3] for frame in footage.frames(0, None, 1)])
    wanted = np.array([view_of(footage, index) for index in range(footage.count)])
    jitter = (found - found.mean(0)) - (wanted - wanted.mean(0))
    assert np.abs(np.diff(found[:, :2], n=2, axis=0)).max() < 0.12
    assert np.abs(jitter[:, :2]).max() < 0.05, "the product is not where the path says, to a twentieth of a pixel"


def view_of(footage: object, index: int) -> tuple[float, float, float]:
    """Return where the path has the disc in a frame: its middle, and its scale."""
    scene = footage._scene
    place = footage._path(footage.instant(index)).near.after(scene.rest)
    columns, rows = scene.product.rgb.size
    return (*place.apply(columns / 2, rows / 2), place.scale)


@pytest.mark.parametrize("move", ["parallax", "push_in", "detail", "sweep"])
def test_a_closed_shot_comes_back_to_its_first_frame(move: Move) -> None:
    footage, _ = film(request(disc_photo(), move, seconds=2, loop=True, look=style(backdrop="stage", palette=DARK)))
    first, last = footage.frame(0), footage.frame(footage.count - 1)
    assert np.array_equal(first, footage.frame(footage.count))
    steps = [np.abs(footage.frame(i).astype(int) - footage.frame(i + 1)).mean() for i in (0, 10, 20)]
    assert np.abs(first.astype(int) - last).mean() <= 1.3 * max(steps)


# --- colour -------------------------------------------------------------------------------------


@pytest.mark.parametrize("backdrop", BACKDROPS)
def test_the_products_colour_is_true(backdrop: str) -> None:
    for palette in (DARK, style().palette):
        footage, _ = film(request(disc_photo(), "push_in", look=style(backdrop=backdrop, palette=palette)))
        frame = footage.frame(15)
        inside = cv2.erode((redness(frame) > 0.98).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        x, y, spread, _ = place(np.where(inside[..., None], frame, 0))
        core = frame[int(y - spread) : int(y + spread), int(x - spread) : int(x + spread)]
        away = np.linalg.norm(lab(core) - lab(np.uint8([[RED]])), axis=2)
        assert away.max() < 0.5


def test_light_sweeps_by_its_gain_at_most_and_keeps_the_hue() -> None:
    footage, _ = film(request(disc_photo(colour=(120, 90, 60)), "sweep", look=style(light_sweep=0.05)))
    plain, _ = film(request(disc_photo(colour=(120, 90, 60)), "sweep", look=style(light_sweep=0.0)))
    gains = []
    for lit, unlit in zip(footage.frames(), plain.frames(), strict=True):
        product = np.abs(unlit.astype(int) - (120, 90, 60)).max(axis=2) == 0
        ratio = lit[product].astype(float) / unlit[product]
        gains.append(ratio.max())
        assert np.abs(np.ptp(ratio, axis=1)).max() < 0.02
        assert np.array_equal(lit[:60], unlit[:60]), "the light leaves the product"
    assert 1.035 < max(gains) <= 1.06
    assert min(gains) <= 1.005


def test_no_rim_of_the_old_background_on_dark() -> None:
    photo, cut = disc_photo(size=600, colour=(60, 30, 20))
    footage, _ = film(request((photo, cut), "still", look=style(palette=DARK, backdrop="gradient", shadow=0.0)))
    frame = footage.frame(0).astype(int)
    scene = footage._scene
    without = scene._ground(footage._path(0.0)).astype(int)
    most = np.maximum(without, (60, 30, 20))
    assert (frame - most).max() <= 3, "a bright rim"


def test_thin_soft_things_keep_their_own_colour() -> None:
    picture = np.full((60, 60, 3), 255, np.uint8)
    alpha = np.zeros((60, 60), np.uint8)
    picture[20:40, 10:30], alpha[20:40, 10:30] = (20, 60, 120), 255
    picture[30, 30:55], alpha[30, 30:55] = np.uint8(np.round(0.5 * np.array((200, 30, 30)) + 0.5 * 255)), 128
    cleaned = clean_edges(picture, alpha)
    assert np.array_equal(cleaned[20:40, 10:30], picture[20:40, 10:30])
    red, _, blue = cleaned[30, 50].astype(int)
    assert red - blue > 60, "the thread took the body's colour"
    assert cleaned[30, 50, 1] < picture[30, 50, 1], "the white behind the thread stayed in it"


# --- choosing planes ----------------------------------------------------------------------------


def test_a_doubtful_or_cropped_product_stands_as_a_print() -> None:
    photo, cut = disc_photo()
    assert planes((photo, replace(cut, confidence=0.5))) == "card"
    cropped = Photo(path="cropped.png", sha256="c" * 64, pixels=photo.pixels[:, 150:])
    half = cutout(np.ascontiguousarray(cut.mask[:, 150:]))
    assert planes((cropped, half)) == "card", "a product that its photo cuts off must not float in mid-air"


def planes(pair: tuple[Photo, Cutout], size: tuple[int, int] = (270, 480)) -> str:
    return dict(film(request(pair, size=size))[1].settings)["planes"]


def scene_photo(width: int, height: int) -> tuple[Photo, Cutout]:
    """A busy scene whose product nobody can find."""
    pixels = cv2.resize(np.random.default_rng(2).integers(60, 255, (12, 9, 3), np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    nothing = replace(cutout(np.full((height, width), 255, np.uint8)), confidence=0.0, method="none", box=Box(0, 0, 1, 1))
    return Photo(path="scene.png", sha256="e" * 64, pixels=pixels), nothing


def test_a_scene_of_the_frames_shape_fills_it_and_another_stands_as_a_print() -> None:
    assert planes(scene_photo(270, 480)) == "single"
    assert planes(scene_photo(400, 400)) == "card"
    assert planes(scene_photo(400, 400), (360, 400)) == "single"
    photo, cut = disc_photo()
    assert planes((photo, replace(cut, confidence=0.1)), (400, 400)) == "card", "plain paper is no scene"


def test_a_print_keeps_the_photos_pixels_and_the_style_its_set() -> None:
    photo, cut = disc_photo(radius=0.42)
    footage, _ = film(
        request((photo, replace(cut, confidence=0.1)), "still", look=style(palette=DARK, backdrop="gradient", light_sweep=0.0))
    )
    frame = footage.frame(0)
    left, top, right, _ = (round(side) for side in footage.product(0))
    assert np.abs(frame[top + 6, left + 20 : right - 20].astype(int) - 255).max() <= 1, "no veil over the photo's white"
    assert frame[: top - 4].max() < 128, "the style's dark set around it"
    assert frame[top, left].max() < 128, "its corners are round"


@pytest.mark.parametrize("move", MOVES)
def test_scenes_cover_the_frame_in_every_move(move: Move) -> None:
    footage, _ = film(request(scene_photo(270, 480), move, size=(180, 320), look=style(light_sweep=0.0)))
    for frame in footage.frames(0, None, 29):
        assert frame.min() > 20


# --- where the product is -----------------------------------------------------------------------


@pytest.mark.parametrize("move", ["push_in", "detail", "pan"])
def test_footage_tells_where_its_product_is(move: Move) -> None:
    footage, _ = film(request(disc_photo(), move, size=(270, 480), look=style(light_sweep=0.0, shadow=0.0)))
    for index in (0, 15, 29):
        left, top, right, bottom = footage.product(index)
        x, y, across, _ = place(footage.frame(index)) if left >= 0 and right <= 270 else ((left + right) / 2, (top + bottom) / 2, 0, 0)
        assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx((x, y), abs=1.0)
        assert not across or (right - left) / 4 == pytest.approx(across, rel=0.02), "a disc's spread is a quarter of its width"


def test_nobody_knows_where_the_product_of_a_scene_is() -> None:
    footage, _ = film(request(scene_photo(270, 480)))
    assert footage.product(0) is None


# --- sharpness ----------------------------------------------------------------------------------


def test_small_pictures_are_not_blown_up() -> None:
    _, origin = film(request(disc_photo(size=600, radius=0.3), size=(1080, 1920)))
    assert float(dict(origin.settings)["scale"]) <= 1.6
    _, tiny = film(request(disc_photo(size=100, radius=0.2), size=(1080, 1920)))
    assert float(dict(tiny.settings)["scale"]) > 1.6, "a thumbnail still has to be seen"


def test_fine_detail_of_a_large_picture_does_not_shimmer() -> None:
    size = 2400
    rows, columns = np.mgrid[:size, :size]
    checks = np.where((rows // 2 + columns // 2) % 2, 255, 0).astype(np.uint8)
    mask = np.zeros((size, size), np.uint8)
    mask[300:2100, 300:2100] = 255
    photo = Photo(path="checks.png", sha256="f" * 64, pixels=np.repeat(checks[..., None], 3, axis=2))
    footage, _ = film(request((photo, cutout(mask)), "push_in", size=(270, 480)))
    for frame in footage.frames(0, None, 10):
        middle = frame[200:260, 100:170].astype(float)
        assert middle.std() < 6
        assert abs(middle.mean() - 127.5) < 6
