"""When a video cuts: instants on frames, near the style's pace, on the beat where there is one."""

from __future__ import annotations

import math
from collections.abc import Sequence

from clipper.values import ms

LONGEST_PACE = 1.75
"""A shot is at most this many times the usual length."""
MOST_SHOTS = 24
SEAM_S = 0.2
"""A loop's first shot is seen at least this long before the seam."""


def cut_instants(
    seconds: float, *, pace: float, fps: int, beats: Sequence[float] = (), least: float = 0.8, single: bool = False
) -> tuple[float, ...]:
    """Return the instants at which shots begin, and the end: from 0 to `seconds`, rising, each on a frame.

    `pace` is the usual length of a shot; no shot is shorter than `least`. With `beats` (seconds on the video's clock) every
    cut falls on one where that keeps the lengths sound; where no beat fits, the cut is free. `single` asks for one shot.
    """
    end = ms(round(seconds * fps) / fps)
    if single or seconds < 2 * least:
        return (0.0, end)
    wanted = math.floor(seconds / max(pace, least) + 0.6)
    count = max(2, min(MOST_SHOTS, max(wanted, 3 if seconds >= 5 else 2), math.floor(seconds / least)))
    free = [seconds * number / count for number in range(count + 1)]
    cuts = _on_beats(seconds, count, beats, least) or free
    framed = [ms(round(instant * fps) / fps) for instant in cuts]
    return (0.0, *framed[1:-1], end)


def ring_instants(
    seconds: float, *, pace: float, fps: int, beats: Sequence[float] = (), least: float = 0.8, single: bool = False
) -> tuple[tuple[float, ...], float]:
    """Cut a loop: the instants at which its shots begin, counted from its first shot on, and how much of that is played at its end.

    The loop's seam lies within the first shot, so that nothing is cut there; all cuts fall on beats (seconds on the video's
    clock) where that keeps the lengths sound.
    """
    free = cut_instants(seconds, pace=pace, fps=fps, least=least, single=single)
    end = free[-1]
    if len(free) == 2:
        return free, ms(round(end * fps / 2) / fps)
    usual = end / (len(free) - 1)
    near = [beat for beat in beats if 0.3 * usual <= beat <= 0.7 * usual]
    head = round(min(near, key=lambda beat: abs(beat - usual / 2), default=usual / 2) * fps) / fps
    later = [(beat - head) % end for beat in beats if 0 <= beat < end]
    cuts = cut_instants(seconds, pace=pace, fps=fps, beats=later, least=least)
    if cuts[-1] - cuts[-2] < head + SEAM_S:
        cuts = free
    first = cuts[-1] - cuts[-2]
    return (0.0, *(ms(round((first + cut) * fps) / fps) for cut in cuts[:-1])), ms(round((first - head) * fps) / fps)


def _on_beats(seconds: float, count: int, beats: Sequence[float], least: float) -> list[float]:
    """Choose `count` - 1 beats as cuts, lengths as even as can be: shortest path over the beats. Empty when they do not suffice.

    One cut more or less is taken when it makes the lengths evener.
    """
    inside = sorted({float(beat) for beat in beats if math.isfinite(beat) and least <= beat <= seconds - least})
    best: tuple[float, list[float]] = (math.inf, [])
    for wanted in (count, count + 1, count - 1):
        if wanted < 2 or wanted > MOST_SHOTS or seconds / wanted < least:
            continue
        cost, cuts = _shortest(seconds, wanted, inside, least)
        cost += 0.15 * abs(wanted - count)
        if cost < best[0]:
            best = (cost, cuts)
    return best[1]


def _shortest(seconds: float, count: int, beats: Sequence[float], least: float) -> tuple[float, list[float]]:
    """Dynamic programme: cost of reaching each beat with a number of shots, squared deviation from the even length."""
    even = seconds / count
    points = [0.0, *beats, seconds]
    last = len(points) - 1
    costs: list[dict[int, tuple[float, int]]] = [{0: (0.0, -1)}]
    for number in range(1, count + 1):
        reached: dict[int, tuple[float, int]] = {}
        targets = (last,) if number == count else range(1, last)
        for target in targets:
            for source, (cost, _) in costs[-1].items():
                length = points[target] - points[source]
                if length < least - 1e-9 or length > LONGEST_PACE * even + 1e-9:
                    continue
                total = cost + ((length - even) / even) ** 2
                if total < reached.get(target, (math.inf, -1))[0]:
                    reached[target] = (total, source)
        costs.append(reached)
    if last not in costs[count]:
        return math.inf, []
    path, at = [seconds], last
    for number in range(count, 0, -1):
        at = costs[number][at][1]
        path.append(points[at])
    return costs[count][last][0] / count, path[::-1]
