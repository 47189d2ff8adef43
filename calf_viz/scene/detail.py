"""Level of detail: every n-th sample of a trail is drawn.

Many samples of a slow agent fall within a pixel. The shader draws each stride as a parabola through
three of its samples, on the surface, which deviates from the polyline through all of them by some
pixels, and from the surface by some depth. The stride is the largest of a ladder for which the
first stays, for most curves, below what an anti-aliased line shows, and the second below what hides
a line. Both are measured on the samples at intervals; the stride falls at once but rises late, so
that it does not flicker.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from calf_viz.heightfield import Heightfield
from calf_viz.scene.camera import Inside
from calf_viz.scene.crowd import DEPTH_BIAS
from calf_viz.scene.frame import Move
from calf_viz.scene.scene import Scene

LADDER = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15)  # strides, in units of the configured one
TOLERANCE = 0.0625  # largest deviation of half of a trail's curves from its samples [px]
# Fractions of its curves, and the multiples of the tolerance that they must satisfy: a curve across
# a kink, where another rule takes over, deviates more, but a few of them do not show.
WITHIN = ((0.5, 1.0), (0.75, 2.0), (0.9, 4.0), (0.99, 20.0))
RISE = 0.95  # fraction of the tolerance that a longer stride must satisfy before it is used
CROWD = 200_000  # trail vertices beyond which trails overlap, and a frame costs too much
CROWDED = 2.0  # factor of the tolerance for longer strides then
WATCHED = 128  # number of agents measured
WINDOW = 32  # interval of measurements, and number of samples in each [steps]
MOST_BULGE = 0.375  # largest bulge of a curve in the shader, relative to its chord: MOST_LEAN / 4


class Measured(NamedTuple):
    """What a stride is chosen by, as it was at a step."""

    error: NDArray[np.float64]
    where: Inside | None
    rung: int
    agents: int


class Detail(Protocol):
    """Chooses the stride: trails draw every n-th sample."""

    surface: Heightfield | None
    """The levels of the surface, in units of the scene."""
    idle: bool
    """Whether nothing is measured, as too many steps follow for it to matter."""
    horizon: int
    """The number of steps that matter."""

    def see(
        self, positions: NDArray[np.floating], begins: NDArray[np.bool_], agents: int | None = None
    ) -> None:
        """Take note of one step's positions (n, 2) in the scene, NaN if not drawn; `begins` marks
        those to which no line leads. agents: their number, if these are only the first."""

    def move(self, by: Move) -> None:
        """Move everything seen so far to another place in the scene."""

    @property
    def measured(self) -> Measured | None:
        """What the stride follows from now; None if it is always the same."""

    def stride(self, then: Measured | None = None) -> int:
        """The stride to draw with now. then: what was measured when the step to draw was new, if
        it is not the newest."""


class DetailChooser:
    """Chooses the stride of one scene from the positions pushed.

    Attributes:
        where: what the trails measured are inside; None before the first measurement.
        surface: the levels of the surface below the trails, in the scene; if None, it is taken to
            be flat.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        base, longest = scene.stride, scene.mode_bits.longest_stride
        self.strides = np.array([base * k for k in LADDER if base * k <= longest])
        self._before = np.roll(self.strides, 1)  # next smaller stride; unused for the first
        self.rung = 0
        # Deviation of each stride from the samples, averaged over a trail, and from the surface, at
        # worst, (2, strides) [scene units]; measured while the trail's samples were the newest.
        self.error = np.full((2, len(self.strides)), np.inf)
        self._errors: deque[NDArray[np.float64]] = deque(maxlen=scene.trail // WINDOW + 2)
        # Where the trails measured are: nearer to the eye there is nothing to be seen of them.
        self._places: deque[NDArray[np.float64]] = deque(maxlen=self._errors.maxlen)
        self.where: Inside | None = None
        self._recent = np.zeros((WINDOW + 1, WATCHED, 2))
        self._runs = np.zeros((WINDOW + 1, WATCHED), dtype=np.int64)  # begun
        self._seen = 0
        self._agents = 0
        self._measuring: Iterator[None] = iter(())
        self.surface: Heightfield | None = None
        self.idle = False
        self.horizon = len(self.strides) + WINDOW * (scene.trail // WINDOW + 3)

    def see(
        self, positions: NDArray[np.floating], begins: NDArray[np.bool_], agents: int | None = None
    ) -> None:
        """As `Detail`; `begins` marks a run's first sample, to which no line leads."""
        self._agents = len(positions) if agents is None else agents
        n = min(len(positions), WATCHED)
        now = self._seen % (WINDOW + 1)
        self._recent[now, :n] = positions[:n]
        self._recent[now, n:] = np.nan
        self._runs[now] = self._runs[now - 1]
        self._runs[now, :n] += begins[:n]
        self._seen += 1
        if self._seen > WINDOW and self._seen % WINDOW == 0 and not self.idle:
            self._measuring = self._measure()
        next(self._measuring, None)

    def move(self, by: Move) -> None:
        """Move everything seen so far to another place in the scene."""
        self._recent = by(self._recent)
        self._measuring = iter(())
        # Errors are not measured along an axis: scale them by the larger factor.
        longest = np.array([max(by.scale), 1.0])[:, None]
        self.error = self.error * longest
        self._errors = deque((errors * longest for errors in self._errors), self._errors.maxlen)
        self._places.clear()
        self.where = None

    @property
    def measured(self) -> Measured:
        """As `Detail`."""
        return Measured(self.error, self.where, self.rung, self._agents)

    def stride(self, then: Measured | None = None) -> int:
        """As `Detail`."""
        rung = self._rung(then or self.measured)
        if then is None:
            self.rung = rung
        return int(self.strides[rung])

    def _rung(self, measured: Measured) -> int:
        error, where, rung, agents = measured
        camera = self.scene.camera
        pixels = camera.pixels_per_unit(self.scene.size, nearest=True, inside=where)
        sunk = error[1] / (0.5 * DEPTH_BIAS * camera.units_per_depth(where))
        # Relative to what each stride is allowed: a crowd hides bends, but not errors in depth.
        error = np.maximum(error[0] * pixels / self._allowed(agents), sunk)
        while rung > 0 and not error[rung] <= 1.0:
            rung -= 1
        while rung + 1 < len(error) and error[rung + 1] <= RISE:
            rung += 1
        return rung

    def _allowed(self, agents: int) -> NDArray[np.float64]:
        """Allowed deviation of each stride [px]: larger if the next smaller one draws a crowd."""
        vertices = 2 * agents * self.scene.trail / self._before
        return np.where(vertices > CROWD, CROWDED * TOLERANCE, TOLERANCE)

    def _measure(self) -> Iterator[None]:
        """Measure the steps so far, one stride per step: all in one step took some 3 ms, which
        showed in every 32nd frame."""
        oldest = self._seen % (WINDOW + 1)
        path, runs = np.roll(self._recent, -oldest, axis=0), np.roll(self._runs, -oldest, axis=0)
        path = np.concatenate([path, self._heights(path)[..., None]], axis=2)
        worst = np.zeros((2, len(self.strides)))
        for number, stride in enumerate(self.strides.tolist()):
            with np.errstate(invalid="ignore"):
                left, sunk = _deviation(path, runs, stride)
            worst[:, number] = _most(left), _largest(sunk)
            yield
        self._errors.append(worst)
        self._places.append(_corners(path))
        self.where = _around(self._places)
        errors = np.array(self._errors)
        self.error = np.array([errors[:, 0].mean(axis=0), errors[:, 1].max(axis=0)])

    def _heights(self, path: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.surface is None:
            return np.zeros(path.shape[:-1])
        levels = self.surface.heights(path.reshape(-1, 2))
        return self.scene.height_scale * levels.reshape(path.shape[:-1])


def _deviation(
    path: NDArray[np.float64], runs: NDArray[np.int64], stride: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Deviation of each drawn curve from the polyline through its samples, and of its chord's depth
    from the surface, (curves, agents) each; path (samples, agents, 3).

    NaN for curves across a reset, which are never drawn.
    """
    if stride == 1:
        return np.zeros(1), np.zeros(1)
    middle = stride - stride // 2  # from the older end, as the shader rounds it
    begin = np.arange(0, len(path) - stride, max(stride // 2, 1))
    end = begin + stride
    chord = np.where((runs[end] == runs[begin])[..., None], path[end] - path[begin], np.nan)
    length = np.maximum(np.sqrt((chord * chord).sum(axis=2, keepdims=True)), 1e-9)
    along = chord / length

    def across(at: int) -> NDArray[np.float64]:
        """Vector from the chord to the sample; its component along the chord does not matter."""
        apart = path[begin + at] - path[begin]
        return apart - (apart * along).sum(axis=2, keepdims=True) * along

    bend = across(middle) / (middle * (stride - middle))
    bulge = 0.25 * stride * stride * np.sqrt((bend * bend).sum(axis=2))
    worst = np.where(bulge > MOST_BULGE * length[..., 0], bulge, 0.0)
    # A cubic deviates most from a parabola through three of its points near these.
    for at in {round(0.2 * stride), round(0.8 * stride)} - {0, middle, stride}:
        apart = across(at) - bend * (at * (stride - at))
        worst = np.maximum(worst, np.sqrt((apart * apart).sum(axis=2)))
    # The polyline itself deviates from a curve by the bulge of each of its segments.
    return worst + bulge / stride**2, 0.25 * stride * stride * np.abs(bend[..., 2])


def _corners(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lowest and highest coordinates of a path (samples, agents, 3), (2, 3); NaN if there are
    none."""
    points = path.reshape(-1, 3)
    return np.stack([np.fmin.reduce(points), np.fmax.reduce(points)])


def _around(places: Iterable[NDArray[np.float64]]) -> Inside | None:
    """What holds several such corners; None if there is nothing."""
    known = np.array([place for place in places if np.isfinite(place).all()])
    if not len(known):
        return None
    lo, hi = known[:, 0].min(axis=0).tolist(), known[:, 1].max(axis=0).tolist()
    return (lo[0], lo[1], lo[2]), (hi[0], hi[1], hi[2])


def _most(values: NDArray[np.float64]) -> float:
    """The least tolerance that satisfies all fractions in `WITHIN`; 0 if no value is known."""
    known = values[np.isfinite(values)]
    if not known.size:
        return 0.0
    shares, times = np.array(WITHIN).T
    return float((np.quantile(known, shares) / times).max())


def _largest(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.max(initial=0.0))
