"""Where the trails of all agents lie: how much of them there is, and over what area.

Python's time does not grow with trails nor with agents: steps are gathered and then summed
together, what is older than a trail is subtracted, and what fades is divided by a common factor.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from calf_viz.scene.frame import SIZE, Move

WATCHED = 128  # number of agents whose steps are measured
FADES = 50.0  # steps in which trails of finished episodes fade, see lib/trail_fade.glsl
TOGETHER = 8  # steps that are summed together, and after which a style is renewed
LEAST_FACTOR = 1e-9


class Inked(Protocol):
    """What is known of where trails lie."""

    @property
    def lately(self) -> tuple[float, float]:
        """Their total length, and the area over which they are scattered [scene units]."""


class InkThen(NamedTuple):
    """As it was known when an earlier step was the newest."""

    lately: tuple[float, float]


class TrailInk:
    """The trails of all agents, as those of the first `WATCHED` stand for them."""

    def __init__(self, trail: int) -> None:
        """trail: steps that a trail reaches back."""
        # Sums of length * (1, x, y, xx, xy, yy), of each step and of all, by `_factor` too large.
        self._steps = np.zeros((trail, 6))
        self._all = np.zeros(6)
        self._factor = 1.0
        self._slot = 0
        self._agents = 0
        self._fading = 0.0  # share of the trails that are about to fade
        # Steps that are not summed yet, behind the last one that is; NaN where no agent is drawn.
        most = min(TOGETHER, trail)
        self._places = np.full((most + 1, WATCHED, 2), np.nan)
        self._lengthens = np.zeros((most, WATCHED))
        self._gathered = 0
        self._seen = 0
        self._renewed = -1  # when it was that `lately` changed
        self._lately = (0.0, 0.0)

    @property
    def length(self) -> float:
        """Total length of all trails drawn [scene units]."""
        self._sum()
        return max(float(self._all[0]) * self._factor, 0.0)

    @property
    def area(self) -> float:
        """Area of the rectangle over which trails are as scattered [square scene units]."""
        length = self.length
        if length < 1e-9:
            return 0.0
        x, y, xx, xy, yy = (self._all[1:] * (self._factor / length)).tolist()
        return 12.0 * math.sqrt(max((xx - x * x) * (yy - y * y) - (xy - x * y) ** 2, 0.0))

    @property
    def lately(self) -> tuple[float, float]:
        """Length and area, renewed every eighth step (more often at first): what follows from them
        changes slowly, and each change of a shader's input takes time."""
        self.renew()
        return self._lately

    @property
    def known(self) -> InkThen:
        """`lately`, as it was last renewed."""
        return InkThen(self._lately)

    def renew(self) -> None:
        """Renew `lately`, if it is due."""
        if self._renewed < 0 or self._seen - self._renewed >= min(1 + self._seen // 16, TOGETHER):
            self._renewed, self._lately = self._seen, (self.length, self.area)

    def see(
        self,
        places: NDArray[np.float32],
        begins: NDArray[np.bool_],
        episode_begins: NDArray[np.bool_],
        agents: int | None = None,
    ) -> None:
        """Take note of one step.

        Args:
            places: of the agents in the scene, (n, 2), NaN if not drawn.
            begins: where a run begins, (n,): no line leads there from the previous step.
            episode_begins: where an episode does, and the trail of the last one fades.
            agents: their number, if these are only the first.
        """
        watched = min(len(places), WATCHED)
        agents = len(places) if agents is None else agents
        if agents < self._agents:  # the trails of those that left are no longer drawn
            self._scale(agents / self._agents)
        self._agents = agents
        if watched:
            self._fading += np.count_nonzero(episode_begins[:WATCHED]) / watched
        if self._fading > 1e-4:
            fades = min(self._fading, 1.0) / FADES
            self._factor *= 1.0 - fades
            self._fading -= fades
        lengthens = self._lengthens[self._gathered]
        lengthens[watched:] = 0.0
        np.logical_not(begins[:watched], out=lengthens[:watched])
        lengthens[:watched] *= agents / (max(watched, 1) * self._factor)
        self._gathered += 1
        now = self._places[self._gathered]
        now[:watched], now[watched:] = places[:watched], np.nan
        self._seen += 1
        if self._gathered == len(self._lengthens) or self._factor < LEAST_FACTOR:
            self._sum()

    def _sum(self) -> None:
        """Add what is gathered to the sums."""
        count, self._gathered = self._gathered, 0
        if count:
            # Those far outside are hardly in the picture.
            places = np.clip(self._places[: count + 1], -0.5 * SIZE, 0.5 * SIZE)
            (x, y), apart = places[1:].transpose(2, 0, 1), np.diff(places, axis=0)
            lengths = np.sqrt((apart * apart).sum(axis=2)) * self._lengthens[:count]
            products = np.array([np.ones_like(x), x, y, x * x, x * y, y * y]) * lengths
            steps = np.nan_to_num(products).sum(axis=2).T
            slots = (self._slot + 1 + np.arange(count)) % len(self._steps)
            self._all += (steps - self._steps[slots]).sum(axis=0)
            self._steps[slots] = steps
            self._slot = int(slots[-1])
            self._places[0] = self._places[count]
        if self._factor < LEAST_FACTOR:
            self._steps *= self._factor
            self._all = self._steps.sum(axis=0)
            self._factor = 1.0

    def _scale(self, factor: float) -> None:
        self._sum()
        self._factor *= factor
        self._renewed = -1
        self._sum()

    def move(self, by: Move) -> None:
        """Move everything seen so far to another place in the scene."""
        self._sum()
        (a, b), (p, q) = by.scale, by.offset
        change = np.array(
            [
                [1.0, p, q, p * p, p * q, q * q],
                [0.0, a, 0.0, 2 * a * p, a * q, 0.0],
                [0.0, 0.0, b, 0.0, b * p, 2 * b * q],
                [0.0, 0.0, 0.0, a * a, 0.0, 0.0],
                [0.0, 0.0, 0.0, 0.0, a * b, 0.0],
                [0.0, 0.0, 0.0, 0.0, 0.0, b * b],
            ]
        )
        change *= math.sqrt(a * b)  # lengths, exactly so if both axes scale alike
        self._steps, self._all = self._steps @ change, self._all @ change
        self._places[0] = by(self._places[0])
        self._renewed = -1
