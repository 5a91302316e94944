"""Make the sample stream from nothing but this folder and the package registries.

usage: python samples/make_samples.py [words] [pictures] [host] [film]

Without arguments every step runs. `words` writes the voice, the catalogue, the logs and the ground truth (2 minutes); `pictures` renders
the product photographs; `host` renders the room and the host; `film` puts the recording together. What a step makes for the next one is
kept in samples/.cache.
"""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import asdict
from pathlib import Path

SAMPLES = Path(__file__).parent
sys.path.insert(0, str(SAMPLES))

from making import audience, sound, voice  # noqa: E402
from making.registry import CACHE  # noqa: E402
from making.script import GOODS, LINES  # noqa: E402

FPS, WIDTH_PX, HEIGHT_PX = 25, 720, 1280
HEADER = ("sku", "title", "aliases", "brand", "category", "price", "list_price", "currency", "image")


def words() -> None:
    """Speak the script and write every side file."""
    import soundfile

    speech, times = voice.speak(LINES)
    duration = round(len(speech) / voice.RATE_HZ * FPS) / FPS
    CACHE.mkdir(exist_ok=True)
    soundfile.write(CACHE / "voice.wav", speech, voice.RATE_HZ)
    soundfile.write(CACHE / "sound.wav", sound.mix(speech), sound.RATE_HZ)
    (CACHE / "times.json").write_text(json.dumps([asdict(spoken) for spoken in times]))
    drawn = audience.events(times, duration)
    audience.write_events(SAMPLES / "show.events.jsonl", drawn)
    audience.write_danmaku(SAMPLES / "show.xml", drawn)
    write_catalogue(SAMPLES / "catalog.csv")
    (SAMPLES / "truth.json").write_text(json.dumps(truth(times, duration), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def write_catalogue(path: Path) -> None:
    """Write the three products."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(HEADER)
        for item in GOODS:
            rows.writerow(
                [
                    item.sku,
                    item.title,
                    "|".join(item.aliases),
                    item.brand,
                    item.category,
                    f"{item.price:g}",
                    f"{item.list_price:g}",
                    "CNY",
                    "|".join(item.images),
                ]
            )


def truth(times: tuple[voice.Spoken, ...], duration: float) -> dict[str, object]:
    """Gather what a perfect finder would say."""
    return {
        "id": "show",
        "language": "zh",
        "duration_s": duration,
        "width": WIDTH_PX,
        "height": HEIGHT_PX,
        "fps": FPS,
        "segments": [{"sku": part.sku, "start": times[part.first].start, "end": times[part.last].end} for part in audience.segments()],
        "hot": [
            {"sku": sale.sku, "start": sale.start, "end": sale.end, "uplift": audience.HOT_UPLIFT}
            for sale in audience.sales(times)
            if sale.sku == audience.HOT
        ],
        "teaser": [{"start": t.start, "end": t.end} for line, t in zip(LINES, times, strict=True) if line.teaser],
        "lines": [
            {"start": t.start, "end": t.end, "text": line.text, "phase": line.phase, "sku": line.sku, "explain": line.explain}
            for line, t in zip(LINES, times, strict=True)
        ],
    }


def pictures() -> None:
    """Photograph the products."""
    from making import pictures as studio

    (SAMPLES / "images").mkdir(exist_ok=True)
    for name in studio.PICTURES:
        studio.take(name, SAMPLES / "images")


def host() -> None:
    """Render the room, the table, the host and her faces."""
    from making import stage

    stage.render_all(CACHE / "stage")


def film() -> None:
    """Put the recording together."""
    from making import film as cutting

    cutting.make(SAMPLES / "show.mp4", CACHE, FPS, (WIDTH_PX, HEIGHT_PX))


STEPS = {"words": words, "pictures": pictures, "host": host, "film": film}


def main() -> None:
    """Run the steps that were asked for, in order."""
    asked = sys.argv[1:] or list(STEPS)
    unknown = [name for name in asked if name not in STEPS]
    if unknown:
        raise SystemExit(f"{unknown[0]} is not a step; the steps are {', '.join(STEPS)}")
    for name, step in STEPS.items():
        if name in asked:
            print(name, flush=True)
            step()


if __name__ == "__main__":
    main()
