"""The ring of samples that the shaders read: its layout in a texture, and its texels.

    texture x -> agents, `columns` of them        slot s of agent a:  x = a % columns
          +----------------------+                                    y = s * rows + a // columns
    slot 0|a0 a1 a2 ...          | rows
          |...              . .  |                More agents than a texture is wide take several
    slot 1|a0 a1 a2 ...          | rows           rows a slot, padded little: columns = ceil(N/R).
          +----------------------+

A texel is (x, y, third, stamp). stamp = +-(step + 1), negative on the first sample of a run, 0 in
a slot never written. third holds 30 bits in a float's bit pattern:

    bits 0..9    modes of this sample and of the agent's four before it, 2 bits each
    bits 10..17  heading in 256ths of a turn
    bits 18..29  age = samples since the run began, at most 4095

A run is an unbroken piece of one episode, so a reader that strides over samples knows from one
texel where the run began, and from a third as many texels which modes lie between.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError

HEADINGS = 256
LONGEST_AGE = 4095
MOST_RUNS = 64  # of a trail, that are drawn: the newest
LONGEST_STRIDE = 15  # steps between drawn samples: a shader packs their modes into one int
INVALID = 3  # the mode of a sample that must not be drawn
MOST_TEXELS = 2**26  # 1 GiB: what llvmpipe allows a texture; Panda counts bytes to 2 GiB
LAST_STEP = 2**24 - 2  # stamps beyond it are no longer exact in float32


@dataclass(frozen=True)
class RingLayout:
    """Where samples lie in the ring's texture. `agents` is the capacity, not the number drawn."""

    agents: int
    slots: int
    columns: int
    rows: int

    @classmethod
    def fit(
        cls, agents: int, slots: int, limit: int = 16384, least: int | None = None
    ) -> RingLayout:
        """The layout that pads least, with fewer slots, but `least`, where so many do not fit.

        Raises UserError, with the longest trail that fits, if none does.
        """
        rows = max(1, math.ceil(agents / limit))
        columns = math.ceil(agents / rows)
        longest = min(limit // rows, MOST_TEXELS // (rows * columns))
        if least is not None and slots > longest:
            slots = max(least, longest)
        if slots > longest:
            what = f"{slots} samples each" if least is None else f"trails of {least - 1} steps"
            most = f"{longest} samples" if least is None else f"{longest - 1} steps"
            size = f"{limit} x {limit}, {MOST_TEXELS // 2**20} Mi texels"
            if longest < 3:
                raise UserError(f"{agents} agents do not fit a texture of {size}: give fewer")
            raise UserError(
                f"{agents} agents with {what} do not fit a texture of {size}: "
                f"at most {most} for so many agents"
            )
        return cls(agents, slots, columns, rows)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the texture."""
        return self.columns, self.rows * self.slots

    @property
    def row_bytes(self) -> int:
        """Bytes of one step's samples, padding included."""
        return 16 * self.columns * self.rows


def float_bits(words: NDArray[np.int32]) -> NDArray[np.float32]:
    """Words of 30 bits as bit patterns of floats that survive every copy: bit 30, the opposite of
    bit 29, keeps the exponent away from those of NaN and of denormal numbers."""
    result: NDArray[np.float32] = (words | (~words & (1 << 29)) << 1).view(np.float32)
    return result


def relayout(samples: NDArray[np.float32], old: RingLayout, new: RingLayout) -> NDArray[np.float32]:
    """The ring's texels, (rows, columns, 4), in a layout with more agents and as many slots."""
    grown = np.zeros((new.slots, new.rows * new.columns, 4), dtype=np.float32)
    grown[:, : old.agents] = samples.reshape(old.slots, -1, 4)[:, : old.agents]
    return grown.reshape(new.size[1], new.size[0], 4)


def check_samples(
    positions: NDArray[np.floating],
    modes: NDArray[np.integer],
    first: NDArray[np.bool_],
    headings: NDArray[np.floating] | None = None,
) -> None:
    """Raises ValueError for what `RingPacker.pack` cannot take: a mode that is none would be
    written into other samples' bits."""
    n = len(positions)
    _check("positions", positions, (n, 2), "fiu")
    _check("modes", modes, (n,), "iu")
    _check("first", first, (n,), "b")
    if headings is not None:
        _check("headings", headings, (n,), "fiu")
    if n and not 0 <= np.minimum.reduce(modes) <= np.maximum.reduce(modes) < INVALID:
        raise ValueError(
            f"modes: {modes.min()} to {modes.max()}, where 0 to {INVALID - 1} are known"
        )


def _check(name: str, array: NDArray[Any], shape: tuple[int, ...], kinds: str) -> None:
    """kinds: of NumPy's dtypes, those that will do."""
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{name}: a NumPy array is wanted, not a {type(array).__name__}")
    if array.shape != shape or array.dtype.kind not in kinds:
        wanted = {"b": "bool", "iu": "integer"}.get(kinds, "float")
        raise ValueError(
            f"{name}: {array.dtype} of shape {array.shape}, where {wanted} of {shape} is wanted"
        )


class RingPacker:
    """Turns each step's positions into texels, and knows where runs begin.

    Python's whole part of the geometry: a few array operations over agents, none over samples.
    """

    def __init__(
        self,
        layout: RingLayout,
        trail: int,
        channels: tuple[int, int, int, int] = (0, 1, 2, 3),
    ) -> None:
        """trail: steps that drawn trails reach back. channels: where (x, y, third, stamp) go in
        memory; (2, 1, 0, 3) for a BGRA texture. Raises ValueError for a trail beyond the ring."""
        if not 0 < trail < layout.slots:
            raise ValueError(f"a trail of {trail} steps does not fit {layout.slots} slots")
        self.trail = trail
        self.channels = channels
        self.step = -1
        self.invalid_seen = False
        self.layout = layout
        self.texels = np.zeros((layout.rows * layout.columns, 4), dtype=np.float32)
        self._age = np.zeros(layout.agents, dtype=np.int32)
        self._modes = np.zeros(layout.agents, dtype=np.int32)  # of the last five samples
        self._valid = np.zeros(layout.agents, dtype=bool)
        self._all_valid = False
        self._began = np.zeros((layout.slots, layout.agents), dtype=bool)
        self._breaks = np.zeros(layout.agents, dtype=np.int32)  # runs begun within the trail
        self._count = 0

    def grown(self, layout: RingLayout) -> RingPacker:
        """One that goes on from here in a layout with more agents and as many slots."""
        new, n = RingPacker(layout, self.trail, self.channels), self.layout.agents
        new.step, new.invalid_seen, new._count = self.step, self.invalid_seen, self._count
        new._age[:n], new._valid[:n], new._breaks[:n] = self._age, self._valid, self._breaks
        new._began[:, :n], new._modes[:n] = self._began, self._modes
        return new

    @property
    def slot(self) -> int:
        """Slot of the newest sample."""
        return self.step % self.layout.slots

    def pack(
        self,
        positions: NDArray[np.floating],
        modes: NDArray[np.integer],
        first: NDArray[np.bool_],
        headings: NDArray[np.floating] | None = None,
    ) -> NDArray[np.float32]:
        """The next step's texels, (rows * columns, 4) float32, a view that the next call reuses.

        positions (n, 2), modes (n,) of the steps that led here, first (n,): an episode's first
        sample, headings (n,) [rad]. Positions that are not finite become samples not drawn.
        """
        n = len(positions)
        count, self._count = self._count, n
        restart = self.step >= LAST_STEP
        self.step = 0 if restart else self.step + 1
        with np.errstate(over="ignore"):  # beyond float32 is not finite either
            positions = np.asarray(positions, dtype=np.float32)
        finite = np.isfinite(positions)
        all_valid = bool(finite.all())
        self.invalid_seen = not all_valid
        if all_valid and self._all_valid:
            began = np.array(first, dtype=bool)
        else:
            valid = finite.all(axis=1)
            began = first | (valid != self._valid[:n])
            self._valid[:n] = valid
            self._all_valid = bool(self._valid.all())
        if restart:
            began[:] = True
            self._began[:], self._breaks[:] = False, 0  # slots leap; nothing older is drawn
        began[count:] = True
        age = self._age[:n]
        age += 1
        age[began] = 0
        self._breaks -= self._began[(self.slot - self.trail) % self.layout.slots]
        self._began[self.slot] = False
        self._began[self.slot, :n] = began
        self._breaks[:n] += began

        history = self._modes[:n]
        history <<= 2
        history |= modes
        if not all_valid:
            positions = np.where(valid[:, None], positions, np.float32(0.0))
            history[~valid] |= INVALID
        history &= 0x3FF
        words = np.minimum(age, LONGEST_AGE)
        words <<= 18
        words |= history
        if headings is not None:
            turns = np.where(np.isfinite(headings), headings, 0.0) * (HEADINGS / (2 * np.pi))
            words |= (np.rint(turns).astype(np.int32) & (HEADINGS - 1)) << 10
        x, y, t, s = self.channels
        texels = self.texels[:n]
        texels[:, x], texels[:, y] = positions[:, 0], positions[:, 1]
        texels[:, t] = float_bits(words)
        texels[:, s] = self.step + 1
        texels[began, s] = -(self.step + 1)
        self.texels[n:] = 0.0
        return self.texels

    def runs(self, scrub: int = 0) -> int:
        """Most runs that any agent's trail holds, seen `scrub` steps back, of those drawn:
        what a trail's strip must have room for."""
        if scrub == 0:
            most = self._breaks.max(initial=0)
        else:
            slots = (self.step - scrub - np.arange(self.trail)) % self.layout.slots
            most = self._began[slots].sum(axis=0).max(initial=0)
        return min(int(most) + 1, MOST_RUNS)
