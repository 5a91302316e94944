"""Values to JSON and back, with a schema name and a version, saved whole or not at all.

msgspec does the conversion: its messages name the field and the type that was expected, which is what somebody who edits a
plan by hand needs.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from clipper.errors import ArtefactError

T = TypeVar("T")


def dumps(value: object, schema: str, version: int) -> bytes:
    """Encode a value as pretty UTF-8 JSON: `{"schema": …, "version": …, "value": …}`."""
    plain = msgspec.to_builtins(value, enc_hook=_encode)
    box = {"schema": f"livecut.{schema}", "version": version, "value": plain}
    return json.dumps(box, ensure_ascii=False, indent=1, allow_nan=False).encode() + b"\n"


def loads(data: bytes, kind: type[T], schema: str, version: int, *, where: str = "artefact") -> T:
    """Decode what `dumps` wrote.

    Raises ArtefactError when the bytes are not JSON, hold another schema or a newer version, have an unknown field (the
    nearest known one is named), or do not fit the type.
    """
    try:
        box = json.loads(data)
    except (ValueError, UnicodeDecodeError) as error:
        raise ArtefactError(f"could not read {where}: not valid JSON ({error}); fix it, or delete it to have it made again") from error
    if not isinstance(box, dict) or box.get("schema") != f"livecut.{schema}":
        found = box.get("schema") if isinstance(box, dict) else type(box).__name__
        raise ArtefactError(f"could not read {where}: expected schema livecut.{schema}, found {found!r}")
    if not isinstance(box.get("version"), int) or box["version"] > version:
        raise ArtefactError(f"could not read {where}: version {box.get('version')} is newer than this livecut reads ({version}); upgrade livecut")
    _refuse_unknown(box.get("value"), kind, where)
    try:
        return msgspec.convert(box.get("value"), kind, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise ArtefactError(f"could not read {where}: {error}") from error


def save(path: Path, data: bytes) -> None:
    """Write bytes whole or not at all: temporary file beside the target, fsync, rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".livecut-", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _encode(value: object) -> object:
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _decode(kind: type, value: object) -> object:
    if kind is Fraction:
        return Fraction(str(value))
    raise TypeError(f"{kind.__name__} has no JSON form")


def _refuse_unknown(value: Any, kind: type, where: str) -> None:
    """Name a misspelt top-level field: msgspec drops unknown fields of dataclasses silently."""
    if not is_dataclass(kind) or not isinstance(value, dict):
        return
    known = [field.name for field in fields(kind)]
    for name in value:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ArtefactError(f"could not read {where}: {name} is not a field of {kind.__name__.lower()}{hint}")
