"""What a run has spent and made: run.json, and beside it what earlier parts have left of a run that is done in parts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from clipper import artefact
from clipper.version import __version__
from pipelines import config
from pipelines.progress import Meter
from pipelines.settings import Settings
from pipelines.workdir import Workdir, json_bytes

_SESSION = ".session.json"
"""What earlier parts of a run that is done in parts have spent."""


def finish(settings: Settings, work: Workdir, meter: Meter) -> None:
    """Write run.json: version, effective options, what was made and re-used, seconds and memory of each stage."""
    earlier = _remembered(work)
    made = [*earlier["made"], *(name for name in work.made if name not in earlier["made"])]
    run = {
        "schema": "livecut.run",
        "version": 1,
        "livecut": __version__,
        "options": config.plain(settings),
        "made": made,
        "reused": [name for name in work.reused if name not in made],
        "stages": _longest(earlier["stages"], meter.stages),
    }
    artefact.save(work.root / "run.json", json_bytes(run))
    (work.root / _SESSION).unlink(missing_ok=True)


def remember(work: Workdir, meter: Meter) -> None:
    """Keep what a run that ends early has spent and made, for the run.json of the one that finishes it."""
    earlier = _remembered(work)
    stages = _longest(earlier["stages"], meter.stages)
    made = [*earlier["made"], *(name for name in work.made if name not in earlier["made"])]
    artefact.save(work.root / _SESSION, json_bytes({"made": made, "stages": stages}))


def _longest(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Of each stage, the time it was done in and not the one it was found done in."""
    both = {**earlier, **now}
    return {name: max((one for one in (earlier.get(name), now.get(name)) if one), key=lambda one: float(one["seconds"])) for name in both}


def _remembered(work: Workdir) -> dict[str, Any]:
    try:
        found = json.loads((work.root / _SESSION).read_text(encoding="utf-8"))
        return {"made": list(found["made"]), "stages": dict(found["stages"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {"made": [], "stages": {}}
