"""The words of picture-to-video as values: what its stages hand to each other.

Pictures are RGB, `uint8 (h, w, 3)`; masks are `uint8 (h, w)`, 0 outside and 255 inside. Times are seconds on the finished
video's clock unless a docstring names a shot's own. Boxes are fractions of the picture they lie in, (0, 0) top left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, Protocol

from clipper.values import Box, ms

Pixels = Any
"""numpy `uint8 (h, w, 3)` RGB; numpy is not imported for the sake of an annotation."""
Mask = Any
"""numpy `uint8 (h, w)`: 0 outside, 255 inside, soft between."""

Move = Literal["push_in", "pull_out", "parallax", "detail", "sweep", "rise", "pan", "reveal", "still"]
Transition = Literal["cut", "dissolve", "wipe", "flash", "slide"]


# --- pictures -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A product picture, upright, in sRGB, without metadata."""

    path: str
    sha256: str
    """Of the file's bytes."""
    pixels: Pixels
    alpha: Mask | None = None
    """The file's own transparency, when it has any that matters."""
    aigc: str | None = None
    """The AIGC label found in the file, as its JSON text: it is carried into everything made from it."""
    warnings: tuple[str, ...] = ()

    @property
    def width_px(self) -> int:
        """Width of the upright picture."""
        return int(self.pixels.shape[1])

    @property
    def height_px(self) -> int:
        """Height of the upright picture."""
        return int(self.pixels.shape[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutout:
    """Where the product is in a photo."""

    mask: Mask
    """Soft-edged, of the photo's size."""
    box: Box
    """Smallest rectangle around the product."""
    confidence: float
    """In [0, 1]: how sure it is that the mask is the whole product and nothing else."""
    method: Literal["alpha", "key", "grabcut", "matting", "none"]
    reasons: tuple[str, ...] = ()

    def is_layer(self, threshold: float = 0.7) -> bool:
        """Say whether the product may be lifted off its background; below that the photo is shown as a single plane."""
        return self.method != "none" and self.confidence >= threshold

    def is_cropped(self) -> bool:
        """Say whether the photo's own edge cuts the product: such a cut must not float in mid-air."""
        edges = (self.mask[0], self.mask[-1], self.mask[:, 0], self.mask[:, -1])
        return any(float((edge > 127).mean()) > 0.02 for edge in edges)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One product to show: what is known about it, and its pictures with their cut-outs, best picture first."""

    name: str
    """Folder name of the product's results; safe as a file name."""
    sku: str | None
    title: str
    price: str = ""
    """As it is printed, currency sign included; empty when unknown."""
    list_price: str = ""
    call: str = ""
    points: tuple[str, ...] = ()
    category: str = ""
    photos: tuple[Photo, ...]
    cutouts: tuple[Cutout, ...]
    """One per photo."""
    warnings: tuple[str, ...] = ()
    """What was left out, and why."""


# --- styles -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """A style's colours, #rrggbb."""

    background: str
    background_end: str
    """The backdrop is a gradient from `background` to this."""
    ink: str
    """Text on the backdrop."""
    accent: str
    """Price, rules, badges."""
    on_accent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a product's video looks and moves; a TOML file in generators/styles."""

    name: str
    label: str
    """What people see, e.g. 明亮居家."""
    label_en: str
    prompt: str
    """With the slots {product}, {camera}, {light}, {background} and {motion}."""
    negative: str
    camera: tuple[str, ...]
    """Words for the slot {camera}: one entry per entry of `moves`, in the same order."""
    light: str
    background: str
    motion: str
    palette: Palette
    lights: tuple[str, ...] = ()
    """Further words for the slot {light}: variants of one video take them in turn."""
    light_deg: float = 30.0
    """Direction the light sweeps from, degrees clockwise from straight above, -90 to 90; variants turn it."""
    vignette: float = 0.12
    """Darkening towards the corners, 0 to 0.5."""
    type: Literal["modern", "bold", "serif", "rounded"] = "modern"
    moves: tuple[Move, ...] = ("push_in", "parallax", "detail", "pull_out")
    """Camera moves of the shots, in turn."""
    transitions: tuple[Transition, ...] = ("cut",)
    transition_s: float = 0.3
    """Length of a transition that is no cut, 0 to 1 s."""
    pace_s: float = 2.4
    """Usual length of a shot, 1 to 6 s; the beat of the music moves it."""
    backdrop: Literal["gradient", "studio", "stage", "table", "pattern", "bokeh"] = "gradient"
    motif: Literal["plain", "leaves", "hills", "concrete", "rays", "scales", "halftone", "confetti"] = "plain"
    """What the backdrop shows: on a gradient leaves, hills or concrete, on a pattern rays, scales, halftone or confetti."""
    light_sweep: float = 0.05
    """Gain of the light that sweeps over the product, 0 to 0.06."""
    shadow: float = 0.35
    """Darkness of the contact shadow, 0 to 1."""
    title_at: Literal["top", "bottom", "left"] = "top"
    price_badge: Literal["plain", "pill", "burst", "tag"] = "pill"
    source: str = ""
    """Path of the style's file when it is one of the user's own; a storyboard names it by that."""


# --- the plan -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One shot of a storyboard."""

    id: str
    photo: int
    """Index of the picture in the storyboard."""
    last: int | None = None
    """Index of the picture that the shot ends on, for models that can; None lets it end as it comes."""
    seconds: float
    move: Move
    focus: Box | None = None
    """Region that the shot goes to, as fractions of the photo."""
    prompt: str = ""
    negative: str = ""
    seed: int = 0
    transition: Transition = "cut"
    """How the shot begins."""
    transition_s: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "seconds", ms(self.seconds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """Something drawn over the shots."""

    kind: Literal["title", "price", "point", "call", "logo", "end_card"]
    text: str
    start: float
    end: float
    detail: str = ""
    """Second line: the struck-out price, the call under the title."""
    image: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRef:
    """A picture a storyboard uses."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Storyboard:
    """Everything about one generated video before a pixel is made; a JSON file that people may edit."""

    id: str
    sku: str | None
    title: str
    style: str
    backend: str
    """auto, camera, diffusers or kling, as asked for; what was used in the end is in the manifest."""
    pictures: tuple[PictureRef, ...]
    shots: tuple[Shot, ...]
    overlays: tuple[Overlay, ...] = ()
    width_px: int = 1080
    height_px: int = 1920
    fps: int = 30
    seed: int = 0
    music: str | None = None
    music_gain_db: float = 0.0
    loop: bool = False
    """The frame after the last is the first: the last shot leads into the first one by the first one's transition."""
    begins: float = 0.0
    """Seconds of the first shot that are played at the end of a loop: its seam then lies within one running shot."""
    light_deg: float = 30.0
    """Direction the light sweeps from, degrees clockwise from straight above, -90 to 90."""
    light: str = ""
    """Words for the style's light in the prompts; variants differ in them."""

    @property
    def seconds(self) -> float:
        """Length of the video: the shots one after another; transitions lie inside the shots that they begin."""
        return ms(sum(shot.seconds for shot in self.shots))


# --- footage ------------------------------------------------------------------------------------


class Footage(Protocol):
    """A finished shot: frames that can be read as often as wanted, from any frame on."""

    width_px: int
    height_px: int
    fps: Fraction
    count: int
    """Number of frames."""

    def frames(self, start: int = 0, stop: int | None = None, step: int = 1) -> Iterator[Pixels]:
        """Yield every `step`-th frame of the half-open range."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a shot's pixels come from: all that is needed to make them again, for the manifest and the sidecar."""

    backend: str
    """camera, wan, ltx, svd, cogvideox, ltx2 or kling."""
    is_generated: bool
    """True when a model made pixels; moved photographs are edited, not generated."""
    seed: int
    model: str = ""
    revision: str = ""
    licence: str = ""
    scheduler: str = ""
    prompt: str = ""
    negative: str = ""
    picture_sha256: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    """Further parameters as name and text: steps, guidance, LoRA hashes, memory plan, device."""
    versions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotRequest:
    """What an animator is asked for."""

    shot: Shot
    photo: Photo
    cutout: Cutout
    style: Style
    width_px: int
    height_px: int
    fps: Fraction
    """What the video wants; an animator with a rate of its own says so in its footage, and composition adapts it."""
    last: Photo | None = None
    """Picture to end on, for models that can."""
    last_cutout: Cutout | None = None
    """Where the product is in it; None where nobody looked."""
    loop: bool = False
    """The shot's last frame leads into its first, for animators that can close a path."""


class Animator(Protocol):
    """Turns one picture into one moving shot. Loaded once per run and used for every shot of every product."""

    def animate(
        self, request: ShotRequest, work: Path, *, progress: Callable[[float], None], cancelled: Callable[[], bool]
    ) -> tuple[Footage, Origin]:
        """Make the shot; whatever has to lie on disk goes into the folder `work`.

        Raises ModelError, InputError (the request does not fit the model), ToolError and Cancelled.
        """
        ...

    def close(self) -> None:
        """Give memory and devices back."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Fidelity:
    """How far a shot still shows the product; every number is that of the worst frame looked at."""

    passed: bool
    ssim: float
    """Structural similarity on the product's mask after undoing the camera's motion, in [-1, 1]."""
    inliers: float
    """Share of the picture's key points found again in place, in [0, 1]."""
    colour: float
    """CIE ΔE 2000 between the product's mean colour and the picture's."""
    flicker: float
    """Second difference of the mean luma on the product, 8-bit steps."""
    motion: float
    """How far the camera or the product travelled, as a share of the frame's short edge."""
    text: float | None
    """Share of the picture's characters that are still read; None when the picture has no text."""
    reasons: tuple[str, ...] = ()
    """Which limits were broken, in words."""
    detail: float = 1.0
    """Structural similarity of the product's worst patch, as high as a line of a label, in [-1, 1]."""
    patch_colour: float = 0.0
    """CIE ΔE 2000 of the product's worst patch, the overall change of lightness taken out."""
    sharpness: float = 1.0
    """Energy of the product's fine edges over the picture's; 1 is as sharp."""
    noise: float = 0.0
    """Spread of fine differences all over the product, in 8-bit steps."""
    added: float = 0.0
    """Fine structure of the product's worst patch beyond what its picture has near it, in 8-bit steps."""
    outline: float = 0.0
    """Share of the product's outline that is seen out of its place, in [0, 1]."""
    stretch: float = 1.0
    """Ratio by which the product is longer in one direction than in the other; 1 is its true shape."""
    background: float | None = None
    """CIE ΔE 2000 by which a white background drifts; None when the background is not white."""
    is_doubled: bool = False
    """The product, or a part of it, is seen a second time beside itself."""
    notes: tuple[str, ...] = ()
    """What could not be measured and why; these do not fail a shot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """One attempt at a shot, kept in the manifest whether it was used or not."""

    shot: str
    origin: Origin
    fidelity: Fidelity
    pixel_lock: bool = False
    """The product's own pixels were put back into the generated frames."""
    used: bool = False
    why: str = ""
    """Why this attempt was made after the one before it."""
    extra: tuple[tuple[str, str], ...] = field(default=())
