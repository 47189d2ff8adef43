"""TD3 (Fujimoto et al. 2018, arXiv 1802.09477): one update of actor and twin critics."""

from copy import deepcopy

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from calf_viz.agent.networks import Actor, TwinCritic, flatten
from calf_viz.training.adam import Adam
from calf_viz.training.config import TrainingConfig
from calf_viz.training.replay import Batch


class TD3:
    """The learner: the given networks, their target networks and optimisers.

    Attributes:
        actor, critic: the networks, updated in place.
        config: the training's settings; its noise is in fractions of the action limits.
        target_actor, target_critic: their slowly following copies.
        updates: critic updates so far.
        flats: each network's parameters as one vector (see `networks.flatten`).
    """

    def __init__(self, actor: Actor, critic: TwinCritic, config: TrainingConfig) -> None:
        self.config = config
        self.actor, self.critic = actor, critic
        self.target_actor, self.target_critic = deepcopy(actor), deepcopy(critic)
        self.updates = 0
        self.flats = {
            "actor": flatten(actor),
            "critic": flatten(critic),
            "target_actor": flatten(self.target_actor),
            "target_critic": flatten(self.target_critic),
        }
        self.optimisers = {
            name: Adam(self.flats[name], lr=config.lr) for name in ("actor", "critic")
        }

    @torch.no_grad()
    def targets(self, batch: Batch, noise: Tensor) -> Tensor:
        """Targets r + gamma (1 - terminated) min(Q1', Q2')(s', a' + noise), (b,).

        `noise` (b, action_dim) is standard normal; it is scaled and clipped here.
        """
        c = self.config
        limits = self.target_actor.limits
        smoothing = (noise * c.target_noise).clamp_(-c.target_noise_clip, c.target_noise_clip)
        actions = self.target_actor(batch.next_states) + smoothing * limits
        actions = torch.minimum(torch.maximum(actions, -limits), limits)
        q = self.target_critic(batch.next_states, actions).amin(dim=0)
        return batch.rewards + c.gamma * (1.0 - batch.terminated) * q

    def critic_loss(self, batch: Batch, targets: Tensor) -> Tensor:
        """The twin critics' mean squared errors, summed."""
        q = self.critic(batch.states, batch.actions)
        return 2.0 * functional.mse_loss(q, targets.expand_as(q))

    def actor_loss(self, batch: Batch) -> Tensor:
        """Minus the mean of Q1 at the actor's actions."""
        return -self.critic.q1(batch.states, self.actor(batch.states)).mean()

    def update(self, batch: Batch, rng: np.random.Generator) -> None:
        """One update of the critics and, every `policy_delay`-th time, of actor and targets."""
        noise = rng.standard_normal(tuple(batch.actions.shape), dtype=np.float32)
        targets = self.targets(batch, torch.from_numpy(noise))
        self._descend("critic", self.critic_loss(batch, targets))
        self.updates += 1
        if self.updates % self.config.policy_delay:
            return
        self._descend("actor", self.actor_loss(batch))
        for name in ("actor", "critic"):
            self.flats[f"target_{name}"].data.lerp_(self.flats[name].data, self.config.tau)

    def _descend(self, name: str, loss: Tensor) -> None:
        flat = self.flats[name]
        # Zeroed in place, not set to None: the parameters' gradients are views of this vector.
        flat.grad.zero_()  # type: ignore[union-attr]
        loss.backward()
        self.optimisers[name].step()

    def state(self) -> dict[str, Tensor]:
        """Everything that `load_state` needs to go on as if it had never stopped."""
        state = {f"flat.{name}": flat.data for name, flat in self.flats.items()}
        for name, optimiser in self.optimisers.items():
            state |= {f"adam.{name}.{key}": value for key, value in optimiser.state().items()}
        state["updates"] = torch.tensor(self.updates)
        return state

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Restore the result of `state`, in place."""
        for name, flat in self.flats.items():
            flat.data.copy_(state[f"flat.{name}"])
        for name, optimiser in self.optimisers.items():
            prefix = f"adam.{name}."
            optimiser.load_state(
                {n.removeprefix(prefix): t for n, t in state.items() if n.startswith(prefix)}
            )
        self.updates = int(state["updates"])
