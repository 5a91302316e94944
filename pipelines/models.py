"""`livecut models`: what the weights table says, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from clipper.speech import weights
from pipelines.progress import Progress
from pipelines.terminal import Display


def as_rows() -> list[dict[str, Any]]:
    """Every model with its state, as plain data."""
    return [
        {
            "name": status.name,
            "purpose": status.purpose,
            "licence": status.licence,
            "size_bytes": status.size_bytes,
            "here": status.here,
            "path": str(status.path) if status.path else None,
            "sources": list(status.sources),
            "default": status.default,
        }
        for status in weights.listing()
    ]


def as_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Set the rows as a table for a terminal."""
    lines = [f"{'name':<24} {'here':<5} {'size':>9}  {'licence':<11} purpose, and where it comes from"]
    for row in rows:
        here = "yes" if row["here"] else "no"
        origin = row["path"] or " or ".join(row["sources"])
        lines.append(f"{row['name']:<24} {here:<5} {row['size_bytes'] / 1e6:6.1f} MB  {row['licence']:<11} {row['purpose']}; {origin}")
    return "\n".join(lines)


def fetch(names: Sequence[str], *, display: Display, dry_run: bool) -> None:
    """Fetch models by name, or all that a default run needs; prints each model's folder."""
    wanted = tuple(names) or weights.DEFAULTS
    if dry_run:
        known = {row["name"]: row for row in as_rows()}
        for name in wanted:
            weights.model(name)
            click.echo(f"{name}: {'here already' if known[name]['here'] else 'would fetch from ' + ' or '.join(known[name]['sources'])}")
        return
    for name in wanted:
        folder = weights.fetch(name, progress=lambda fraction, name=name: display(Progress(f"fetch {name}", fraction)))  # type: ignore[misc]
        click.echo(folder)
