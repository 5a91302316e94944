"""Options from every place they can be set, one value out: default < livecut.toml < environment < flag.

A section of the file is a field of `Settings`, a key is a field of that stage's own options; `LIVECUT_SPEECH_MODEL` in the
environment and `--set speech.model=…` on the command line name the same thing.
"""

from __future__ import annotations

import os
import tomllib
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import msgspec

from clipper import artefact
from clipper.errors import InputError

T = TypeVar("T")

FILE = "livecut.toml"
PREFIX = "LIVECUT_"


def leaves(kind: type, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Every option of a nested options class: its path, its type and its default."""
    hints = get_type_hints(kind)
    default = kind()
    for item in fields(kind):
        here = (*path, item.name)
        if is_dataclass(hints[item.name]):
            yield from leaves(hints[item.name], here)
        else:
            yield here, hints[item.name], getattr(default, item.name)


def load(
    kind: type[T],
    *,
    base: Mapping[str, Any] | None = None,
    file: Path | None = None,
    files: Sequence[Path] = (),
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, Any] | None = None,
) -> T:
    """Build the effective options.

    `base` is the tree of options that `plain` wrote for an earlier run: they count as defaults, and those that are no more are
    left out. `file` is a TOML file (an InputError when it cannot be read); of several `files` a later one wins, option by option. `flags`
    maps dotted paths such as `speech.model` to values. Raises InputError for an unknown key, naming the nearest known one, and
    for a value of the wrong type or range.
    """
    tree: dict[str, Any] = _known(base, kind) if base else {}
    for one in (*([file] if file is not None else []), *files):
        read = _read(one)
        _check(read, kind, str(one))
        _merge(tree, read)
    for path, _, _ in leaves(kind):
        name = PREFIX + "_".join(path).upper()
        value = (os.environ if environ is None else environ).get(name)
        if value is not None:
            _put(tree, path, value)
    for dotted, value in (flags or {}).items():
        path = tuple(dotted.split("."))
        _check(_nest(path, value), kind, "--set")
        _put(tree, path, value)
    return _build(kind, tree, "")


def dump(options: object) -> str:
    """Write options as TOML that `load` reads back; what is unset is left as a comment."""
    lines: list[str] = []
    _dump(options, (), lines)
    return "\n".join(lines).strip() + "\n"


def _dump(options: object, path: tuple[str, ...], lines: list[str]) -> None:
    nested = []
    if path:
        lines.append(f"\n[{'.'.join(path)}]")
    for item in fields(options):  # type: ignore[arg-type]
        value = getattr(options, item.name)
        if is_dataclass(value):
            nested.append((item.name, value))
        elif value is None:
            lines.append(f"# {item.name} is not set")
        else:
            lines.append(f"{item.name} = {_toml(value)}")
    for name, value in nested:
        _dump(value, (*path, name), lines)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_toml(str(key))} = {_toml(item)}" for key, item in value.items()) + "}"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"could not read options from {file}: {error.strerror or error}; check the path given to --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"could not read options from {file}: not valid TOML ({error}); `livecut config` prints a valid file") from error


def _check(tree: Mapping[str, Any], kind: type, where: str, path: tuple[str, ...] = ()) -> None:
    hints = get_type_hints(kind)
    known = [item.name for item in fields(kind)]
    for name, value in tree.items():
        dotted = ".".join((*path, name))
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]}?" if near else f"; known here: {', '.join(known)}"
            raise InputError(f"{where}: {dotted} is not an option{hint}")
        if is_dataclass(hints[name]):
            if not isinstance(value, Mapping):
                raise InputError(f"{where}: {dotted} is a section, found {value!r}; write {dotted}.<option>")
            _check(value, typing.cast(type, hints[name]), where, (*path, name))


def _known(tree: Mapping[str, Any], kind: type) -> dict[str, Any]:
    """Keep of a tree what are options today."""
    hints = get_type_hints(kind)
    kept = {name: value for name, value in tree.items() if name in hints}
    return {
        name: _known(value, hints[name]) if is_dataclass(hints[name]) and isinstance(value, Mapping) else value
        for name, value in kept.items()
    }


def _nest(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    _put(tree, path, value)
    return tree


def _merge(tree: dict[str, Any], other: Mapping[str, Any]) -> None:
    for name, value in other.items():
        if isinstance(value, Mapping) and isinstance(tree.get(name), dict):
            _merge(tree[name], value)
        else:
            tree[name] = value


def _put(tree: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        tree = tree.setdefault(name, {})
    tree[path[-1]] = value


def _build(kind: type[T], tree: Mapping[str, Any], where: str) -> T:
    hints = get_type_hints(kind)
    given: dict[str, Any] = {}
    for item in fields(kind):  # type: ignore[arg-type]
        if item.name not in tree:
            continue
        dotted = f"{where}{item.name}"
        hint = hints[item.name]
        if is_dataclass(hint):
            given[item.name] = _build(typing.cast(type, hint), tree[item.name], dotted + ".")
        else:
            given[item.name] = _convert(tree[item.name], hint, dotted)
    try:
        return kind(**given)
    except InputError as error:
        raise InputError(f"{where.rstrip('.') or 'options'}: {error}") from error


def _convert(value: Any, hint: Any, dotted: str) -> Any:
    if isinstance(value, str) and _is_sequence(hint):
        value = [part.strip() for part in value.split(",") if part.strip()]
    try:
        return msgspec.convert(value, hint, strict=False)
    except msgspec.ValidationError as error:
        raise InputError(f"{dotted}: found {value!r}: {str(error).lower()}") from error


def _is_sequence(hint: Any) -> bool:
    if isinstance(hint, types.UnionType):
        return any(_is_sequence(part) for part in hint.__args__)
    return typing.get_origin(hint) in (tuple, list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the effective options came from, for `livecut config` and run.json."""

    file: str | None = None
    environment: tuple[str, ...] = field(default=())
    flags: tuple[str, ...] = field(default=())


def sources(kind: type, file: Path | None, environ: Mapping[str, str], flags: Mapping[str, Any]) -> Source:
    """Name the file, the variables and the flags that set something."""
    names = {PREFIX + "_".join(path).upper() for path, _, _ in leaves(kind)}
    return Source(file=str(file) if file else None, environment=tuple(sorted(names & environ.keys())), flags=tuple(sorted(flags)))


def find_file(folder: Path) -> Path | None:
    """Find livecut.toml in a folder."""
    path = folder / FILE
    return path if path.is_file() else None


def plain(options: object) -> Any:
    """Options as plain data for run.json."""
    return artefact.plain(options)
