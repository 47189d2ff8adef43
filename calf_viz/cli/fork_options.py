"""Options by which agents of a recording go on from one of its steps as ghosts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from calf_viz.agent.torch_import import whole_imports
from calf_viz.errors import UserError, shown

if TYPE_CHECKING:
    from calf_viz.recording.recording import Recording
    from calf_viz.sources.ghosts import Ghosts

Command = TypeVar("Command", bound=Any)
DEFAULT = "nominal"


def fork_options(command: Command) -> Command:
    """Add them."""
    for name, variable, kind, told in (
        ("--steps", "ghost_steps", int, "With --fork: most steps of ghosts.  [default: 1000]"),
        ("--agents", "agents", str, "With --fork: whose, such as 0,3.  [default: all]"),
        ("--with", "policies", str,
         "With --fork: policies, with commas: calf, nominal, actor, or checkpoints.  "
         f"[default: {DEFAULT}; in an environment model, the one recorded]"),
        ("--fork", "fork", str,
         "Step, or a time such as 2.5s, from which agents go on by other policies, as ghosts "
         "beside what happened."),
    ):  # fmt: skip
        command = click.option(name, variable, type=kind, default=None, help=told)(command)
    return command


def forked(
    recording: Recording,
    step: int | None,
    policies: str | None,
    agents: str | None,
    steps: int | None,
) -> Ghosts | None:
    """The ghosts that were asked for, if any. Raises UserError for options that go with none, and
    as `Ghosts`."""
    if step is None:
        for name, given in (("--with", policies), ("--agents", agents), ("--steps", steps)):
            if given is not None:
                raise UserError(f"{name} goes with --fork: give the step to fork at")
        return None
    with whole_imports():
        from calf_viz.sources.fork import ENVIRONMENT, row_of
        from calf_viz.sources.ghosts import Ghosts
        from calf_viz.sources.rollout import STEPS

    row = row_of(recording, step)
    usual = "model" if ENVIRONMENT in recording.meta else DEFAULT
    names = [name.strip() for name in (policies or usual).split(",")]
    return Ghosts(recording, row, names, _numbers(agents), STEPS if steps is None else steps)


def _numbers(text: str | None) -> list[int] | None:
    if text is None:
        return None
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise UserError(f"--agents {shown(text)}: give their numbers, such as 0,3") from None
