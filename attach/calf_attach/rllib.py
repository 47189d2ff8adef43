"""RLlib's new API stack: `config.callbacks(Callback)`.

Each environment runner, in whichever process, has a board of its own. Its steps are seen between
the runner and its environments. Runners have no critic: the learner has. After each iteration it
evaluates the critic on the runners' grids, and only values go back to them, by Ray's calls.
"""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import Any

import numpy as np
import torch
from gymnasium.vector import VectorEnv, VectorWrapper
from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.rllib.core import DEFAULT_MODULE_ID
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.apis.q_net_api import QNetAPI
from ray.rllib.core.rl_module.apis.value_function_api import ValueFunctionAPI
from ray.rllib.env.single_agent_env_runner import SingleAgentEnvRunner

from calf_attach import Handle, attach
from calf_attach.critic import APART, untouched
from calf_attach.episodes import mode_of
from calf_attach.settings import suited

log = logging.getLogger("calf_attach")
BUDGET = 0.01
"""Share of the training's time for the critic, and for the way there and back."""
KEPT = (
    "AddObservationsFromEpisodesToBatch", "AddTimeDimToBatchAndZeroPad",
    "AddStatesFromEpisodesToBatch", "AgentToModuleMapping", "BatchIndividualItems",
    "NumpyToTensor",
)  # fmt: skip
"""Connectors between environment and module that leave observations as they are."""


class Callback(RLlibCallback):
    """Shows the environment runners of a training: of single agents that observe numbers.

    With arguments: `config.callbacks(functools.partial(Callback, axes=(0, 2), budget=0.05))`.
    """

    def __init__(self, **given: Any) -> None:
        """given: as `attach` takes them, in place of what suits the environment; without `critic`,
        `project` and `lift`."""
        super().__init__()
        self._given, self._due, self._warned = given, 0.0, False
        for name in ("critic", "project", "lift"):
            if name in given:
                raise ValueError(f"{name}: the learner's critic is shown, on a plane by axes=")

    def on_environment_created(self, *, env_runner: Any, **_: Any) -> None:
        """As RLlib calls it, in the runner's process. Raises ValueError for observations that have
        no coordinates."""
        if not isinstance(env_runner, SingleAgentEnvRunner):
            log.warning(
                "%s is not shown: only runners of single agents are", type(env_runner).__name__
            )
            return
        env = env_runner.env
        if not isinstance(env, VectorEnv):  # none on this runner
            return
        config, index = env_runner.config, env_runner.worker_index or 0
        found = suited(
            env.single_observation_space, env.single_action_space, _inner(env), self._given
        )
        if "title" not in self._given:
            name = config.env if isinstance(config.env, str) else config.env.__name__
            found["title"] = f"{name}, runner {index}" if index else name
        name = str(found.get("name", "loop")) + ("-evaluation" if config.in_evaluation else "")
        found["name"] = f"{name}-{index}" if index else name
        found.setdefault("value", _name_of(config, hasattr(env.single_action_space, "n")))
        found.setdefault("autoreset", mode_of(env))
        env_runner.env = Shown(env, attach(**found))

    def on_train_result(self, *, algorithm: Any, **_: Any) -> None:
        """As RLlib calls it, in the process of the algorithm, after each iteration."""
        start = time.perf_counter()
        if start < self._due:
            return
        try:
            self._evaluate(algorithm)
        except Exception:
            level = logging.DEBUG if self._warned else logging.WARNING
            self._warned = True
            log.log(level, "the critic is not shown, training goes on", exc_info=True)
        now = time.perf_counter()
        self._due = now + max(APART, (now - start) / float(self._given.get("budget", BUDGET)))

    def _evaluate(self, algorithm: Any) -> None:
        for group in (algorithm.env_runner_group, algorithm.eval_env_runner_group):
            if group is None:
                continue
            asked = {
                index: seen for index, seen in group.foreach_env_runner(_asked) if seen is not None
            }
            if not asked:
                continue
            learners = algorithm.learner_group
            only = {} if learners.is_local else {"remote_actor_ids": [0]}
            (found,) = learners.foreach_learner(partial(_values, asked=asked), **only)
            group.foreach_env_runner(partial(_show, values=found.get()))


class Shown(VectorWrapper):
    """Environments whose steps are shown.

    Attributes:
        viz: the handle that shows them.
        warned: whether it was said that their critic cannot be shown.
    """

    def __init__(self, env: VectorEnv, viz: Handle) -> None:
        super().__init__(env)
        self.viz, self.warned = viz, False

    def reset(self, **given: Any) -> Any:
        """As the environments'."""
        found = self.env.reset(**given)
        options = given.get("options")
        mask = options.get("reset_mask") if isinstance(options, dict) else None
        self.viz.reset(found[0], mask)
        return found

    def step(self, actions: Any) -> Any:
        """As the environments'."""
        found = self.env.step(actions)
        shown = np.asarray(actions) if self.viz.counts_actions else None
        self.viz.step(*found, actions=shown)
        return found

    def close(self, **given: Any) -> None:
        """As the environments'; the handle is closed, too."""
        self.viz.close()
        self.env.close(**given)


def _inner(env: Any) -> Any:
    """One of the environments, where they are in this process; else the whole."""
    found = getattr(env.unwrapped, "envs", None)
    return found[0] if found else env


def _shown(runner: Any) -> Shown | None:
    env = getattr(runner, "env", None)
    while env is not None and not isinstance(env, Shown):  # another callback's wrapper is around
        env = getattr(env, "env", None)
    return env


def _asked(runner: Any) -> tuple[int, np.ndarray | None]:
    """A runner's number, and the observations for which it needs values; in its process."""
    shown, index = _shown(runner), int(runner.worker_index or 0)
    if shown is None:
        return index, None
    changing = [
        type(one).__name__
        for one in getattr(runner._env_to_module, "connectors", ())
        if type(one).__name__ not in KEPT
    ]
    if changing:
        if not shown.warned:
            shown.warned = True
            shown.viz.fault("the critic is not shown: it gets what %s made" % ", ".join(changing))
        return index, None
    return index, shown.viz.observations()


def _show(runner: Any, values: dict[int, np.ndarray]) -> None:
    """In a runner's process."""
    shown, found = _shown(runner), values.get(int(runner.worker_index or 0))
    if shown is not None and found is not None:
        side = round(len(found) ** 0.5)
        shown.viz.surface(found.reshape(side, side))


def _values(learner: Any, asked: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    """The critic's values for each runner's observations; in the learner's process."""
    module = learner.module[DEFAULT_MODULE_ID].unwrapped()
    device = next(module.parameters()).device
    found = {}
    with untouched():
        for index, seen in asked.items():
            batch = {Columns.OBS: torch.as_tensor(np.asarray(seen, np.float32), device=device)}
            found[index] = _value(module, batch).reshape(-1).cpu().numpy()
    return found


def _value(module: Any, batch: dict[str, Any]) -> Any:
    """Values (m,) of a module's observations. Raises TypeError for one without a critic."""
    if isinstance(module, ValueFunctionAPI):
        return module.compute_values(batch)
    if not isinstance(module, QNetAPI):
        raise TypeError(f"{type(module).__name__} has neither compute_values nor compute_q_values")
    discrete = hasattr(module.action_space, "n")
    if not discrete:
        logits = module.forward_inference(batch)[Columns.ACTION_DIST_INPUTS]
        policy = module.get_inference_action_dist_cls().from_logits(logits)
        batch = {**batch, Columns.ACTIONS: policy.to_deterministic().sample()}
    found = module.compute_q_values(batch)
    found = found["qf_preds"] if isinstance(found, dict) else found
    return found.max(dim=-1).values if discrete else found


def _name_of(config: Any, discrete: bool) -> str:
    """The name of what the learner's critic returns. discrete: whether actions are."""
    kind: Any = config.rl_module_spec.module_class or object
    if not issubclass(kind, ValueFunctionAPI) and issubclass(kind, QNetAPI):
        return "max Q(s, a)" if discrete else "Q(s, π(s))"
    return "V(s)"
