"""Where the shots of a storyboard lie on the frame grid: pure arithmetic.

A transition lies inside the shot that it begins: while it runs, the shot before it goes on. So a shot's footage has to
reach beyond the shot's own end, by the next one's transition; `wanted_seconds` says how far.

A loop is a ring: the last shot is followed by the first one, with its transition. Where it begins within its first shot, that
shot is played on both sides of the seam, and what is seen there is one movement without a cut.
"""

from __future__ import annotations

from dataclasses import dataclass

from clipper.errors import InputError
from generators.values import Shot, Storyboard, Transition

LOOP_BLEND_S = 0.4
"""A loop whose first shot has no transition of its own is closed by a dissolve of this length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A shot on the output's frame grid; all counts are output frames."""

    index: int
    shot: Shot
    first: int
    """Its first frame in the video; of a shot that runs over a loop's seam, that of its part before the seam."""
    count: int
    transition: Transition
    lead: int
    """Frames of the transition with which it begins; 0 for a cut."""
    tail: int
    """Frames that it is still seen for after its end, under the next shot's transition."""

    @property
    def end(self) -> int:
        """First frame after the shot; beyond the video's last for a shot that runs over a loop's seam."""
        return self.first + self.count

    def pieces(self, total: int) -> tuple[tuple[int, int, int], ...]:
        """Return where the shot is seen in a video of `total` frames: first frame, end, and which frame of the shot comes first.

        There are two pieces, the later one first, when it runs over the seam of a loop.
        """
        whole = ((self.first, min(self.end, total), 0),)
        return (*whole, (0, self.end - total, total - self.first)) if self.end > total else whole


def place(board: Storyboard, *, closed: bool = False) -> tuple[Placed, ...]:
    """Place a storyboard's shots one after another.

    A transition is never longer than half of either shot. The first shot's transition is seen in a loop alone, where the
    last shot leads into it; not where the only shot is `closed`: its camera comes back by itself, and the loop begins with it.
    Raises InputError when a shot holds no frame.
    """
    ends = _ends(board)
    starts = [0, *ends[:-1]]
    turned = _turned(board, ends, closed)
    counts = [end - start for start, end in zip(starts, ends, strict=True)]
    for shot, count in zip(board.shots, counts, strict=True):
        if count < 1:
            raise InputError(f"could not compose {board.id}: shot {shot.id} lasts {shot.seconds:g} s, less than a frame; make it longer")
    kinds = [_transition(board, number, closed) for number in range(len(counts))]
    leads = [_lead(board, number, kinds[number], counts) for number in range(len(counts))]
    return tuple(
        Placed(
            index=number,
            shot=shot,
            first=(starts[number] - turned) % ends[-1],
            count=counts[number],
            transition=kinds[number],
            lead=leads[number],
            tail=leads[(number + 1) % len(leads)],
        )
        for number, shot in enumerate(board.shots)
    )


def wanted_seconds(board: Storyboard, *, closed: bool = False) -> tuple[float, ...]:
    """Seconds of footage that each shot needs: its own, and what the next one's transition shows of it."""
    return tuple(round((placed.count + placed.tail) / board.fps, 3) for placed in place(board, closed=closed))


def frame_count(board: Storyboard) -> int:
    """Frames of the whole video."""
    return _ends(board)[-1]


def _ends(board: Storyboard) -> list[int]:
    if not board.shots:
        raise InputError(f"could not compose {board.id}: it has no shots; name at least one")
    total, ends = 0.0, []
    for shot in board.shots:
        total += shot.seconds
        ends.append(round(total * board.fps))
    return ends


def _turned(board: Storyboard, ends: list[int], closed: bool) -> int:
    """How many frames of its first shot a loop leaves to its end."""
    if not board.loop or (closed and len(board.shots) == 1):
        return 0
    return max(0, min(round(board.begins * board.fps), ends[0] - 1))


def _transition(board: Storyboard, number: int, closed: bool) -> Transition:
    shot = board.shots[number]
    if number > 0:
        return shot.transition
    if not board.loop or (closed and len(board.shots) == 1):
        return "cut"
    is_bare = board.begins <= 0 or len(board.shots) == 1  # nothing but the transition closes the ring
    return "dissolve" if shot.transition == "cut" and is_bare else shot.transition


def _lead(board: Storyboard, number: int, kind: Transition, counts: list[int]) -> int:
    if kind == "cut":
        return 0
    seconds = board.shots[number].transition_s or (LOOP_BLEND_S if number == 0 else 0.0)
    return max(0, min(round(seconds * board.fps), counts[number] // 2, counts[number - 1] // 2))
