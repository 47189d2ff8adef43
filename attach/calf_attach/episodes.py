"""When episodes end, and what observers of a loop see then.

A row tells where an agent is after a step. At an episode's end environments differ in what the
step's observation is:

    next_step   the terminal one; the next step only resets, and returns the first observation
    same_step   already the first one of the next episode; the terminal one is in `infos`
    disabled    the terminal one; the loop resets the environment itself, and calls `reset`

These are Gymnasium's autoreset modes. Stable-Baselines3's VecEnv is `same_step`, with a dict for
each environment. Gymnasium before 1.0 is `same_step` with other names.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from calf_attach.arrays import as_array

MODES = "next_step", "same_step", "disabled"
TERMINAL = (("final_obs", "_final_obs"), ("final_observation", "_final_observation"))
"""Names in `infos` of terminal observations and of which are valid: Gymnasium's, before 1.0."""
OF_EACH = "terminal_observation"
"""The same in Stable-Baselines3, in each environment's own dict."""
GOAL = "is_success"
"""Name in `infos` of whether an episode reached its goal."""


def mode_of(env: Any) -> str | None:
    """The autoreset mode that an environment announces; None if it does not."""
    metadata = getattr(env, "metadata", None)
    found = metadata.get("autoreset_mode") if isinstance(metadata, dict) else None
    name = str(getattr(found, "value", found)).lower().replace("autoresetmode.", "")
    name = name.replace("nextstep", "next_step").replace("samestep", "same_step")
    return name if name in MODES else None


def has_terminal(infos: Any) -> bool:
    """Whether infos has terminal observations: the step's are then those of new episodes."""
    if isinstance(infos, dict):
        return any(name in infos for name, _ in TERMINAL)
    if isinstance(infos, (list, tuple)):
        return any(isinstance(info, dict) and OF_EACH in info for info in infos)
    return False


def with_terminal(observations: Any, infos: Any, done: np.ndarray) -> Any:
    """A copy of observations (n, ...), or of a dict of them, with the terminal ones of agents whose
    episode ended, where infos has them."""
    found = _terminal(infos, done)
    if isinstance(observations, dict):
        return {
            key: _replaced(values, {agent: one[key] for agent, one in found.items()})
            for key, values in observations.items()
        }
    return _replaced(observations, found)


def _replaced(values: Any, terminal: dict[int, Any]) -> np.ndarray:
    whole = np.array(as_array(values))
    for agent, one in terminal.items():
        whole[agent] = as_array(one)
    return whole


def _terminal(infos: Any, done: np.ndarray) -> dict[int, Any]:
    """Terminal observations by agent."""
    if not isinstance(infos, dict):
        return {
            int(agent): infos[agent][OF_EACH]
            for agent in np.flatnonzero(done)
            if OF_EACH in infos[agent]
        }
    name, valid = next(pair for pair in TERMINAL if pair[0] in infos)
    final = infos[name]
    known = np.asarray(infos.get(valid, done), dtype=bool) & done
    if isinstance(final, dict):  # of a dict observation, by key
        return {int(i): {key: final[key][i] for key in final} for i in np.flatnonzero(known)}
    return {int(agent): final[agent] for agent in np.flatnonzero(known) if final[agent] is not None}


def goals_of(infos: Any, done: np.ndarray) -> np.ndarray:
    """Which of the ended episodes reached their goal, 1.0 or 0.0, by the name that environments use
    for it; NaN where they do not say."""
    found = np.full(len(done), np.nan)
    for agent in np.flatnonzero(done).tolist():
        reached = _goal(infos, agent)
        if reached is not None:
            found[agent] = float(bool(reached))
    return found


def _goal(infos: Any, agent: int) -> Any:
    if isinstance(infos, (list, tuple)):
        infos = infos[agent] if agent < len(infos) else {}
        return infos.get(GOAL) if isinstance(infos, dict) else None
    if not isinstance(infos, dict):
        return None
    final = infos.get("final_info", infos)
    if not isinstance(final, dict):  # before 1.0: one of each
        final = final[agent] if final is not None and len(final) > agent else {}
        return final.get(GOAL) if isinstance(final, dict) else None
    reached: Any = final.get(GOAL, infos.get(GOAL))
    return reached[agent] if np.ndim(reached) else reached


def truncated_of(infos: Any, done: np.ndarray) -> np.ndarray:
    """Which of the ended episodes were truncated, for interfaces that say only `done`."""
    found = np.zeros(len(done), bool)
    if isinstance(infos, (list, tuple)):
        for agent in np.flatnonzero(done):
            found[agent] = bool(infos[agent].get("TimeLimit.truncated", False))
    return found
