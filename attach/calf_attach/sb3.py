"""Stable-Baselines3: `model.learn(..., callback=Callback())`.

Axes, critic, modes and episode ends come from the model and its environment. Values of a model that
is normalised (VecNormalize) are shown over what the environment really returns.
"""

from __future__ import annotations

import logging
from typing import Any, Callable

import numpy as np
import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from calf_attach import Handle, attach
from calf_attach.episodes import OF_EACH
from calf_attach.settings import suited

log = logging.getLogger("calf_attach")
Critic = Callable[[np.ndarray], np.ndarray]

RARELY = 1e-6
"""Budget of a critic that is evaluated every so many steps instead."""


class Callback(BaseCallback):
    """Shows a training of PPO, A2C, SAC, TD3, DDPG or DQN, its critic included.

    Attributes:
        viz: the handle; it does nothing before the training begins.
    """

    def __init__(self, every: int | None = None, verbose: int = 0, **given: Any) -> None:
        """every: steps of the environments between evaluations of the critic; None: as often as
        the `budget` allows. given: as `attach` takes them, in place of what suits the model."""
        super().__init__(verbose)
        self.every, self.given = every, given
        self.viz = Handle(None)
        self._evaluated = 0

    def _on_training_start(self) -> None:
        env = self.training_env
        found = suited(env.observation_space, env.action_space, _inner(env), self.given)
        if "critic" not in found:
            critic, value = critic_of(self.model)
            if critic is None:
                log.warning(
                    "%s has no critic that is known here: give critic=", type(self.model).__name__
                )
            else:
                found.update(critic=critic)
                found.setdefault("value", value)
        if self.every is not None:
            found.setdefault("budget", RARELY)
        found.setdefault("autoreset", "same_step")
        self._normalised = self.model.get_vec_normalize_env()
        self._evaluated = self.num_timesteps
        if self.viz.is_running():  # learn() was called again, and may begin new episodes
            self.viz.close()
        self.viz = attach(**found)
        self.viz.reset(self._true_observations(self.model._last_obs))

    def _on_step(self) -> bool:
        seen = self.locals
        infos, rewards = seen["infos"], seen["rewards"]
        if self._normalised is not None:
            infos = [_true_end(self._normalised, info) for info in infos]
            rewards = self._normalised.get_original_reward()
        self.viz.step(
            self._true_observations(seen["new_obs"]), rewards, seen["dones"], None, infos,
            actions=seen["actions"] if self.viz.counts_actions else None,
        )  # fmt: skip
        if self.every is not None and self.num_timesteps - self._evaluated >= self.every:
            self._evaluated = self.num_timesteps
            self.viz.refresh()
        return True

    def _on_training_end(self) -> None:
        self.viz.refresh()
        self.viz.close()

    def _true_observations(self, observations: Any) -> Any:
        normalised = self._normalised
        return observations if normalised is None else normalised.get_original_obs()


def _true_end(normalised: VecNormalize, info: dict[str, Any]) -> dict[str, Any]:
    if OF_EACH not in info:
        return info
    return {**info, OF_EACH: normalised.unnormalize_obs(info[OF_EACH])}


def _inner(env: VecEnv) -> Any:
    """One of the environments, where they are in this process; else the whole."""
    found = getattr(env.unwrapped, "envs", None)
    return found[0] if found else env


def critic_of(model: Any) -> tuple[Critic | None, str]:
    """The critic of a model's policy, for observations as its environment returns them, and its
    name; None for an algorithm that is not known here."""
    policy = model.policy
    if hasattr(policy, "predict_values"):
        value, name = policy.predict_values, "V(s)"
    elif hasattr(policy, "q_net") and model.action_space.shape == ():

        def value(observed: Any) -> Any:
            return policy.q_net(observed).max(dim=1).values

        name = "max Q(s, a)"
    elif hasattr(getattr(policy, "critic", None), "q1_forward"):
        certain = {"deterministic": True} if hasattr(policy.actor, "get_action_dist_params") else {}
        several = len(policy.critic.q_networks) > 1

        def value(observed: Any) -> Any:
            every = policy.critic(observed, policy.actor(observed, **certain))
            return torch.cat(every, dim=1).min(dim=1).values

        name = "min Q(s, π(s))" if several else "Q(s, π(s))"
    else:
        return None, ""
    normalised = model.get_vec_normalize_env()

    def critic(observations: np.ndarray) -> np.ndarray:
        seen = observations if normalised is None else normalised.normalize_obs(observations)
        given = torch.as_tensor(np.asarray(seen, np.float32), device=model.device)
        found: np.ndarray = value(given).detach().reshape(-1).cpu().numpy()
        return found

    return critic, name
