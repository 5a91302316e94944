"""What a run would make, with what, and at what cost, said before anything is made."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from clipper.errors import InputError
from generators.animators import kling
from generators.kling_access import Keys
from generators.styles import style_named
from generators.values import Shot, ShotRequest, Storyboard, Style, Subject
from pipelines.backends import choose_backends
from pipelines.casting import beats_of, cast, plan_boards, said_of, subject_of
from pipelines.filming import orders
from pipelines.settings import Settings


def describe_videos(
    pictures: Sequence[str | Path] = (), *, catalog: str | Path | None = None, skus: Sequence[str] = (), settings: Settings
) -> str:
    """Say what `make_videos` would make, and with what; writes nothing. Raises what making would raise before it starts."""
    options = settings.generate
    wanted = cast(pictures, catalog, skus, options)
    look = style_named(options.style)
    backends = choose_backends(options, confirmed=True)
    lines = [f"backend    {backends.name}: {backends.why}", f"style      {look.name} {look.label}"]
    asked: list[Shot] = []
    beats = beats_of(options)
    for source in wanted.sources:
        subject = subject_of(source, options)
        lines.append(f"product    {source.name}: {subject.title or 'no title (--title)'}, {len(subject.photos)} picture(s)")
        boards = plan_boards(subject, look, settings, backends.name, beats)
        lines += map(_video, boards)
        unwritten = dict.fromkeys(note for board in boards for note in said_of(subject, board))
        lines += [f"  note     {warning}" for warning in (*subject.warnings, *unwritten)]
        lines.append(f"  results  {Path(settings.run.out) / source.name}")
        asked += [shot for board in boards for shot in orders(board)]
        backends.tell_outline([_request(board, subject, look) for board in boards], lines.append)
    if backends.name == "kling":
        lines.append(f"cost       {kling.estimate(asked, options.kling).text}; --yes pays it")
        lines += _lacking()
    return "\n".join(lines)


def _video(board: Storyboard) -> str:
    shots = ", ".join(f"{shot.move} {shot.seconds:.1f} s" for shot in board.shots)
    return f"  video    {board.width_px}×{board.height_px}, {board.seconds:.1f} s: {shots}"


def _request(board: Storyboard, subject: Subject, look: Style) -> ShotRequest:
    """The longest shot of a storyboard, as a model is asked for it."""
    shot = max(orders(board), key=lambda shot: shot.seconds)
    return ShotRequest(
        shot=shot,
        photo=subject.photos[shot.photo],
        cutout=subject.cutouts[shot.photo],
        last=None if shot.last is None else subject.photos[shot.last],
        style=look,
        width_px=board.width_px,
        height_px=board.height_px,
        fps=Fraction(board.fps),
    )


def _lacking() -> list[str]:
    try:
        Keys.from_environment()
    except InputError as error:
        return [f"  note     {error}"]
    return []
