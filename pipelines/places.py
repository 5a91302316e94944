"""Where a file lies: on a disk of this machine, or at a URL that fsspec reads (s3://, gs://, abfs://, sftp://, …).

A URL travels as a Path like any other name; `Path("s3://bucket/show.mp4")` keeps one slash of two, and `written` puts the other
back. No absolute path of a disk looks like that. fsspec and the package of a storage are asked for only when a URL is used:
they come with the extra `livecut[urls]`.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from clipper.errors import InputError, ToolError

STORES = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oss", "hdfs", "webhdfs", "sftp", "ssh", "smb", "file", "memory")
"""Kinds of URL that are read."""
WEB = ("http", "https")
"""Read only when `run.http` says so, and never written: whoever answers may answer anything, and differently each time."""
BLOCK = 4 * 2**20
_URL = re.compile(rf"({'|'.join((*STORES, *WEB))}):/+(.*)", re.DOTALL)


def is_url(path: str | Path) -> bool:
    """Whether a name is a URL, as text or as a Path."""
    return _URL.match(str(path)) is not None


def written(path: str | Path) -> str:
    """A name as people write it: URLs with both their slashes."""
    found = _URL.match(str(path))
    if found is None:
        return str(path)
    return f"{found[1]}://{'/' if found[1] == 'file' else ''}{found[2]}"


def absolute(path: str | Path) -> Path:
    """A name that means the same everywhere: a path from the root, links kept, and a URL as it is."""
    if is_url(path) and not os.path.lexists(path):
        return Path(path)
    return Path(os.path.abspath(path))  # noqa: PTH100  as people wrote it, links and all


def refuse_strange(path: Path, *, http: bool) -> None:
    """Raise InputError for a URL that may not be read."""
    if str(path).startswith(tuple(f"{scheme}:" for scheme in WEB)) and is_url(path) and not http:
        raise InputError(f"could not read {written(path)}: addresses of the web are read only when asked for; set run.http = true")


def exists(path: Path) -> bool:
    """Whether something lies there. Raises ToolError when a storage cannot be asked."""
    if not is_url(path):
        return path.exists()
    with _asking(path) as (system, name):
        return bool(system.exists(name))


def is_folder(path: Path) -> bool:
    """Whether it is a folder, or a prefix with something below it."""
    if not is_url(path):
        return path.is_dir()
    with _asking(path) as (system, name):
        return bool(system.isdir(name))


def look(url: Path) -> tuple[int, int]:
    """Size in bytes, and a number that changes with the content: an ETag, a time, whatever its storage has. Raises InputError."""
    with _asking(url) as (system, name):
        system.invalidate_cache()
        size = system.info(name).get("size")
        if size is None:
            raise InputError(f"could not read {written(url)}: whoever holds it does not say its size")
        return int(size), int(system.checksum(name)) & (2**62 - 1)


@contextmanager
def reading(path: Path) -> Iterator[IO[bytes]]:
    """Open a file to be read from its beginning. Raises InputError when it is not there, ToolError when its storage fails."""
    if not is_url(path):
        with path.open("rb") as file:
            yield file
        return
    with _asking(path) as (system, name), system.open(name, "rb", block_size=BLOCK, cache_type="readahead") as file:
        yield file


def read(path: Path) -> bytes:
    """The bytes of a small file."""
    with reading(path) as file:
        return file.read()


def sha256(path: Path) -> str:
    """Digest a file, block by block."""
    digest = hashlib.sha256()
    with reading(path) as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def fetch(path: Path, to: Path, *, sha: str = "") -> None:
    """Copy a URL's file to this machine, whole or not at all; `sha` is what its bytes have to digest to.

    Raises InputError when it is not there, ToolError when it comes short or other than expected, and OSError for this disk.
    """
    expected, _ = look(path)
    part = to.with_name(f".{hashlib.sha256(os.fsencode(to.name)).hexdigest()[:16]}.part")
    digest = hashlib.sha256()
    with part.open("wb") as file, reading(path) as source:
        while block := source.read(BLOCK):
            file.write(block)
            digest.update(block)
        came = file.tell()
    if came != expected or sha not in ("", digest.hexdigest()):
        part.unlink()
        what = f"{came} of {expected} bytes came" if came != expected else "its bytes are not those that it had when it was looked at"
        raise ToolError(f"could not fetch {written(path)}: {what}; it is fetched again")
    part.replace(to)


def put(source: Path, to: Path) -> None:
    """Copy a file of this machine to a URL. Raises ToolError."""
    with _asking(to) as (system, name):
        system.makedirs(system._parent(name), exist_ok=True)
        system.put_file(str(source), name)
        if system.info(name)["size"] != source.stat().st_size:
            raise ToolError(f"could not write {written(to)}: it came out short; it is written again")


def remove(path: Path) -> None:
    """Delete a URL's file; one that is not there is no error."""
    with _asking(path) as (system, name):
        if system.exists(name):
            system.rm_file(name)


def below(folder: Path, depth: int | None = None) -> dict[Path, int]:
    """Names and sizes of all files below a URL, `depth` folders deep; nothing when it does not exist."""
    with _asking(folder) as (system, name):
        system.invalidate_cache()
        found = system.find(name, maxdepth=depth, detail=True) if system.exists(name) else {}
        root = system._strip_protocol(name).rstrip("/")
        return {folder / PurePosixPath(key[len(root) :].lstrip("/")): int(about.get("size") or 0) for key, about in found.items()}


def matching(pattern: Path) -> list[Path]:
    """Files that a URL with `*`, `?` or `[…]` means, in order."""
    with _asking(pattern) as (system, name):
        return [Path(system.unstrip_protocol(one)) for one in sorted(system.glob(name))]


@contextmanager
def _asking(path: Path) -> Iterator[tuple[Any, str]]:
    """The file system of a URL and the name in it; foreign errors are translated once, here."""
    url = written(path)
    try:
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]
    except ImportError as error:
        raise ToolError(f"could not use {url}: fsspec is not installed; run pip install 'livecut[urls]'") from error
    try:
        yield url_to_fs(url)
    except FileNotFoundError as error:
        raise InputError(f"could not read {url}: no such file; check the address") from error
    except ImportError as error:
        raise ToolError(f"could not use {url}: {error}") from error
    except (InputError, ToolError):
        raise
    except OSError as error:
        if error.filename is not None and not is_url(str(error.filename)) and not str(path).startswith("file:"):
            raise  # a file of this machine, not of the storage
        raise ToolError(f"could not use {url}: {error.strerror or error}; is it reachable, and are the credentials right?") from error
    except Exception as error:  # each storage's package has errors of its own
        raise ToolError(f"could not use {url}: {type(error).__name__}: {error}; is it reachable, and are the credentials right?") from error
