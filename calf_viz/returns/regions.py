"""The plane in regions, and what is known of the errors in each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.returns.walk import Compared, Floats
from calf_viz.view import View

SMOOTHED = 0.5
"""Standard deviation of the weights by which a map is smoothed, in regions."""
LEAST_WEIGHT = 1.0
"""Steps, so weighted, from which on a place has a value."""


class Region(NamedTuple):
    """A rectangle of the plane, and its steps."""

    lo: tuple[float, float]
    hi: tuple[float, float]
    steps: int
    promised: float
    """Mean; NaN where there are no steps, as are the others."""
    returned: float
    error: float
    """Mean of promised minus returned."""
    std: float
    """Standard deviation of single errors about that mean."""


class Regions:
    """Sums over the steps in each of the regions into which a plane is cut; others are left out.

    Attributes:
        shape: (rows, columns) of regions; rows along the plane's second axis.
        count: steps in each, (rows, columns).
        outside: steps outside of the plane.
    """

    def __init__(self, view: View, rows: int, columns: int) -> None:
        self.view, self.shape, self.outside = view, (rows, columns), 0
        self._count = np.zeros(rows * columns, np.int64)
        self._promised, self._error, self._squares = np.zeros((3, rows * columns))

    def add(self, steps: Compared) -> None:
        """Take note of steps."""
        where = self._number(steps.positions)
        inside = where >= 0
        self.outside += int(np.count_nonzero(~inside))
        where, promised = where[inside], steps.promised[inside]
        errors = steps.errors[inside]
        size = len(self._count)
        count = np.bincount(where, minlength=size)
        some = np.maximum(count, 1)
        mean = np.bincount(where, errors, size) / some
        squares = np.bincount(where, (errors - mean[where]) ** 2, size)
        # Two sets' deviations from their own means (Chan, Golub and LeVeque, 1979): differences of
        # large sums would lose them.
        total = self._count + count
        share = count / np.maximum(total, 1)
        off = mean - self._error
        self._squares += squares + off**2 * share * self._count
        self._error += off * share
        self._promised += (np.bincount(where, promised, size) / some - self._promised) * share
        self._count = total

    def _number(self, positions: Floats) -> NDArray[np.intp]:
        """The region of positions (m, 2); -1 outside."""
        lo, hi = np.array(self.view.lo), np.array(self.view.hi)
        rows, columns = self.shape
        part = (positions - lo) / (hi - lo)
        inside = ((part >= 0.0) & (part <= 1.0)).all(axis=1)
        part = np.where(inside[:, None], part, 0.0)
        column, row = np.minimum(part * (columns, rows), (columns - 1, rows - 1)).astype(np.intp).T
        return np.where(inside, row * columns + column, -1)

    @property
    def count(self) -> NDArray[np.int64]:
        return self._count.reshape(self.shape)

    @property
    def steps(self) -> int:
        """All of them."""
        return int(self._count.sum())

    @property
    def errors(self) -> Floats:
        """Mean error of each, (rows, columns); NaN where there are no steps."""
        return np.where(self._count > 0, self._error, np.nan).reshape(self.shape)

    @property
    def deviations(self) -> Floats:
        """Standard deviation of errors in each, (rows, columns); NaN where there are no steps."""
        known = np.maximum(self._count, 1)
        return np.where(self._count > 0, np.sqrt(self._squares / known), np.nan).reshape(self.shape)

    @property
    def mean(self) -> float:
        """Mean error of all steps; NaN without any."""
        return float(np.average(self._error, weights=self._count)) if self.steps else np.nan

    def table(self) -> list[Region]:
        """All of them: that of the largest mean error first, those without steps last."""
        (left, low), (right, high) = self.view.lo, self.view.hi
        rows, columns = self.shape
        x, y = np.linspace(left, right, columns + 1), np.linspace(low, high, rows + 1)
        errors, deviations = self.errors.ravel(), self.deviations.ravel()
        found = []
        for number in np.argsort(
            np.where(np.isnan(errors), np.inf, -np.abs(errors)), kind="stable"
        ):
            row, column = divmod(int(number), columns)
            known = self._count[number] > 0
            promised = float(self._promised[number]) if known else np.nan
            error = float(errors[number])
            found.append(
                Region(
                    (float(x[column]), float(y[row])),
                    (float(x[column + 1]), float(y[row + 1])),
                    int(self._count[number]),
                    promised,
                    promised - error,
                    error,
                    float(deviations[number]),
                )
            )
        return found


def smoothed(fine: Regions, regions: int) -> tuple[Floats, NDArray[np.bool_]]:
    """A map of mean errors at the corners of `fine`'s regions, and where it is not known, for too
    few steps, (rows + 1, columns + 1) each: there it fades to 0.

    Each is the mean of all steps, weighted by their distance, with a standard deviation of
    `SMOOTHED` regions where the plane is cut into `regions` along each axis.
    """
    count = fine.count.astype(np.float64)
    total = np.where(fine.count > 0, fine.errors, 0.0) * count
    for axis in (0, 1):
        cells = fine.shape[axis]
        away = np.arange(cells + 1)[:, None] - (np.arange(cells) + 0.5)
        if fine.view.periodic[1 - axis]:
            away = (away + cells / 2) % cells - cells / 2
        width = max(SMOOTHED * cells / regions, 1.0)
        weights = np.exp(-0.5 * (away / width) ** 2)
        count, total = (np.moveaxis(np.tensordot(weights, part, (1, axis)), 0, axis)
                        for part in (count, total))  # fmt: skip
    return total / np.maximum(count, LEAST_WEIGHT), count < LEAST_WEIGHT
