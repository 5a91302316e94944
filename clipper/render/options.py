"""What a caller may choose about rendering; what a clip shows is the plan's business."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from clipper.errors import InputError

PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow")
SCALERS = ("fast_bilinear", "bilinear", "bicubic", "lanczos")


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderOptions:
    """How plans become files."""

    captions: Literal["burned", "beside"] = "burned"
    """burned: in the picture and as .srt; beside: as .srt alone."""
    font: str = ""
    """Font file for captions, cards and cover; empty looks for one with Chinese characters."""
    safe_box: tuple[int, int, int, int] = (65, 270, 940, 1248)
    """Left, top, right, bottom of what the platform leaves free, in pixels of a frame 1080×1920."""
    crf: int = 21
    """x264's quality: lower is better and larger; 0 to 40."""
    preset: str = "superfast"
    """x264's preset, from ultrafast to slow."""
    max_kbps: int = 12_000
    """Ceiling of the picture's bit rate, kbit/s; 500 to 100000."""
    scaler: str = "bicubic"
    """How the picture is enlarged: fast_bilinear, bilinear, bicubic or lanczos."""
    threads: int = 1
    """Threads of the encoder and the filters; 1 to 64. Two clips at once with one thread each take two thirds of the time of
    one after the other with two."""
    audio_kbps: int = 192
    """Bit rate of the sound, kbit/s; 64 to 512."""
    silent_track: bool = True
    """Give a recording without sound a silent track; some platforms refuse a file without one."""
    card: bool = True
    """Draw the product card."""
    badge: bool = True
    """Draw the sales badge that a plan takes from real orders."""
    end_card: bool = True
    """Draw the closing card of teasers."""
    cover_title: bool = True
    """Write the title on the cover."""
    gain_max_db: float = 40.0
    """Sound is lifted by this much at most; a clip that stays quieter says so. dB, 0 to 60."""

    def __post_init__(self) -> None:
        bounds = {"crf": (0, 40), "max_kbps": (500, 100_000), "threads": (1, 64), "audio_kbps": (64, 512), "gain_max_db": (0, 60)}
        for name, (low, high) in bounds.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} = {getattr(self, name)}: expected {low} to {high}")
        for name, known in (("captions", ("burned", "beside")), ("preset", PRESETS), ("scaler", SCALERS)):
            if getattr(self, name) not in known:
                raise InputError(f"{name} = {getattr(self, name)!r}: expected one of {', '.join(known)}")
        left, top, right, bottom = self.safe_box
        if not (0 <= left < right <= 1080 and 0 <= top < bottom <= 1920) or right - left < 300 or bottom - top < 300:
            raise InputError(f"safe_box = {self.safe_box}: expected left, top, right, bottom inside 1080×1920, at least 300 px each way")
