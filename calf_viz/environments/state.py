"""States of Gymnasium's environments, of those that can be put into one.

Those of classic control hold it in `state`, and so do our systems as environments; of others there
is no common way, and a reset begins elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from calf_viz.environments import registration

if TYPE_CHECKING:
    import gymnasium

CLASSIC, OURS = "gymnasium.envs.classic_control.", "calf_viz.environments.system_environment"
"""Modules of environments whose `state` is all that decides on what comes."""


def has_state(env_id: str) -> bool:
    """Whether environments of an id can be put into a state, by what is registered: nothing is
    imported for it, not even the MODULE of MODULE:ID, which has none here. Raises ImportError
    without gymnasium."""
    from gymnasium.envs.registration import ENV_ID_RE, find_highest_version, get_env_id, registry

    registration.register()
    named = ENV_ID_RE.fullmatch(env_id)
    if named is None or ":" in env_id:
        return False
    space, name, version = named.group("namespace", "name", "version")
    if version is None:  # then it is the newest that is made
        env_id = get_env_id(space, name, find_highest_version(space, name))
    spec = registry.get(env_id)
    point = None if spec is None else spec.entry_point
    return isinstance(point, str) and point.replace(":", ".").startswith((CLASSIC, OURS))


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
