"""`calf-viz --env`: a policy in a Gymnasium environment; and `calf-viz convert`."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from calf_viz.agent.torch_import import whole_imports
from calf_viz.cli.option_types import GIVEN_PATH, option_name
from calf_viz.console import say
from calf_viz.errors import UserError, shown
from calf_viz.files import is_folder, names_in, not_over
from calf_viz.viewer.config import TRAINING_ONLY, VisualizationConfig

if TYPE_CHECKING:
    from calf_viz.sources.policy_in_environment import PolicyInEnvironment

Command = TypeVar("Command", bound=Any)

OWN = ("env", "model", "axes")
"""Options of a policy in an environment."""
NORMALISED = re.compile(r"(?i).*vec[-_]?norm(al[a-z]*)?([-_.].*)?\.(pkl|pickle)")
"""Usual names of the statistics that VecNormalize saves."""
OF_A_SYSTEM = (
    "system",
    "checkpoint",
    "policy",
    "p_relax",
    "train",
    "critic_on_gpu",
    *TRAINING_ONLY,
)
"""Settings that only a simulation of a system uses."""


def environment_options(command: Command) -> Command:
    """Add the options of a policy in an environment."""
    for name, kind, told in (
        ("--axes", str,
         "With --env: entries of an observation to show, such as 0,2; or angle(0,1),2, for the "
         "angle of a cosine and a sine. --slice sets the others: NUMBER, ENTRY=NUMBER, mean, or "
         "agent (the chosen one's).  [default: by environment]"),
        ("--model", GIVEN_PATH,
         "With --env: zip of Stable-Baselines3's PPO, A2C, SAC, TD3, DDPG or DQN, with an "
         "MlpPolicy; or what `calf-viz convert` made of it."),
        ("--env", str, "Gymnasium environment to show a --model in, such as Pendulum-v1."),
    ):  # fmt: skip
        command = click.option(name, type=kind, help=told)(command)
    return command


def check_environment_options(given: Collection[str]) -> None:
    """Raise UserError for options that do not go together. given: names on the command line."""
    if "env" not in given:
        for name in given:
            if name in OWN:
                raise UserError(f"--{name} goes with --env: give both")
        return
    if "model" not in given:
        raise UserError("--env needs --model, the policy to show in it: give both")
    for name in given:
        if name in OF_A_SYSTEM:
            option = option_name(name)
            raise UserError(f"{option} has no effect with --env: leave {option} out")


def open_environment(
    env_id: str, model: Path, axes: str | None, others: tuple[str, ...], config: VisualizationConfig
) -> PolicyInEnvironment:
    """The source. Raises UserError for an environment or a model that cannot be used."""
    with whole_imports():
        from calf_viz.agent.mlp_policy import MlpPolicy
        from calf_viz.sources.policy_in_environment import CELLS, Cut, PolicyInEnvironment

    _refuse_normalised(model)
    cut = Cut(axes, others, config.grid or CELLS, config.chosen or 0)
    policy = MlpPolicy.load(model)
    return PolicyInEnvironment(env_id, policy, config.n_agents, config.seed, cut)


def _refuse_normalised(model: Path) -> None:
    """Raise UserError for a model beside which the statistics of a VecNormalize lie: its policy saw
    normalised observations, and they are a pickle, which would run code."""
    for name in names_in(model.absolute().parent):  # else the model says why it cannot be read
        if NORMALISED.fullmatch(name):
            raise UserError(
                f"--model {shown(model)}: {shown(name)} beside it has the means that its "
                "policy needs, in a pickle, which is never loaded: watch it in its own loop, by "
                "calf_attach.sb3.Callback; or give an environment that normalises (docs/gymnasium"
                ".md); or move a model that needs none elsewhere"
            )


@click.command()
@click.argument("model", type=GIVEN_PATH)
@click.option("--output", type=GIVEN_PATH, required=True, help="File to write: .safetensors.")
def convert(model: Path, output: Path) -> None:
    """Write a MODEL of Stable-Baselines3's, a zip, as safetensors, which --model reads too.

    Nothing in the zip is unpickled; the optimisers in it are left out.
    """
    with whole_imports():
        from calf_viz.agent.mlp_policy import MlpPolicy

    if output.suffix.lower() != ".safetensors" or is_folder(output):
        raise UserError(
            f"--output {shown(output)}: give the name of a file, ending in .safetensors"
        )
    not_over(output, [model])
    policy = MlpPolicy.load(model)
    policy.save(output)
    say(f"{output}: {policy.algorithm}, {policy.observations} observed, {policy.actions} actions")
