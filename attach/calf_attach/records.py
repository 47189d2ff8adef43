"""What is read from a board: copies, which no later write changes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Row(NamedTuple):
    """One step of all agents, a copy."""

    number: int
    step: int
    time: int
    merged: int
    """Steps of the loop that it stands for: more than 1 where some became no row."""
    positions: np.ndarray
    """(n, 2)."""
    flags: np.ndarray
    """(n,) uint8: see `layout`."""
    modes: np.ndarray
    """(n,) uint8."""
    columns: np.ndarray
    """(columns, n) float32."""


class Rows(NamedTuple):
    """Steps as arrays, a copy: k rows with room for some number of agents, of which each row has
    its own number; what is beyond it means nothing."""

    number: np.ndarray
    """(k,), as the next four."""
    step: np.ndarray
    time: np.ndarray
    agents: np.ndarray
    merged: np.ndarray
    positions: np.ndarray
    """(k, agents, 2)."""
    flags: np.ndarray
    """(k, agents) uint8."""
    modes: np.ndarray
    """(k, agents) uint8."""
    columns: np.ndarray
    """(k, columns, agents) float32."""


class Surface(NamedTuple):
    """A critic on a grid at one moment, a copy."""

    version: int
    steps: int
    values: np.ndarray | None
    """(rows, columns) float32; None if only weights were published."""
    lo: tuple[float, float]
    hi: tuple[float, float]
    extra: tuple[float, float]
    weights: np.ndarray


def separate(rows: Rows) -> list[Row]:
    """Each row by itself, with its own agents alone."""
    numbers, steps, times, agents, merged = (each.tolist() for each in rows[:5])
    return [
        Row(numbers[i], steps[i], times[i], merged[i], rows.positions[i, :n], rows.flags[i, :n],
            rows.modes[i, :n], rows.columns[i, :, :n])
        for i, n in enumerate(agents)
    ]  # fmt: skip
