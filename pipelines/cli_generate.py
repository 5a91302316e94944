"""`livecut generate` and `livecut styles`: product pictures in, videos out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from clipper.errors import Cancelled, LivecutError
from pipelines import cli_batch
from pipelines.cli_common import common, complain, display_of, settings_of, stop
from pipelines.terminal import printable_lines

BACKENDS = ("auto", "camera", "diffusers", "kling")
SHAPES = ("9:16", "3:4", "4:5", "1:1", "4:3", "16:9")
PRESETS = ("fast", "balanced", "quality", "lowvram")


@click.command()
@click.argument("pictures", nargs=-1, metavar="[PICTURE|FOLDER|SKU]...")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for the results; one folder per product is made in it.  [default: livecut-out]",
)
@click.option(
    "--catalog", type=click.Path(path_type=Path), help="Product feed; the arguments are then skus of it, none for all its products."
)
@click.option("--style", help="Style; `livecut styles` lists them.  [default: clean-studio]")
@click.option("--backend", type=click.Choice(BACKENDS), help="What moves the pictures.  [default: auto]")
@click.option(
    "--preset",
    help="Platform (default, kuaishou, douyin, tiktok, …) or quality of a model (fast, balanced, quality, lowvram). May be given again.",
    multiple=True,
)
@click.option("--seconds", type=float, help="Length of a video, 3 to 30.  [default: 6]")
@click.option(
    "--aspect", type=click.Choice(["9:16", "3:4", "4:5", "1:1", "4:3", "16:9"]), help="Shape of the frame; default: the platform's."
)
@click.option("--seed", type=int, help="Everything random comes from it.  [default: 0]")
@click.option("--variants", type=int, help="Videos per product that differ in moves, order and light.  [default: 1]")
@click.option("--loop", is_flag=True, default=None, help="Let the last frame lead into the first.")
@click.option("--music", type=click.Path(path_type=Path), help="Sound file to lay under the videos; cuts follow its beat.")
@click.option("--voice", type=click.Path(path_type=Path), help="Sound file of a speaker; the music is lowered while it sounds.")
@click.option("--logo", type=click.Path(path_type=Path), help="Picture for the upper right corner.")
@click.option("--title", help="Title in place of the catalogue's.")
@click.option("--price", help="Price in place of the catalogue's, as it is to be printed.")
@click.option("--call", help="What the viewer is asked to do.")
@click.option("--model", help="Diffusion model: a name, owner/name@commit, or a folder.")
@click.option(
    "--accept-license", "licenses", multiple=True, metavar="NAME", help="Accept a model's licence that you have read. May be given again."
)
@click.option("--yes", is_flag=True, help="Agree to what the kling backend costs; without it the cost is shown and nothing is made.")
@click.option("--replan", is_flag=True, help="Write all storyboards anew, also the edited ones.")
@click.option("--dry-run", is_flag=True, help="Say what would be made, and how; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per product on stdout.")
@common
def generate(pictures: tuple[str, ...], **options: Any) -> int:
    """Make videos of product pictures.

    Every file is a product of its own, and every folder one product with all its pictures; with --catalog the arguments are
    skus. Prints the path of every video. A second run re-uses whatever still fits; an edited storyboard is rendered, never
    overwritten.
    """
    from pipelines.video_outline import describe_videos
    from pipelines.videos import make_videos

    display = display_of(options)
    platform, quality = _presets(options["preset"])
    settings = settings_of(options, _flags(options, quality), preset=platform)
    given: dict[str, Any] = {"catalog": options["catalog"]}
    given["skus" if options["catalog"] else "pictures"] = pictures
    if options["dry_run"]:
        click.echo(printable_lines(describe_videos(settings=settings, **given)))
        return 0
    done = make_videos(
        settings=settings, replan=options["replan"], progress=display, cancelled=stop.is_set, confirmed=options["yes"], **given
    )
    cli_batch.record_videos([product.folder for product in done.products], settings, display.say)
    _print(done, options["as_json"])
    for name, error in done.failures:
        complain(f"{name}: {error}")
    display.say(f"{len(done.videos)} videos with the {done.backend} backend ({done.why})")
    return _code(len(done.products), [error for _, error in done.failures])


def _print(done: Any, as_json: bool) -> None:
    if not as_json:
        for video in done.videos:
            click.echo(video)
        return
    for product in done.products:
        click.echo(json.dumps({"product": product.name, "folder": str(product.folder), "manifest": product.manifest}, ensure_ascii=False))
    for name, error in done.failures:
        click.echo(json.dumps({"product": name, "error": str(error), "exit_code": error.exit_code}, ensure_ascii=False))


def _code(finished: int, errors: Sequence[LivecutError]) -> int:
    """3 when some products failed; their own code when all did."""
    if not errors:
        return 0
    if any(isinstance(error, Cancelled) for error in errors):
        return Cancelled.exit_code
    return 3 if finished else errors[0].exit_code


def _presets(names: Sequence[str]) -> tuple[str | None, str | None]:
    """Tell a platform's preset from a model's: their names differ."""
    platform = next((name for name in names if name not in PRESETS), None)
    quality = next((name for name in names if name in PRESETS), None)
    return platform, quality


def _flags(options: dict[str, Any], quality: str | None) -> dict[str, Any]:
    own = ("style", "backend", "seconds", "aspect", "seed", "variants", "loop", "music", "voice", "logo", "title", "price", "call")
    flags = {f"generate.{name}": options[name] for name in own}
    flags |= {"run.out": options["out"], "generate.diffusers.model": options["model"], "generate.diffusers.preset": quality}
    if options["licenses"]:
        flags["generate.diffusers.accept_licenses"] = ",".join(options["licenses"])
    return flags


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def styles(name: str | None, as_json: bool) -> None:
    """List the styles of generated videos, or show one."""
    from clipper import artefact
    from generators import styles as known

    if name:
        click.echo(
            json.dumps(artefact.plain(known.style_named(name)), ensure_ascii=False, indent=1)
            if as_json
            else _shown(known.style_named(name))
        )
        return
    rows = known.styles()
    if as_json:
        click.echo(json.dumps([artefact.plain(style) for style in rows], ensure_ascii=False, indent=1))
        return
    for style in rows:
        click.echo(f"{style.name:<16} {style.label}  {style.label_en}: {', '.join(style.moves)}")


def _shown(style: Any) -> str:
    colours = style.palette
    rows = [
        ("name", f"{style.name}  {style.label}  {style.label_en}"),
        ("moves", ", ".join(style.moves)),
        ("transitions", ", ".join(style.transitions)),
        ("pace", f"{style.pace_s:g} s a shot"),
        ("backdrop", f"{style.backdrop}, {colours.background} to {colours.background_end}"),
        ("type", f"{style.type}, {colours.ink}, accent {colours.accent}; title {style.title_at}, price {style.price_badge}"),
        ("light", style.light),
        ("prompt", style.prompt),
        ("negative", style.negative),
    ]
    return "\n".join(f"{name:<12} {text}" for name, text in rows)


def register(group: click.Group) -> None:
    """Add the commands to the command line."""
    group.add_command(generate)
    group.add_command(styles)
