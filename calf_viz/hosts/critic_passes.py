"""Evaluates the critic on the GPU in a sequence of passes, drawn by the host."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from calf_viz.critic_networks import CriticNetworks
from calf_viz.heightfield import Grid, Heightfield
from calf_viz.scene.critic import BUDGET, KINDS, Bands, critic_texels, scale_texels
from calf_viz.value_limits import Scaling
from calf_viz.value_scale import LINEAR, ValueScale


class CriticDraws(Protocol):
    """Provided by a host: RGBA float textures by name, and passes that draw into them."""

    def set_texture(self, name: str, texels: NDArray[np.float32]) -> None:
        """Set a texture's texels, (height, width, 4)."""

    def draw(
        self,
        shader: str,
        target: str,
        inputs: dict[str, str],
        values: dict[str, tuple[float, ...] | float],
        rows: tuple[int, int] | None = None,
    ) -> None:
        """Draw a pass into a texture, or into rows [from, to) of it."""

    def read(self, name: str) -> NDArray[np.float32]:
        """A texture's texels; waits for draws into it."""

    def wait(self) -> None:
        """Wait until everything is drawn."""

    def close(self) -> None:
        """Release all textures."""


@dataclass(frozen=True)
class Evaluated:
    """A complete evaluation."""

    heights: str
    """Name of the texture with the heights."""
    sampled: Heightfield
    """The surface at some nodes, for the texts about it."""
    scale: ValueScale


class CriticPasses:
    """Evaluates critics on a grid, one after another.

    Attributes:
        bands: of the evaluation in progress; None if there is none.
    """

    def __init__(self, draws: CriticDraws, grid: Grid, budget: float = BUDGET) -> None:
        self.draws, self.grid, self.budget = draws, grid, budget
        rows, columns = grid.shape
        self.sampled = min(rows, Heightfield.SAMPLED), min(columns, Heightfield.SAMPLED)
        sizes = {
            "values": grid.shape, "columns": (1, columns), "range": (1, 1),
            "heights 0": grid.shape, "heights 1": grid.shape, "sampled": self.sampled,
            "knots": (1, 2),
        }  # fmt: skip
        for name, (height, width) in sizes.items():
            draws.set_texture(name, np.zeros((height, width, 4), np.float32))
        self.bands: Bands | None = None
        self._turn = 0

    def begin(self, networks: CriticNetworks) -> None:
        """Start evaluating a new critic, dropping one in progress."""
        self.draws.set_texture("weights", critic_texels(networks))
        self.bands = Bands(self.grid.shape[0], self.budget)

    def step(self, scaling: Scaling, morph: float) -> Evaluated | None:
        """Do a frame's share; returns the result after the last one.

        scaling: how the surface's scale is made. morph: state of the current surface's own morph;
        < 0 if there is no surface.
        """
        bands = self.bands
        if bands is None:
            return None
        timed = bands.timed
        if timed:
            self.draws.wait()
        start = time.perf_counter()
        self._draw("critic_values", "values", rows=bands.take())
        if timed:
            self.draws.wait()
            bands.time(time.perf_counter() - start)
        if not bands.complete:
            return None
        self.bands = None
        self._draw("critic_columns", "columns")
        self._draw("critic_range", "range")
        rows, columns = self.sampled
        self._draw("critic_sample", "sampled", cells=(columns - 1, rows - 1))
        sampled = self.draws.read("sampled")
        low, high, _, _ = self.draws.read("range")[0, 0].tolist()
        values = np.where(sampled[..., 1] == 0.0, sampled[..., 0], np.nan)
        self._field = Heightfield(values.astype(np.float32), self.grid.lo, self.grid.hi)
        self._whole = low, high
        return self.scaled(scaling, morph)

    def scaled(self, scaling: Scaling, morph: float) -> Evaluated:
        """Make heights of the critic evaluated last, with the scale that is made of it now. morph:
        as for `step`."""
        old, new = self._turn, 1 - self._turn
        self._turn = new
        scale = scaling.of(self._field, self._whole)
        self.draws.set_texture("knots", scale_texels(scale))
        heights = f"heights {new}"
        self._draw("critic_heights", heights, f"heights {old}", morph=morph, scale=scale)
        return Evaluated(heights, self._field, scale)

    def _draw(
        self,
        shader: str,
        target: str,
        last: str = "heights 0",
        rows: tuple[int, int] | None = None,
        cells: tuple[int, int] | None = None,
        morph: float = 1.0,
        scale: ValueScale = LINEAR,
    ) -> None:
        textures = {
            "u_critic_weights": "weights", "u_critic_values": "values",
            "u_critic_columns": "columns", "u_critic_range": "range", "u_critic_last": last,
            "u_critic_knots": "knots",
        }  # fmt: skip
        # No pass reads the texture that it draws into, which would be undefined.
        inputs = {s: ("weights" if name == target else name) for s, name in textures.items()}
        grid_rows, grid_columns = self.grid.shape
        values: dict[str, tuple[float, ...] | float] = {
            "u_critic_plane": (*self.grid.lo, *self.grid.hi),
            "u_critic_cells": cells or (grid_columns - 1, grid_rows - 1),
            "u_critic_morph": morph,
            "u_critic_scale": (float(KINDS.index(scale.kind)), scale.low, scale.threshold),
        }
        self.draws.draw(shader, target, inputs, values, rows)
