"""One step's samples, read back from the ring's texels: what begins and what must not be drawn was
found out when they were packed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.render.ring import HEADINGS, INVALID


class Samples(NamedTuple):
    """One step of the n agents that are there."""

    step: int
    """Steps since the first; begins anew now and then."""
    positions: NDArray[np.float32]
    """(n, 2); 0 where they were not finite."""
    modes: NDArray[np.int32]
    """(n,); INVALID where the position was not finite."""
    headings: NDArray[np.float32]
    """(n,) [rad], in steps of a 256th of a turn."""
    begins: NDArray[np.bool_]
    """(n,): nothing leads here from the sample before."""

    @property
    def drawn(self) -> NDArray[np.bool_]:
        """(n,): whether there is anything to be drawn."""
        return self.modes != INVALID


def unpack(texels: NDArray[np.float32]) -> Samples:
    """The samples in texels (m, 4) of (x, y, third, stamp), as render/ring.py packs them."""
    stamps = texels[:, 3]
    n = int(np.count_nonzero(stamps))  # those that are not there have no stamp, and come last
    stamps = stamps[:n]
    words = texels[:n, 2].view(np.int32)
    turns = (words >> 10) & (HEADINGS - 1)
    return Samples(
        step=int(abs(stamps[0])) - 1 if n else 0,
        positions=texels[:n, :2].copy(),
        modes=words & 3,
        headings=turns.astype(np.float32) * np.float32(2 * np.pi / HEADINGS),
        begins=stamps < 0,
    )
