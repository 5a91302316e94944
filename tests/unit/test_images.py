"""Pictures of every make come out upright, in sRGB and 8 bits; what is none is refused with a reason."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from clipper.errors import InputError, ToolError
from generators.aigc import SUSPECTED, parse_label
from generators.images import PictureOptions, find_pictures, read_picture, read_pictures
from generators.picture_files import in_order, sniff

LABEL = {
    "Label": "1",
    "ContentProducer": "Maker",
    "ProduceID": "42",
    "ReservedCode1": "",
    "ContentPropagator": "Maker",
    "PropagateID": "42",
}
RED, GREEN = (200, 30, 40), (30, 160, 60)


def halves(width: int = 120, height: int = 80) -> Image.Image:
    """Red on the left, green on the right."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:, : width // 2], pixels[:, width // 2 :] = RED, GREEN
    return Image.fromarray(pixels)


def saved(folder: Path, name: str, picture: Image.Image, kind: str, **options: object) -> Path:
    path = folder / name
    picture.save(path, kind, **options)
    return path


def near(pixel: np.ndarray, colour: tuple[int, int, int], by: int = 12) -> bool:
    return bool(np.max(np.abs(pixel.astype(int) - colour)) <= by)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"quality": 95, "subsampling": 0}),
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("AVIF", {"quality": 95}),
        ("TIFF", {}),
        ("BMP", {}),
        ("GIF", {}),
        ("HEIF", {"quality": 95}),
    ],
)
def test_every_format_is_read_whatever_its_name(tmp_path: Path, kind: str, options: dict[str, object]) -> None:
    if kind == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    photo = read_picture(saved(tmp_path, "picture.dat", halves(), kind, **options))
    assert (photo.width_px, photo.height_px) == (120, 80)
    assert photo.pixels.dtype == np.uint8
    assert near(photo.pixels[40, 20], RED)
    assert near(photo.pixels[40, 100], GREEN)
    assert photo.alpha is None
    assert len(photo.sha256) == 64


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright(tmp_path: Path, orientation: int) -> None:
    upright = halves()
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(back[orientation]) if orientation in back else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = read_picture(saved(tmp_path, "a.png", stored, "PNG", exif=exif))
    assert np.array_equal(photo.pixels, np.asarray(upright))


def test_colour_profiles_are_applied(tmp_path: Path) -> None:
    wide = ImageCms.createProfile("LAB")
    lab = Image.new("LAB", (100, 100), (140, 40, 30))
    lab.putpixel((0, 0), (200, 128, 128))
    direct = read_picture(saved(tmp_path, "lab.tif", lab, "TIFF", icc_profile=ImageCms.ImageCmsProfile(wide).tobytes()))
    expected = ImageCms.profileToProfile(lab, wide, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert near(direct.pixels[50, 50], expected.getpixel((50, 50)), 3)


def test_a_broken_profile_is_told_and_the_picture_kept(tmp_path: Path) -> None:
    photo = read_picture(saved(tmp_path, "a.png", halves(), "PNG", icc_profile=b"not a profile" * 20))
    assert near(photo.pixels[40, 20], RED, 0)
    assert "colour profile" in photo.warnings[0]


def test_cmyk_grey_palette_and_sixteen_bits(tmp_path: Path) -> None:
    cmyk = read_picture(saved(tmp_path, "a.jpg", Image.new("CMYK", (90, 90), (0, 255, 255, 0)), "JPEG", quality=95))
    assert near(cmyk.pixels[5, 5], (255, 0, 0), 40)
    assert "CMYK" in cmyk.warnings[0]
    assert near(read_picture(saved(tmp_path, "b.png", Image.new("L", (90, 90), 77), "PNG")).pixels[5, 5], (77, 77, 77), 0)
    assert near(read_picture(saved(tmp_path, "c.png", Image.new("1", (90, 90), 1), "PNG")).pixels[5, 5], (255, 255, 255), 0)
    deep = Image.fromarray(np.full((90, 90), 32_768, np.uint16))
    assert near(read_picture(saved(tmp_path, "d.png", deep, "PNG")).pixels[5, 5], (128, 128, 128), 1)
    assert near(read_picture(saved(tmp_path, "e.tif", deep, "TIFF")).pixels[5, 5], (128, 128, 128), 1)
    floating = Image.fromarray(np.full((90, 90), 0.5, np.float32))
    assert near(read_picture(saved(tmp_path, "f.tif", floating, "TIFF")).pixels[5, 5], (128, 128, 128), 1)
    palette = halves().quantize(8)
    assert near(read_picture(saved(tmp_path, "g.png", palette, "PNG")).pixels[40, 20], RED, 4)


def test_transparency_is_kept_only_when_it_hides_something(tmp_path: Path) -> None:
    cover = np.full((80, 120), 255, np.uint8)
    opaque = halves()
    opaque.putalpha(Image.fromarray(cover))
    assert read_picture(saved(tmp_path, "a.png", opaque, "PNG")).alpha is None
    cover[:, :40] = 0
    hollow = halves()
    hollow.putalpha(Image.fromarray(cover))
    photo = read_picture(saved(tmp_path, "b.png", hollow, "PNG"))
    assert photo.alpha is not None
    assert np.array_equal(photo.alpha, cover)
    assert near(photo.pixels[10, 10], (255, 255, 255), 0)
    assert near(photo.pixels[10, 50], RED, 0)
    palette = halves().quantize(8)
    palette.info["transparency"] = palette.getpixel((0, 0))
    assert read_picture(saved(tmp_path, "c.png", palette, "PNG", transparency=palette.info["transparency"])).alpha is not None
    nothing = halves()
    nothing.putalpha(0)
    with pytest.raises(InputError, match="transparent"):
        read_picture(saved(tmp_path, "d.png", nothing, "PNG"))


def test_animations_show_their_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (90, 90), RED), Image.new("RGB", (90, 90), GREEN)]
    photo = read_picture(saved(tmp_path, "a.gif", frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert near(photo.pixels[5, 5], RED, 2)
    assert "2 pictures" in photo.warnings[0]


def test_large_pictures_are_made_smaller_and_keep_their_shape(tmp_path: Path) -> None:
    path = saved(tmp_path, "a.png", halves(1200, 400), "PNG")
    photo = read_picture(path, PictureOptions(max_side_px=300))
    assert (photo.width_px, photo.height_px) == (300, 100)


def test_limits_are_named(tmp_path: Path) -> None:
    path = saved(tmp_path, "a.png", halves(600, 400), "PNG")
    with pytest.raises(InputError, match=r"0\.24 million"):
        read_picture(saved(tmp_path, "b.png", halves(600, 401), "PNG"), PictureOptions(max_pixels=240_000))
    assert read_picture(path, PictureOptions(max_pixels=240_000)).width_px == 600
    with pytest.raises(InputError, match="too small"):
        read_picture(saved(tmp_path, "c.png", halves(120, 40), "PNG"))
    with pytest.raises(InputError, match="strip"):
        read_picture(saved(tmp_path, "d.png", halves(4000, 100), "PNG"))
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (200, 200, 3), np.uint8))
    with pytest.raises(InputError, match=r"at most 0\.01 MB"):
        read_picture(saved(tmp_path, "e.png", noise, "PNG"), PictureOptions(max_mb=0.01))
    with pytest.raises(InputError, match="max_side_px = 1"):
        PictureOptions(max_side_px=1)


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.jpg", b"", "empty"),
        ("b.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        ("c.png", b"<?xml version='1.0'?><svg/>", "SVG"),
        ("d.jpg", b"%PDF-1.7\n", "PDF"),
        ("e.jpg", b"8BPS\0\1", "Photoshop"),
        ("f.jpg", b"PK\x03\x04rest", "ZIP"),
        ("g.webp", b"RIFF\0\0\0\0WAVEfmt ", "RIFF"),
        ("h.heic", b"\0\0\0\x18ftypisom\0\0\0\0isom", "MP4"),
        ("i.jpg", b"version https://git-lfs.github.com/spec/v1", "LFS"),
        ("j.jpg", b"<!DOCTYPE html><html>", "web page"),
        ("k.jpg", b"hello", "text"),
        ("l.jpg", bytes(range(256)), "no known"),
    ],
)
def test_what_is_no_picture_is_named(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InputError, match=reason):
        read_picture(path)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing there"):
        read_picture(tmp_path / "none.jpg")
    with pytest.raises(InputError, match="a folder"):
        read_picture(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        find_pictures([tmp_path / "none"])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_files_are_damaged_and_not_a_crash(tmp_path: Path, kind: str, share: float) -> None:
    noise = Image.fromarray(np.random.default_rng(2).integers(0, 255, (150, 200, 3), np.uint8))
    path = saved(tmp_path, "a", noise, kind)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(InputError, match=r"could not read picture .*save the picture anew"):
        read_picture(path)


def test_a_picture_that_is_also_something_else_is_refused(tmp_path: Path) -> None:
    plain = saved(tmp_path, "a.jpg", halves(), "JPEG").read_bytes()
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as file:
        file.writestr("x.txt", "hidden")
    for tail, reason in ((box.getvalue(), "ZIP"), (b"<script>alert(1)</script>", "script"), (b"<?php system(1); ?>", "script")):
        path = tmp_path / "b.jpg"
        path.write_bytes(plain + tail)
        with pytest.raises(InputError, match=reason):
            read_picture(path)
    path.write_bytes(plain[:2] + b"\xff\xfe\x00\x0a%PDF-1.4" + plain[2:])
    with pytest.raises(InputError, match="PDF"):
        read_picture(path)


def test_bombs_do_not_unpack(tmp_path: Path) -> None:
    bomb = saved(tmp_path, "bomb.png", Image.new("1", (12_000, 12_000)), "PNG")
    assert bomb.stat().st_size < 100_000
    with pytest.raises(InputError, match="pixels"):
        read_picture(bomb)
    with pytest.raises(InputError, match=r"144 million|pixels"):
        read_picture(bomb, PictureOptions(max_pixels=100_000_000))


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 3000), value=st.integers(0, 255), kind=st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "TIFF"]))
def test_a_flipped_byte_gives_a_picture_or_our_error(tmp_path_factory: pytest.TempPathFactory, at: int, value: int, kind: str) -> None:
    with io.BytesIO() as file:
        halves().save(file, kind)
        data = bytearray(file.getvalue())
    data[at % len(data)] = value
    path = tmp_path_factory.mktemp("flip") / "a"
    path.write_bytes(bytes(data))
    try:
        photo = read_picture(path, PictureOptions(max_pixels=1_000_000))
    except InputError as error:
        assert str(path) in str(error)
    else:
        assert photo.pixels.ndim == 3


@given(st.binary(max_size=64))
def test_sniffing_always_answers(head: bytes) -> None:
    kind, foreign = sniff(head)
    assert bool(kind) != bool(foreign)


def test_heic_without_its_library_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    path = tmp_path / "a.jpg"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    with pytest.raises(ToolError, match=r"livecut\[camera\]"):
        read_picture(path)
    good = saved(tmp_path, "b.png", halves(), "PNG")
    found = read_pictures([path, good])
    assert [photo.path for photo in found.photos] == [str(good)]
    assert "HEIF" in found.rejects[0].reason


def test_one_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    good = saved(tmp_path, "good.png", halves(), "PNG")
    bad = tmp_path / "bad.png"
    bad.write_bytes(good.read_bytes()[:200])
    found = read_pictures([bad, good, tmp_path / "none.png"])
    assert len(found.photos) == 1
    assert [Path(reject.path).name for reject in found.rejects] == ["bad.png", "none.png"]


def test_folders_are_walked_in_the_order_people_count(tmp_path: Path) -> None:
    for name in ("10.png", "2.png", "sub/1.png", ".hidden.png", "__MACOSX/x.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        saved(tmp_path, name, halves(), "PNG")
    (tmp_path / "notes.txt").write_text("text", encoding="utf-8")
    found = find_pictures([tmp_path, tmp_path / "2.png"])
    assert [str(path.relative_to(tmp_path)) for path in found.pictures] == ["2.png", "10.png", "sub/1.png"]
    assert [Path(reject.path).name for reject in found.rejects] == ["notes.txt"]
    assert sorted([Path("a10"), Path("a9"), Path("b1")], key=in_order) == [Path("a9"), Path("a10"), Path("b1")]


# --- labels -------------------------------------------------------------------------------------


def xmp(label: str, form: str) -> bytes:
    inner = f'TC260:AIGC="{label}"' if form == "attribute" else ""
    body = f"<TC260:AIGC>{label}</TC260:AIGC>" if form == "element" else ""
    space = 'xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/"'
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f"<rdf:Description {space} {inner}>{body}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


@pytest.mark.parametrize("form", ["attribute", "element"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_labels_in_xmp_are_carried(tmp_path: Path, form: str, kind: str) -> None:
    packet = xmp(json.dumps({"AIGC": LABEL}).replace('"', "&quot;"), form)
    options: dict[str, object] = {"xmp": packet}
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", packet.decode(), zip=True)
        options = {"pnginfo": text}
    photo = read_picture(saved(tmp_path, "a", halves(), kind, **options))
    assert photo.aigc is not None
    assert json.loads(photo.aigc) == LABEL


def test_labels_in_png_text_and_exif_are_carried(tmp_path: Path) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("AIGC", json.dumps(LABEL))
    assert json.loads(read_picture(saved(tmp_path, "a.png", halves(), "PNG", pnginfo=text)).aigc or "") == LABEL
    for prefix, encoding in ((b"ASCII\0\0\0", "ascii"), (b"UNICODE\0", "utf-16-be"), (b"", "ascii")):
        exif = Image.Exif()
        exif.get_ifd(0x8769)[0x9286] = prefix + json.dumps({"AIGC": LABEL}).encode(encoding)
        photo = read_picture(saved(tmp_path, "b.jpg", halves(), "JPEG", exif=exif))
        assert json.loads(photo.aigc or "") == LABEL, prefix


def test_a_label_that_cannot_be_read_is_not_dropped(tmp_path: Path) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("AIGC", "{broken")
    photo = read_picture(saved(tmp_path, "a.png", halves(), "PNG", pnginfo=text))
    assert photo.aigc == SUSPECTED
    assert "cannot be read" in photo.warnings[0]


def test_pictures_without_a_label_have_none(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0taken on holiday"
    assert read_picture(saved(tmp_path, "a.jpg", halves(), "JPEG", exif=exif)).aigc is None
    packet = b"<x/>http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    photo = read_picture(saved(tmp_path, "b.jpg", halves(), "JPEG", xmp=packet))
    assert photo.aigc is None
    assert "made with AI" in photo.warnings[0]


@pytest.mark.parametrize("text", ["", "[]", "1", '"x"', "{}", '{"AIGC": 3}', "\x00", '{"Other": "1"}'])
def test_what_is_no_label(text: str) -> None:
    assert parse_label(text) is None
