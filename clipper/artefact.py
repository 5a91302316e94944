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
from functools import lru_cache
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

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


def _refuse_unknown(value: Any, kind: Any, where: str, at: str = "") -> None:
    """Name a misspelt field, however deep: msgspec drops unknown fields of dataclasses silently."""
    if isinstance(value, dict) and _has_fields(kind):
        known = _fields_of(kind)
        for name, part in value.items():
            if name not in known:
                near = get_close_matches(name, known, n=1)
                hint = f"; did you mean {near[0]}?" if near else f"; it has {', '.join(known)}"
                place = f"{at}.{name}" if at else name
                raise ArtefactError(f"could not read {where}: {place} is not a field of {_name_of(kind)}{hint}")
            if isinstance(part, dict | list):
                _refuse_unknown(part, known[name], where, f"{at}.{name}" if at else name)
    elif isinstance(value, list):
        item = _item_of(kind)
        if item is not None:
            for number, part in enumerate(value):
                _refuse_unknown(part, item, where, f"{at}[{number}]")


def _has_fields(kind: Any) -> bool:
    return is_dataclass(kind)


@lru_cache(maxsize=256)
def _fields_of(kind: Any) -> dict[str, Any]:
    """The types of a dataclass's fields by name, without the None of optional ones."""
    hints = get_type_hints(kind)
    return {field.name: _without_none(hints[field.name]) for field in fields(kind)}


def _without_none(kind: Any) -> Any:
    rest = [part for part in get_args(kind) if part is not type(None)]
    return rest[0] if get_origin(kind) in (Union, UnionType) and len(rest) == 1 else kind


@lru_cache(maxsize=256)
def _item_of(kind: Any) -> Any:
    """The dataclass that a tuple of any length or a list holds; None for everything else."""
    parts = [part for part in get_args(kind) if part is not Ellipsis]
    if get_origin(kind) not in (tuple, list) or len(parts) != 1:
        return None
    item = _without_none(parts[0])
    return item if _has_fields(item) or get_origin(item) in (tuple, list) else None


def _name_of(kind: Any) -> str:
    return str(kind.__name__).lower()
