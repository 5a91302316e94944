"""What a file is, read from its first bytes: names and extensions mean nothing.

ffmpeg opens playlists whatever they are called, follows them to other files, and renders plain text as video. So unknown
bytes never reach it: the format that is found here is the only one it may use.
"""

from __future__ import annotations

import stat
from pathlib import Path

from clipper.errors import InputError

HEAD_BYTES = 8192
TS_PACKET = 188
VIDEO_FORMATS = ("mov", "matroska", "flv", "mpegts", "avi")
WHAT_TO_GIVE = "give a recording as MP4, MOV, FLV, MKV, WebM, MPEG-TS or AVI"

_MOV_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp", b"moof")
_IMAGE_BRANDS = (b"heic", b"heix", b"avif", b"avis", b"mif1", b"msf1")
_KNOWN_OTHERS = (
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"PK\x03\x04", "a ZIP archive (or an Office file)"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x30\x26\xb2\x75", "a Windows Media (ASF) file"),
    (b".RMF", "a RealMedia file"),
    (b"SQLite format 3", "a database"),
)
_TEXTS = (
    ("#extm3u", "an HLS playlist"),
    ("ffconcat", "an ffconcat script"),
    ("<mpd", "a DASH manifest"),
    ("v=0", "an SDP session description"),
    ("[playlist]", "a PLS playlist"),
    ("<!doctype html", "a web page"),
    ("<html", "a web page"),
    ("<?xml", "an XML document"),
    ("{", "a JSON document"),
)


def sniff(path: str | Path) -> str:
    """Name ffmpeg's demuxer for a file from its bytes: mov, matroska, flv, mpegts, avi, wav, ogg, mp3, aac or flac.

    Raises InputError for what is missing, empty, no file, or not media; the message says what was found.
    """
    path = Path(path)
    return sniff_bytes(_head(path), str(path))


def sniff_bytes(head: bytes, name: str) -> str:
    """Name ffmpeg's demuxer for the first `HEAD_BYTES` of a file that lies elsewhere; `name` is for messages. Raises InputError."""
    if not head:
        raise InputError(f"could not read {name}: the file is empty (0 bytes); was it copied completely?")
    found = _media(head)
    if found is None:
        raise InputError(f"could not read {name}: it is {_other(head)}, not a recording; {WHAT_TO_GIVE}")
    return found


def _head(path: Path) -> bytes:
    try:
        status = path.stat()
    except FileNotFoundError as error:
        lost = f"it is a link to {path.readlink()}, which does not exist" if path.is_symlink() else "no such file"
        raise InputError(f"could not read {path}: {lost}; check the path") from error
    except OSError as error:
        raise InputError(f"could not read {path}: {error.strerror}") from error
    if stat.S_ISDIR(status.st_mode):
        raise InputError(f"could not read {path}: it is a folder; give the files in it, or use livecut watch")
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"could not read {path}: it is a device or a pipe, not a file; {WHAT_TO_GIVE}")
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise InputError(f"could not read {path}: {error.strerror}; check its permissions") from error
    return head


def _media(head: bytes) -> str | None:
    if head[4:8] in _MOV_BOXES and head[8:12] not in _IMAGE_BRANDS:
        return "mov"
    if head.startswith(b"RIFF"):
        return {b"AVI ": "avi", b"WAVE": "wav"}.get(head[8:12])
    for magic, name in ((b"\x1a\x45\xdf\xa3", "matroska"), (b"FLV\x01", "flv"), (b"OggS", "ogg"), (b"ID3", "mp3"), (b"fLaC", "flac")):
        if head.startswith(magic):
            return name
    if _is_transport_stream(head):
        return "mpegts"
    return _bare_sound(head)


def _bare_sound(head: bytes) -> str | None:
    """MP3 or AAC frames without a container: the two bytes of the first header come again and again."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0 or head[1] == 0xFF or head.count(head[:2]) < 3:
        return None
    return "mp3" if head[1] & 0x06 else "aac"


def _is_transport_stream(head: bytes) -> bool:
    """Five sync bytes a packet apart; a recorder may have begun in the middle of a packet, M2TS puts 4 bytes before each."""
    for step in (TS_PACKET, TS_PACKET + 4):
        for start in range(min(step, len(head))):
            count = (len(head) - start - 1) // step + 1
            if count >= 3 and all(head[start + i * step] == 0x47 for i in range(min(count, 5))):
                return True
    return False


def _other(head: bytes) -> str:
    for magic, name in _KNOWN_OTHERS:
        if head.startswith(magic):
            return name
    if (head[8:12] in _IMAGE_BRANDS and head[4:8] == b"ftyp") or (head.startswith(b"RIFF") and head[8:12] == b"WEBP"):
        return "a picture"
    text = _text(head)
    if text is None:
        return f"of an unknown format (it begins with {head[:8].hex(' ')})"
    start = text.lstrip("\ufeff \t\r\n").lower()
    for prefix, name in _TEXTS:
        if start.startswith(prefix) and (prefix != "<?xml" or "<mpd" not in start):
            return name
    return "a DASH manifest" if "<mpd" in start else "plain text"


def _text(head: bytes) -> str | None:
    for encoding in ("utf-8", "gb18030"):
        try:
            text = head.decode(encoding)
        except UnicodeDecodeError as error:
            if len(head) < HEAD_BYTES or error.start < len(head) - 4:
                continue
            text = head[: error.start].decode(encoding)
        return None if any(ord(char) < 32 and char not in "\t\r\n\f\x1b" for char in text) else text
    return None
