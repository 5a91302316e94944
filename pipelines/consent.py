"""What a hosted model costs, and whether that is agreed to: settled before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence

from generators.animators import kling
from generators.values import Shot
from pipelines.backends import Backends
from pipelines.filming import is_finished, orders
from pipelines.progress import Meter
from pipelines.settings import Settings
from pipelines.storyboards import BoardFile
from pipelines.workdir import Workdir


def unmade(files: Sequence[BoardFile], backends: Backends, settings: Settings, work: Workdir, prefix: str) -> list[Shot]:
    """The shots of the videos that are not there yet."""
    return [shot for file in files if not is_finished(file, backends, settings, work, prefix) for shot in orders(file.board)]


def agree(shots: Sequence[Shot], backends: Backends, settings: Settings, meter: Meter) -> None:
    """Say what shots cost. Raises InputError when that is not agreed to, and when there are no keys to pay with."""
    if shots:
        bill = kling.confirm(shots, settings.generate.kling, confirmed=backends.confirmed)
        backends.rungs[0].open()
        meter.say("cost", f"cost    {bill.text}")
