"""Which model makes the shots, whether it may, and how it is laid over this machine: settled before anything is loaded."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from generators import checkpoint_folder, checkpoint_source, memory_plan
from generators.checkpoint_folder import Found
from generators.checkpoints import Checkpoint, Family, Fitted, Preset, check_licence, fit
from generators.diffusion.options import DiffusersOptions
from generators.memory_plan import MemoryPlan
from generators.values import ShotRequest

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A model that was chosen and may be used; nothing of it is loaded yet."""

    checkpoint: Checkpoint
    found: Found | None
    """Its folder, when it is on this machine as one; None for a name, until it is needed."""
    preset: Preset


def choose(options: DiffusersOptions) -> Choice:
    """Choose the checkpoint, check that it may be used, and merge the options into its preset; loads and downloads nothing.

    Raises ModelError for an unknown or unsafe model, InputError for a licence that was not accepted.
    """
    checkpoint, folder = checkpoint_source.locate(options.model, options.preset)
    check_licence(checkpoint, options.accept_licenses)
    found = checkpoint_folder.inspect(folder) if folder else None
    preset = checkpoint.presets[options.preset]
    if options.loras:
        preset = replace(preset, loras="")
    preset = replace(
        preset,
        steps=options.steps or preset.steps,
        guidance=(options.guidance,) * len(preset.guidance) if options.guidance else preset.guidance,
    )
    return Choice(checkpoint=found.checkpoint if found else checkpoint, found=found, preset=preset)


def family_of(options: DiffusersOptions) -> Family:
    """Say which family's animator makes shots under these options; loads and downloads nothing. Raises as `choose` does."""
    return choose(options).checkpoint.family


def outline(options: DiffusersOptions, request: ShotRequest) -> str:
    """Say in words what would be done for a request: model, licence, size, settings, memory; loads and downloads nothing.

    Raises InputError and ModelError as making the shot would.
    """
    choice = choose(options)
    row = choice.checkpoint
    fitted = fit(row, choice.preset, request)
    plan = plan_memory(choice, fitted, options)
    lines = [
        f"model   {row.name} ({row.repository}, {row.licence.title})",
        f"shot    {fitted.width_px}x{fitted.height_px}, {fitted.frames} frames at {fitted.fps}, {choice.preset.steps} steps",
        f"memory  {plan.text()}",
        *(f"note    {note}" for note in fitted.notes),
    ]
    return "\n".join(lines)


def plan_memory(choice: Choice, fitted: Fitted, options: DiffusersOptions) -> MemoryPlan:
    """Choose how the model is laid over this machine; raises ModelError when it does not fit."""
    card = memory_plan.look_at_machine(options.device)
    need = memory_plan.need(choice.checkpoint, fitted, card.device, choice.found)
    return memory_plan.choose(need, card, memory=options.memory, tile_px=options.tile_px, force_cpu=options.force_cpu)


def ready(choice: Choice, fitted: Fitted, options: DiffusersOptions) -> tuple[Found, MemoryPlan]:
    """Plan the memory, say so, and bring the model's files here if they are not; raises ModelError."""
    plan = plan_memory(choice, fitted, options)
    log.info("%s: %s", choice.checkpoint.name, plan.text())
    if choice.found is not None:
        return choice.found, plan
    return checkpoint_folder.inspect(checkpoint_source.fetch(choice.checkpoint), choice.checkpoint), plan
