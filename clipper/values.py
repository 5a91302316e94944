"""The words of the project as frozen values: everything that stages hand to each other.

Times are seconds on the recording's clock (0 is the first decoded frame), rounded to the millisecond when built, unless a
field's docstring names another clock. Boxes are fractions of the displayed picture, (0, 0) top left. A channel that was
not recorded is `None`; an empty tuple means that it was recorded and nothing happened.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

ClipType = Literal["explanation", "hot_item", "teaser"]


def ms(seconds: float) -> float:
    """Round seconds to the millisecond."""
    return round(float(seconds), 3)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of a recording: half-open, in seconds on the recording's clock."""

    start: float
    """First instant inside the span; 0 is the first decoded frame."""
    end: float
    """First instant after the span."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", ms(self.start))
        object.__setattr__(self, "end", ms(self.end))

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return ms(self.end - self.start)

    def holds(self, time: float) -> bool:
        """Say whether an instant lies inside."""
        return self.start <= time < self.end

    def shared(self, other: Span) -> float:
        """Seconds that both spans cover."""
        return max(0.0, min(self.end, other.end) - max(self.start, other.start))

    def overlaps(self, other: Span) -> bool:
        """Say whether the spans share any time."""
        return self.shared(other) > 0

    def iou(self, other: Span) -> float:
        """Temporal intersection over union, in [0, 1]."""
        union = max(self.end, other.end) - min(self.start, other.start)
        return self.shared(other) / union if union > 0 else 0.0


# --- the recording ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What a probe found out about one media file."""

    path: str
    sha256: str
    size_bytes: int
    format: str
    """ffmpeg demuxer name pinned by the first bytes: mov, flv, mpegts, matroska, …"""
    duration: float
    """Seconds that can really be decoded, measured on packets and not read from a header."""
    claimed_duration: float | None
    """What the header says, when it says anything."""
    width_px: int
    """Displayed width, after rotation metadata and sample aspect ratio."""
    height_px: int
    rotation_deg: int
    fps: Fraction
    """Average frame rate."""
    is_vfr: bool
    has_audio: bool
    audio_rate_hz: int | None
    audio_channels: int | None
    video_codec: str
    audio_codec: str | None
    creation_time: float | None
    """Epoch seconds from the container, when present."""
    damaged: tuple[Span, ...] = ()
    """Stretches that could not be read; a missing tail is the span from `duration` to `claimed_duration`."""
    warnings: tuple[str, ...] = ()
    lead_s: float = 0.0
    """Seconds from ffmpeg's own zero of this file (its earliest stream) to time 0: add it to a time before handing it to `-ss`."""
    breaks: tuple[float, ...] = ()
    """Instants at which time stamps jump or begin again; `media.normalise` puts such a file on one clock."""
    original_path: str = ""
    """The caller's file, when `path` is a copy that was put on one clock."""


# --- the catalogue ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One thing for sale."""

    sku: str
    title: str
    aliases: tuple[str, ...] = ()
    """Short spoken names, in the seller's words."""
    brand: str = ""
    category: str = ""
    price: float | None = None
    list_price: float | None = None
    currency: str = "CNY"
    images: tuple[str, ...] = ()
    """Absolute paths of pictures on this machine; what could not be found is left out and reported."""
    link: int | None = None
    """Number of the product's link in the live room ("二号链接"); the catalogue's order when it names none."""
    points: tuple[str, ...] = ()
    """Selling points, when the catalogue has them."""
    variants: tuple[str, ...] = ()
    """Further skus (colours, sizes) that count as this product."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A row of a side file that could not be used."""

    line: int
    """1-based line (or record number, where a format has no lines)."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """The products of one stream."""

    path: str | None
    products: tuple[Product, ...]
    rejects: tuple[Reject, ...] = ()
    warnings: tuple[str, ...] = ()

    def named(self, sku: str) -> Product | None:
        """Look a product up by its sku, or by that of one of its variants."""
        exact = (product for product in self.products if product.sku == sku)
        return next(exact, None) or next((product for product in self.products if sku in product.variants), None)


# --- the audience -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Comment:
    """One chat message. The user is a salted hash: names are personal data and are not kept."""

    time: float
    user: str
    text: str


@dataclass(frozen=True, slots=True, order=True)
class Order:
    """One order line, or `quantity` pieces sold inside one bucket of an aggregated log."""

    time: float
    sku: str
    quantity: float
    amount: float | None = None
    bucket_s: float = 0.0
    """Length of the bucket that starts at `time`; 0 for a single order."""


@dataclass(frozen=True, slots=True, order=True)
class Card:
    """A product card was shown or hidden in the live room."""

    time: float
    sku: str
    action: Literal["show", "hide"] = "show"


@dataclass(frozen=True, slots=True, order=True)
class Viewers:
    """How many people were watching at an instant."""

    time: float
    count: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceLog:
    """Everything the side files tell, in seconds on the recording's clock, each channel sorted by time."""

    comments: tuple[Comment, ...] | None = None
    orders: tuple[Order, ...] | None = None
    cards: tuple[Card, ...] | None = None
    viewers: tuple[Viewers, ...] | None = None
    sources: tuple[str, ...] = ()
    """Paths that were read."""
    started_at: float | None = None
    """Epoch seconds of the recording's first frame."""
    started_from: str = "unknown"
    """What `started_at` was taken from: side file, name, container, option or unknown."""
    rejects: tuple[Reject, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the channels that nobody recorded."""
        return tuple(name for name in ("comments", "orders", "cards", "viewers") if getattr(self, name) is None)


# --- speech -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Word:
    """One recognised word (in Chinese mostly one or two characters)."""

    start: float
    end: float
    text: str
    probability: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", ms(self.start))
        object.__setattr__(self, "end", ms(self.end))


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence-like unit: ends at punctuation or a pause, 12 s at most."""

    words: tuple[Word, ...]

    @property
    def start(self) -> float:
        """Start of the first word."""
        return self.words[0].start

    @property
    def end(self) -> float:
        """End of the last word."""
        return self.words[-1].end

    @property
    def span(self) -> Span:
        """From the first word's start to the last word's end."""
        return Span(self.start, self.end)

    @property
    def text(self) -> str:
        """The words joined: spaces stand inside the words' texts where a language writes them."""
        return "".join(word.text for word in self.words).strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What was said, and when."""

    language: str
    """ISO 639-1 code of the language spoken most, e.g. zh or en; empty when nothing was said."""
    sentences: tuple[Sentence, ...]
    heard: tuple[Span, ...]
    """Stretches that voice activity passed to the recognizer."""
    duration: float
    engine: str
    model: str
    warnings: tuple[str, ...] = ()

    def words(self) -> Iterator[Word]:
        """All words in order."""
        return (word for sentence in self.sentences for word in sentence.words)


# --- the picture --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Box:
    """A rectangle, as fractions of the displayed picture."""

    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, slots=True)
class Face:
    """A face seen at an instant."""

    time: float
    box: Box
    score: float
    eyes: float | None = None
    """How far the eyes are open: the share of dark pixels around the less open one, which means something only next to other
    faces of the same recording; None when the face is too small to tell."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A catalogue picture recognised in the frame at an instant."""

    time: float
    sku: str
    box: Box
    score: float
    """In [0, 1]: how sure the match is."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one sampled frame is like."""

    time: float
    sharpness: float
    """Variance of the Laplacian on the 8-bit grey picture 360 px wide."""
    brightness: float
    """Mean luma in [0, 1]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What the meters saw in one pass over the frames."""

    looks: tuple[Look, ...]
    cuts: tuple[float, ...]
    """Instants at which a new camera view begins."""
    faces: tuple[Face, ...]
    sightings: tuple[Sighting, ...] | None
    """None when no product had a usable picture."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Track:
    """A signal sampled at a fixed step from time 0."""

    step: float
    values: tuple[float, ...]


# --- evidence and findings ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mention:
    """A product named in speech."""

    start: float
    end: float
    sku: str
    score: float
    """How alike it sounds, in [0, 1]."""
    text: str
    """What was heard."""
    kind: Literal["name", "title", "brand", "link", "learned"] = "name"
    weight: float = 1.0
    """Below 1 for previews, comparisons, recaps and answers in passing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known of one stream, on one clock: what the deciders see."""

    duration: float
    language: str
    sentences: tuple[Sentence, ...]
    mentions: tuple[Mention, ...]
    log: AudienceLog
    picture: Picture | None = None
    loudness: Track | None = None
    """Short-term loudness of the sound in dBFS, every 0.1 s."""
    clock_offset_s: float = 0.0
    """Seconds that were added to the log's times to bring them onto the recording's clock."""
    clock_confidence: float = 1.0
    clock_residual_s: float = 0.0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One product's explanation."""

    sku: str
    """The catalogue's sku, or `unknown-N` for a product without an entry."""
    start: float
    end: float
    confidence: float
    reasons: tuple[str, ...] = ()
    name: str = ""
    """A name taken from the speech, for products without an entry."""
    interruptions: tuple[Span, ...] = ()
    """Stretches inside that are not about the product."""

    @property
    def span(self) -> Span:
        """From start to end."""
        return Span(self.start, self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class HotItem:
    """A product that sold far above its own baseline."""

    sku: str
    start: float
    """Start of the sentence that sets up the offer."""
    end: float
    peak: float
    uplift: float
    """Estimated ratio of the order rate per viewer to the product's own baseline."""
    uplift_low: float
    uplift_high: float
    confidence: float
    basis: Literal["orders", "chat", "speech"]
    sold: float | None = None
    """Pieces sold inside the window, only from real order data."""
    reasons: tuple[str, ...] = ()

    @property
    def span(self) -> Span:
        """From start to end."""
        return Span(self.start, self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Teaser:
    """High moments, in playing order, that pull people into the live room."""

    pieces: tuple[Span, ...]
    score: float
    reasons: tuple[str, ...] = ()
    sku: str | None = None
    """The product that most of it shows, when one does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything that detection decided about one stream."""

    segments: tuple[Segment, ...]
    hot_items: tuple[HotItem, ...]
    teasers: tuple[Teaser, ...]
    curves: tuple[tuple[str, Track], ...] = ()
    """Named signals for the report: orders per viewer, chat, loudness, product posterior."""
    warnings: tuple[str, ...] = ()


# --- plans --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Something said or shown that can be wrong tomorrow."""

    kind: Literal["price", "stock", "time", "superlative", "efficacy", "gift"]
    text: str
    start: float
    end: float
    perishable: bool
    value: float | None = None
    """The number in it, when it has one."""
    catalogue: float | None = None
    """The catalogue's number for the same thing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionLine:
    """One subtitle event, on the recording's clock."""

    start: float
    end: float
    text: str
    """What is shown; a newline is where the display line breaks. When it was edited and no longer equals the words, times are
    spread over its characters."""
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class CropKey:
    """Where the crop window stands at an instant; the path runs smoothly between keys."""

    time: float
    x: float
    """Left edge, as a fraction of the source's width."""
    y: float
    w: float
    h: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductCard:
    """The overlay that names the product."""

    title: str
    price: str
    """As printed, e.g. ¥59; empty to leave it out."""
    image: str | None
    start: float
    """Seconds on the clip's clock."""
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A selling point inside a clip, on the recording's clock."""

    start: float
    end: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One clip, described completely before a pixel is made."""

    id: str
    type: ClipType
    sku: str | None
    recording: str
    """Absolute path of the source."""
    recording_sha256: str
    sources: tuple[Span, ...]
    """In playing order."""
    title: str
    score: float
    reasons: tuple[str, ...] = ()
    width_px: int = 1080
    height_px: int = 1920
    fps: int = 30
    framing: Literal["crop", "blur"] = "crop"
    """crop follows `crop`; blur shows the whole picture over its own blurred enlargement."""
    crop: tuple[CropKey, ...] = ()
    """On the recording's clock; empty shows the largest centred window of the output's shape."""
    captions: tuple[CaptionLine, ...] = ()
    caption_style: str = "pop"
    """Name of a preset in clipper/styles/."""
    language: str = "zh"
    card: ProductCard | None = None
    badge: str = ""
    """Sales badge, only from real order data."""
    end_card: str = ""
    """Text of the closing card; empty for none."""
    end_card_s: float = 2.0
    cover_time: float | None = None
    """Instant of the cover picture on the recording's clock."""
    loudness_lufs: float = -14.0
    true_peak_dbtp: float = -1.0
    fade_s: float = 0.015
    """Audio fade at every joint."""
    claims: tuple[Claim, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    valid_until: str | None = None
    """ISO date or date-time after which a kept claim may be wrong."""
    synthetic_elements: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def duration(self) -> float:
        """Seconds of the finished clip."""
        return ms(sum(span.duration for span in self.sources) + (self.end_card_s if self.end_card else 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Render:
    """What came out of rendering one plan, as measured on the file."""

    plan_id: str
    video: str
    captions: str
    cover: str
    duration: float
    width_px: int
    height_px: int
    loudness_lufs: float | None
    """None for a clip without sound."""
    true_peak_dbtp: float | None
    sha256: str
    seconds: float
    """Wall time of the render."""
    warnings: tuple[str, ...] = ()
