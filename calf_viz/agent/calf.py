"""CALFAgent: actor, critic and certificate together, for one agent or many."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from calf_viz import systems
from calf_viz.agent import checkpoint
from calf_viz.agent.array_networks import ArrayNetworks, Layers
from calf_viz.agent.certificate import CertificateMemory, Constants, decide
from calf_viz.agent.modes import CERTIFIED, NOMINAL
from calf_viz.agent.networks import HIDDEN, Actor, TwinCritic
from calf_viz.critic_networks import CriticNetworks, Layer
from calf_viz.errors import FileDamaged, UserError, shown
from calf_viz.files import parsing
from calf_viz.systems import System

Floats32 = NDArray[np.float32]
LARGEST_HIDDEN = 4096
"""Most units of a layer in a checkpoint."""
LONGEST_PRESET = 1000
"""Most characters of a preset's name in a checkpoint."""
_CONSTANTS = {"nu_bar": (1e-9, 1e9), "c_low": (0.0, 1e9), "c_up": (0.0, 1e12)}
"""Ranges of the certificate's constants."""
_LEARNT = {"gamma": (0.0, 1.0), "reward_scale": (1e-6, 1e6)}
"""Ranges of what the critic's values depend on. Older files do not say them: then
they are the defaults."""


@dataclass
class AgentInfo:
    """What a checkpoint says about its agent, in addition to the networks."""

    steps: int = 0
    """Training steps so far."""
    p_relax: float = 0.0
    """P_relax when the networks were saved; only the trainer makes it decay."""
    seed: int | None = None
    preset: str | None = None
    hidden: int = HIDDEN
    constants: Constants = field(default_factory=Constants)
    gamma: float = 0.99
    """Discount per step of the returns that the critic learnt."""
    reward_scale: float = 10.0
    """Factor on the rewards in them."""


class CALFAgent:
    """A CALF agent of one system.

    Attributes:
        system: the system it acts in.
        actor, critic: its networks (torch).
        info: steps, P_relax, seed and constants, kept in the checkpoint.
    """

    def __init__(self, system: System, actor: Actor, critic: TwinCritic, info: AgentInfo) -> None:
        self.system, self.actor, self.critic, self.info = system, actor, critic, info

    @classmethod
    def random(
        cls,
        system: System,
        rng: np.random.Generator,
        info: AgentInfo | None = None,
    ) -> "CALFAgent":
        """An untrained agent, its weights drawn from `rng`."""
        info = info or AgentInfo()
        width, angles = info.hidden, system.angles
        actor = Actor(system.state_dim, system.action_limits, rng, width, angles)
        critic = TwinCritic(system.state_dim, system.action_dim, rng, width, angles)
        return cls(system, actor, critic, info)

    # Acting

    def memory(self, n: int) -> CertificateMemory:
        """An empty memory for the triples of n agents."""
        return CertificateMemory(n, self.system.state_dim, self.system.action_dim)

    def act(
        self,
        states: NDArray[Any],
        memory: CertificateMemory,
        p_relax: float,
        rng: np.random.Generator,
        exploration: float = 0.0,
        networks: ArrayNetworks | None = None,
        compared: NDArray[np.float64] | None = None,
        proposed: tuple[Floats32, Floats32] | None = None,
    ) -> tuple[Floats32, NDArray[np.uint8]]:
        """Actions (n, action_dim) and modes (n,) of n agents; certified triples go to `memory`.

        Args:
            states: (n, state_dim).
            p_relax: probability of letting an uncertified action through.
            rng: draws one u for each agent, needed or not, so that an agent's actions never depend
                on the modes of others.
            exploration: standard deviation of noise on the actor's actions, as a fraction of the
                limits; added and clipped before the action is certified.
            networks: this agent's networks in NumPy, to use instead of torch's.
            compared: filled with q, what the rule compared, (n,).
            proposed: the actor's actions and their q (see `propose`), if they are known already;
                without exploration.
        """
        evaluated_by = self if networks is None else networks
        states = np.asarray(states, dtype=np.float32)
        found = None if proposed is None else proposed[1]
        actions = evaluated_by.actor_actions(states) if proposed is None else proposed[0]
        if exploration > 0.0:
            noise = rng.standard_normal(actions.shape) * (exploration * self.system.action_limits)
            actions = self.system.clip(actions + noise).astype(np.float32)
        if found is None:
            found = evaluated_by.q_values(states, actions)
        q = found.astype(np.float64)
        modes = decide(
            q,
            self.system.norm(states),
            memory.q_plus,
            memory.has_triple,
            p_relax,
            rng.random(len(states)),
            self.info.constants,
        )
        memory.store(modes == CERTIFIED, states, actions, q)
        if compared is not None:
            compared[:] = q
        nominal = modes == NOMINAL
        if nominal.any():
            actions[nominal] = self.system.nominal(states[nominal])
        return actions, modes

    def propose(
        self, states: NDArray[Any], networks: ArrayNetworks | None = None
    ) -> tuple[Floats32, Floats32]:
        """The actor's actions (n, action_dim) and their q (n,), for `act`, in the same states."""
        evaluated_by = self if networks is None else networks
        actions = evaluated_by.actor_actions(states)
        return actions, evaluated_by.q_values(states, actions)

    @torch.inference_mode()
    def actor_actions(self, states: NDArray[Any]) -> Floats32:
        """The actor's actions (n, action_dim) at states (n, state_dim), not certified."""
        return self.actor(_tensor(states)).numpy()

    @torch.inference_mode()
    def q_values(self, states: NDArray[Any], actions: NDArray[Any]) -> Floats32:
        """Q1(s, a), (n,)."""
        return self.critic.q1(_tensor(states), _tensor(actions)).numpy()

    @torch.inference_mode()
    def lyapunov(self, states: NDArray[Any]) -> Floats32:
        """The Lyapunov candidate L(s) = -Q1(s, actor(s)), (m,), in one batched forward pass."""
        s = _tensor(states)
        return -self.critic.q1(s, self.actor(s)).numpy()

    # Files

    def tensors(self) -> dict[str, Tensor]:
        """The networks' weights by name, as stored in a checkpoint."""
        networks = {"actor": self.actor, "critic": self.critic}
        return {f"{a}.{b}": t for a, net in networks.items() for b, t in net.state_dict().items()}

    def array_networks(self) -> ArrayNetworks:
        """The networks in NumPy, sharing these weights (see `ArrayNetworks`)."""
        limits, angles = self.system.action_limits, self.system.angles
        return ArrayNetworks(self.layers("actor"), self.layers("critic"), limits, angles)

    def critic_networks(self, hidden: float | NDArray[Any] = 0.0) -> CriticNetworks:
        """A copy of the networks in L(s) = -Q1(s, actor(s)), for a GPU to evaluate on the plane.

        hidden: values of the states that the plane does not show, as for `System.plane_states`.
        Raises UserError for networks that are too wide.
        """

        def layers(network: str, last: str) -> list[Layer]:
            kinds = ("relu", "relu", last)
            found = zip(self.layers(network), kinds, strict=True)
            return [Layer(np.array(w), np.array(b), activation) for (w, b), activation in found]

        system = self.system
        return CriticNetworks(
            layers("actor", "tanh"),
            layers("critic", "linear"),
            np.asarray(system.action_limits, np.float32),
            system.plane_states(np.zeros((1, 2)), hidden)[0],
            system.plane.axes,
            system.angles,
        )

    def layers(self, network: str) -> Layers:
        """Views of the weights (in, out) and bias (out,) of each layer of `actor` or `critic` (the
        first of the twins)."""
        found = []
        for number in (1, 2, 3):
            tensors = (getattr(getattr(self, network), f"{kind}{number}") for kind in "wb")
            weights, bias = (tensor.detach().numpy() for tensor in tensors)
            found.append((weights[0], bias[0, 0]) if network == "critic" else (weights, bias))
        return found

    def flat_weights(self) -> Floats32:
        """All weights of actor and critic, concatenated, (weights,)."""
        return np.concatenate([t.detach().numpy().ravel() for t in self.tensors().values()])

    def set_flat_weights(self, weights: Floats32) -> None:
        """Set the weights from `flat_weights` of an agent of the same sizes, finite or not."""
        start = 0
        for tensor in self.tensors().values():
            end = start + tensor.numel()
            part = np.ascontiguousarray(weights[start:end])
            tensor.copy_(torch.from_numpy(part).reshape(tensor.shape))
            start = end

    def about(self, policy: str, p_relax: float, hidden: NDArray[Any]) -> dict[str, Any]:
        """What recordings of its decisions say, as values for JSON. policy: what decides. hidden:
        values of the states that the plane does not show, (state_dim,)."""
        info = self.info
        return {
            "system": self.system.name,
            "policy": policy,
            "p_relax": p_relax,
            "hidden": info.hidden,
            "slice": hidden.tolist(),
            "constants": asdict(info.constants),
            "gamma": info.gamma,
            "reward_scale": info.reward_scale,
        }

    def save(self, path: str | Path) -> None:
        """Write the agent as safetensors.

        Raises:
            UserError: the file cannot be written.
        """
        system = self.system
        sizes = {"state_dim": system.state_dim, "action_dim": system.action_dim}
        head = {"kind": "agent", "system": system.name, **sizes}
        checkpoint.write(path, self.tensors(), {**head, **asdict(self.info)})

    @classmethod
    def load(cls, path: str | Path, system: System | str | None = None) -> "CALFAgent":
        """Read an agent, which must be for `system` if that is given.

        Raises:
            UserError: the file is missing, truncated, a pickle, for another system, or its weights
                have wrong shapes or are not finite.
        """
        tensors, metadata = checkpoint.read(path, "agent")
        wanted = system.name if isinstance(system, System) else system
        name = shown(metadata.get("system"))
        if wanted is not None and name != systems.get(wanted).name:
            raise FileDamaged(
                path, f"it is for system {name}, not {wanted}", f"give one for {wanted}"
            )
        if name not in systems.names():
            raise FileDamaged(
                path, f"it is for system {name}, unknown here",
                "say where that is (`system` ./mine.py), or train anew",
            )  # fmt: skip
        with parsing(path, "an agent of calf-viz train", "train anew"):
            info = _read_info(metadata)
            # Checked first, so that a damaged number cannot make networks of arbitrary size.
            if tuple(tensors["actor.b1"].shape) != (info.hidden,):
                raise ValueError(f"hidden is {info.hidden}, the weights say otherwise")
        agent = cls.random(systems.get(name), np.random.default_rng(0), info)
        agent.set_tensors(tensors, shown(path))
        return agent

    def set_tensors(self, tensors: dict[str, Tensor], where: str) -> None:
        """Set the weights by name, in place; `where` names their file in errors.

        Raises:
            UserError: names or shapes differ from this agent's, or a weight is not finite.
        """
        mine = self.tensors()
        if shapes(mine) != shapes(tensors):
            wrong = sorted(set(shapes(mine).items()) ^ set(shapes(tensors).items()))[0][0]
            raise UserError(
                f"{where} has wrong shapes for {self.system.name} (see {wrong}): train anew"
            )
        for name, tensor in tensors.items():
            if not bool(torch.isfinite(tensor).all()):
                raise UserError(f"{where} has weights that are not finite ({name}): train anew")
            mine[name].copy_(tensor)


def _read_info(metadata: dict[str, Any]) -> AgentInfo:
    """A file's metadata; raises if something is missing, of the wrong type or out of range."""

    def number(values: dict[str, Any], name: str, low: float, high: float, kind: Any) -> Any:
        value = values[name]
        if type(value) not in (int, kind) or not low <= value <= high:
            raise ValueError(f"{name} is {shown(value)}, not {low:g} to {high:g}")
        return kind(value)

    said, seed, preset = metadata["constants"], metadata["seed"], metadata["preset"]
    if not isinstance(said, dict) or said.keys() != _CONSTANTS.keys():
        raise ValueError(f"its constants are {shown(said)}")
    if preset is not None and (not isinstance(preset, str) or len(preset) > LONGEST_PRESET):
        raise ValueError(f"its preset is {shown(preset)}")
    return AgentInfo(
        steps=number(metadata, "steps", 0, 2**63 - 1, int),
        p_relax=number(metadata, "p_relax", 0.0, 1.0, float),
        seed=None if seed is None else number(metadata, "seed", 0, 2**63 - 1, int),
        preset=preset,
        hidden=number(metadata, "hidden", 1, LARGEST_HIDDEN, int),
        constants=Constants(**{k: number(said, k, *w, float) for k, w in _CONSTANTS.items()}),
        **{k: number(metadata, k, *w, float) for k, w in _LEARNT.items() if k in metadata},
    )


def shapes(tensors: dict[str, Tensor]) -> dict[str, tuple[tuple[int, ...], str]]:
    """Shape and dtype of each tensor, by name."""
    return {name: (tuple(t.shape), str(t.dtype)) for name, t in tensors.items()}


def _tensor(array: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
