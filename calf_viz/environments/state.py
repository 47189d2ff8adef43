"""States of Gymnasium's environments, of those that can be put into one.

Those of classic control hold it in `state`, and so do our systems as environments; of others there
is no common way, and a reset begins elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import gymnasium

CLASSIC, OURS = "gymnasium.envs.classic_control.", "calf_viz.environments.system_environment"
"""Modules of environments whose `state` is all that decides on what comes."""


def state_of(env: gymnasium.Env[Any, Any]) -> NDArray[np.float64] | None:
    """An environment's state, (k,); None if it has none that can be set."""
    inner: Any = env.unwrapped
    if not f"{type(inner).__module__}.".startswith((CLASSIC, OURS)):
        return None
    found = np.asarray(inner.state, np.float64)
    return found if found.ndim == 1 else None


def put(env: gymnasium.Env[Any, Any], state: NDArray[np.float64]) -> None:
    """Reset an environment, and put it into a state that `state_of` returned."""
    env.reset(seed=0)
    inner: Any = env.unwrapped
    if isinstance(inner.state, np.ndarray):
        # Some are float32 after a reset alone, so that theirs is no guide.
        ours = type(inner).__module__ == OURS
        inner.state = np.array(state, np.float32 if ours else np.float64)
    else:
        inner.state = tuple(state.tolist())
