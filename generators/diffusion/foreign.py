"""Foreign errors in our words, and the libraries kept quiet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from generators import memory_layout


def remedy(error: BaseException, otherwise: str) -> str:
    """Say what to do about an error: something else when the device was full."""
    return (
        "use a smaller plan (--set generate.diffusers.memory=fp8-group-offload) or --preset lowvram"
        if memory_layout.is_out_of_memory(error)
        else otherwise
    )


def first_line(error: BaseException) -> str:
    """Return the first line of an error, or its name when it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300].rstrip(".")


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' progress bars and remarks off the terminal: stderr is ours, and what matters is raised."""
    import diffusers.utils.logging as first
    import transformers.utils.logging as second

    before = [(library, library.get_verbosity(), library.is_progress_bar_enabled()) for library in (first, second)]
    for library, _, _ in before:
        library.set_verbosity_error()
        library.disable_progress_bar()
    try:
        yield
    finally:
        for library, level, shown in before:
            library.set_verbosity(level)
            if shown:
                library.enable_progress_bar()
