"""The options of `livecut generate` and `make_videos`, section [generate] of livecut.toml."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from clipper.errors import InputError
from generators.animators.camera import CameraOptions
from generators.animators.kling import KlingOptions
from generators.compose.options import ComposeOptions
from generators.cutout import CutoutOptions
from generators.diffusion import DiffusersOptions
from generators.fidelity import FidelityOptions
from generators.images import PictureOptions
from generators.labels import LabelOptions
from generators.music import MusicOptions
from generators.takes import TakeOptions

ASPECTS = {"9:16": (9, 16), "3:4": (3, 4), "4:5": (4, 5), "1:1": (1, 1), "4:3": (4, 3), "16:9": (16, 9)}


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateOptions:
    """What videos are made of pictures, and how."""

    style: str = "clean-studio"
    """Name of a style (`livecut styles`), or the path of a .toml file of your own."""
    backend: Literal["auto", "camera", "diffusers", "kling"] = "auto"
    """auto takes a diffusion model when a card and its weights are there, and the camera otherwise."""
    seconds: float = 6.0
    """Length of a video, 3 to 30 s."""
    aspect: str = ""
    """Shape of the frame: 9:16, 3:4, 4:5, 1:1, 4:3 or 16:9; empty keeps plan.width_px and plan.height_px."""
    seed: int = 0
    """Everything random comes from it, 0 to 2³¹ - 1."""
    variants: int = 1
    """Videos per product that differ in moves, order and light, 1 to 20."""
    loop: bool = False
    """The last frame leads into the first."""
    ends_on: Literal["free", "start", "next"] = "free"
    """What the shots of a model end on: start is the picture a shot began with, next the product's next one. Only models that
    can be told (docs/models.md); the camera stays on its picture."""
    end_card: bool = True
    """Close with the product, its name, its price and the call."""
    music: str = ""
    """Sound file to lay under the videos; cuts follow its beat."""
    music_gain_db: float = 0.0
    """Music louder or softer than the voice, -30 to 12 dB; loudness as a whole is compose.loudness_lufs."""
    voice: str = ""
    """Sound file of a speaker; the music is lowered while it sounds."""
    max_pictures: int = 6
    """Pictures used of each product, 1 to 24."""
    logo: str = ""
    """Picture with transparency for the upper right corner."""
    title: str = ""
    """Title in place of the catalogue's."""
    price: str = ""
    """Price in place of the catalogue's, as it is to be printed."""
    call: str = ""
    """What the viewer is asked to do; empty takes the style's or none."""
    keep_shots: bool = True
    """Keep finished shots of a model beside the videos, so that an edited plan is rendered without making them again."""
    picture: PictureOptions = field(default_factory=PictureOptions)
    cutout: CutoutOptions = field(default_factory=CutoutOptions)
    camera: CameraOptions = field(default_factory=CameraOptions)
    diffusers: DiffusersOptions = field(default_factory=DiffusersOptions)
    kling: KlingOptions = field(default_factory=KlingOptions)
    fidelity: FidelityOptions = field(default_factory=FidelityOptions)
    takes: TakeOptions = field(default_factory=TakeOptions)
    compose: ComposeOptions = field(default_factory=ComposeOptions)
    bed: MusicOptions = field(default_factory=MusicOptions)
    label: LabelOptions = field(default_factory=LabelOptions)

    def __post_init__(self) -> None:
        bounds = {"seconds": (3, 30), "variants": (1, 20), "seed": (0, 2**31 - 1), "max_pictures": (1, 24), "music_gain_db": (-30, 12)}
        for name, (low, high) in bounds.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} = {getattr(self, name)}: expected {low} to {high}")
        if self.aspect and self.aspect not in ASPECTS:
            raise InputError(f"aspect = {self.aspect!r}: expected one of {', '.join(ASPECTS)}")

    def frame(self, width_px: int, height_px: int) -> tuple[int, int]:
        """Width and height of the video: the platform's, or of its short edge in another shape; even numbers."""
        if not self.aspect:
            return width_px, height_px
        short = min(width_px, height_px)
        across, down = ASPECTS[self.aspect]
        share = short / min(across, down)
        return round(across * share / 2) * 2, round(down * share / 2) * 2
