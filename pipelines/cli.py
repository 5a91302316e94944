"""The command line: a thin layer of click over the library, and the one place where errors become exit codes.

stdout carries results, one path a line; stderr carries progress and log.
"""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from clipper.errors import Cancelled, LivecutError, NothingFound
from clipper.version import __version__
from pipelines import cli_batch, cli_generate, cli_ledger, cli_look, cli_watch, memory
from pipelines.cli_common import common, flags_of, stop
from pipelines.cli_common import complain as _complain
from pipelines.cli_common import display_of as _display
from pipelines.cli_common import settings_of as _settings
from pipelines.terminal import Display, printable_lines

log = logging.getLogger("livecut")

EXIT_CODES = """\
Exit codes: 0 done; 1 failed; 2 wrong use or input; 3 some inputs failed; 4 missing tool or model; 5 nothing found;
130 interrupted."""


def main() -> None:
    """Run the command line and exit with the code of its outcome."""
    memory.hand_back_large_blocks()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # a path that is no UTF-8 is printed as the bytes it has
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run the command line; return the exit code."""
    stop.clear()
    previous = _listen()
    try:
        result = livecut.main(args=list(arguments), prog_name="livecut", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        _complain("stopped; what was finished is kept")
        return Cancelled.exit_code
    except LivecutError as error:
        _complain(str(error))
        return error.exit_code
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123  the reader has gone: keep the interpreter from complaining at exit
        return 1
    except Exception as error:
        if log.isEnabledFor(logging.DEBUG):
            traceback.print_exc()
        _complain(f"a bug in livecut: {type(error).__name__}: {error}; run again with -vv for the traceback and report it")
        return 1
    finally:
        if previous is not None:
            signal.signal(signal.SIGINT, previous)


def _listen() -> Any:
    """The first interrupt asks stages to stop; the second ends at once."""
    if threading.current_thread() is not threading.main_thread():
        return None

    def interrupted(number: int, frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        _complain("stopping; press again to stop at once")

    return signal.signal(signal.SIGINT, interrupted)


class Commands(click.Group):
    """Lists commands in the order in which people meet them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of definition."""
        return list(self.commands)


@click.group(cls=Commands, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="livecut")
def livecut() -> None:
    """Turn recordings of selling livestreams into short videos that go on selling."""


@livecut.command()
@click.argument("recordings", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RECORDING...")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for the results; one folder per recording is made in it.  [default: livecut-out]",
)
@click.option(
    "--catalog", type=click.Path(path_type=Path), help="Product feed; default: catalog.csv|tsv|xlsx|json|xml beside the recording."
)
@click.option(
    "--chat",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Chat log; default: found beside the recording by its name. May be given again.",
)
@click.option(
    "--events",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Log of orders, cards and viewers; found like the chat. May be given again.",
)
@click.option("--start-time", metavar="ISO8601", help="When the recording began; needed only for logs with absolute times.")
@click.option("--types", help="Clip types to make, separated by commas.  [default: explanation,hot_item,teaser]")
@click.option("--preset", help="Platform whose frame, limits and safe box to keep: default, kuaishou, douyin, tiktok, …")
@click.option("--style", help="Caption style; see docs/captions.md.  [default: pop]")
@click.option("--room", help="Name of the live room, shown on teasers.")
@click.option("--model", help="Speech model: a name of `livecut models list` or a folder.")
@click.option("--engine", type=click.Choice(["faster-whisper", "whisper"]), help="Speech engine.")
@click.option("--language", help="Language spoken, e.g. zh or en; default: detected.")
@click.option("--replan", is_flag=True, help="Write all plans anew, also the edited ones.")
@click.option("--jobs", "at_once", type=int, metavar="N", help="Recordings worked on at the same time.  [default: 2 with two processors]")
@click.option(
    "--ledger", "ledger_file", type=click.Path(path_type=Path), help="Ledger.  [default: livecut.ledger in the folder of the results]"
)
@click.option("--dry-run", is_flag=True, help="Say what would be read and written; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per recording on stdout.")
@common
def clip(recordings: tuple[Path, ...], **options: Any) -> int:
    """Cut recordings into finished clips.

    RECORDING is a file, a folder of them, or a pattern. Prints the path of every clip. A second run re-uses whatever still
    fits; an edited plan is rendered, never overwritten. Several recordings are done each in a process of its own; one that
    fails stops no other, and what is done is not done again.
    """
    from pipelines.places import is_url
    from pipelines.recordings import is_several

    display = _display(options)
    flags = {
        "run.out": options["out"],
        "run.recordings": options["at_once"],
        "run.ledger": options["ledger_file"],
        "plan.types": options["types"],
        "plan.style": options["style"],
        "plan.room": options["room"],
        "speech.model": options["model"],
        "speech.engine": options["engine"],
        "speech.language": options["language"],
    }
    settings = _settings(options, flags, preset=options["preset"])
    if len(recordings) == 1 and not is_several(recordings[0]) and not is_url(settings.run.out):
        return _clip_one(recordings[0], settings, options, display)
    if options["dry_run"]:
        return _overall([_clip_one(recording, settings, options, display) for recording in cli_batch.expanded(recordings, settings)])
    return _overall(cli_batch.clip_many(recordings, settings, options, display, stop.is_set))


def _clip_one(recording: Path, settings: Any, options: dict[str, Any], display: Display) -> int:
    from pipelines.clips import describe
    from pipelines.places import is_url

    given = {"catalog": options["catalog"], "chat": options["chat"], "events": options["events"], "start_time": options["start_time"]}
    try:
        if options["dry_run"]:
            at_url = is_url(recording)
            click.echo(
                printable_lines(cli_batch.describe_url(recording, settings) if at_url else describe(recording, settings=settings, **given))
            )
            return 0
        done = cli_batch.clip_one(recording, settings, options, display, stop.is_set)
    except LivecutError as error:
        _complain(str(error))
        if options["as_json"]:
            click.echo(json.dumps({"recording": str(recording), "error": str(error), "exit_code": error.exit_code}, ensure_ascii=False))
        return error.exit_code
    if options["as_json"]:
        click.echo(json.dumps({"recording": str(recording), "folder": str(done.folder), "manifest": done.manifest}, ensure_ascii=False))
    else:
        for video in done.videos:
            click.echo(video)
    display.say(f"{len(done.videos)} clips; report: {done.folder / 'report.html'}")
    return 0


def _overall(codes: Sequence[int]) -> int:
    """One recording: its own code. Several: 3 when some failed; a recording without anything to cut has not failed."""
    if len(codes) == 1:
        return codes[0]
    bad = [code for code in codes if code not in (0, NothingFound.exit_code)]
    if not bad:
        return 0 if 0 in codes else NothingFound.exit_code
    return 3 if len(bad) < len(codes) else bad[0]


@livecut.command()
@click.argument("plans", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PLAN.json...")
@click.option("--dry-run", is_flag=True, help="Check the plans; write nothing.")
@click.option("--yes", is_flag=True, help="Agree to what the kling backend costs; without it the cost is shown and nothing is made.")
@common
def render(plans: tuple[Path, ...], dry_run: bool, yes: bool, **options: Any) -> int:
    """Render edited plans.

    A plan in a run's folder renews that run's clip, manifest and report; any other is rendered beside itself. A video's plan
    keeps the options of its run, where --set does not change them.
    """
    from pipelines.clips import render_plans
    from pipelines.plans import load_plan
    from pipelines.storyboards import is_storyboard, load_board

    if dry_run:
        for path in plans:
            if is_storyboard(path):
                board = load_board(path)
                click.echo(f"{path}: video of {len(board.shots)} shot(s), {board.seconds:.1f} s, style {board.style}")
                continue
            found = load_plan(path)
            click.echo(f"{path}: {found.type}, {len(found.sources)} piece(s), {found.duration:.1f} s")
        return 0
    boards = tuple(path for path in plans if is_storyboard(path))
    clips = tuple(path for path in plans if path not in boards)
    settings, display = _settings(options, {}), _display(options)
    if clips:
        for video in render_plans(clips, settings=settings, progress=display, cancelled=stop.is_set):
            click.echo(video)
    for path in boards:
        from pipelines.rendering import render_boards, settings_of_run

        own = settings if options["config_file"] else settings_of_run(path, flags_of(options, {}))
        for video in render_boards([path], settings=own, progress=display, cancelled=stop.is_set, confirmed=yes):
            click.echo(video)
    cli_batch.amend(plans, settings)
    return 0


for _command in (*cli_look.COMMANDS, *cli_ledger.COMMANDS):
    livecut.add_command(_command)


cli_generate.register(livecut)
livecut.add_command(cli_watch.watch)
