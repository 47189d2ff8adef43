"""Level of detail: every how manieth sample of a trail is drawn.

Many samples of a slow agent fall within a pixel. A chord over s steps leaves the samples between
its ends by some pixels; the stride is the largest base * 2^k at which that stays below what an
anti-aliased line shows. It is measured on the samples themselves, now and then, and falls at once
but rises late, so that it does not flicker.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calf_viz.heightfield import Heightfield
from calf_viz.render.ring import LONGEST_STRIDE
from calf_viz.render.scene import Scene

TOLERANCE = 0.25  # px that a drawn trail may leave its samples by
RISE = 0.6  # of the tolerance: what a doubled stride must keep to before it is taken
WATCHED = 256  # agents that are measured
WINDOW = 32  # how often is measured, and over how many samples [steps]


class DetailChooser:
    """Chooses the stride of one scene from the positions pushed."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.base = scene.stride
        self.doublings = 0
        strides = [self.base << k for k in range(5) if self.base << k <= LONGEST_STRIDE]
        self.strides = strides
        # Largest deviation [plane units] of a chord of each stride, and squared length of a step;
        # both fade over a trail's length, as the samples that caused them do.
        self.bend = np.full(len(strides), np.inf)
        self.reach = np.inf
        self._recent = np.zeros((WINDOW + 1, WATCHED, 2))
        self._seen = 0
        self._curvature: tuple[int, float] = (0, 0.0)

    def see(self, positions: NDArray[np.floating], first: NDArray[np.bool_]) -> None:
        """Takes note of one step's positions (n, 2); `first` marks an episode's first sample."""
        n = min(len(positions), WATCHED)
        row = self._recent[self._seen % (WINDOW + 1)]
        row[:n] = positions[:n]
        row[n:] = np.nan
        # A chord over a reset is never drawn: an episode's first sample measures nothing.
        row[:n][first[:n]] = np.nan
        self._seen += 1
        if self._seen > WINDOW and self._seen % WINDOW == 0:
            self._measure()

    def _measure(self) -> None:
        path = np.roll(self._recent, -(self._seen % (WINDOW + 1)), axis=0)
        fade = max(1.0 - 2.0 * WINDOW / self.scene.trail, 0.0)
        with np.errstate(invalid="ignore"):
            step = np.diff(path, axis=0)
            reach = _worst((step * step).sum(axis=2))
            bend = np.array([_worst(_deviation(path, stride)) for stride in self.strides])
        old = np.where(np.isfinite(self.bend), self.bend, 0.0) * fade
        self.bend = np.fmax(old, bend)
        self.reach = max(self.reach * fade if np.isfinite(self.reach) else 0.0, reach)

    def stride(self, heightfield: Heightfield, value_range: tuple[float, float]) -> int:
        """The stride to draw with now."""
        if self._curvature[0] != id(heightfield):
            self._curvature = (id(heightfield), heightfield.curvature())
        span = max(value_range[1] - value_range[0], 1e-12)
        rise = self._curvature[1] / span * self.scene.height_scale
        strides = np.array(self.strides)
        # On the surface a chord also leaves by rise * length^2 / 8 upwards.
        error = self.bend + rise * self.reach * strides**2 / 8.0
        error = error * self.scene.camera.pixels_per_unit(self.scene.size, nearest=True)
        while self.doublings > 0 and not error[self.doublings] <= TOLERANCE:
            self.doublings -= 1
        while self.doublings + 1 < len(strides) and error[self.doublings + 1] <= RISE * TOLERANCE:
            self.doublings += 1
        return int(strides[self.doublings])


def _deviation(path: NDArray[np.float64], stride: int) -> NDArray[np.float64]:
    """How far the sample in the middle of each chord lies from it, (chords, agents)."""
    if stride < 2:
        return np.zeros(1)
    chords = path[: len(path) - stride : max(stride // 2, 1)]
    ends = path[stride :: max(stride // 2, 1)]
    middle = path[stride // 2 :: max(stride // 2, 1)][: len(chords)]
    share = (stride // 2) / stride
    along = chords + share * (ends - chords)
    chord = ends - chords
    # Across the chord only: samples drawn out along it stay on the line.
    length = np.hypot(chord[..., 0], chord[..., 1])
    across = np.abs(
        (middle - along)[..., 0] * chord[..., 1] - (middle - along)[..., 1] * chord[..., 0]
    )
    apart = np.hypot(*np.moveaxis(middle - along, -1, 0))
    return np.where(length > 1e-9, across / np.maximum(length, 1e-9), apart)


def _worst(values: NDArray[np.float64]) -> float:
    """The 99th percentile of what is known; 0 where nothing is."""
    known = values[np.isfinite(values)]
    return float(np.percentile(known, 99)) if known.size else 0.0
