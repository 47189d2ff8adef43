"""How crowds stay legible: the more trails overlap, the finer and the more transparent they are.

Two numbers say how full a picture is, both relative to the area of the plane in it, as if
everything were spread evenly: `overlap`, the area of all trails, and `cover`, that of all markers.
Up to 20 agents are drawn in full. Beyond, width, opacity, radius and the order of depth follow
these numbers continuously.

    order of depth    few agents: by agent, an agent's trail above those before it
                      a crowd: by age, newer parts of all trails above older parts of all

Trails are drawn agent by agent, and write depth: what is drawn later but is older is hidden. Where
n of them lie over a pixel in no particular order of age, those that blend are the ones newer than
all before, ln n + 0.6 of them on average: the picture shows the logarithm of the density. Blending
all of them would either saturate where many agents meet, or leave single trails invisible.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.scene.frame import SIZE, Move

WATCHED = 128  # number of agents whose steps are measured
FADES = 50.0  # steps in which trails of finished episodes fade, see lib/trail_fade.glsl
DEPTH_BIAS = 1e-3  # NDC; a trail takes up to 2.5 times as much, a marker up to 4 times
SHARED = 1.5  # of a trail, in multiples of it: by agent and by age


class TrailInk:
    """Where the trails of all agents lie, from those of the first `WATCHED`: how much of them there
    is, and over what area."""

    def __init__(self, trail: int) -> None:
        """trail: steps that a trail reaches back."""
        # Sums of length * (1, x, y, xx, xy, yy), of each step and of all.
        self._steps = np.zeros((trail, 6))
        self._all = np.zeros(6)
        self._slot = 0
        self._agents = 0
        self._fading = 0.0  # share of the trails that are about to fade
        self._last = np.zeros((0, 2))

    @property
    def length(self) -> float:
        """Total length of all trails drawn [scene units]."""
        return max(float(self._all[0]), 0.0)

    @property
    def area(self) -> float:
        """Area of the rectangle over which trails are as scattered [square scene units]."""
        length = self.length
        if length < 1e-9:
            return 0.0
        x, y, xx, xy, yy = (self._all[1:] / length).tolist()
        return 12.0 * math.sqrt(max((xx - x * x) * (yy - y * y) - (xy - x * y) ** 2, 0.0))

    def see(
        self,
        places: NDArray[np.float32],
        begins: NDArray[np.bool_],
        episode_begins: NDArray[np.bool_],
    ) -> None:
        """Take note of one step.

        Args:
            places: of the agents in the scene, (n, 2), NaN if not drawn.
            begins: where a run begins, (n,): no line leads there from the previous step.
            episode_begins: where an episode does, and the trail of the last one fades.
        """
        agents = len(places)
        if agents < self._agents:  # the trails of those that left are no longer drawn
            self._scale(agents / self._agents)
        self._fading += float(episode_begins[:WATCHED].mean()) if agents else 0.0
        if self._fading > 1e-4:
            fades = min(self._fading, 1.0) / FADES
            self._scale(1.0 - fades)
            self._fading -= fades
        # In float64, and those far outside are hardly in the picture.
        now = np.clip(places[:WATCHED].astype(np.float64), -0.5 * SIZE, 0.5 * SIZE)
        both = min(len(now), len(self._last))
        (x, y), (dx, dy) = now[:both].T, (now[:both] - self._last[:both]).T
        lengths = np.sqrt(dx * dx + dy * dy) * ~begins[:both]
        sums = np.array([np.ones(both), x, y, x * x, x * y, y * y]) * lengths
        if not math.isfinite(lengths.sum()):
            sums = np.nan_to_num(sums)
        step = sums.sum(axis=1) * (agents / max(len(now), 1))
        self._slot = (self._slot + 1) % len(self._steps)
        self._all += step - self._steps[self._slot]
        self._steps[self._slot] = step
        self._last, self._agents = now, agents

    def _scale(self, factor: float) -> None:
        self._steps *= factor
        self._all *= factor

    def move(self, by: Move) -> None:
        """Move everything seen so far to another place in the scene."""
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
        self._last = by(self._last)


class Crowd(NamedTuple):
    """How a picture is drawn that is full to some degree.

    Attributes:
        width: factor on the width of trails.
        radius: factor on the radius of markers.
        opacity: factors on the opacity of trails and of markers.
        by_age: 0: depth orders trails by agent; 1: by age.
    """

    width: float
    radius: float
    opacity: tuple[float, float]
    by_age: float

    @classmethod
    def of(cls, overlap: float, cover: float, thinnest: float, smallest: float) -> Crowd:
        """The style of a picture this full. thinnest, smallest: the least factors on width and
        radius that a picture can show; beyond, opacity stands in for them."""
        width, radius = fall(overlap, *WIDTH), fall(cover, *RADIUS)
        dimmed = min(radius / smallest, 1.0)
        return cls(
            max(width, thinnest),
            max(radius, smallest),
            (fall(overlap, *OPACITY), dimmed * dimmed),
            1.0 - fall(overlap, *ORDER),
        )

    @property
    def depth_bias(self) -> tuple[float, float]:
        """What depth trails share [NDC]: among agents, and from their oldest part to the newest."""
        by_age = DEPTH_BIAS * (0.5 + self.by_age)
        return SHARED * DEPTH_BIAS - by_age, by_age


# Fullness at which each begins to fall, and the power of it with which it falls in the end.
WIDTH = (1.5, 0.4)
RADIUS = (0.2, 0.4)
OPACITY = (0.5, 0.3)
ORDER = (1.0, 2.0)
FEW, SOME = 20, 30  # agents that are no crowd at all, and how many more are half of one


def among(agents: int) -> float:
    """Weight of this number of agents, 0 to 1: a few, though in one place, are not a crowd."""
    more = max(agents - FEW, 0)
    return more**2 / (more**2 + SOME**2)


def fall(fullness: float, knee: float, power: float) -> float:
    """1 for an empty picture; well beyond the knee (fullness / knee) ** -power."""
    return float((1.0 + (fullness / knee) ** 2) ** (-0.5 * power))
