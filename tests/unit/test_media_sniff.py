"""What a file is, from its bytes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipper.errors import InputError
from clipper.media import formats, sniff

TS = b"\x47" + bytes(187)
MEDIA = {
    "mov": b"\x00\x00\x00\x20ftypisom",
    "matroska": b"\x1a\x45\xdf\xa3rest",
    "flv": b"FLV\x01\x05",
    "mpegts": TS * 5,
    "avi": b"RIFF\x00\x00\x00\x00AVI LIST",
    "wav": b"RIFF\x00\x00\x00\x00WAVEfmt ",
    "ogg": b"OggS\x00",
    "mp3": b"ID3\x04",
    "flac": b"fLaC",
    "aac": (b"\xff\xf1\x50\x80" + bytes(96)) * 4,
}
OTHERS = {
    "HLS playlist": b"#EXTM3U\n#EXT-X-VERSION:3\nfile:///etc/passwd\n",
    "ffconcat script": b"ffconcat version 1.0\nfile x.mp4\n",
    "DASH manifest": b'<?xml version="1.0"?>\n<MPD></MPD>',
    "SDP session": b"v=0\no=- 0 0 IN IP4 127.0.0.1\n",
    "plain text": "今天给大家带来 hello".encode(),
    "plain text ": "今天给大家带来".encode("gb18030"),
    "XML document": b'<?xml version="1.0"?><i></i>',
    "JSON document": b'{"a": 1}',
    "web page": b"<!DOCTYPE html><html>",
    "JPEG picture": b"\xff\xd8\xff\xe0JFIF",
    "PNG picture": b"\x89PNG\r\n\x1a\nIHDR",
    "a picture": b"\x00\x00\x00\x20ftypheic",
    "ZIP archive": b"PK\x03\x04",
    "unknown format": b"\x01\x02\x03\x00\x80" * 20,
}


@pytest.mark.parametrize(("name", "data"), MEDIA.items())
def test_media_are_named_whatever_the_file_is_called(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / "看.txt"
    path.write_bytes(data)
    assert sniff(path) == name


@pytest.mark.parametrize(("name", "data"), OTHERS.items())
def test_everything_else_is_refused_by_name(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / "show.mp4"
    path.write_bytes(data)
    with pytest.raises(InputError, match=name.strip()) as caught:
        sniff(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("cut", [0, 77, 150])
def test_a_transport_stream_may_begin_in_the_middle_of_a_packet(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.ts"
    path.write_bytes((TS * 20)[cut:])
    assert sniff(path) == "mpegts"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "dead.mp4").symlink_to(tmp_path / "gone.mp4")
    os.mkfifo(tmp_path / "pipe.mp4")
    said = {"empty.mp4": "empty", "dead.mp4": "does not exist", "pipe.mp4": "device or a pipe", "none.mp4": "no such file", ".": "folder"}
    for name, words in said.items():
        with pytest.raises(InputError, match=words):
            sniff(tmp_path / name)


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(MEDIA["flv"])
    (tmp_path / "link.mp4").symlink_to(tmp_path / "real")
    assert sniff(tmp_path / "link.mp4") == "flv"


@given(st.binary(min_size=1, max_size=400))
def test_any_bytes_are_either_known_or_described(data: bytes) -> None:
    assert formats._media(data) is not None or formats._other(data)
