"""The samples of the last frames, by column, while they are being recorded."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Mapping

import numpy as np

from calf_viz.profiling.run import Column, Run

NAN = float("nan")
MOST_FRAMES = 20_000
"""Frames kept: five minutes at 60 a second, some 4 MB; older ones are dropped."""


class FrameLog:
    """Columns of doubles that grow by one row per frame; a new column starts with zeros."""

    def __init__(self, most: int = MOST_FRAMES) -> None:
        self.most = most
        self.number = array("q")
        self.start, self.duration, self.gpu = array("d"), array("d"), array("d")
        self.total: dict[str, array[float]] = {}
        self.own: dict[str, array[float]] = {}
        self.counts: dict[str, array[float]] = {}

    def __len__(self) -> int:
        return len(self.duration)

    def append(
        self,
        number: int,
        start: float,
        duration: float,
        total: Mapping[str, float],
        own: Mapping[str, float],
        counts: Mapping[str, float],
    ) -> None:
        """Add one frame with a number above the last one's: its start, the duration of the frame
        and its sections [s], and its counts."""
        for columns, row in ((self.total, total), (self.own, own), (self.counts, counts)):
            for name in row:
                if name not in columns:
                    columns[name] = array("d", bytes(8 * len(self)))
            for name, column in columns.items():
                column.append(row.get(name, 0.0))
        self.number.append(number)
        self.start.append(start)
        self.duration.append(duration)
        self.gpu.append(NAN)
        # In batches, as each deletion moves the rest.
        if len(self) > self.most + self.most // 4 + 1:
            self._forget(len(self) - self.most)

    def _forget(self, frames: int) -> None:
        del self.number[:frames]
        named = [*self.total.values(), *self.own.values(), *self.counts.values()]
        for column in (self.start, self.duration, self.gpu, *named):
            del column[:frames]

    def set_gpu(self, number: int, seconds: float) -> None:
        """Set the GPU time of an earlier frame; ignored if the frame has been dropped."""
        row = bisect_left(self.number, number)
        if row < len(self) and self.number[row] == number:
            self.gpu[row] = seconds

    def run(self, last: int | None = None) -> Run:
        """A copy of the last `last` frames, or of all that are kept."""
        most = self.most if last is None else min(last, self.most)

        def column(values: array[float], scale: float = 1.0) -> Column:
            return np.array(values[max(len(values) - most, 0) :], dtype=np.float64) * scale

        return Run(
            start_s=column(self.start),
            frame_ms=column(self.duration, 1e3),
            sections_ms={name: column(values, 1e3) for name, values in self.total.items()},
            own_ms={name: column(values, 1e3) for name, values in self.own.items()},
            counters={name: column(values) for name, values in self.counts.items()},
            gpu_ms=column(self.gpu, 1e3),
        )
