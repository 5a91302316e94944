"""A plan's picture as one ffmpeg run: the argv, made without starting anything.

ffmpeg-python builds the graph. All text (captions, card, badge, closing card) comes from files with fixed names in the work
folder; the graph itself holds nothing but our own numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clipper import ffmpeg as door
from clipper.render.crop import window
from clipper.render.options import RenderOptions
from clipper.render.timing import TIE_S, Cut, cuts
from clipper.values import Plan, Recording, Span

CAPTIONS, FONTS, CARD, BADGE, END_CARD, SOUND, VIDEO = (
    "captions.ass",
    "fonts",
    "card.png",
    "badge.png",
    "end_card.png",
    "sound.m4a",
    "video.mp4",
)
READING = ("-copyts", "-max_error_rate", "1")
"""Time stamps stay those of the container (ffmpeg's own zero depends on which streams of an MPEG-TS are used), and frames that
cannot be decoded are left out and never end a run: what came out is checked instead."""
HDR = ("smpte2084", "arib-std-b67")
FADE_S = 0.3
"""How long the closing card takes to appear."""
SLIDE_S = 0.35


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What the graph must know of the recording's own picture beyond the recording value."""

    video: str = "v"
    """Which stream is the picture: a stream number, or v for the first."""
    audio: str = "a"
    """Which stream is the sound: a stream number, or a for the first."""
    matrix: str = ""
    """Colour matrix as ffmpeg names it; empty when the file does not say."""
    transfer: str = ""
    """Transfer characteristic as ffmpeg names it; empty when the file does not say."""
    start: float = 0.0
    """The container's own time of its beginning, in seconds."""
    seeks: tuple[float, ...] = ()
    """Safe seek points, one a source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What lies in the work folder, which is the run's current folder."""

    folder: Path
    captions: bool = False
    card: tuple[int, int] | None = None
    """Left and top of the card in output pixels; None for no card."""
    badge: tuple[int, int] | None = None
    end_card: bool = False
    sound: bool = True
    source: Source = Source()


def end_card_frames(plan: Plan, files: Files) -> int:
    """Frames of the closing card; 0 without one."""
    return round(plan.end_card_s * plan.fps) if files.end_card else 0


def command(plan: Plan, recording: Recording, files: Files, options: RenderOptions) -> list[str]:
    """Build the arguments that render a plan's picture and lay the finished sound under it; pure.

    Raises InputError for sources outside the recording.
    """
    import ffmpeg

    pieces = cuts(plan, recording, files.source.seeks, files.source.start)
    parts = [_piece(plan, recording, span, cut, files, options) for span, cut in zip(plan.sources, pieces, strict=True)]
    picture = parts[0] if len(parts) == 1 else ffmpeg.concat(*parts, v=1, a=0)
    body = sum(cut.frames for cut in pieces)
    closing = end_card_frames(plan, files)
    if closing:
        picture = picture.filter("tpad", stop_mode="clone", stop=closing)
    picture = _overlays(picture, plan, files, body / plan.fps)
    streams = [picture]
    if files.sound:
        streams.append(door.source(files.folder / SOUND, "mov").audio)
    total = body + closing
    out = ffmpeg.output(*streams, door.url(files.folder / VIDEO), **_encoding(plan, options, total, files.sound)).overwrite_output()
    return ["-filter_threads", str(options.threads), *READING, *door.compile(out)]


def seek_of(cut: Cut) -> dict[str, str]:
    """The seek of an input, when there is one."""
    return {"ss": _s(cut.seek)} if cut.seek > 0 else {}


def _piece(plan: Plan, recording: Recording, span: Span, cut: Cut, files: Files, options: RenderOptions) -> Any:
    """One source: cut on the frame grid, framed, and brought to the output's rate with exactly the planned frames.

    Scaling comes before the change of rate, so that repeated frames are not scaled twice; a variable rate is made constant
    first, because the grid of its cuts is the output's.
    """
    stream = door.source(recording.path, recording.format, **seek_of(cut), threads=options.threads)[files.source.video]
    shift = f"PTS-{_s(cut.zero - TIE_S)}/TB"
    if recording.is_vfr:
        start = cut.zero % (1 / plan.fps)
        stream = stream.filter("fps", fps=plan.fps, start_time=_s(start), round="near")
        stream = stream.filter("trim", start=_s(cut.picture_start), end=_s(cut.picture_end)).filter("setpts", shift)
        stream = _framed(stream, plan, recording, span, cut, files, options)
    else:
        stream = stream.filter("trim", start=_s(cut.picture_start), end=_s(cut.picture_end)).filter("setpts", shift)
        stream = _framed(stream, plan, recording, span, cut, files, options)
    stream = stream.filter("fps", fps=plan.fps, start_time=0, round="near", eof_action="pass")
    stream = stream.filter("tpad", stop_mode="clone", stop=-1).filter("trim", end_frame=cut.frames)
    return stream.filter("setsar", 1)


def _framed(stream: Any, plan: Plan, recording: Recording, span: Span, cut: Cut, files: Files, options: RenderOptions) -> Any:
    colour = _colour(files.source, recording)
    size = {"w": plan.width_px, "h": plan.height_px}
    if plan.framing == "blur":
        framed = _blurred(stream, plan, recording, options, colour)
    else:
        shape = plan.width_px / plan.height_px
        view = window(plan.crop, span, cut.first, width_px=recording.width_px, height_px=recording.height_px, shape=shape)
        if view.zooms:
            w, h = f"2*ceil({plan.width_px}/({view.w})/2)", f"2*ceil({plan.height_px}/({view.h})/2)"
            stream = stream.filter("scale", w=w, h=h, flags=options.scaler, eval="frame", **colour)
            # crop knows its input's first size only, so the place is reckoned from the output's
            x, y = f"({view.x})*{plan.width_px}/({view.w})", f"({view.y})*{plan.height_px}/({view.h})"
            framed = stream.filter("crop", w=size["w"], h=size["h"], x=x, y=y, exact=1)
        else:
            if float(view.w) < 0.999 or float(view.h) < 0.999:
                stream = stream.filter("crop", w=f"iw*{view.w}", h=f"ih*{view.h}", x=f"iw*({view.x})", y=f"ih*({view.y})", exact=1)
            framed = stream.filter("scale", **size, flags=options.scaler, **colour)
    if files.source.transfer in HDR:
        return _tone_mapped(framed)
    return framed.filter("format", "yuv420p")


def _blurred(stream: Any, plan: Plan, recording: Recording, options: RenderOptions, colour: dict[str, Any]) -> Any:
    """The whole picture over its own enlargement, blurred and darkened while it is small."""
    split = stream.filter_multi_output("split")
    small_w, small_h = max(2, plan.width_px // 8 * 2), max(2, plan.height_px // 8 * 2)
    back = split[0].filter("scale", w=small_w, h=small_h, force_original_aspect_ratio="increase", flags="bilinear", **colour)
    back = back.filter("crop", w=small_w, h=small_h).filter("boxblur", luma_radius=9, luma_power=3).filter("eq", brightness=-0.12)
    back = back.filter("scale", w=plan.width_px, h=plan.height_px, flags="bilinear")
    share = min(plan.width_px / recording.width_px, plan.height_px / recording.height_px)
    w, h = (
        min(limit, 2 * round(side * share / 2))
        for side, limit in ((recording.width_px, plan.width_px), (recording.height_px, plan.height_px))
    )
    front = split[1].filter("scale", w=w, h=h, flags=options.scaler, **colour)
    return back.overlay(front, x=(plan.width_px - w) // 2, y=(plan.height_px - h) // 2)


def _colour(source: Source, recording: Recording) -> dict[str, Any]:
    """Bring every matrix to BT.709; a file that does not name its own has BT.709 from 720 lines up, as players assume."""
    if source.transfer in HDR:
        return {}
    if source.matrix:
        return {"out_color_matrix": "bt709", "out_range": "tv"}
    guess = "bt709" if min(recording.width_px, recording.height_px) >= 576 else "bt601"
    return {"in_color_matrix": guess, "out_color_matrix": "bt709", "out_range": "tv"}


def _tone_mapped(stream: Any) -> Any:
    """Bring high dynamic range to BT.709 (Hable's curve, 100 cd/m² white)."""
    stream = stream.filter("zscale", transfer="linear", npl=100).filter("format", "gbrpf32le").filter("zscale", primaries="bt709")
    stream = stream.filter("tonemap", tonemap="hable", desat=0)
    return stream.filter("zscale", transfer="bt709", matrix="bt709", range="tv").filter("format", "yuv420p")


def _overlays(picture: Any, plan: Plan, files: Files, body_s: float) -> Any:
    if files.badge:
        badge = door.source(files.folder / BADGE, "png_pipe")
        picture = picture.overlay(badge, x=files.badge[0], y=files.badge[1], enable=f"lt(t,{_s(body_s)})")
    if files.card and plan.card:
        x, y = files.card
        start, end = plan.card.start, min(plan.card.end, body_s)
        hidden = f"(overlay_w+{x})"
        late, leave = f"(1-min((t-{_s(start)})/{SLIDE_S},1))", f"max((t-{_s(end - SLIDE_S)})/{SLIDE_S},0)"
        path = f"{x}-{hidden}*(pow({late},3)+pow({leave},3))"
        picture = picture.overlay(door.source(files.folder / CARD, "png_pipe"), x=path, y=y, enable=f"between(t,{_s(start)},{_s(end)})")
    if files.captions:
        picture = picture.filter("subtitles", filename=CAPTIONS, fontsdir=FONTS)
    if files.end_card:
        closing = (
            door.source(files.folder / END_CARD, "png_pipe", framerate=plan.fps)
            .filter("format", "yuva420p")
            .filter("loop", loop=-1, size=1)
        )
        closing = closing.filter("trim", duration=_s(plan.end_card_s)).filter("fade", type="in", duration=FADE_S, alpha=1)
        closing = closing.filter("setpts", f"PTS+{_s(body_s)}/TB")
        picture = picture.overlay(closing, eof_action="repeat", enable=f"gte(t,{_s(body_s)})")
    picture = picture.filter("format", "yuv420p")
    return picture.filter("setparams", color_primaries="bt709", color_trc="bt709", colorspace="bt709", range="tv")


def _encoding(plan: Plan, options: RenderOptions, frames: int, sound: bool) -> dict[str, Any]:
    # superfast with macroblock-tree over 10 frames: the size and SSIM of veryfast at three quarters of its time (docs/why)
    tuned = {"x264-params": "mbtree=1:rc-lookahead=10"} if options.preset in ("ultrafast", "superfast") else {}
    coding = {
        "c:v": "libx264",
        "preset": options.preset,
        "crf": options.crf,
        "profile:v": "high",
        "pix_fmt": "yuv420p",
        **tuned,
        "maxrate": f"{options.max_kbps}k",
        "bufsize": f"{2 * options.max_kbps}k",
        "g": 2 * plan.fps,
        "flags:v": "+cgop",
        "r": plan.fps,
        "fps_mode": "cfr",
        "frames:v": frames,
        "threads": options.threads,
        "color_primaries": "bt709",
        "color_trc": "bt709",
        "colorspace": "bt709",
        "color_range": "tv",
        "map_metadata": -1,
        "map_chapters": -1,
        "sn": None,
        "dn": None,
        "movflags": "+faststart",
        "max_muxing_queue_size": 1024,
        "f": "mp4",
    }
    return {**coding, **({"c:a": "copy"} if sound else {})}


def _s(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")
