"""Samples: a source's agents at one step, as data passes to the picture.

    source ──▶ Samples ──▶ Host.push ──▶ ring texture ──▶ vertex shaders

The picture knows nothing else about agents, be they from a simulation, a recording, or someone
else's training loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import quoted


@dataclass(frozen=True)
class Samples:
    """One step of n agents. Their number may change from one step to the next; the first ones keep
    their identity.

    Attributes:
        positions: each agent's place on the plane, (n, 2), in the units of the plane's axes. A
            non-finite one is not drawn.
        modes: number of the rule that led there, (n,) integer; the view defines its meaning.
        first: whether this is the first sample of an episode, (n,) bool: no trail leads there.
        headings: direction of each agent [rad], (n,), or None if they have none; 0 along the first
            axis, in the units of the axes.
        step: number of this step, from 0; None is the one after the last. A step that does not
            follow its predecessor breaks the trails of all agents.
        columns: further values by name, such as a reward, (n,), or a state, (n, k). The picture
            ignores them.

    Raises ValueError for arrays of the wrong shape or type, and for an invalid step.
    """

    positions: NDArray[np.floating]
    modes: NDArray[np.integer]
    first: NDArray[np.bool_]
    headings: NDArray[np.floating] | None = None
    step: int | None = None
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self) if np.ndim(self.positions) else 0
        if self.step is not None and not (isinstance(self.step, Integral) and self.step >= 0):
            raise ValueError(f"step: {quoted(self.step)}, where a whole number from 0 on is wanted")
        shape = getattr(self.positions, "shape", (n, 2))
        if len(shape) != 2 or shape[1] != 2:
            raise ValueError(f"positions: shape {shape}, where (n, 2) is wanted, for n agents")
        _check("positions", self.positions, (n, 2), "fiu")
        _check("modes", self.modes, (n,), "iu")
        _check("first", self.first, (n,), "b")
        if self.headings is not None:
            _check("headings", self.headings, (n,), "fiu")
        for name, column in self.columns.items():
            _check(name, column, (n, *np.shape(column)[1:2]), "fiub")

    def __len__(self) -> int:
        """n, the number of agents."""
        return len(self.positions)

    def first_of(self, agents: int) -> Samples:
        """The first agents alone, at most so many; without columns."""
        if len(self) <= agents:
            return self
        few, headings = slice(agents), self.headings
        return Samples(
            self.positions[few],
            self.modes[few],
            self.first[few],
            None if headings is None else headings[few],
            self.step,
        )

    def check_modes(self, known: int) -> None:
        """Raises ValueError for a mode outside this number of modes, counted from 0."""
        if not len(self):
            return
        low, high = np.minimum.reduce(self.modes), np.maximum.reduce(self.modes)
        if not 0 <= low <= high < known:
            there = f"0 to {known - 1} are known" if known > 1 else "only 0 is known"
            raise ValueError(f"modes: {low} to {high}, where {there}")

    @classmethod
    def of(
        cls,
        positions: Any,
        modes: Any = 0,
        first: Any = False,
        headings: Any = None,
        step: int | None = None,
        **columns: Any,
    ) -> Samples:
        """Samples from anything that NumPy can convert, such as lists; a single mode or `first`
        applies to all agents."""
        places = np.asarray(positions)
        n = len(places) if places.ndim else 0

        def each(value: Any) -> NDArray[Any]:
            array = np.asarray(value)
            return np.full(n, array) if array.ndim == 0 else array

        return cls(
            places,
            each(modes),
            each(first),
            None if headings is None else each(headings),
            step,
            {name: each(column) for name, column in columns.items()},
        )


def _check(name: str, array: NDArray[Any], shape: tuple[int, ...], kinds: str) -> None:
    """kinds: the kinds of NumPy dtype that are accepted."""
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{name}: a NumPy array is wanted, not a {type(array).__name__}")
    if array.shape != shape or array.dtype.kind not in kinds:
        wanted = {"b": "bool", "iu": "integer"}.get(kinds, "float")
        raise ValueError(
            f"{name}: {array.dtype} of shape {array.shape}, where {wanted} of {shape} is wanted"
        )
