"""The ring of samples that the shaders read: its layout in a texture, and its texels.

    texture x -> agents, `columns` of them        slot s of agent a:  x = a % columns
          +----------------------+                                    y = s * rows + a // columns
    slot 0|a0 a1 a2 ...          | rows
          |...              . .  |                More agents than fit the texture's width take
    slot 1|a0 a1 a2 ...          | rows           R rows per slot: columns = ceil(N/R).
          +----------------------+

A texel is (x, y, third, stamp), with x and y in units of the scene; all are rewritten when the
scene shows another part of the plane. stamp = +-(step + 1), negative in the first sample of a run,
0 in a slot never written. third is a float's bit pattern:

    bits 0..9    modes of this sample and the agent's previous ones: five of 2 bits or, if the view
                 has more than four modes, three of 3 bits (mode_bits.py)
    bits 10..17  heading in 256ths of a turn
    bits 18..28  age = samples since the run began, at most 2047; in a run's first sample, which
                 needs none, how it began: 0, nothing leads there; 1, the line from the previous
                 sample crosses an edge of the plane, where an axis is periodic
    bit 29       1 if the run continues the episode of the one before: over an edge, after steps
                 that were left out, or after samples that are not finite
    bit 30       the opposite of bit 29, to avoid exponents of NaN and denormals, which copies may
                 change
    bit 31       1 if the sample must not be drawn, as its position was not finite

A run is an unbroken piece of one episode, so a reader that strides over samples knows from a single
texel where the run began, and from a third of the texels which modes lie between.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError
from calf_viz.samples import Samples
from calf_viz.scene.frame import Frame, Move
from calf_viz.scene.mode_bits import ModeBits
from calf_viz.scene.trail_ink import InkThen, TrailInk

HEADINGS = 256
MANY_TURNS = 1e6  # [rad]
LONGEST_AGE = 2047
OVER_EDGE = 1  # how a run began: over an edge of the plane
SAME_EPISODE = LONGEST_AGE + 1  # beside an age: the run continues the episode of the one before
MOST_RUNS = 64  # most runs drawn per trail, the newest ones
MARGIN = "margin"
"""The column of samples whose sign trails show; where it is NaN, nothing was negative."""
UNDRAWN = np.int32(-(2**31))  # bit 31 of a sample that must not be drawn
MOST_TEXELS = 2**26  # 1 GiB: what llvmpipe allows a texture; Panda counts bytes to 2 GiB
Channels = tuple[int, int, int, int]
LAST_STEP = 2**24 - 2  # stamps beyond it are no longer exact in float32


@dataclass(frozen=True)
class RingLayout:
    """Layout of samples in the ring's texture. `agents` is the capacity, not the number drawn."""

    agents: int
    slots: int
    columns: int
    rows: int

    @classmethod
    def fit(
        cls, agents: int, slots: int, limit: int = 16384, least: int | None = None
    ) -> RingLayout:
        """The layout with the least padding; with fewer slots, down to `least`, if necessary.

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
                f"at most {most} for this number of agents"
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
    """Words of 30 bits and a sign as bit patterns of floats that survive copies: bit 30, the
    opposite of bit 29, avoids the exponents of NaN and of denormal numbers."""
    result: NDArray[np.float32] = (words | (~words & (1 << 29)) << 1).view(np.float32)
    return result


def relayout(samples: NDArray[np.float32], old: RingLayout, new: RingLayout) -> NDArray[np.float32]:
    """The ring's texels, (rows, columns, 4), in a layout with more agents and as many slots."""
    grown = np.zeros((new.slots, new.rows * new.columns, 4), dtype=np.float32)
    grown[:, : old.agents] = samples.reshape(old.slots, -1, 4)[:, : old.agents]
    return grown.reshape(new.size[1], new.size[0], 4)


def move(texels: NDArray[np.float32], by: Move, channels: Channels = (0, 1, 2, 3)) -> None:
    """Move the ring's texels (..., 4) elsewhere in the scene. channels: as for `RingPacker`."""
    x, y = channels[:2]
    texels[..., (x, y)] = by(texels[..., (x, y)])


class Placed(NamedTuple):
    """One step's places in the scene, and where runs begin."""

    positions: NDArray[np.float32]
    """(n, 2)."""
    valid: NDArray[np.bool_] | None
    """(n,), whether each is finite; None if all are."""
    began: NDArray[np.bool_]
    """(n,)."""
    turns: NDArray[np.int8] | None
    """As `Row.turns`."""
    over_edge: NDArray[np.bool_] | None
    """(n,), where there are any."""

    @property
    def places(self) -> NDArray[np.float32]:
        """(n, 2), NaN where not drawn."""
        if self.valid is None:
            return self.positions
        return np.where(self.valid[:, None], self.positions, np.float32(np.nan))


@dataclass(frozen=True)
class Row:
    """One step's samples as drawn.

    Attributes:
        step: steps since the first; restarts from time to time.
        positions: (n, 2) float32, in units of the scene, 0 if not finite.
        words: (n,) int32, modes, headings and ages, as above.
        begins: (n,), whether a run begins here: no line leads here from the previous sample.
        mode_bits: encoding of the modes in a word.
        turns: (n, 2), distance to the previous sample in periods of each axis by the shorter way,
            if that crosses an edge of the plane; else 0. None if no axis is periodic.
    """

    step: int
    positions: NDArray[np.float32]
    words: NDArray[np.int32]
    begins: NDArray[np.bool_]
    mode_bits: ModeBits
    turns: NDArray[np.int8] | None = None

    @property
    def modes(self) -> NDArray[np.int32]:
        """(n,), limited to the distinguished modes; with the bit of a negative margin."""
        return self.words & self.mode_bits.mask

    @property
    def drawn(self) -> NDArray[np.bool_]:
        """(n,): whether the sample is drawn, as its position was finite."""
        return self.words >= 0

    @cached_property
    def places(self) -> NDArray[np.float32]:
        """(n, 2) float32, as `positions`, but NaN where not drawn."""
        drawn = self.drawn
        if drawn.all():
            return self.positions
        return np.where(drawn[:, None], self.positions, np.float32(np.nan))

    @property
    def over_edge(self) -> NDArray[np.bool_]:
        """(n,): whether a run begins because the line from the previous sample crosses an edge of
        the plane."""
        if self.turns is None:
            return np.zeros(len(self.begins), dtype=bool)
        return np.asarray(self.turns.any(axis=1))

    @property
    def episode_begins(self) -> NDArray[np.bool_]:
        """(n,): whether an episode begins here, not just a run."""
        return self.begins & (self.words & (SAME_EPISODE << 18) == 0)

    @property
    def headings(self) -> NDArray[np.float32]:
        """(n,) [rad], in steps of a 256th of a turn."""
        turns = (self.words >> 10) & (HEADINGS - 1)
        return turns.astype(np.float32) * np.float32(2 * np.pi / HEADINGS)


@dataclass(frozen=True)
class Packed:
    """Rows for consecutive slots of the ring, from `slot` on and around its end.

    Attributes:
        texels: (rows, rows * columns of the layout, 4) float32; overwritten by the next packing.
        slot: slot of the first.
        rows: the same samples as numbers, for the older designs.
        inks: where trails lay when each was the newest, as far as that was known.
    """

    texels: NDArray[np.float32]
    slot: int
    rows: tuple[Row, ...]
    inks: tuple[InkThen, ...]

    def parts(self, slots: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """(slot, texels) of each contiguous piece in a ring with that many slots: two pieces if it
        goes around the end."""
        before = slots - self.slot
        yield self.slot, self.texels[:before]
        if len(self.texels) > before:
            yield 0, self.texels[before:]


class RingPacker:
    """Turns each step's positions into texels, and keeps track of where runs begin.

    This is Python's whole part of the geometry: a few array operations over agents, none over
    samples.

    Attributes:
        step: number of the newest; restarts from time to time.
        kept: number of steps since the first, or since it restarted.
    """

    def __init__(
        self,
        layout: RingLayout,
        trail: int,
        channels: Channels = (0, 1, 2, 3),
        frame: Frame | None = None,
        modes: int = 3,
        margins: bool = False,
    ) -> None:
        """Create a packer.

        Args:
            layout: of the ring.
            trail: steps that drawn trails reach back.
            channels: positions of (x, y, third, stamp) in memory; (2, 1, 0, 3) for a BGRA texture.
            frame: of the plane; None: plane and scene are the same.
            modes: number of modes of the samples.
            margins: whether they have a column `margin`.

        Raises:
            ValueError: the trail exceeds the ring.
        """
        if not 0 < trail < layout.slots:
            raise ValueError(f"a trail of {trail} steps does not fit {layout.slots} slots")
        self.trail = trail
        self.ink = TrailInk(trail)
        self.channels = channels
        self._take_frame(frame or Frame())
        self.modes, self.mode_bits = modes, ModeBits.of(modes, margins)
        self.step, self.kept = -1, 0
        self.invalid_seen = False
        self.layout = layout
        self.texels = np.zeros((1, layout.rows * layout.columns, 4), dtype=np.float32)
        self._source_step = -1
        self._age = np.zeros(layout.agents, dtype=np.int32)
        self._modes = np.zeros(layout.agents, dtype=np.int32)  # as in the last texel
        self._continues = np.zeros(layout.agents, dtype=np.int32)  # SAME_EPISODE or 0, of the run
        self._valid = np.zeros(layout.agents, dtype=bool)
        self._last = np.zeros((layout.agents, 2), dtype=np.float32)
        self._all_valid = False
        self._began = np.zeros((layout.slots, layout.agents), dtype=bool)
        self._breaks = np.zeros(layout.agents, dtype=np.int32)  # runs begun within the trail
        self._count = 0

    def grown(self, layout: RingLayout) -> RingPacker:
        """A packer that continues from here in a layout with more agents and as many slots."""
        margins = self.mode_bits.margins
        new = RingPacker(layout, self.trail, self.channels, self.frame, self.modes, margins)
        n = self.layout.agents
        new.step, new.kept, new._source_step = self.step, self.kept, self._source_step
        new.invalid_seen, new._count = self.invalid_seen, self._count
        new._age[:n], new._valid[:n], new._breaks[:n] = self._age, self._valid, self._breaks
        new._last[:n], new._continues[:n] = self._last, self._continues
        new.ink = self.ink
        new._began[:, :n], new._modes[:n] = self._began, self._modes
        return new

    @property
    def slot(self) -> int:
        """Slot of the newest sample."""
        return self.step % self.layout.slots

    def check(self, samples: Samples) -> None:
        """Raise ValueError for an invalid mode, which would overflow into other bits."""
        samples.check_modes(self.modes)

    def pack(self, *samples: Samples, settle: bool = False) -> Packed:
        """Pack the next steps. If there are more than slots, only the last ones are written.

        settle: renew what is known of the trails after each, as a frame would.
        """
        slots = self.layout.slots
        written = min(len(samples), slots)
        if len(self.texels) != written:
            self.texels = np.zeros((written, *self.texels.shape[1:]), dtype=np.float32)
        self.invalid_seen = False
        rows, inks = [], []
        for i, one in enumerate(samples):
            rows.append(self._pack(one, self.texels[i % slots]))
            if settle:
                self.ink.renew()
            inks.append(self.ink.known)
        if len(samples) > slots:  # keep the last ones; the oldest of them comes first
            self.texels = np.roll(self.texels, -(len(samples) % slots), axis=0)
        first = (self.slot + 1 - written) % slots
        return Packed(self.texels, first, tuple(rows), tuple(inks))

    def prepare(self, samples: Samples, agents: int) -> Placed:
        """Take note of a step before those that are drawn. samples: of the first of all agents."""
        placed = self._place(samples)
        self.ink.see(placed.places, placed.began, samples.first, agents)
        self.ink.renew()
        return placed

    def _place(self, samples: Samples) -> Placed:
        """The next step's places, and where runs begin."""
        n, first = len(samples), samples.first
        count, self._count = self._count, n
        restart = self.step >= LAST_STEP
        self.step = 0 if restart else self.step + 1
        self.kept = 1 if restart else self.kept + 1
        expected = self._source_step + 1
        self._source_step = expected if samples.step is None else samples.step
        with np.errstate(over="ignore"):  # beyond float32 is not finite either
            positions = np.array(self.frame.samples(samples.positions), dtype=np.float32)
        finite = np.isfinite(positions)
        all_valid = bool(finite.all())
        valid = None
        if all_valid and self._all_valid:
            began = first.copy()
        else:
            valid = np.asarray(finite.all(axis=1))
            began = np.logical_or(first, valid != self._valid[:n])
            self._valid[:n] = valid
            self._all_valid = bool(self._valid.all())
        if restart:
            began[:] = True
            self._began[:], self._breaks[:] = False, 0  # slots leap; nothing older is drawn
        if self._source_step != expected:
            began[:] = True
        began[count:] = True
        turns = self._turns(positions, ~began) if self._wraps else None
        over_edge = None if turns is None else np.asarray(turns.any(axis=1))
        if over_edge is not None:
            began |= over_edge
        self._breaks -= self._began[(self.slot - self.trail) % self.layout.slots]
        self._began[self.slot] = False
        self._began[self.slot, :n] = began
        self._breaks[:n] += began
        return Placed(positions, None if all_valid else valid, began, turns, over_edge)

    def _pack(self, samples: Samples, texels: NDArray[np.float32]) -> Row:
        """Fill one step's texels, (rows * columns, 4)."""
        n, first = len(samples), samples.first
        positions, valid, began, turns, over_edge = self._place(samples)
        age = self._age[:n]
        age += 1
        age[began] = 0
        continues = self._continues[:n]
        continues[began] = SAME_EPISODE
        continues[first] = 0

        bits, history = self.mode_bits, self._modes[:n]
        history <<= bits.each
        modes = samples.modes.astype(np.int32)
        history |= modes if self.modes <= bits.known else np.minimum(modes, bits.known - 1)
        if bits.margins and MARGIN in samples.columns:
            history |= np.multiply(samples.columns[MARGIN] < 0.0, bits.known, dtype=np.int32)
        history &= bits.in_texel
        words = np.minimum(age, LONGEST_AGE)
        if over_edge is not None:
            words[over_edge] = OVER_EDGE
        words |= continues
        words <<= 18
        words |= history
        if valid is not None:
            self.invalid_seen = True
            positions = np.where(valid[:, None], positions, np.float32(0.0))
            words[~valid] |= UNDRAWN
        if samples.headings is not None:
            angles = np.where(np.isfinite(samples.headings), samples.headings, 0.0)
            if np.abs(angles).max(initial=0.0) > MANY_TURNS:  # whose 256ths exceed int32
                angles = np.fmod(angles, 2 * np.pi)
            headings = np.rint(angles * (HEADINGS / (2 * np.pi))).astype(np.int32)
            words |= (headings & (HEADINGS - 1)) << 10
        x, y, t, s = self.channels
        mine = texels[:n]
        mine[:, x], mine[:, y] = positions[:, 0], positions[:, 1]
        mine[:, t] = float_bits(words)
        mine[:, s] = self.step + 1
        mine[began, s] = -(self.step + 1)
        texels[n:] = 0.0
        row = Row(self.step, positions, words, began, bits, turns)
        self.ink.see(row.places, began, row.episode_begins)
        return row

    def reframe(self, frame: Frame) -> None:
        """Continue in a scene that shows another part of the plane."""
        move = frame.moved_from(self.frame)
        self._last = move(self._last).astype(np.float32)
        self.ink.move(move)
        self._take_frame(frame)

    def _take_frame(self, frame: Frame) -> None:
        self.frame, self._wraps = frame, any(frame.periodic)
        # In float32 as in shaders, so that both find the same lines across an edge.
        self._periods = np.array(frame.periods, dtype=np.float32)

    def _turns(self, positions: NDArray[np.float32], joined: NDArray[np.bool_]) -> NDArray[np.int8]:
        """As `Row.turns`, for agents that are joined to their previous sample."""
        n = len(positions)
        joined = joined & self._valid[:n]  # else both are invalid
        with np.errstate(invalid="ignore"):
            apart = positions - self._last[:n]  # from the previous sample
            far = np.abs(apart) > np.float32(0.5) * self._periods
            turns = np.sign(apart) * (far & (self._periods > 0.0) & joined[:, None])
        self._last[:n] = positions
        return np.nan_to_num(turns).astype(np.int8)

    def runs(self, scrub: int = 0) -> int:
        """Most runs of any drawn agent's trail, seen `scrub` steps back: a trail's strip must have
        room for them."""
        if scrub == 0:
            most = self._breaks.max(initial=0)
        else:
            slots = (self.step - scrub - np.arange(self.trail)) % self.layout.slots
            most = self._began[slots].sum(axis=0).max(initial=0)
        return min(int(most) + 1, MOST_RUNS)
