"""The legend's colours under a look: drawn by its shaders, once for each change of these."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calf_viz.glsl.problems import ShaderError
from calf_viz.glsl.programs import Programs, ProgramSource, swatch_source
from calf_viz.scene.scene import Scene
from calf_viz.scene.swatches import Swatches

DrawSwatches = Callable[[Any], NDArray[np.uint8]]
"""Draws the cells of `shaders/swatch.vert` with a compiled program; returns pixels as
`Swatches.of` reads them."""


class LegendColours:
    """Swatches of the look in force, found again when it, its controls or the palette change."""

    def __init__(self) -> None:
        self._drawn: ProgramSource | None = None
        self._program: Any = None
        self._seen: tuple[object, ...] = ()
        self._found: Swatches | None = None

    def of(
        self, programs: Programs, changes: int, scene: Scene, draw: DrawSwatches
    ) -> Swatches | None:
        """The swatches; None without a look, which has the palette's own colours.

        changes: number of changes of its controls.
        """
        if programs.library.overlay is None or (drawn := programs.scene) is None:
            return None
        if drawn is not self._drawn:
            self._drawn, self._seen = drawn, ()
            try:
                self._program = programs.compiler(swatch_source(programs.library, drawn))
            except ShaderError:  # it has other inputs, from a vertex shader of its own
                self._program = None
        if self._program is None:
            return None
        # Arrays are compared by identity: they are replaced as a whole.
        seen = changes, scene.theme.name, id(scene.mode_colours), scene.marker
        if seen != self._seen:
            self._seen = seen
            self._found = Swatches.of(draw(self._program), scene.mode_colours, scene.theme.ramp)
        return self._found
