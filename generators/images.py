"""Product pictures from files to `Photo` values: upright, in sRGB, 8 bits, without metadata, whatever they came as.

The bytes decide what a file is, never its name, and one decoder alone is asked to read it. A picture is looked at before it
is unpacked: bytes and pixels are limited, and what only pretends to be a picture is refused with a reason. A label that says
"made by AI" (TC260-PG-20259A: XMP, PNG text or EXIF) is read before the rest of the metadata is dropped.
"""

from __future__ import annotations

import hashlib
import io
import logging
import re
import warnings
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipper.errors import InputError, ToolError
from generators.aigc import read_label
from generators.picture_files import SNIFF_BYTES, Found, Refused, find_pictures, sniff
from generators.values import Photo

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

__all__ = ["Found", "PictureOptions", "Pictures", "Refused", "find_pictures", "read_picture", "read_pictures"]

log = logging.getLogger(__name__)

OPAQUE = 250
"""An alpha from here on counts as opaque."""
LEAST_TRANSPARENT = 0.001
"""Share of the picture that has to be transparent before its alpha matters."""

_SCRIPT = re.compile(rb"<script[\s>]|<\?php|<!doctype html|<html[\s>]", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureOptions:
    """Limits of what is accepted as a picture."""

    max_mb: float = 64.0
    """Largest file in megabytes, 0.01 to 2000."""
    max_pixels: int = 80_000_000
    """Most pixels a file may claim, 4096 to 178956970: Pillow's own limit against bombs."""
    min_side_px: int = 64
    """Shortest side that is still a product picture, 16 to 4096."""
    max_side_px: int = 4096
    """Longer side from which a picture is made smaller, 256 to 16384: a frame 1080 wide still zooms in threefold."""

    def __post_init__(self) -> None:
        bounds = {"max_mb": (0.01, 2000), "max_pixels": (4096, 178_956_970), "min_side_px": (16, 4096), "max_side_px": (256, 16_384)}
        for name, (low, high) in bounds.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} = {getattr(self, name)}: expected {low:g} to {high:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """What could be read of many files, and what could not."""

    photos: tuple[Photo, ...]
    rejects: tuple[Refused, ...] = ()


# --- reading ------------------------------------------------------------------------------------


def read_pictures(paths: Iterable[str | Path], options: PictureOptions = PictureOptions()) -> Pictures:
    """Read many files; one that cannot be read is reported and the others go on."""
    photos: list[Photo] = []
    rejects: list[Refused] = []
    for path in paths:
        try:
            photos.append(read_picture(path, options))
        except (InputError, ToolError) as error:
            log.warning("%s", error)
            rejects.append(Refused(str(path), str(error)))
    return Pictures(photos=tuple(photos), rejects=tuple(rejects))


def read_picture(path: str | Path, options: PictureOptions = PictureOptions()) -> Photo:
    """Read one product picture: JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP or GIF (its first frame).

    The result is upright (EXIF orientation applied), sRGB (colour profiles applied), 8 bits a channel, and no larger than
    `options.max_side_px`. Raises InputError for what is no picture, is damaged, hides another file or exceeds a limit, and
    ToolError when the library for HEIC is missing.
    """
    path = Path(path)
    data = _read_bytes(path, options)
    kind, foreign = sniff(data[:SNIFF_BYTES])
    if not kind:
        raise InputError(f"could not read picture {path}: it is {foreign}; give a JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP or GIF file")
    hidden = _hidden_file(data)
    if hidden:
        raise InputError(f"could not read picture {path}: the {kind} file also holds {hidden}; save the picture anew")
    told: list[str] = []
    with _decoder_errors(path, kind), _opened(data, kind, path) as picture:
        _check_size(path, picture.size, options)
        label, warning = read_label(picture, data)
        told += [warning] if warning else []
        pixels, alpha = _decode(picture, options, told)
    return Photo(
        path=str(path), sha256=hashlib.sha256(data).hexdigest(), pixels=pixels, alpha=_useful(alpha, path), aigc=label, warnings=tuple(told)
    )


def _read_bytes(path: Path, options: PictureOptions) -> bytes:
    try:
        if not path.is_file():
            found = "a folder" if path.is_dir() else "nothing there" if not path.exists() else "no plain file"
            raise InputError(f"could not read picture {path}: {found}; give the path of a picture")
        limit = int(options.max_mb * 1e6)
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise InputError(f"could not read picture {path}: {error.strerror or error}") from error
    if len(data) > limit:
        size = path.stat().st_size / 1e6
        raise InputError(
            f"could not read picture {path}: {size:.1f} MB, at most {options.max_mb:g} MB are read; save it smaller, or raise max_mb"
        )
    return data


def _hidden_file(data: bytes) -> str:
    """Say what else a picture's bytes would pass for, opened by another program; empty when nothing."""
    import zipfile

    head, tail = data[:65_536], data[-65_536:]
    if b"%PDF-" in data[:1024]:
        return "a PDF document"
    if b"PK\x05\x06" in tail and zipfile.is_zipfile(io.BytesIO(data)):
        return "a ZIP archive"
    return "a script or web page" if _SCRIPT.search(head) or _SCRIPT.search(tail) else ""


@contextmanager
def _decoder_errors(path: Path, kind: str) -> Iterator[None]:
    """Turn what decoders raise into one error with the file's name; a decoder's own warnings count as damage only when they mean it."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(f"could not read picture {path}: it unpacks to far more pixels than a product picture has ({error})") from error
    except UnidentifiedImageError as error:
        raise InputError(f"could not read picture {path}: it begins like {kind}, and the rest is not; save the picture anew") from error
    except (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, TypeError, RuntimeError, OverflowError, MemoryError) as error:
        raise InputError(f"could not read picture {path}: damaged {kind} ({_brief(error)}); save the picture anew") from error


def _brief(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:120]


@contextmanager
def _opened(data: bytes, kind: str, path: Path) -> Iterator[Image.Image]:
    """Open with the one decoder that fits the bytes."""
    from PIL import Image

    if kind == "HEIF" or (kind == "AVIF" and not _pillow_reads_avif()):
        _register_heif(path, kind)
    with Image.open(io.BytesIO(data), formats=(kind,)) as picture:
        yield picture


def _pillow_reads_avif() -> bool:
    from PIL import features

    with warnings.catch_warnings():  # Pillow before 11.3 does not know the name
        warnings.simplefilter("ignore")
        return bool(features.check("avif"))


def _register_heif(path: Path, kind: str) -> None:
    try:
        import pillow_heif
    except ImportError as error:
        raise ToolError(
            f"could not read picture {path}: {kind} needs the package pillow-heif; pip install 'livecut[camera]', or save it as JPEG"
        ) from error
    if kind == "HEIF":
        pillow_heif.register_heif_opener(thumbnails=False)
        return
    raise ToolError(f"could not read picture {path}: AVIF needs Pillow 11.3 or newer; pip install -U pillow, or save it as JPEG")


def _check_size(path: Path, size: tuple[int, int], options: PictureOptions) -> None:
    width, height = size
    if width * height > options.max_pixels:
        raise InputError(
            f"could not read picture {path}: {width}×{height} px is more than the {options.max_pixels / 1e6:g} million that are read; "
            "save it smaller, or raise max_pixels"
        )
    if min(width, height) < options.min_side_px:
        raise InputError(
            f"could not read picture {path}: {width}×{height} px is too small to be shown; "
            f"give one of at least {options.min_side_px} px a side"
        )
    if max(width, height) > 20 * min(width, height):
        raise InputError(f"could not read picture {path}: {width}×{height} px is a strip and not a product picture; crop it first")


# --- pixels -------------------------------------------------------------------------------------


def _decode(picture: Image.Image, options: PictureOptions, told: list[str]) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """Unpack to upright sRGB `uint8 (h, w, 3)` and an alpha `uint8 (h, w)`."""
    import numpy as np
    from PIL import Image, ImageOps

    if getattr(picture, "n_frames", 1) > 1 and picture.format != "MPO":
        told.append(f"holds {picture.n_frames} pictures; the first is used")  # type: ignore[attr-defined]
    picture.seek(0)
    profile = picture.info.get("icc_profile")
    if picture.mode in ("RGB", "L", "YCbCr"):
        picture.draft(picture.mode, (options.max_side_px, options.max_side_px))
    upright = ImageOps.exif_transpose(picture)
    alpha = _alpha_of(upright)
    colour = _to_srgb(upright, profile, told)
    if max(colour.size) > options.max_side_px:
        scale = options.max_side_px / max(colour.size)
        size = (max(1, round(colour.width * scale)), max(1, round(colour.height * scale)))
        colour = colour.resize(size, Image.Resampling.LANCZOS)
        alpha = alpha.resize(size, Image.Resampling.LANCZOS) if alpha is not None else None
    pixels = np.array(colour, np.uint8)
    if alpha is None:
        return pixels, None
    cover = np.array(alpha, np.uint8)
    pixels[cover == 0] = 255
    return pixels, cover


def _alpha_of(picture: Image.Image) -> Image.Image | None:
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        return picture.convert("RGBA").getchannel("A")
    return picture.convert("RGBA").getchannel("A") if "transparency" in picture.info else None


def _to_srgb(picture: Image.Image, profile: Any, told: list[str]) -> Image.Image:
    """Bring any mode to 8-bit RGB, through the file's colour profile when it has a sound one."""
    if picture.mode.startswith(("I", "F")):
        picture = _eight_bits(picture)
    elif picture.mode in ("1", "P", "PA", "LA", "La", "RGBA", "RGBa", "RGBX", "YCbCr", "HSV"):
        grey = picture.mode in ("1", "LA", "La")
        picture = picture.convert("RGBA").convert("RGB") if not grey else picture.convert("LA").getchannel("L")
    if profile:
        managed = _through_profile(picture, profile)
        if managed is not None:
            return managed
        told.append("its colour profile is damaged or of another colour space; colours are taken as sRGB")
    elif picture.mode == "CMYK":
        told.append("CMYK without a colour profile; colours are estimated")
    return picture.convert("RGB")


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Bring 16-bit, 32-bit and floating grey to 8 bits: whole numbers by their range, fractions as 0 to 1."""
    import numpy as np
    from PIL import Image

    values = np.nan_to_num(np.asarray(picture, np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    top = float(values.max()) if values.size else 0.0
    full = 1.0 if picture.mode == "F" and top <= 1.0 else 255.0 if top <= 255 and not picture.mode.startswith("I;16") else 65_535.0
    return Image.fromarray(np.round(np.clip(values / full, 0, 1) * 255).astype(np.uint8))


def _through_profile(picture: Image.Image, profile: bytes) -> Image.Image | None:
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(
            picture,
            source,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _useful(alpha: NDArray[np.uint8] | None, path: Path) -> NDArray[np.uint8] | None:
    """Drop an alpha that hides nothing; refuse one that hides everything."""
    import numpy as np

    if alpha is None or float(np.mean(alpha < OPAQUE)) < LEAST_TRANSPARENT:
        return None
    if float(np.mean(alpha > 255 - OPAQUE)) < LEAST_TRANSPARENT:
        raise InputError(f"could not use picture {path}: all of it is transparent; save it with the product visible")
    return alpha
