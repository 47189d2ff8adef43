"""A look tried on without a driver: what is wrong with its files or values is told before a window
or a context is opened."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from threading import get_ident

import numpy as np
from numpy.typing import NDArray

from calf_viz.glsl.controls import ControlValues
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.programs import Programs
from calf_viz.hosts.reloading import Reloading
from calf_viz.scene.colours import ColourMap
from calf_viz.workbench.look import WornLook, set_controls

log = logging.getLogger("calf_viz")


class Rehearsal(Reloading):
    """Wears a look as a host does, and draws nothing. Raises ShaderError as `Programs`."""

    background = (0.0, 0.0, 0.0)

    def __init__(self, library: ShaderLibrary, programs: Iterable[str]) -> None:
        self.programs, self.controls = Programs(library, lambda source: source), ControlValues()
        for name in programs:
            self.programs[name]
        self.controls.adopt(self.programs.controls)

    def set_colour_map(self, colour_map: NDArray[np.uint8]) -> None:
        """There is nothing to be coloured."""

    def _use(self, names: set[str]) -> None:
        pass


class _NotThisThread(logging.Filter):
    """Lets through what other threads log: switching the log off would be for all of them."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        return record.thread != self._thread


def rehearse(
    programs: Iterable[str],
    first: ShaderLibrary,
    second: ShaderLibrary | None,
    assignments: Iterable[str],
    chosen: ColourMap | None,
) -> None:
    """Try on one look or two with the values that follow `--set`.

    Raises UserError as a host would that wears them, but for what only a driver knows.
    """
    names = tuple(programs)
    quiet = _NotThisThread()  # notes are told when the looks are worn
    log.addFilter(quiet)
    try:
        worn = [
            None if library is None else WornLook(Rehearsal(library, names), chosen)
            for library in (first, second)
        ]
        assert worn[0] is not None
        set_controls(assignments, worn[0], worn[1])
    finally:
        log.removeFilter(quiet)
