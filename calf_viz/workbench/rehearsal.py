"""Checks a look without a driver, so that problems with its files or values are reported before a
window or a context is opened."""

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
from calf_viz.workbench.look import AppliedLook, set_controls

log = logging.getLogger("calf_viz")


class Rehearsal(Reloading):
    """Takes a look as a host does, but draws nothing. Raises ShaderError as `Programs`."""

    background = (0.0, 0.0, 0.0)

    def __init__(self, library: ShaderLibrary, programs: Iterable[str]) -> None:
        self.programs, self.controls = Programs(library, lambda source: source), ControlValues()
        for name in programs:
            self.programs[name]
        self.controls.adopt(self.programs.controls)

    def set_colour_map(self, colour_map: NDArray[np.uint8]) -> None:
        """Nothing to do."""

    def _use(self, names: set[str]) -> None:
        pass


class _NotThisThread(logging.Filter):
    """Drops only messages of this thread, where disabling the log would affect all threads."""

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
    """Check one or two looks with the assignments of `--set`.

    Raises UserError as a host would, except for errors that only a driver can find.
    """
    names = tuple(programs)
    quiet = _NotThisThread()  # notes are logged when the looks are applied
    log.addFilter(quiet)
    try:
        looks = [
            None if library is None else AppliedLook(Rehearsal(library, names), chosen)
            for library in (first, second)
        ]
        assert looks[0] is not None
        set_controls(assignments, looks[0], looks[1])
    finally:
        log.removeFilter(quiet)
