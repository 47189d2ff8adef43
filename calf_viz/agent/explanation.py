"""Why a step was taken: what the certificate required, by how much it was met, and what it would
have said of other actions. All in float64.

    state, action taken, q+ before ──▶ Judge ──▶ Explanation
                                         │         inequalities of the actor's q, with margins
               critic, actor, pi_0 ──────┘         actor's, nominal and taken action, each judged
                                                   Q along each action, judged
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.agent.array_networks import ArrayNetworks
from calf_viz.agent.certificate import Constants, decide
from calf_viz.agent.modes import CERTIFIED, NAMES
from calf_viz.systems.base import System

Floats = NDArray[np.float64]

POINTS = 65
"""Values of an action at which Q is evaluated, from one limit to the other; odd: 0 is one."""


class Inequality(NamedTuple):
    """left >= right."""

    name: str
    """decrease, lower bound, upper bound."""
    says: str
    """The same in symbols; r is the norm of the state."""
    left: float
    right: float

    @property
    def margin(self) -> float:
        """By how much it holds; negative where it does not."""
        return self.left - self.right

    @property
    def holds(self) -> bool:
        return bool(self.left >= self.right)


class Judged(NamedTuple):
    """An action, and what the certificate says of it."""

    name: str
    """actor, nominal, taken."""
    action: Floats
    """(action_dim,)."""
    q: float
    inequalities: tuple[Inequality, ...]
    certified: bool | None
    """None where nothing is certified, as the nominal policy alone decides."""


class Axis(NamedTuple):
    """Q along one of the actions, the others being as in the action taken."""

    number: int
    values: Floats
    """Of that action, (points,)."""
    q: Floats
    certified: NDArray[np.bool_] | None
    """What the certificate would have said, (points,); None as in `Judged`."""


@dataclass(frozen=True)
class Explanation:
    """Of one step of one agent.

    Attributes:
        agent: whose.
        step: the step that the action led to; None if it has no number.
        rule: which rule chose the action: certified, relax, nominal.
        state: where it was chosen, (state_dim,).
        norm: Euclidean norm of that, angles wrapped.
        action: the one taken, (action_dim,).
        q: what the rule compared, Q of the actor's action.
        q_plus: of the last certified step before; None if there was none in this episode, in which
            case any finite q is certified.
        inequalities: decrease (where there is a q+) and both bounds, for that q; none if the
            nominal policy alone decides.
        actions: the actor's, the nominal policy's, and the one taken.
        axes: Q along each action.
    """

    agent: int
    step: int | None
    rule: str
    state: Floats
    norm: float
    action: Floats
    q: float
    q_plus: float | None
    inequalities: tuple[Inequality, ...]
    actions: tuple[Judged, ...]
    axes: tuple[Axis, ...]


class Decision(NamedTuple):
    """What is known of a step."""

    agent: int
    step: int | None
    mode: int
    state: NDArray[Any]
    """(state_dim,)."""
    action: NDArray[Any]
    """(action_dim,)."""
    q: float = float("nan")
    """What the rule compared; NaN: to be evaluated here."""
    q_plus: float = float("nan")
    """NaN: there was none."""


class Judge:
    """Explains the decisions of one policy."""

    def __init__(
        self,
        system: System,
        networks: ArrayNetworks,
        constants: Constants,
        policy: str,
    ) -> None:
        """networks: those that decided, in float64. policy: calf, nominal or actor."""
        self._system, self._networks, self._constants = system, networks, constants
        self._certifies = policy != "nominal"

    def explain(self, decision: Decision) -> Explanation:
        """All about it."""
        system = self._system
        state = np.asarray(decision.state, np.float64)
        action = np.asarray(decision.action, np.float64)
        norm = float(system.norm(state[None])[0])
        wanted = self._networks.actor_actions(state[None])[0].astype(np.float64)
        nominal = np.asarray(system.nominal(state[None])[0], np.float64)
        three = np.stack([wanted, nominal, action])
        values = self._q(state, three)
        q = decision.q if np.isfinite(decision.q) else float(values[0])
        q_plus = decision.q_plus if np.isfinite(decision.q_plus) else None
        names = ("actor", "nominal", "taken")
        judged = tuple(
            Judged(name, each, value, *self._judge(value, q_plus, norm))
            for name, each, value in zip(names, three, values.tolist(), strict=True)
        )
        return Explanation(
            decision.agent,
            decision.step,
            NAMES[decision.mode],
            state,
            norm,
            action,
            q,
            q_plus,
            self._judge(q, q_plus, norm)[0],
            judged,
            tuple(self._axis(i, state, action, q_plus, norm) for i in range(system.action_dim)),
        )

    def _q(self, state: Floats, actions: Floats) -> Floats:
        states = np.broadcast_to(state, (len(actions), len(state)))
        return self._networks.q_values(states, actions).astype(np.float64)

    def _judge(
        self, q: float, q_plus: float | None, norm: float
    ) -> tuple[tuple[Inequality, ...], bool | None]:
        """The inequalities for a q, and whether it is certified."""
        if not self._certifies:
            return (), None
        certified = bool(self._certified(np.array([q]), q_plus, norm)[0])
        return inequalities(q, q_plus, norm, self._constants), certified

    def _axis(
        self, number: int, state: Floats, action: Floats, q_plus: float | None, norm: float
    ) -> Axis:
        limit = float(self._system.action_limits[number])
        values = np.linspace(-limit, limit, POINTS)
        actions = np.tile(action, (POINTS, 1))
        actions[:, number] = values
        q = self._q(state, actions)
        if not self._certifies:
            return Axis(number, values, q, None)
        return Axis(number, values, q, self._certified(q, q_plus, norm))

    def _certified(self, q: Floats, q_plus: float | None, norm: float) -> NDArray[np.bool_]:
        """What the certificate says of each q, (m,)."""
        triple = np.full(len(q), 0.0 if q_plus is None else q_plus)
        there, norms = np.full(len(q), q_plus is not None), np.full(len(q), norm)
        never = np.ones(len(q))  # relaxed
        modes = decide(q, norms, triple, there, 0.0, never, self._constants)
        found: NDArray[np.bool_] = modes == CERTIFIED
        return found


def inequalities(
    q: float, q_plus: float | None, norm: float, constants: Constants
) -> tuple[Inequality, ...]:
    """What the certificate requires of a q; see `certificate`."""
    square = norm * norm
    bounds = (
        Inequality("lower bound", "−q ≥ C_low r²", -q, constants.c_low * square),
        Inequality("upper bound", "−q ≤ C_up r²", constants.c_up * square, -q),
    )
    if q_plus is None:
        return bounds
    decrease = Inequality("decrease", "q − q+ ≥ ν", q - q_plus, constants.nu_bar)
    return (decrease, *bounds)
