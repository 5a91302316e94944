"""Textures drawn with numpy and Pillow: labels, plaid, apple skin and flesh, wood, print on a carton.

All are float (h, w, 3) sRGB in [0, 1] unless they say height map.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from making import registry


def noise(shape: tuple[int, int], smooth: tuple[float, float], seed: int) -> np.ndarray:
    """Make seamless noise in [0, 1]; `smooth` is the blur in pixels down and across."""
    rng = np.random.default_rng(seed)
    fy, fx = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None]
    keep = np.exp(-2 * math.pi**2 * ((fy * smooth[0]) ** 2 + (fx * smooth[1]) ** 2))
    field = np.fft.irfft2(np.fft.rfft2(rng.normal(size=shape)) * keep, s=shape)
    return np.clip((field - field.mean()) / (6 * field.std()) + 0.5, 0, 1)


def mix(low: np.ndarray, high: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Blend two colours or pictures by a map in [0, 1]."""
    return np.asarray(low) * (1 - share[..., None]) + np.asarray(high) * share[..., None]


def ramp(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Map values to [0, 1] with a soft step from `low` to `high`."""
    x = np.clip((values - low) / (high - low), 0, 1)
    return x * x * (3 - 2 * x)


@cache
def face(size: int, style: str = "Sans") -> ImageFont.FreeTypeFont:
    """Open the Chinese font at a size in pixels."""
    return ImageFont.truetype(str(registry.font(style)), size)


def write(
    draw: ImageDraw.ImageDraw, place: tuple[float, float], text: str, size: int, fill: str, *, style: str = "Sans", bold: int = 0
) -> None:
    """Write a line, centred on a point."""
    draw.text(place, text, font=face(size, style), fill=fill, anchor="mm", stroke_width=bold, stroke_fill=fill)


def write_down(
    draw: ImageDraw.ImageDraw, place: tuple[float, float], text: str, size: int, fill: str, *, bold: int = 0, step: float = 1.12
) -> None:
    """Write a column, its first character centred on a point."""
    for index, sign in enumerate(text):
        write(draw, (place[0], place[1] + index * size * step), sign, size, fill, style="Serif", bold=bold)


def as_floats(image: Image.Image) -> np.ndarray:
    """Turn a picture into floats in [0, 1]."""
    return np.asarray(image.convert("RGB"), np.float32) / 255


# --- tea ----------------------------------------------------------------------------------------


def _blossom(size: int, seed: int) -> Image.Image:
    """Draw a jasmine blossom."""
    image = Image.new("RGBA", (size, size))
    rng = np.random.default_rng(seed)
    for index in range(6):
        petal = Image.new("RGBA", (size, size))
        draw = ImageDraw.Draw(petal)
        draw.ellipse(
            [size * 0.40, size * 0.04, size * 0.60, size * 0.5],
            fill=(255, 253, 244, 255),
            outline=(196, 200, 170, 255),
            width=max(1, size // 90),
        )
        draw.line([size * 0.5, size * 0.2, size * 0.5, size * 0.47], fill=(214, 218, 188, 255), width=max(1, size // 80))
        image.alpha_composite(petal.rotate(index * 60 + rng.uniform(-7, 7), resample=Image.Resampling.BICUBIC))
    ImageDraw.Draw(image).ellipse([size * 0.455, size * 0.455, size * 0.545, size * 0.545], fill=(226, 196, 92, 255))
    return image


def _leaf(size: int, tone: tuple[int, int, int]) -> Image.Image:
    image = Image.new("RGBA", (size, size))
    draw = ImageDraw.Draw(image)
    side = [(size * (0.5 + 0.17 * math.sin(t * math.pi) * (1 - 0.25 * t)), size * (0.05 + 0.9 * t)) for t in np.linspace(0, 1, 40)]
    draw.polygon(side + [(size - x, y) for x, y in reversed(side)], fill=(*tone, 255))
    draw.line([size * 0.5, size * 0.08, size * 0.5, size * 0.95], fill=(222, 228, 196, 255), width=max(1, size // 60))
    return image


def tea_label(width: int = 2800, height: int = 1120) -> np.ndarray:
    """Draw the tin's wrap: the front lies in the middle, the back at both ends."""
    image = Image.new("RGBA", (width, height), (24, 66, 54, 255))
    draw = ImageDraw.Draw(image)
    rng = np.random.default_rng(4)
    for _ in range(46):
        size = int(rng.uniform(90, 190))
        spray = _leaf(size, (44, 96, 74)).rotate(rng.uniform(0, 360), resample=Image.Resampling.BICUBIC)
        left = width // 2 + rng.choice((-1, 1)) * rng.uniform(400, 850) - size / 2
        image.alpha_composite(spray, (int(left), int(rng.uniform(0, height - size))))
    left, right = width // 2 - 350, width // 2 + 350
    draw.rounded_rectangle([left, 90, right, height - 90], 26, fill=(247, 241, 226))
    draw.rounded_rectangle([left + 22, 112, right - 22, height - 112], 18, outline=(176, 142, 74), width=5)
    middle = width // 2
    for turn, x, y, size in (
        (35, middle - 300, 560, 240),
        (-30, middle - 210, 700, 250),
        (10, middle + 60, 760, 220),
        (75, middle + 120, 640, 200),
    ):
        image.alpha_composite(_leaf(size, (72, 122, 84)).rotate(turn + 120, resample=Image.Resampling.BICUBIC), (x, y))
    for seed, (x, y, size) in enumerate(
        ((middle - 275, 640, 235), (middle - 120, 770, 190), (middle + 40, 690, 250), (middle - 60, 600, 150))
    ):
        image.alpha_composite(_blossom(size, seed), (x, y))
    draw = ImageDraw.Draw(image)
    write(draw, (middle, 210), "小 满 山 房", 58, "#8a6a2c", style="Serif", bold=1)
    draw.line([middle - 190, 268, middle + 190, 268], fill=(176, 142, 74), width=3)
    write(draw, (middle, 400), "茉莉花茶", 148, "#174a3b", style="Serif", bold=4)
    write(draw, (middle, 530), "七窨一提  浓香型", 50, "#4c6f60")
    write(draw, (middle, height - 165), "净含量 100 克", 42, "#174a3b")
    for x in (260, width - 260):
        write(draw, (x, 220), "小满山房 · 茉莉花茶", 46, "#e7dcc0", style="Serif")
        for row, text in enumerate(("配料：绿茶、茉莉鲜花", "贮存：阴凉干燥，密封避光", "冲泡：3 克，90℃ 水，1 分钟", "保质期：18 个月")):
            write(draw, (x, 360 + row * 86), text, 36, "#cfd8c4")
    paper = noise((height, width), (2, 2), 8)[..., None] * 0.05 - 0.025
    return np.clip(as_floats(image) + paper, 0, 1)


# --- scarf --------------------------------------------------------------------------------------


def plaid(width: int = 1024, height: int = 5120, repeat: int = 512) -> tuple[np.ndarray, np.ndarray]:
    """Weave a plaid in twill: colour and height map. Threads are 4 px wide."""
    red, wine, cream, navy, gold = ((0.66, 0.07, 0.08), (0.40, 0.03, 0.06), (0.93, 0.88, 0.78), (0.07, 0.10, 0.19), (0.86, 0.60, 0.22))
    bands = (
        (0, red),
        (150, wine),
        (214, cream),
        (238, wine),
        (300, red),
        (338, gold),
        (346, red),
        (392, navy),
        (456, cream),
        (466, navy),
        (500, red),
    )

    def colours(length: int) -> np.ndarray:
        out = np.zeros((length, 3))
        at = np.arange(length) % repeat
        for start, colour in bands:
            out[at >= start] = colour
        return out

    y, x = np.mgrid[0:height, 0:width]
    thread = 4
    over = ((x // thread + y // thread) % 4) < 2
    colour = np.where(over[..., None], colours(width)[None], colours(height)[:, None])
    across = np.abs(np.sin(math.pi * (x % thread + 0.5) / thread))
    along = np.abs(np.sin(math.pi * (y % thread + 0.5) / thread))
    height_map = np.where(over, across, along) * 0.75 + 0.25 * noise((height, width), (1.5, 1.5), 5)
    yarn = 0.80 + 0.2 * np.where(over, across, along) + 0.25 * (noise((height, width), (3, 1.2), 6) - 0.5)
    return np.clip(colour * yarn[..., None], 0, 1).astype(np.float32), height_map.astype(np.float32)


def scarf_tag(width: int = 700, height: int = 300) -> np.ndarray:
    """Draw the woven label."""
    image = Image.new("RGB", (width, height), "#efe6d3")
    draw = ImageDraw.Draw(image)
    draw.rectangle([14, 14, width - 14, height - 14], outline="#6b1a1c", width=5)
    write(draw, (width / 2, 112), "北  巷", 110, "#6b1a1c", style="Serif", bold=3)
    write(draw, (width / 2, 225), "100% 羊毛 · WOOL", 50, "#3b3128")
    thread = np.sin(np.arange(width) * 1.6)[None] * 0.03 + np.sin(np.arange(height) * 1.6)[:, None] * 0.03
    return np.clip(as_floats(image) + thread[..., None], 0, 1)


# --- apples -------------------------------------------------------------------------------------


def apple_skin(seed: int, width: int = 2048, height: int = 1024) -> np.ndarray:
    """Paint an apple: the stem's hollow is the top row, the calyx the bottom row."""
    shape = (height, width)
    v = np.linspace(0, 1, height)[:, None] * np.ones((1, width))
    streak = noise(shape, (150, 3), seed) * 0.55 + noise(shape, (60, 1.6), seed + 1) * 0.45
    blush = noise(shape, (170, 260), seed + 2)
    redness = ramp(blush + (streak - 0.5) * 0.9 + 0.24 - 0.5 * ramp(np.abs(v - 0.47), 0.25, 0.5), 0.28, 0.72)
    yellow = mix((0.83, 0.69, 0.24), (0.72, 0.70, 0.27), noise(shape, (90, 90), seed + 3))
    red = mix((0.62, 0.045, 0.05), (0.42, 0.02, 0.04), ramp(noise(shape, (40, 2), seed + 4), 0.4, 0.7))
    skin = yellow * (1 - redness[..., None]) + red * redness[..., None]
    skin = mix(skin, (0.50, 0.44, 0.20), ramp(-v, -0.10, -0.03) * 0.7)
    rng = np.random.default_rng(seed + 9)
    dots = Image.new("L", (width, height))
    draw = ImageDraw.Draw(dots)
    for _ in range(900):
        row = math.acos(1 - 2 * rng.uniform(0.04, 0.96)) / math.pi
        x, y, r = rng.uniform(0, width), row * height, rng.uniform(1.2, 3.0)
        wide = r / max(0.25, math.sin(math.pi * row))
        draw.ellipse([x - wide, y - r, x + wide, y + r], fill=int(rng.uniform(90, 200)))
    spots = np.asarray(dots.filter(ImageFilter.GaussianBlur(0.8)), np.float32) / 255
    return np.clip(mix(skin, (0.90, 0.76, 0.52), spots * 0.75), 0, 1).astype(np.float32)


def apple_flesh(size: int = 1024) -> np.ndarray:
    """Paint the cut: cream flesh, honeyed core, seeds. x runs over [-1.15, 1.15] radii, y (downwards) over the same."""
    y, x = np.mgrid[1.15 : -1.15 : size * 1j, -1.15 : 1.15 : size * 1j]
    shape = (size, size)
    flesh = mix((0.95, 0.89, 0.70), (0.90, 0.82, 0.56), noise(shape, (30, 30), 21))
    ring = np.hypot(x / 0.46, (y + 0.02) / 0.52) + 0.28 * (noise(shape, (26, 26), 22) - 0.5)
    honey = ramp(-ring, -1.25, -0.85) * (0.55 + 0.75 * (noise(shape, (14, 14), 23) - 0.2))
    flesh = mix(flesh, (0.83, 0.60, 0.20), np.clip(honey, 0, 1) * 0.85)
    line = np.exp(-(((ring - 1.02) / 0.035) ** 2))
    flesh = mix(flesh, (0.62, 0.62, 0.26), line * 0.5)
    rays = np.exp(-((((np.hypot(x / 0.80, y / 0.70)) - 1) / 0.10) ** 2)) * 0.25
    flesh = mix(flesh, (0.97, 0.94, 0.80), rays)
    image = Image.fromarray((np.clip(flesh, 0, 1) * 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    at = lambda px, py: ((px + 1.15) / 2.3 * size, (1.15 - py) / 2.3 * size)  # noqa: E731
    for side in (-1, 1):
        hollow = [
            (side * (0.05 + 0.135 * math.sin(t) ** 0.8 * (1 if t < math.pi else 0.2)), 0.24 * math.cos(t) - 0.02)
            for t in np.linspace(0, math.pi, 30)
        ]
        draw.polygon([at(*point) for point in hollow], fill=(196, 158, 84), outline=(150, 116, 58))
        seed = [
            (side * (0.105 + 0.042 * math.sin(t) * (1 - 0.35 * math.cos(t))), 0.115 * math.cos(t) - 0.03)
            for t in np.linspace(0, 2 * math.pi, 40)
        ]
        draw.polygon([at(*point) for point in seed], fill=(66, 32, 16))
        draw.line([at(side * 0.095, 0.02), at(side * 0.092, -0.05)], fill=(128, 76, 44), width=4)
    draw.line([at(0, 0.55), at(0, -0.6)], fill=(206, 176, 104), width=5)
    image = image.filter(ImageFilter.GaussianBlur(1.4))
    grain = noise(shape, (1.2, 1.2), 24)[..., None] * 0.05 - 0.025
    return np.clip(as_floats(image) + grain, 0, 1)


def carton(width: int = 1800, height: int = 900) -> np.ndarray:
    """Print the apple carton's front on kraft board."""
    board = mix((0.74, 0.58, 0.40), (0.66, 0.50, 0.33), noise((height, width), (1.5, 40), 31))
    image = Image.fromarray((board * 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    red, dark = "#9c1f1c", "#3c2616"
    draw.rectangle([0, height - 120, width, height - 86], fill=red)
    draw.ellipse([120, 170, 620, 640], fill=red)
    draw.ellipse([300, 120, 440, 240], fill="#b98d60")
    draw.line([370, 245, 402, 110], fill=dark, width=20)
    draw.polygon([(400, 165), (470, 92), (590, 96), (520, 172)], fill="#4b6b2f")
    write(draw, (370, 415), "糖心", 150, "#f4e3c4", style="Serif", bold=4)
    write(draw, (1190, 190), "果 岭 人 家", 86, dark, style="Serif", bold=2)
    write(draw, (1190, 400), "冰糖心苹果", 190, red, style="Serif", bold=6)
    write(draw, (1190, 590), "树上熟 · 现摘现发", 78, dark, bold=1)
    write(draw, (1190, 700), "净重 5 斤", 60, dark)
    fibre = noise((height, width), (1, 3), 32)[..., None] * 0.10 - 0.05
    return np.clip(as_floats(image) + fibre, 0, 1)


# --- the room -----------------------------------------------------------------------------------


def sign(width: int = 1200, height: int = 420) -> np.ndarray:
    """Letter the sign on the wall."""
    board = mix((0.93, 0.88, 0.80), (0.88, 0.81, 0.71), noise((height, width), (3, 120), 51))
    image = Image.fromarray((board * 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle([16, 16, width - 16, height - 16], 30, outline="#7a5a3a", width=8)
    write(draw, (width / 2, height * 0.42), "小北的直播间", 150, "#5a3c22", style="Serif", bold=3)
    write(draw, (width / 2, height * 0.78), "每晚八点半  好好吃饭 好好生活", 54, "#8a6a48")
    return as_floats(image)
