"""Every error the project raises on purpose.

    LivecutError            exit code 1
    ├── InputError          2   the caller's file, option or config is wrong
    │   └── NothingFound    5   the recording was read well, and holds nothing to cut
    ├── ToolError           4   ffmpeg or another program is missing or failed
    │   └── ToolFailed          it ran, and failed: carries argv, code and last lines
    ├── ModelError          4   weights missing or wrong, device out of memory
    ├── ArtefactError       1   a file of ours is corrupt, or newer than this code
    └── Cancelled         130   the caller asked to stop

A message says what could not be done, to what, what was found, and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence


class LivecutError(Exception):
    """Base of every foreseeable failure."""

    exit_code = 1


class InputError(LivecutError):
    """The caller's file, option or config is wrong."""

    exit_code = 2


class NothingFound(InputError):
    """The recording was read well, and holds nothing to cut."""

    exit_code = 5


class ToolError(LivecutError):
    """ffmpeg or another program is missing or failed."""

    exit_code = 4


class ToolFailed(ToolError):
    """A program ran and failed."""

    def __init__(self, argv: Sequence[str], code: int, tail: str, what: str = "") -> None:
        self.argv = tuple(argv)
        self.code = code
        self.tail = tail
        lines = tail.strip().splitlines()
        last = lines[-1] if lines else "it printed nothing"
        super().__init__(f"{what or 'could not run ' + argv[0]}: exit code {code}: {last}")


class ModelError(LivecutError):
    """Weights are missing or wrong, or a device is out of memory."""

    exit_code = 4


class ArtefactError(LivecutError):
    """A file of ours is corrupt, or newer than this code."""


class Cancelled(LivecutError):
    """The caller asked to stop."""

    exit_code = 130
