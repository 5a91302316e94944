"""The command that keeps running: `livecut watch`."""

from __future__ import annotations

import logging
import os
import socket
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import click

from clipper.errors import InputError
from pipelines import places
from pipelines.cli_common import common, flags_of


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FOLDER...")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder for the results.  [default: livecut-out]")
@click.option("--once", is_flag=True, help="Work off what is there and ready, then end: for cron.")
@click.option("--jobs", "at_once", type=int, help="Recordings worked on at the same time, per folder.")
@click.option("--executor", type=click.Choice(["local", "ray"]), help="Where work is done.  [default: local]")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Serve /healthz, /readyz, /metrics and POST /webhook on this port of 127.0.0.1."
)
@click.option("--log-file", type=click.Path(path_type=Path), help="Write the log there instead of to stderr; rotated at 10 MB.")
@click.option("--ledger", "ledger_file", type=click.Path(path_type=Path), help="The ledger's file.  [default: OUT/livecut.ledger]")
@click.option("--dry-run", is_flag=True, help="Say what lies in the folders and what would be done; do nothing.")
@common
def watch(folders: tuple[Path, ...], **options: Any) -> int:
    """Watch folders and cut each recording that is finished; product pictures become videos.

    A livecut.toml in a folder sets its options. SIGTERM ends after what runs is done, a second one at once; SIGHUP reads the
    options again. Everything seen and done is in the ledger: `livecut status`.
    """
    from pipelines import batch, executors
    from pipelines.watch import logs
    from pipelines.watch.daemon import Daemon, listen, options_of
    from pipelines.watch.wake import Wake

    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(options["verbose"] + (not options["quiet"]), 2)]
    logs.set_up(level, options["log_file"])
    roots = tuple(dict.fromkeys(places.absolute(folder) for folder in folders))
    for root in roots:
        if places.is_url(root):
            raise InputError(
                f"could not watch {places.written(root)}: a watched folder lies on a disk; "
                f"let cron run `livecut clip {places.written(root)}`, which does what is new there"
            )
    flags = _flags(options)
    settings = options_of(None, options["config_file"], flags)
    if options["dry_run"]:
        return _describe(roots, options, flags)
    nested = [(one, other) for one in roots for other in roots if one != other and one.is_relative_to(other)]
    if nested:
        raise InputError(f"could not watch {nested[0][0]}: it lies in {nested[0][1]}, which is watched too; name one of them")
    with ExitStack() as stack:
        ledger = stack.enter_context(batch.open_ledger(settings))
        executor = stack.enter_context(closing(executors.load(settings.run.executor)))
        daemon = Daemon(
            roots=roots,
            load=lambda root: options_of(root, options["config_file"], flags),
            ledger=ledger,
            executor=executor,
            once=options["once"],
        )
        listen(daemon)
        if options["port"] is not None:
            stack.enter_context(closing(_pages(daemon, options["port"])))
        if settings.watch.events and not options["once"]:
            stack.enter_context(closing(Wake(roots, lambda root: daemon.folders[root].wake.set() if root in daemon.folders else None)))
        notify("READY=1")
        stack.callback(notify, "STOPPING=1")
        codes = daemon.run()
    return overall(codes) if options["once"] else 0


def _pages(daemon: Any, port: int) -> Any:
    from pipelines.watch.pages import Pages

    try:
        pages = Pages(daemon, port)
    except OSError as error:
        raise InputError(f"could not serve on port {port} of 127.0.0.1: {error.strerror or error}; choose another --port") from error
    logging.getLogger(__name__).info("pages on http://127.0.0.1:%d", pages.port)
    return pages


def _flags(options: dict[str, Any]) -> dict[str, Any]:
    given = {
        "run.out": options["out"],
        "run.recordings": options["at_once"],
        "run.executor": options["executor"],
        "run.ledger": options["ledger_file"],
    }
    return flags_of(options, given, example="watch.stable_s=30")


def _describe(roots: tuple[Path, ...], options: dict[str, Any], flags: dict[str, Any]) -> int:
    from pipelines.tables import shown
    from pipelines.watch.daemon import options_of
    from pipelines.watch.inbox import walk

    for root in roots:
        settings = options_of(root, options["config_file"], flags)
        for entry in walk(root, settings.watch, apart=places.absolute(settings.run.out)):
            click.echo(f"{entry.why_not or entry.kind}\t{shown(entry.seen.path)}")
    return 0


def overall(codes: list[int]) -> int:
    """The exit code of `--once`: 0 when all went well, 3 when something failed; a recording with nothing to cut has not failed."""
    return 3 if any(code not in (0, 5) for code in codes) else 0


def notify(state: str) -> None:
    """Tell systemd how the daemon is, when it was started by it (https://www.freedesktop.org/software/systemd/man/sd_notify.html)."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
        try:
            connection.connect("\0" + address[1:] if address.startswith("@") else address)
            connection.sendall(state.encode())
        except OSError:
            logging.getLogger(__name__).warning("systemd could not be told: %s", state)
