"""The label that says "made or changed by AI", as product pictures carry it.

TC260-PG-20259A (GB 45438-2025, appendix E) puts a JSON object of seven texts into XMP (namespace
http://www.tc260.org.cn/ns/AIGC/1.0/), into a PNG text named AIGC, or into EXIF's UserComment, bare or inside {"AIGC": …}.
A label is never dropped: what is made from a labelled picture carries it on.
"""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL import Image

NAMESPACE = b"http://www.tc260.org.cn/ns/AIGC/1.0/"
FIELDS = ("Label", "ContentProducer", "ProduceID", "ReservedCode1", "ContentPropagator", "PropagateID", "ReservedCode2")
SUSPECTED = json.dumps({"Label": "3"}, separators=(",", ":"))
"""Stands for a label that is there and cannot be read."""

_EXIF_IFD, _USER_COMMENT = 0x8769, 0x9286
_MADE_BY_AI = re.compile(rb"digitalsourcetype/(trainedAlgorithmicMedia|compositeWithTrainedAlgorithmicMedia)")


def read_label(picture: Image.Image, data: bytes) -> tuple[str | None, str]:
    """Find the label of an opened picture: the seven fields as compact JSON text, or None, and a warning, empty when all is well."""
    damaged = False
    for text in _candidates(picture, data):
        label = parse_label(text)
        if label:
            return label, ""
        damaged = True
    if damaged:
        return SUSPECTED, "carries an AIGC label that cannot be read; it is carried on as suspected (Label 3)"
    if _MADE_BY_AI.search(data):
        return None, "says that it was made with AI (IPTC digital source type), and carries no AIGC label"
    return None, ""


def parse_label(text: str) -> str | None:
    """Bring a label's JSON, bare or inside {"AIGC": …}, to its compact bare form; None when it is none."""
    try:
        value: Any = json.loads(text.strip("\x00 \t\r\n\ufeff"))
    except ValueError:
        return None
    if isinstance(value, dict) and "AIGC" in value:
        value = value["AIGC"]
    if isinstance(value, str):
        return parse_label(value) if value.lstrip().startswith("{") else None
    if not isinstance(value, dict) or "Label" not in value:
        return None
    known = {name: str(value[name]) for name in FIELDS if value.get(name) is not None}
    return json.dumps(known, ensure_ascii=True, separators=(",", ":"))


def _candidates(picture: Image.Image, data: bytes) -> Iterator[str]:
    """Everything in the file that claims to be a label."""
    info = picture.info
    for name in ("AIGC", "aigc"):
        if isinstance(info.get(name), (str, bytes)):
            yield _text(info[name])
    for packet in (data, info.get("xmp"), info.get("XML:com.adobe.xmp")):
        yield from _in_xmp(packet.encode() if isinstance(packet, str) else packet)
    yield from _in_exif(picture)


def _in_xmp(packet: bytes | None) -> Iterator[str]:
    if not packet or NAMESPACE not in packet:
        return
    for prefix in set(re.findall(rb'xmlns:([\w.-]{1,40})\s*=\s*["\']' + re.escape(NAMESPACE), packet)):
        name = re.escape(prefix) + rb":AIGC"
        found = re.findall(rb"<" + name + rb"(?:\s[^>]{0,400})?>(.{0,20000}?)</" + name + rb">", packet, re.DOTALL)
        found += [value for _, value in re.findall(rb"\s" + name + rb"\s*=\s*([\"'])(.{0,20000}?)\1", packet, re.DOTALL)]
        for value in found:
            yield html.unescape(re.sub(rb"^\s*<!\[CDATA\[|\]\]>\s*$", b"", value).decode("utf-8", "replace"))


def _in_exif(picture: Image.Image) -> Iterator[str]:
    try:
        comment = picture.getexif().get_ifd(_EXIF_IFD).get(_USER_COMMENT)
    except (OSError, SyntaxError, ValueError, KeyError, TypeError, IndexError):
        return  # a broken EXIF block is no reason to refuse a picture
    if isinstance(comment, (str, bytes)):
        text = _text(comment)
        if "AIGC" in text or '"Label"' in text:
            yield text


def _text(value: str | bytes) -> str:
    """Decode a text of EXIF or PNG, with or without EXIF's eight bytes that name the encoding."""
    if isinstance(value, str):
        return re.sub(r"^(?:ASCII|UNICODE|JIS)\x00+", "", value)
    head, rest = value[:8], value[8:]
    if head == b"UNICODE\x00":
        return rest.decode("utf-16-be" if rest[:1] in (b"\x00", b"\xfe") else "utf-16-le", "replace").lstrip("\ufeff")
    return (rest if head in (b"ASCII\x00\x00\x00", b"\x00" * 8) else value).decode("utf-8", "replace")
