"""What the report shows from disk: pictures small enough to travel inside the page, and links relative to it."""

from __future__ import annotations

import base64
import io
import logging
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from PIL.Image import Image

log = logging.getLogger(__name__)

QUALITIES = (78, 66, 52, 38, 24)
"""JPEG qualities tried in turn until a thumbnail is small enough."""


def thumbnail(path: Path, box_px: tuple[int, int], limit_bytes: int) -> str | None:
    """Shrink a picture into a box and return it as a `data:` URI of at most `limit_bytes`.

    None when there is no readable picture, or none that small: a report without a picture is better than no report.
    """
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as opened:
                opened.draft("RGB", box_px)
                picture = _flat(ImageOps.exif_transpose(opened))
        picture.thumbnail(box_px, Image.Resampling.LANCZOS)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        log.debug("no thumbnail of %s: %s", path, error)
        return None
    for quality in QUALITIES:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=quality, optimize=True)
        uri = "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
        if len(uri) <= limit_bytes:
            return uri
    return None


def relative_url(target: Path, folder: Path) -> str | None:
    """Link from a page in `folder` to a file: relative, percent-encoded; None when the file is missing or on another drive.

    The path is compared as written, since that is how a browser resolves `..`.
    """
    if not target.is_file():
        return None
    try:
        relative = os.path.relpath(target.absolute(), folder.absolute())
    except ValueError:
        return None
    return url_of(Path(relative).as_posix())


def url_of(path: str) -> str:
    """Percent-encode a path relative to the page, so that it can only be read as such a path.

    The leading `./` keeps a name with a colon or two slashes from being taken for a scheme or a host.
    """
    return "./" + quote(os.fsencode(path.lstrip("/")), safe="/")  # the bytes of the name, UTF-8 or not


def _flat(picture: Image) -> Image:
    """Lay a transparent picture on white, as shops show it."""
    from PIL import Image as images

    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        rgba = picture.convert("RGBA")
        ground = images.new("RGBA", rgba.size, "white")
        return images.alpha_composite(ground, rgba).convert("RGB")
    return picture.convert("RGB")
