"""Forks of a recording of Gymnasium's environments: by the model that acted there, or another."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from calf_attach.observation_plane import ObservationPlane, read_axes
from numpy.typing import NDArray

from calf_viz.agent.mlp_policy import MlpPolicy
from calf_viz.environments.copies import MISSING, Copies
from calf_viz.environments.state import has_state
from calf_viz.errors import UserError, shown
from calf_viz.files import is_file, parsing
from calf_viz.recording.folder import ADVICE, META
from calf_viz.recording.recording import Recording
from calf_viz.samples import Samples
from calf_viz.sources.policy_in_environment import acting

MODEL = "model"
"""Name of the policy that was recorded."""
COLUMNS = ("state", "action", "reward", "ended")


class EnvironmentWay:
    """As `Way`, in environments that can be put into a state. All agents go on, as what one does
    may depend on how many act together, in its last bit; time limits of environments do not hold.
    """

    def __init__(
        self, recording: Recording, row: int, policy: str, agents: NDArray[np.intp]
    ) -> None:
        """Raises UserError for a policy that cannot be used, and for other environments."""
        samples, folder = recording.samples(row), shown(recording.folder)
        with parsing(recording.folder / META, "a recording's meta.json", ADVICE):
            about: dict[str, Any] = recording.meta["environment"]
            env_id, model = str(about["environment"]), Path(str(about["model"]))
            axes = str(about["axes"])
        if not ({"state", "observation", "ended"} <= samples.columns.keys() and _known(env_id)):
            raise UserError(
                f"{folder}: {shown(env_id)} cannot be put into a state, to go on in the middle of "
                "an episode: only Gymnasium's classic control and our systems can"
            )
        if policy != MODEL:
            model = Path(policy)
            if not is_file(model):
                raise UserError(
                    f"policy {shown(policy)}: give {MODEL}, as recorded, or a model's file"
                )
        self.policy = MODEL if policy == MODEL else model.name
        self._policy, self.agents = MlpPolicy.load(model), agents
        ended, states = samples.columns["ended"] > 0, samples.columns["state"]
        self._copies = Copies(env_id, len(samples), max_episode_steps=-1)
        with ExitStack() as failed:
            failed.callback(self._copies.close)
            with parsing(recording.folder, f"states and observations of {env_id}", ADVICE):
                self._copies.put(samples.columns["observation"], states, ended)
            self._act = acting(self._policy, self._copies, env_id)
            n = len(agents)
            columns = {name: np.array(samples.columns[name][agents]) for name in COLUMNS}
            self.first = replace(
                samples,
                positions=samples.positions[agents], modes=samples.modes[agents],
                first=np.ones(n, bool), columns=columns,
            )  # fmt: skip
            with parsing(recording.folder / META, "a recording's meta.json", ADVICE):
                size = len(self._copies.observation_low)
                self._plane = ObservationPlane(read_axes(axes, size))
            self._states = np.array(states)
            failed.pop_all()

    @property
    def over(self) -> NDArray[np.bool_]:
        """Whose episode has ended, (k,)."""
        return self._copies.over[self.agents]

    def step(self) -> Samples:
        """Their next step."""
        copies, stay = self._copies, self._copies.over.copy()
        kept = copies.observations[stay]
        actions, modes = self._act(copies.observations)
        copies.step(actions)  # who stays is reset by that, and put back
        copies.observations[stay], copies.over[stay] = kept, True
        states = copies.states()
        assert states is not None
        states[stay], self._states = self._states[stay], states
        if np.issubdtype(actions.dtype, np.floating):
            actions[stay] = np.nan
        rewards = np.where(stay, 0.0, copies.rewards)
        these = self.agents
        return Samples(
            self._plane.project(copies.observations)[these],
            modes[these],
            np.zeros(len(these), bool),
            columns={
                "state": states[these],
                "action": actions[these],
                "reward": rewards[these],
                "ended": copies.over[these].astype(np.uint8),
            },
        )

    def close(self) -> None:
        """Close the environments: it steps no more."""
        self._copies.close()


def _known(env_id: str) -> bool:
    """Whether it may be made: a recording is anybody's, and must not have any module imported."""
    try:
        return has_state(env_id)
    except ImportError:
        raise UserError(MISSING) from None
