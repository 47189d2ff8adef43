"""The CALF certificate: when the actor's action may be used (Osinenko et al., arXiv 2409.09869).

With q = Q1(s, a) for the actor's action a, and (s+, a+, q+) the last certified triple:

    decrease:  q - q+ >= nu_bar
    bounds:    C_low norm(s)^2 <= -q <= C_up norm(s)^2

Certified if both hold, or if there is no triple yet. Otherwise relax with probability P_relax, else
nominal. All arithmetic is in float64, so that rounding does not eat into the rise of q+.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calf_viz.agent.modes import CERTIFIED, NOMINAL, RELAX

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Constants:
    """The certificate's constants."""

    nu_bar: float = 0.01
    """Least rise of q+ between two certified steps."""
    c_low: float = 0.01
    """C_low of the lower bound k_low(r) = C_low r^2 on -q."""
    c_up: float = 1000.0
    """C_up of the upper bound k_up(r) = C_up r^2 on -q."""


DEFAULTS = Constants()


def decide(
    q: NDArray[Any],
    norm: NDArray[Any],
    q_plus: NDArray[Any],
    has_triple: NDArray[np.bool_],
    p_relax: float,
    u: NDArray[Any],
    constants: Constants = DEFAULTS,
) -> NDArray[np.uint8]:
    """The mode of each agent, (n,) uint8; a pure function of its arguments, each (n,).

    A non-finite q is never certified, not even as the first: it would be useless as q+. `q_plus` is
    read only where `has_triple`; `u` is uniform on [0, 1).
    """
    q = np.asarray(q, dtype=np.float64)
    norm = np.asarray(norm, dtype=np.float64)
    square = norm * norm
    with np.errstate(invalid="ignore", over="ignore"):
        decrease = q - q_plus >= constants.nu_bar
    bounds = (constants.c_low * square <= -q) & (-q <= constants.c_up * square)
    certified = np.isfinite(q) & (~has_triple | (decrease & bounds))
    return np.where(certified, CERTIFIED, np.where(u < p_relax, RELAX, NOMINAL)).astype(np.uint8)


def margin(
    q: NDArray[Any], norm: NDArray[Any], q_plus: NDArray[Any], constants: Constants = DEFAULTS
) -> Floats:
    """By how much the inequalities hold, each (n,): the least of their differences, in units of q.
    It is negative where one does not hold, and NaN where there was no triple to compare with, for
    which q_plus is NaN."""
    q = np.asarray(q, dtype=np.float64)
    square = np.square(np.asarray(norm, dtype=np.float64))
    with np.errstate(invalid="ignore", over="ignore"):
        decrease = q - q_plus - constants.nu_bar
        bounds = np.minimum(-q - constants.c_low * square, constants.c_up * square + q)
        return np.minimum(decrease, bounds)


class CertificateMemory:
    """The last certified triple (s+, a+, q+) of each agent: separate episodes, separate triples.

    Attributes:
        states: s+, (n, state_dim) float32.
        actions: a+, (n, action_dim) float32.
        q_plus: q+, (n,) float64.
        has_triple: whether the agent has one yet in this episode, (n,) bool.
    """

    def __init__(self, n: int, state_dim: int, action_dim: int) -> None:
        self.states = np.zeros((n, state_dim), dtype=np.float32)
        self.actions = np.zeros((n, action_dim), dtype=np.float32)
        self.q_plus = np.zeros(n, dtype=np.float64)
        self.has_triple = np.zeros(n, dtype=np.bool_)

    def __len__(self) -> int:
        return len(self.q_plus)

    def known(self) -> Floats:
        """q+ of each agent, NaN where it has no triple, (n,)."""
        return np.where(self.has_triple, self.q_plus, np.nan)

    def reset(self, mask: NDArray[np.bool_] | slice = slice(None)) -> None:
        """Forget the triples of the agents in `mask` (n,) bool, which begin new episodes."""
        self.has_triple[mask] = False
        self.q_plus[mask] = 0.0

    def resize(self, n: int) -> None:
        """Keep the first n agents; new agents have no triple."""
        old = min(n, len(self))
        kept = CertificateMemory(n, self.states.shape[1], self.actions.shape[1])
        for name in ("states", "actions", "q_plus", "has_triple"):
            getattr(kept, name)[:old] = getattr(self, name)[:old]
        self.__dict__.update(kept.__dict__)

    def keep(self, mask: NDArray[np.bool_]) -> "CertificateMemory":
        """A new memory with the triples of the agents in `mask` (n,) bool."""
        kept = CertificateMemory(0, self.states.shape[1], self.actions.shape[1])
        for name in ("states", "actions", "q_plus", "has_triple"):
            setattr(kept, name, getattr(self, name)[mask])
        return kept

    def store(
        self,
        certified: NDArray[np.bool_],
        states: NDArray[Any],
        actions: NDArray[Any],
        q: NDArray[Any],
    ) -> None:
        """Make (s, a, q) the triple of the agents in `certified` (n,) bool."""
        self.states[certified] = states[certified]
        self.actions[certified] = actions[certified]
        self.q_plus[certified] = q[certified]
        self.has_triple |= certified
