"""Values to JSON and back, with a schema name and a version, saved whole or not at all.

msgspec does the conversion: its messages name the field and the type that was expected, which is what somebody who edits a
plan by hand needs.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from clipper.errors import ArtefactError

T = TypeVar("T")

_KEY = re.compile(rb'^ "key": "([^"]*)"', re.MULTILINE)


def dumps(value: object, schema: str, version: int, *, key: str = "") -> bytes:
    """Encode a value as UTF-8 JSON: `{"schema": …, "version": …, "key": …, "value": …}`.

    The key says what the value was made from; `key_of` reads it back without decoding the value.
    """
    box = {"schema": f"livecut.{schema}", "version": version, "key": key, "value": plain(value)}
    text = json.dumps(box, ensure_ascii=False, indent=1, allow_nan=False)
    return text.encode("utf-8", "backslashreplace") + b"\n"  # a file name that is no UTF-8 becomes \udcXX, which JSON reads back


def plain(value: object) -> Any:
    """Turn a value into dicts, lists, strings and numbers."""
    return msgspec.to_builtins(value, enc_hook=_encode)


def key_of(path: Path) -> str | None:
    """Read the key a file was saved under; None when there is no such file or it holds none."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError:
        return None
    match = _KEY.search(head)
    return match.group(1).decode() if match else None


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
        found = box.get("version")
        raise ArtefactError(f"could not read {where}: version {found} is newer than this livecut reads ({version}); upgrade livecut")
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
        Path(name).chmod(0o644)
        Path(name).replace(path)
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
