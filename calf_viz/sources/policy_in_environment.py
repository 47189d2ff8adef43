"""A policy in many copies of a Gymnasium environment, on its own critic's surface."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from calf_attach.known_environments import names_of
from calf_attach.observation_plane import ObservationPlane, read_axes, read_others
from calf_attach.plane import around
from numpy.typing import NDArray

from calf_viz.agent.mlp_policy import MlpPolicy
from calf_viz.environments.copies import Copies
from calf_viz.errors import UserError, shown
from calf_viz.heightfield import Grid, Heightfield
from calf_viz.samples import Samples
from calf_viz.sources.base import Slider
from calf_viz.view import View

SCOUTS, LOOK_AHEAD = 16, 200
"""Agents and steps of a first look, which gives what the environment does not say: bounds, and the
mean of what the plane does not show."""
MOST_CHOICES = 64
MOST_SLIDERS = 8
CELLS = 64

Acting = Callable[[NDArray[Any]], tuple[NDArray[Any], NDArray[np.uint8]]]
"""Observations (n, d) -> actions for the environment, and modes (n,)."""


@dataclass(frozen=True)
class Cut:
    """Where the observations are cut by the plane.

    Attributes:
        axes: as `read_axes` takes them; None: the environment's own, or the first two.
        others: what the plane does not show, as `read_others` takes it.
        cells: of the surface per side.
        chosen: the agent that the plane goes through, if it follows one.
    """

    axes: str | None = None
    others: tuple[str, ...] = ()
    cells: int = CELLS
    chosen: int = 0


class PolicyInEnvironment:
    """Agents that follow a policy in copies of an environment.

    A `Source`, and `Resizable`, `Pausable`, `Foreseeing`, `Adjustable`, `Choosing`, `Explained`
    and `Recordable`.

    Attributes:
        plane: which part of an observation is shown.
    """

    def __init__(
        self, env_id: str, policy: MlpPolicy, n_agents: int, seed: int = 0, cut: Cut | None = None
    ) -> None:
        """Raises UserError for an environment that is unknown, or that the policy is not for."""
        self.policy, self._cut = policy, cut or Cut()
        self._env_id, self._seed = env_id, seed
        self._copies = Copies(env_id, n_agents, seed)
        with ExitStack() as failed:
            failed.callback(self._copies.close)
            self._act = acting(policy, self._copies, env_id)
            known = names_of(env_id.rpartition(":")[2], self._copies.metadata)
            size = policy.observations
            self._names = known.observations if len(known.observations) == size else ()
            try:
                axes = read_axes(self._cut.axes or known.axes, size)
                others = read_others(self._cut.others, axes, size)
            except ValueError as error:
                raise UserError(str(error)) from None
            self.plane = ObservationPlane(axes, others, self._cut.chosen)
            self._seen = self._scouted(min(n_agents, SCOUTS), LOOK_AHEAD)
            self.plane.see(self._seen)
            self.view = self._first_view(known.actions)
            self._surface_is_new = True
            self._recorded = False
            failed.pop_all()

    def _scouted(self, agents: int, steps: int) -> NDArray[np.float32]:
        """Observations in the first steps of a few agents, (m, d)."""
        copies = Copies(self._env_id, agents, self._seed)
        seen = []
        try:
            for _ in range(steps):
                copies.step(self._act(copies.observations)[0])
                seen.append(copies.observations.copy())
        finally:
            copies.close()
        found = np.concatenate(seen)
        return found[np.isfinite(found).all(axis=1)]

    def _first_view(self, actions: tuple[str, ...]) -> View:
        copies, plane = self._copies, self.plane
        places = plane.project(self._seen)
        ends = [
            axis.range(copies.observation_low, copies.observation_high)
            or around(float(column.min()), float(column.max()))
            for axis, column in zip(plane.axes, places.T, strict=True)
        ]
        numbered = tuple(f"action {number}" for number in range(copies.choices))
        named = actions if len(actions) == copies.choices else numbered
        return View(
            title=self._env_id.rpartition(":")[2],
            lo=(ends[0][0], ends[1][0]),
            hi=(ends[0][1], ends[1][1]),
            labels=plane.labels(self._names),
            periodic=plane.periodic,
            modes=named or ("agents",),
            value=self.policy.value_name,
        )

    def step(self) -> Samples:
        """As `Source`. Those whose episode ended are drawn where it did, and begin anew with the
        next step."""
        actions, modes = self._act(self._copies.observations)
        first = self._copies.step(actions)
        before = self.plane.through
        positions = self.plane.project(self._copies.observations)
        self._surface_is_new |= self._moved(before)
        self._grow(positions)
        columns = self._columns(actions, first) if self._recorded else {}
        return Samples(positions=positions, modes=modes, first=first, columns=columns)

    def record(self) -> None:
        """As `Recordable`; with a column `observation`, and `state` where one can be set."""
        self._recorded = True

    def about(self) -> dict[str, Any]:
        """As `Recordable`."""
        axes = (axis.entries for axis in self.plane.axes)
        named = (f"angle({e[0]},{e[1]})" if len(e) == 2 else str(e[0]) for e in axes)
        model = str(self.policy.where)
        return {"environment": self._env_id, "model": model, "axes": ",".join(named)}

    @property
    def trained(self) -> None:
        """As `Recordable`: a model does not say."""

    def weights(self) -> None:
        """As `Recordable`: they are in the model's file."""

    def _columns(self, actions: NDArray[Any], began: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
        copies, nothing = self._copies, -1 if self._copies.choices else np.nan
        mask = began.reshape(-1, *[1] * (actions.ndim - 1))
        cut = copies.over & ~copies.terminated
        columns = {
            "observation": copies.observations.copy(),
            "action": np.where(mask, nothing, actions).astype(actions.dtype),
            "reward": copies.rewards.copy(),
            "ended": (copies.terminated + 2 * cut).astype(np.uint8),
        }
        states = copies.states()
        return columns if states is None else {**columns, "state": states}

    def _grow(self, positions: NDArray[np.float64]) -> None:
        """Make room for agents beyond bounds that only a first look gave."""
        view, copies = self.view, self._copies
        lo, hi = list(view.lo), list(view.hi)
        for number, axis in enumerate(self.plane.axes):
            if axis.range(copies.observation_low, copies.observation_high) is None:
                column = positions[:, number]
                column = column[np.isfinite(column)]
                if len(column) and (column.min() < lo[number] or column.max() > hi[number]):
                    low, high = float(column.min()), float(column.max())
                    lo[number], hi[number] = around(min(low, lo[number]), max(high, hi[number]))
        if (*lo, *hi) != (*view.lo, *view.hi):
            self.view = replace(view, lo=(lo[0], lo[1]), hi=(hi[0], hi[1]))
            self._surface_is_new = True

    def _moved(self, before: NDArray[Any] | None) -> bool:
        """Whether the plane goes through other values than before of what it does not show."""
        now = self.plane.through
        if now is None or before is None or now is before:
            return False
        hidden = list(self.plane.hidden(len(now)))
        return bool((now[hidden] != before[hidden]).any())

    def sliders(self) -> Sequence[Slider]:
        """As `Adjustable`: what the plane does not show, within what was seen at first; none if it
        follows an agent."""
        plane, seen = self.plane, self._seen
        if plane.follow or plane.through is None:
            return ()
        found = []
        for entry in plane.hidden(seen.shape[1])[:MOST_SLIDERS]:
            value = float(plane.through[entry])
            low, high = around(float(seen[:, entry].min()), float(seen[:, entry].max()))
            name = self._names[entry] if self._names else f"o{entry}"
            found.append(Slider(str(entry), name, min(low, value), max(high, value), value))
        return found

    def slide(self, name: str, value: float) -> None:
        """As `Adjustable`: the surface is that through the new value from the next frame on."""
        self.plane.hold(int(name), value)
        self._surface_is_new = True

    def choose(self, agent: int) -> None:
        """As `Choosing`: the agent that the plane goes through, if it follows one."""
        self.plane.choose(agent)
        self._surface_is_new |= self.plane.follow

    def explain(self) -> str:
        """As `Explained`: the policy's algorithm and file."""
        return self.policy.name

    def surface(self) -> Heightfield | None:
        """The critic on the plane."""
        if not self._surface_is_new:
            return None
        self._surface_is_new = False
        nodes = self._cut.cells + 1
        grid = Grid((nodes, nodes), self.view.lo, self.view.hi)
        values = self.policy.value(self.plane.lift(grid.nodes()))
        return Heightfield(values.reshape(grid.shape), grid.lo, grid.hi)

    def pause(self, paused: bool) -> None:
        """As `Pausable`; nothing to do, as it advances only on request."""

    def single_step(self) -> None:
        """As `Pausable`."""

    def foresee(self, steps: int) -> NDArray[np.float64]:
        """As `Foreseeing`: where the first look was, which had the same seed."""
        scouts = max(len(self._seen) // LOOK_AHEAD, 1)
        return ObservationPlane(self.plane.axes).project(self._seen[: scouts * steps])

    def __len__(self) -> int:
        return len(self._copies)

    def resize(self, n_agents: int) -> None:
        """As `Resizable`."""
        self._copies.resize(n_agents)

    def close(self) -> None:
        """As `Source`."""
        self._copies.close()


def acting(policy: MlpPolicy, copies: Copies, env_id: str) -> Acting:
    """How the policy acts in these copies. Raises UserError if it is for other observations or
    actions."""
    observed, size = len(copies.observation_low), copies.choices or len(copies.low or ())
    where = f"the model is not for {shown(env_id)}: it"
    if policy.observations != observed:
        raise UserError(f"{where} takes {policy.observations} numbers, not {observed}")
    if policy.may_be_continuous == bool(copies.choices) or policy.actions != size:
        kind = "numbers" if policy.may_be_continuous else "choices"
        wanted = f"{size} {'choices' if copies.choices else 'numbers'}"
        raise UserError(f"{where} gives {policy.actions} {kind}, not {wanted}")
    if copies.choices > MOST_CHOICES:
        raise UserError(f"{shown(env_id)} has {copies.choices} actions, at most {MOST_CHOICES} fit")
    if copies.choices:

        def choose(observations: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.uint8]]:
            best = policy.act(observations).argmax(axis=1)
            return best, best.astype(np.uint8)

        return choose
    assert copies.low is not None and copies.high is not None
    low, high = copies.low, copies.high
    if policy.bounded and not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise UserError(f"{where} acts within bounds, and this environment has none")

    def act(observations: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.uint8]]:
        found = policy.act(observations)
        if policy.bounded:
            found = low + 0.5 * (found + 1.0) * (high - low)
        return np.clip(found, low, high), np.zeros(len(found), dtype=np.uint8)

    return act
