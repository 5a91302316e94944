"""Labels of what a machine made: seen in the picture, held in the file, and never left out.

GB 45438-2025 (China, in force since 2025-09-01) asks for a text such as "AI生成" from the start of a generated video, for at
least 2 s and at least 5 % of the short edge high, and for the metadata key `AIGC` with seven fields. The key lives where
TC260-PG-20257A has it, in moov.udta.meta; a plain copy of the streams drops it, so it is written last, then read back. Real
photographs that were only moved are edited, not generated, and say so under another key.

Nothing here can be switched off: what is generated, in whole or in part, is labelled, or there is no file.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from clipper import ffmpeg as door
from clipper.errors import InputError, ToolError
from clipper.media.container import opened
from clipper.version import __version__
from generators.aigc import FIELDS
from generators.values import Origin, Photo

KEY, EDITED_KEY, SOURCES_KEY = "AIGC", "livecut_edited", "AIGC_sources"
LEAST_S = 2.0
LEAST_HEIGHT = 0.05
"""Height of the label's characters as a share of the frame's short edge."""
WORDS = {"1": ("AI生成", "AI-generated"), "2": ("可能含AI生成内容", "May be AI-generated"), "3": ("疑似AI生成", "Suspected AI-generated")}
"""By the value of the field Label: 1 is, 2 may be, 3 is suspected to be."""
_SAYS_SO = re.compile(r"(AI|人工智能).{0,12}(生成|合成|generated)", re.IGNORECASE)
_VALUE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
"""Code points that the standard allows in a field."""

Kind = Literal["generated", "edited"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelOptions:
    """What the labels say. They cannot be left out."""

    text: str = ""
    """Words of the visible label; must say AI and generated (生成, 合成). Empty takes AI生成, or AI-generated on an English video."""
    seconds: float = 3.0
    """How long it is seen from the start; 2 to 600 s."""
    producer: str = "livecut"
    """ContentProducer of the metadata: your registered name or code, printable ASCII without spaces, quotes and backslashes."""

    def __post_init__(self) -> None:
        if self.text and not _SAYS_SO.search(self.text):
            raise InputError(f"text = {self.text!r}: the label must say that AI generated it, e.g. AI生成 or AI-generated")
        if not LEAST_S <= self.seconds <= 600:
            raise InputError(f"seconds = {self.seconds}: expected {LEAST_S:g} to 600")
        if not _VALUE.fullmatch(self.producer) or len(self.producer) > 80:
            raise InputError(f"producer = {self.producer!r}: expected 1 to 80 printable ASCII characters without spaces, quotes and \\")


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a video has to carry."""

    kind: Kind
    text: str
    """Words of the visible label; empty on edited videos."""
    value: str
    """Value of the field Label: 1, 2 or 3; empty on edited videos."""
    carried: tuple[str, ...] = ()
    """AIGC labels of the pictures it was made from, as their JSON texts."""
    generated: bool = False
    """True when a model made pixels of it; false when only a picture was labelled."""

    @property
    def is_visible(self) -> bool:
        """Say whether the picture has to show it."""
        return bool(self.text)


def decide(origins: Sequence[Origin], photos: Iterable[Photo], options: LabelOptions, *, chinese: bool = True) -> Label:
    """Decide what a video is: one generated shot, or one labelled picture, makes it generated."""
    carried = tuple(dict.fromkeys(photo.aigc for photo in photos if photo.aigc))
    generated = any(origin.is_generated for origin in origins)
    if not generated and not carried:
        return Label(kind="edited", text="", value="")
    values = [str(_fields(text).get("Label", "3")) for text in carried]
    value = "1" if generated else min((found if found in WORDS else "3" for found in values), default="3")
    text = options.text or WORDS[value][0 if chinese else 1]
    return Label(kind="generated", text=text, value=value, carried=carried, generated=generated)


def _fields(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


# --- metadata --------------------------------------------------------------------------------------


def metadata(label: Label, content: str, ident: str, options: LabelOptions) -> dict[str, str]:
    """Build the metadata that a video gets: keys and values; pure.

    `content` is the digest of its streams (see `content_digest`), kept in a reserved field so that changed content shows;
    `ident` becomes ProduceID. A picture's own label is carried on: on a merely moved picture as the producer's part, beside
    this program as the propagator.
    """
    if label.kind == "edited":
        what = {"kind": "edited photographs", "engine": "camera moves", "generated": False, "version": __version__, "content": content}
        return {EDITED_KEY: _json(what)}
    own = {
        "Label": label.value,
        "ContentProducer": options.producer,
        "ProduceID": ident,
        "ReservedCode1": f"sha256:{content}",
        "ContentPropagator": options.producer,
        "PropagateID": ident,
        "ReservedCode2": f"sha256:{content}",
    }
    first = _fields(label.carried[0]) if label.carried else {}
    if not label.generated:
        own |= {name: str(first[name]) for name in ("ContentProducer", "ProduceID", "ReservedCode1") if first.get(name)}
    tags = {KEY: _json(own)}
    if label.carried:
        tags[SOURCES_KEY] = "[" + ",".join(label.carried) + "]"
    return tags


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def write(path: Path, out: Path, tags: dict[str, str]) -> None:
    """Copy a video with its metadata, as the very last step that writes the file. Raises ToolFailed."""
    args = [*door.input_args(path, "mov"), "-map", "0", "-c", "copy", "-map_metadata", "-1", "-movflags", "+faststart+use_metadata_tags"]
    for name, value in tags.items():
        args += ["-metadata", f"{name}={value}"]
    door.run([*args, "-f", "mp4", "-y", door.url(out)], what=f"could not write the label into {out.name}")


def read(path: Path) -> dict[str, str]:
    """Read a video's metadata."""
    with opened(path, "mov") as container:
        return dict(container.metadata)


def content_digest(path: Path) -> str:
    """Digest the coded frames and samples of a video: the same for every copy of its streams, other for any other content."""
    sums: dict[int, Any] = {}
    with opened(path, "mov") as container:
        for packet in container.demux():
            if packet.size:
                sums.setdefault(packet.stream_index, hashlib.sha256()).update(bytes(packet))
    return hashlib.sha256(b"".join(sums[index].digest() for index in sorted(sums))).hexdigest()[:32]


def check_metadata(path: Path, label: Label) -> dict[str, Any]:
    """Read the metadata back and hold it to what the video is; return its fields.

    Raises ToolError when the label is missing, lacks a field, says something else, or belongs to other content.
    """
    tags = read(path)
    key = KEY if label.kind == "generated" else EDITED_KEY
    if key not in tags:
        raise ToolError(f"could not verify the label of {path.name}: its metadata has no key {key}; the file is not to be used")
    found = _fields(tags[key])
    if label.kind == "edited":
        wrong = [] if found.get("generated") is False and KEY not in tags else ["it says something else than edited"]
        claimed = str(found.get("content", ""))
    else:
        wrong = [f"{name} is {found.get(name)!r}" for name in FIELDS if not isinstance(found.get(name), str) or not found[name]]
        wrong += [] if found.get("Label") == label.value else [f"Label is {found.get('Label')!r}, expected {label.value!r}"]
        wrong += ["a picture's own label was lost"] if label.carried and SOURCES_KEY not in tags else []
        claimed = str(found.get("ReservedCode2", "")).removeprefix("sha256:")
    if claimed != content_digest(path):
        wrong.append("it belongs to other content")
    if wrong:
        raise ToolError(f"could not verify the label of {path.name}: {'; '.join(wrong)}; the file is not to be used")
    return found
