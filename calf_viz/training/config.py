"""All settings of a training, in one place; the command line options are made from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from calf_viz import systems
from calf_viz.assignment import unassignable
from calf_viz.settings import Known, check_types, fields_of, known, one_of, option, within

SIZE = ("episodes", "steps", "batch", "select_every")
"""Settings that a preset determines."""
PRESETS: dict[str, dict[str, int]] = {
    "quick": {"episodes": 100, "steps": 500},
    "standard": {},
    "thorough": {"episodes": 1000, "steps": 1000, "batch": 128},
}
"""How each differs from the defaults below."""
LONGEST = 2**31 - 1
MOST_EPISODES = 10_000_000
"""Each takes a line in the metrics, and some 500 bytes in memory."""
LONGEST_EPISODE = 1_000_000
"""Steps, each kept in memory until the next episode is over."""
MOST_STARTS = 100_000
"""Episodes evaluated at once; each takes some kilobytes in the networks."""
LARGEST_REPLAY = 10_000_000
"""Transitions of some 40 bytes; a hundred times the default."""


@unassignable("a training keeps its settings; take a copy, changed({name}=...)")
@dataclass(frozen=True)
class TrainingConfig(Known):
    """What to train and how. Raises UserError, in one line, for invalid values.

    Immutable, since a training keeps its settings: `changed` gives a copy.
    """

    kind = "a training"

    system: str = option("point_mass", f"System: {', '.join(systems.names())}, or one of yours.")
    seed: int = option(0, "Determines everything random.")
    preset: str = option("standard", f"Size of the training: {', '.join(PRESETS)}.")
    episodes: int = option(500, "Episodes.")
    steps: int = option(750, "Steps after which an episode is cut off.")
    batch: int = option(64, "Transitions per update.")
    select_every: int = option(10, "Episodes between two evaluations of the strict agent.")
    selection_episodes: int = option(64, "Starts from which agents are compared.")
    replay: int = option(100_000, "Transitions kept.")
    exploration: float = option(0.1, "Noise on actions, as a fraction of their limits.")
    reward_scale: float = option(10.0, "Factor applied to rewards before learning.")
    certificate: bool = option(True, "Certify actions; without, it is plain TD3.")
    lambda_relax: float = option(0.99995, "Initial P_relax, and its factor at each step.")
    lr: float = option(3e-4, "Learning rate of Adam.")
    gamma: float = option(0.99, "Discount per step.")
    tau: float = option(0.005, "Polyak averaging of the target networks.")
    target_noise: float = option(0.2, "Noise on target actions, as a fraction of their limits.")
    target_noise_clip: float = option(0.5, "Largest noise on target actions.")
    policy_delay: int = option(2, "Critic updates for each update of the actor.")
    checkpoint_every: int = option(10, "Episodes between two checkpoints of a run.")
    checkpoints: int = option(3, "Number of newest checkpoints that a run keeps.")
    tensorboard: bool = option(False, "Write a run's metrics for TensorBoard too.")
    recording: bool = option(False, "Record a run: each training step, and its strict agents.")

    def __post_init__(self) -> None:
        check_types(self)
        object.__setattr__(self, "system", systems.get(self.system).name)
        one_of("preset", self.preset, PRESETS)
        within("seed", self.seed, 0, 2**63 - 1)
        within("episodes", self.episodes, 1, MOST_EPISODES)
        within("steps", self.steps, 1, LONGEST_EPISODE)
        within("selection_episodes", self.selection_episodes, 1, MOST_STARTS)
        for name in ("select_every", "policy_delay", "checkpoint_every", "checkpoints"):
            within(name, getattr(self, name), 1, LONGEST)
        within("batch", self.batch, 1, 65_536)
        within("replay", self.replay, self.batch, LARGEST_REPLAY)
        within("reward_scale", self.reward_scale, 1e-6, 1e6)
        within("lr", self.lr, 0.0, 1.0)
        for name in ("exploration", "target_noise", "target_noise_clip"):
            within(name, getattr(self, name), 0.0, 10.0)
        for name in ("lambda_relax", "gamma", "tau"):
            within(name, getattr(self, name), 0.0, 1.0)

    @classmethod
    def from_preset(cls, preset: str = "standard", **changes: Any) -> TrainingConfig:
        """The preset quick, standard or thorough, with single values changed."""
        known(changes, fields_of(cls), f" of {cls.kind}")
        return cls(**{**_sizes(preset), **changes})

    def changed(self, /, **changes: Any) -> TrainingConfig:
        """A copy with single values changed; another preset also changes what it determines."""
        known(changes, fields_of(self), " of a training")
        size = _sizes(changes["preset"]) if "preset" in changes else {}
        return replace(self, **{**size, **changes})


def _sizes(preset: str) -> dict[str, Any]:
    """A preset's name and everything that it determines."""
    one_of("preset", preset, PRESETS)
    usual = {name: fields_of(TrainingConfig)[name].default for name in SIZE}
    return {"preset": preset, **usual, **PRESETS[preset]}
