"""Write docs/reference anew from the code: `make docs`. The tests compare instead of writing."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import click

from clipper import errors

ROOT = Path(__file__).parent.parent.parent
REFERENCE = ROOT / "docs" / "reference"
MADE = "<!-- made by `make docs`; edit the code instead -->\n"


def commands() -> str:
    """Help texts of every command."""
    from pipelines.cli import livecut

    lines = ["# Commands", "", MADE]
    for path, command in _walk("livecut", livecut):
        context = click.Context(command, info_name=path, max_content_width=100, terminal_width=100, help_option_names=["-h", "--help"])
        lines += [f"## {path}", "", "```text", command.get_help(context), "```", ""]
    return "\n".join(lines)


def _walk(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from _walk(f"{path} {name}", child)


def options() -> str:
    """Every option of livecut.toml with its default and its docstring."""
    from pipelines.settings import Settings

    lines = [
        "# Options",
        "",
        MADE,
        "Default < `livecut.toml` < environment < flag. `max_s` of `[plan.explanation]` is `LIVECUT_PLAN_EXPLANATION_MAX_S` in the",
        "environment and `--set plan.explanation.max_s=90` on the command line.",
        "",
    ]
    lines += _section(Settings, ())
    return "\n".join(lines)


def _section(kind: type, path: tuple[str, ...]) -> list[str]:
    hints, notes, default = get_type_hints(kind), field_docs(kind), kind()
    own = [item.name for item in fields(kind) if not is_dataclass(hints[item.name])]
    lines = []
    if own:
        lines += [
            f"## [{'.'.join(path)}]",
            "",
            (inspect.getdoc(kind) or "").splitlines()[0],
            "",
            "| option | default | meaning |",
            "|---|---|---|",
        ]
        lines += [f"| `{name}` | {_shown(getattr(default, name))} | {notes[name]} |" for name in own]
        lines.append("")
    for item in fields(kind):
        if is_dataclass(hints[item.name]):
            lines += _section(hints[item.name], (*path, item.name))
    return lines


def _shown(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, tuple):
        text = ", ".join(map(str, value))
        return f"`{text}`" if text else "empty"
    return f"`{value}`" if value != "" else "empty"


def field_docs(kind: type) -> dict[str, str]:
    """Docstrings under the fields of a dataclass. Raises KeyError-like AssertionError for an option without one."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    body = tree.body[0].body  # type: ignore[attr-defined]
    notes: dict[str, str] = {}
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            text = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
            notes[node.target.id] = " ".join(str(text).split()).replace("|", "\\|")
    return notes


def error_page() -> str:
    """The error tree and its exit codes."""
    lines = [
        "# Errors and exit codes",
        "",
        MADE,
        "```text",
        inspect.getdoc(errors) or "",
        "```",
        "",
        "| error | exit code | meaning |",
        "|---|---|---|",
    ]
    for name, kind in vars(errors).items():
        if inspect.isclass(kind) and issubclass(kind, errors.LivecutError):
            lines.append(f"| `{name}` | {kind.exit_code} | {(inspect.getdoc(kind) or '').splitlines()[0]} |")
    lines += ["", "A batch exits with 3 when some of its recordings failed and others did not.", ""]
    return "\n".join(lines)


PAGES = {"commands.md": commands, "options.md": options, "errors.md": error_page}


def main() -> None:
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        (REFERENCE / name).write_text(make(), encoding="utf-8")
        print(REFERENCE.relative_to(ROOT) / name)


if __name__ == "__main__":
    main()
