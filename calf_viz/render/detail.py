"""Level of detail: every how manieth sample of a trail is drawn.

Many samples of a slow agent fall within a pixel. A chord over s steps leaves the samples between
its ends by some pixels; the stride is the largest of a ladder at which that stays below what an
anti-aliased line shows. It is measured on the samples themselves, now and then, and falls at once
but rises late, so that it does not flicker.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calf_viz.heightfield import Heightfield
from calf_viz.render.ring import LONGEST_STRIDE
from calf_viz.render.scene import Scene

LADDER = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16)  # strides, in units of the one asked for
TOLERANCE = 0.2  # px that a drawn trail may leave its samples by
RISE = 0.6  # of the tolerance: what a longer stride must keep to before it is taken
WATCHED = 256  # agents that are measured
WINDOW = 32  # how often is measured, and over how many samples [steps]


class DetailChooser:
    """Chooses the stride of one scene from the positions pushed."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        base = scene.stride
        self.strides = np.array([base * k for k in LADDER if base * k <= LONGEST_STRIDE])
        self.rung = 0
        # Largest deviation [plane units] of a chord of each stride, and squared length of a step;
        # both fade over a trail's length, as the samples that caused them do.
        self.bend = np.full(len(self.strides), np.inf)
        self.reach = np.inf
        self._recent = np.zeros((WINDOW + 1, WATCHED, 2))
        self._runs = np.zeros((WINDOW + 1, WATCHED), dtype=np.int64)  # episodes begun
        self._seen = 0
        self._curvature: tuple[int, float] = (0, 0.0)

    def see(self, positions: NDArray[np.floating], first: NDArray[np.bool_]) -> None:
        """Takes note of one step's positions (n, 2); `first` marks an episode's first sample."""
        n = min(len(positions), WATCHED)
        now = self._seen % (WINDOW + 1)
        self._recent[now, :n] = positions[:n]
        self._recent[now, n:] = np.nan
        self._runs[now] = self._runs[now - 1]
        self._runs[now, :n] += first[:n]
        self._seen += 1
        if self._seen > WINDOW and self._seen % WINDOW == 0:
            self._measure()

    def _measure(self) -> None:
        oldest = self._seen % (WINDOW + 1)
        path, runs = np.roll(self._recent, -oldest, axis=0), np.roll(self._runs, -oldest, axis=0)
        fade = max(1.0 - 2.0 * WINDOW / self.scene.trail, 0.0)
        with np.errstate(invalid="ignore"):
            step = np.where(np.diff(runs, axis=0)[..., None] == 0, np.diff(path, axis=0), np.nan)
            reach = _worst((step * step).sum(axis=2))
            bend = np.array([_worst(_deviation(path, runs, int(s))) for s in self.strides])
        old = np.where(np.isfinite(self.bend), self.bend, 0.0) * fade
        self.bend = np.fmax(old, bend)
        self.reach = max(self.reach * fade if np.isfinite(self.reach) else 0.0, reach)

    def stride(self, heightfield: Heightfield, value_range: tuple[float, float]) -> int:
        """The stride to draw with now."""
        if self._curvature[0] != id(heightfield):
            self._curvature = (id(heightfield), heightfield.curvature())
        span = max(value_range[1] - value_range[0], 1e-12)
        rise = self._curvature[1] / span * self.scene.height_scale
        # On the surface a chord also leaves by rise * length^2 / 8 upwards.
        error = self.bend + rise * self.reach * self.strides**2 / 8.0
        error = error * self.scene.camera.pixels_per_unit(self.scene.size, nearest=True)
        while self.rung > 0 and not error[self.rung] <= TOLERANCE:
            self.rung -= 1
        while self.rung + 1 < len(error) and error[self.rung + 1] <= RISE * TOLERANCE:
            self.rung += 1
        return int(self.strides[self.rung])


def _deviation(
    path: NDArray[np.float64], runs: NDArray[np.int64], stride: int
) -> NDArray[np.float64]:
    """How far the middle of each chord lies from its samples, (chords, agents).

    Measured at the sample nearest to the middle, and from there as on a parabola. NaN for chords
    over a reset, which are never drawn.
    """
    half = stride // 2
    if half == 0:
        return np.zeros(1)
    begin = slice(0, len(path) - stride, half)
    end, between = slice(stride, None, half), slice(half, len(path) - stride + half, half)
    chord = np.where((runs[end] == runs[begin])[..., None], path[end] - path[begin], np.nan)
    share = half / stride
    apart = (path[between] - path[begin] - share * chord) / (4.0 * share * (1.0 - share))
    # Across the chord only: samples drawn out along it stay on the line.
    length = np.hypot(chord[..., 0], chord[..., 1])
    across = np.abs(apart[..., 0] * chord[..., 1] - apart[..., 1] * chord[..., 0])
    return np.where(
        length > 1e-9, across / np.maximum(length, 1e-9), np.hypot(apart[..., 0], apart[..., 1])
    )


def _worst(values: NDArray[np.float64]) -> float:
    """The 99th percentile of what is known; 0 where nothing is."""
    known = values[np.isfinite(values)]
    return float(np.percentile(known, 99)) if known.size else 0.0
