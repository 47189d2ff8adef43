"""The newest steps of a source that cannot be asked for them again."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from calf_viz.samples import Samples

MOST_BYTES = 64 << 20
"""Memory for them; further back, the ring on the GPU still has positions, but no text says more."""


class Past:
    """Copies of samples, as far back as the ring reaches, if they fit."""

    def __init__(self, steps: int) -> None:
        """steps: most that are kept."""
        self._kept: deque[Samples] = deque(maxlen=max(steps, 1))
        self._bytes = 0

    def see(self, found: Sequence[Samples]) -> None:
        """Take note of steps."""
        for samples in found[-(self._kept.maxlen or 1) :]:
            self._bytes += _size(samples)
            if len(self._kept) == self._kept.maxlen:
                self._drop()
            self._kept.append(_copied(samples))
            while self._bytes > MOST_BYTES and len(self._kept) > 1:
                self._drop()

    def _drop(self) -> None:
        self._bytes -= _size(self._kept.popleft())

    def back(self, steps: int) -> Samples | None:
        """The samples of so many steps before the newest; None if they are not kept."""
        return self._kept[-1 - steps] if 0 <= steps < len(self._kept) else None

    def forget(self) -> None:
        """The source starts over."""
        self._kept.clear()
        self._bytes = 0


def _size(samples: Samples) -> int:
    return samples.positions.nbytes + samples.modes.nbytes + samples.first.nbytes


def _copied(samples: Samples) -> Samples:
    """Without what texts do not need; the source may use its arrays again."""
    return Samples(
        samples.positions.copy(), samples.modes.copy(), samples.first.copy(), step=samples.step
    )
