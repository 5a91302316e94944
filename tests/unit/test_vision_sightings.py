"""Products met in frames: drawn packs, warped, lit, covered, blurred and compressed."""

from __future__ import annotations

import math
import random
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from clipper.values import Box, Product
from clipper.vision.looking import SURE, believed
from clipper.vision.pictures import prepare, product_mask, template_of
from clipper.vision.sightings import Found, ProductFinder, judge, settle

Image = NDArray[np.uint8]
STRANGE = ("Nordlys", "KOPI", "Zen", "Aqua", "Rustik", "Quartz", "Jumbo", "Wok")
WORDS = ("VITA", "Fresh", "OATS", "Daily", "Crunch", "Pure", "Milk", "Honey", "Berry", "Green")
FRAME = (480, 854)


def pack(seed: int, *, tint: tuple[int, int, int] | None = None, words: tuple[str, ...] = WORDS) -> Image:
    """Draw a pack on a white ground: uint8 (h, w, 4) BGRA; `tint` gives the same pack in another colour."""
    rng = random.Random(seed)
    width, height = rng.choice([(300, 420), (360, 360), (260, 440)])
    picture = np.full((height + 80, width + 80, 3), 255, np.uint8)
    ground, label, ink = ([rng.randrange(256) for _ in range(3)] for _ in range(3))
    ground, label = list(tint or ground), [160 + value // 3 for value in label]
    cv2.rectangle(picture, (40, 40), (40 + width, 40 + height), ground, -1)
    cv2.rectangle(picture, (60, 40 + height // 3), (20 + width, 40 + height * 3 // 4), label, -1)
    for line in range(3):
        text = f"{rng.choice(words)} {rng.randrange(100)}"
        cv2.putText(picture, text, (70, 90 + height // 3 + 45 * line), cv2.FONT_HERSHEY_DUPLEX, 1.2 - 0.3 * line, [v // 3 for v in ink], 2)
    for _ in range(5):
        place = (rng.randrange(60, width + 20), rng.randrange(50 + height * 3 // 4, height + 30))
        cv2.circle(picture, place, rng.randrange(6, 18), [rng.randrange(256) for _ in range(3)], -1)
    return np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])


def room(rng: random.Random) -> Image:
    """Draw a cluttered place, uint8 (854, 480, 3)."""
    width, height = FRAME
    picture = cv2.resize(
        np.random.default_rng(rng.randrange(999)).integers(60, 220, (12, 7, 3), np.uint8), FRAME, interpolation=cv2.INTER_CUBIC
    )
    for _ in range(12):
        x, y = rng.randrange(width), rng.randrange(height)
        colour = [rng.randrange(256) for _ in range(3)]
        cv2.rectangle(picture, (x, y), (x + rng.randrange(20, 120), y + rng.randrange(20, 150)), colour, -1)
        cv2.putText(picture, rng.choice(("SALE", "50%", "HOT")), (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.8, [255 - v for v in colour], 2)
    return picture


def hold_up(scene: Image, picture: Image, rng: random.Random) -> tuple[Image, Box]:
    """Show a product in a scene as a stream would: small, tilted, in other light, a hand on it, blurred, coded."""
    mask = product_mask(picture)
    x, y, w, h = cv2.boundingRect(mask)
    width, height = FRAME
    size = rng.uniform(0.24, 0.4) * width
    product = cv2.resize(picture[y : y + h, x : x + w, :3], (round(size), round(size * h / w)), interpolation=cv2.INTER_AREA)
    light = np.array([rng.uniform(0.8, 1.15) for _ in range(3)]) * np.linspace(0.85, 1.1, product.shape[1])[None, :, None]
    product = np.clip(product * light, 0, 255).astype(np.uint8)
    turn = math.radians(rng.uniform(-15, 15))
    half = np.array([product.shape[1], product.shape[0]]) / 2
    squeeze = rng.uniform(0.85, 1.0)
    corners = np.array([(-1, -1), (squeeze, -squeeze), (squeeze, squeeze), (-1, 1)]) * half
    corners = corners @ np.array([(math.cos(turn), math.sin(turn)), (-math.sin(turn), math.cos(turn))])
    corners += (rng.uniform(0.3, 0.7) * width, rng.uniform(0.3, 0.7) * height)
    own = np.array([(0, 0), (2 * half[0], 0), (2 * half[0], 2 * half[1]), (0, 2 * half[1])], np.float32)
    warp = cv2.getPerspectiveTransform(own, corners.astype(np.float32))
    cover = cv2.warpPerspective(np.ones(product.shape[:2], np.float32), warp, FRAME)[:, :, None]
    frame = (cv2.warpPerspective(product, warp, FRAME) * cover + scene * (1 - cover)).astype(np.uint8)
    for finger in range(3):
        tip = corners[0] + (corners[3] - corners[0]) * (0.35 + 0.15 * finger) + (0.25 * size, 0)
        cv2.line(
            frame,
            (round(float(tip[0] - 0.4 * size)), round(float(tip[1]))),
            (round(float(tip[0])), round(float(tip[1]))),
            (140, 170, 225),
            9,
        )
    frame = cv2.GaussianBlur(frame, (0, 0), rng.uniform(0.4, 0.8))
    frame = cv2.imdecode(cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 45])[1], cv2.IMREAD_COLOR)
    low, high = corners.min(axis=0) / FRAME, corners.max(axis=0) / FRAME
    return np.asarray(frame, np.uint8), Box(*map(float, (*low, *(high - low))))


def overlap(one: Box, other: Box) -> float:
    width = min(one.x + one.w, other.x + other.w) - max(one.x, other.x)
    height = min(one.y + one.h, other.y + other.h) - max(one.y, other.y)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (one.w * one.h + other.w * other.h - shared)


@pytest.fixture(scope="module")
def shelf() -> dict[str, Image]:
    """Six packs, two of them the same but for the colour."""
    packs = {f"P{seed}": pack(seed) for seed in range(5)}
    return {**packs, "P0 green": pack(0, tint=(60, 160, 40))}


def test_products_are_met_where_they_are_and_nowhere_else(shelf: dict[str, Image]) -> None:
    rng = random.Random(3)
    finder = ProductFinder([template_of(sku, picture) for sku, picture in shelf.items()])
    met, places, strangers = 0, [], []
    for number in range(36):
        sku = list(shelf)[number % len(shelf)]
        frame, box = hold_up(room(rng), shelf[sku], rng)
        found = finder.find(frame)
        strangers += [(sku, one.sku) for one in found if one.sku != sku]
        met += any(one.sku == sku for one in found)
        places += [overlap(one.box, box) for one in found if one.sku == sku]
    assert strangers == []
    assert met >= 0.8 * 36
    assert np.median(places) > 0.8


def test_strange_packs_and_empty_rooms_are_no_sightings(shelf: dict[str, Image]) -> None:
    rng = random.Random(4)
    finder = ProductFinder([template_of(sku, picture) for sku, picture in shelf.items()])
    found = []
    for number in range(30):
        scene = room(rng)
        found += finder.find(hold_up(scene, pack(100 + number, words=STRANGE), rng)[0] if number % 2 else scene)
    assert [one for one in found if one.score >= SURE] == []
    assert len(found) <= 1, "a weak one needs another in the neighbouring frame to be believed"


def test_a_standing_picture_is_still_met(shelf: dict[str, Image]) -> None:
    frame, _ = hold_up(room(random.Random(1)), shelf["P1"], random.Random(2))
    finder = ProductFinder([template_of("P1", shelf["P1"])])
    assert [[one.sku for one in finder.find(frame)] for _ in range(3)] == [["P1"]] * 3


@pytest.mark.parametrize("kind", ["white ground", "alpha", "pale product", "lived-in"])
def test_the_product_is_cut_from_its_ground(kind: str) -> None:
    picture = np.full((200, 200, 4), 255, np.uint8)
    picture[60:140, 50:150, :3] = (235, 242, 250) if kind == "pale product" else (40, 60, 200)
    picture[90:110, 40:160, :3] = 250
    picture[95:105, 60:140, :3] = 20
    if kind == "alpha":
        picture[:, :, 3] = 0
        picture[60:140, 50:150, 3] = 255
    if kind == "lived-in":
        picture[:, :, :3] = np.random.default_rng(1).integers(0, 255, (200, 200, 3))
    mask = product_mask(picture) > 0
    expected = np.zeros((200, 200), bool)
    expected[60:140, 50:150] = True
    if kind == "lived-in":
        assert mask.all()
    else:
        assert np.mean(mask == expected) > 0.97


def test_unusable_pictures_are_reported(tmp_path: Path) -> None:
    plain, text = tmp_path / "plain.png", tmp_path / "text.png"
    cv2.imwrite(str(plain), np.full((300, 300, 3), 200, np.uint8))
    text.write_text("no picture")
    good = tmp_path / "包装.png"
    good.write_bytes(cv2.imencode(".png", pack(1))[1].tobytes())
    products = [Product(sku=path.stem, title="x", images=(str(path),)) for path in (plain, text, good)]
    templates, warnings = prepare([*products, Product(sku="bare", title="x")])
    assert [template.sku for template in templates] == ["包装"]
    assert [warning.split()[0] for warning in warnings] == ["plain", "text"]


def test_the_judge_puts_measured_strangers_below_and_measured_products_above() -> None:
    strangers = [
        (7, 0.66, 0.0, 1.0),
        (5, 0.82, 0.0, 1.0),
        (5, 0.63, 0.21, 1.0),
        (22, 0.91, 0.12, 1.0),
        (7, 0.66, 1.0, 0.0),
        (5, 0.82, 1.0, 0.0),
    ]
    products = [(5, 0.97, 0.79, 1.0), (6, 0.74, 0.77, 1.0), (18, 0.96, 0.34, 1.0), (9, 0.95, 0.9, 0.0)]
    assert max(judge(*one) for one in strangers) < 0.5 < min(judge(*one) for one in products)


def test_rivals_for_one_place_contend() -> None:
    here, there = Box(0.1, 0.1, 0.2, 0.2), Box(0.6, 0.6, 0.2, 0.2)
    strong, weak, equal = (Found("A", here, 0.9, 2.4), Found("B", here, 0.9, 1.3), Found("B", here, 0.9, 2.38))
    assert settle([strong, weak, Found("C", there, 0.6, 1.0)]) == (strong, Found("C", there, 0.6, 1.0))
    assert settle([strong, equal]) == ()


def test_weak_sightings_need_a_neighbour() -> None:
    box = Box(0.1, 0.1, 0.2, 0.2)
    scores = [(0.0, "A", 0.9), (4.0, "B", 0.6), (8.0, "A", 0.45), (12.0, "A", 0.55), (16.0, "C", 0.45), (20.0, "C", 0.45)]
    found = [(time, (Found(sku, box, score),)) for time, sku, score in scores]
    assert [(one.time, one.sku) for one in believed(found)] == [(0.0, "A"), (8.0, "A"), (12.0, "A")]
