"""Writes pictures in a thread of its own, while the next ones are drawn."""

from __future__ import annotations

from pathlib import Path
from queue import Queue
from threading import Thread

import numpy as np
from numpy.typing import NDArray

from calf_viz.video.reel import Output

WAITING = 3
"""Pictures that wait at most: each has its memory."""


class Behind:
    """Passes pictures on to an output. As `Output`; what is raised there is raised here, by the
    next call."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._queue: Queue[NDArray[np.uint8] | None] = Queue(WAITING)
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, name="video", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (picture := self._queue.get()) is not None:
            if self._error is None:
                try:
                    self._output.write(picture)
                except BaseException as error:
                    self._error = error

    def write(self, picture: NDArray[np.uint8]) -> None:
        """As `Output`; it must not be written to from now on."""
        if self._error is not None:
            raise self._error
        self._queue.put(picture)

    def _join(self) -> None:
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def finish(self) -> list[Path]:
        """As `Output`."""
        self._join()
        if self._error is not None:
            raise self._error
        return self._output.finish()

    def give_up(self) -> Path | None:
        """As `Output`."""
        self._join()
        return self._output.give_up()
