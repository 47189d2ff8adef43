"""Many copies of one Gymnasium environment, stepping together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from calf_viz.children import current_folder_left_out
from calf_viz.environments.state import put, state_of
from calf_viz.errors import UserError, innermost, shown, text_of

if TYPE_CHECKING:
    import gymnasium

MISSING = "gymnasium is not installed: pip install 'calf_viz[gym]'"
MOST_ENTRIES = 1000
"""Numbers in an observation."""


class Copies:
    """n copies, of which those whose episode is over begin a new one in their next step.

    Attributes:
        observations: what each observed last, (n, d) float32; zeros before its first step.
        over: whose episode is over, (n,) bool; all at first.
        rewards: of the last step, (n,) float64; 0 for those that began an episode in it.
        terminated: whose last step ended in a terminal state, (n,) bool; those that were only cut
            off are in `over` alone.
        low, high: of the actions, (m,); None for a choice.
        choices: how many actions there are to choose from; 0 for numbers.
    """

    def __init__(self, env_id: str, n: int, seed: int = 0, **given: Any) -> None:
        """env_id: as `gymnasium.make` takes it; MODULE:ID imports MODULE. given: for it.

        Copy k is seeded with seed + k. Raises UserError for an environment that cannot be made, or
        whose observations or actions are of another kind.
        """
        self._id, self._seed, self._given = env_id, seed, given
        self._envs: list[gymnasium.Env[Any, Any]] = [made(env_id, **given)]
        first = self._envs[0]
        self.metadata: Mapping[str, object] = dict(first.metadata)
        space: Any = first.observation_space
        actions: Any = first.action_space
        shape = getattr(space, "shape", None)
        low, high = getattr(space, "low", None), getattr(space, "high", None)
        if low is None or high is None or not shape or len(shape) != 1 or shape[0] > MOST_ENTRIES:
            raise self._other("observes", space, "a Box of one axis is wanted")
        self.observation_low, self.observation_high = np.asarray(low), np.asarray(high)
        self.low: NDArray[Any] | None = None
        self.high: NDArray[Any] | None = None
        self.choices = 0
        if hasattr(actions, "n") and not getattr(actions, "shape", ()):
            self.choices, self._start = int(actions.n), int(getattr(actions, "start", 0))
        elif len(getattr(actions, "shape", None) or ()) == 1 and hasattr(actions, "low"):
            self.low, self.high = np.asarray(actions.low), np.asarray(actions.high)
        else:
            raise self._other("acts in", actions, "a Box of one axis or a Discrete is wanted")
        self._size = int(shape[0])
        try:
            self._allocate(n)
        except BaseException:
            self.close()
            raise

    def _other(self, verb: str, space: object, wanted: str) -> UserError:
        self.close()
        return UserError(f"environment {shown(self._id)} {verb} {shown(space, 80)}: {wanted}")

    def _allocate(self, n: int) -> None:
        while len(self._envs) < n:
            self._envs.append(made(self._id, **self._given))
        self.observations = np.zeros((n, self._size), np.float32)
        self.over = np.ones(n, dtype=np.bool_)
        self.rewards, self.terminated = np.zeros(n), np.zeros(n, dtype=np.bool_)
        self._seeded = np.zeros(n, dtype=np.bool_)

    def __len__(self) -> int:
        return len(self.over)

    def resize(self, n: int) -> None:
        """Keep the first n; new ones begin with the next step."""
        kept = min(n, len(self))
        old = self._arrays
        for env in self._envs[n:]:
            env.close()
        del self._envs[n:]
        self._allocate(n)
        for before, now in zip(old, self._arrays, strict=True):
            now[:kept] = before[:kept]

    @property
    def _arrays(self) -> tuple[NDArray[Any], ...]:
        return self.observations, self.over, self.rewards, self.terminated, self._seeded

    def step(self, actions: NDArray[Any]) -> NDArray[np.bool_]:
        """Advance those in an episode by actions, (n, m), or (n,) for a choice; the others begin
        one. Returns who began, (n,)."""
        began = self.over.copy()
        for number, env in enumerate(self._envs):
            if began[number]:
                seed = None if self._seeded[number] else self._seed + number
                self._seeded[number] = True
                self.observations[number] = env.reset(seed=seed)[0]
                self.rewards[number], self.terminated[number] = 0.0, False
                self.over[number] = False
                continue
            action = actions[number] + self._start if self.choices else actions[number]
            observed, reward, terminated, truncated, _ = env.step(action)
            self.observations[number] = observed
            self.rewards[number], self.terminated[number] = float(reward), terminated
            self.over[number] = terminated or truncated
        return began

    def states(self) -> NDArray[np.float64] | None:
        """States (n, k) of all, as `state_of`; None if these environments have none."""
        found = [state_of(env) for env in self._envs]
        if any(state is None for state in found):
            return None
        return np.array(found)

    def put(
        self, observations: NDArray[Any], states: NDArray[Any], over: NDArray[np.bool_]
    ) -> None:
        """Put all into states (n, k), in which they observe that, and whose episode is over."""
        for env, state in zip(self._envs, states, strict=True):
            put(env, state)
        self.observations[:], self.over[:] = observations, over
        self._seeded[:] = True

    def close(self) -> None:
        """Close all."""
        for env in self._envs:
            env.close()


def made(env_id: str, **given: Any) -> gymnasium.Env[Any, Any]:
    """A new environment. given: for `gymnasium.make`. Raises UserError if there is none, or it
    cannot be made."""
    try:
        import gymnasium
    except ImportError:
        raise UserError(MISSING) from None
    from calf_viz.environments import registration

    registration.register()
    try:
        with current_folder_left_out():
            return gymnasium.make(env_id, disable_env_checker=True, **given)
    except Exception as error:  # whatever an environment's code raises
        place = innermost(error, lambda name: not name.startswith(("gymnasium.", "calf_viz.")))
        where = "" if place is None else f" ({shown(place[0])}:{place[1]})"
        said = shown(text_of(error)) or type(error).__name__
        raise UserError(f"environment {shown(env_id)}: {said}{where}") from error
