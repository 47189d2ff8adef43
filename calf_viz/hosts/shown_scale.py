"""The scale that a host shows, in the course of a morph from one surface to the next."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calf_viz.scene.colours import ScaleMarks
from calf_viz.scene.height_texels import value_texels
from calf_viz.value_scale import Mixed, Scale, ValueScale, contour_marks, mixed


class ShownScale:
    """Each surface has its own scale, so that all fill the picture in the same way; a morph goes
    from one to the next.

    Attributes:
        current: the newest surface's.
        last: what was shown when it came.
    """

    def __init__(self) -> None:
        self.last = self.current = ValueScale()
        self._shown: ValueScale | Mixed = self.current
        self._part = 1.0
        self._marked: Scale | None = None

    def begin(self, scale: ValueScale, morph: float, first: bool) -> None:
        """A new surface's scale. morph: state of the previous one's morph. first: whether there is
        nothing to morph from."""
        now = self.at(morph)
        self.last = scale if first else now.kept if isinstance(now, Mixed) else now
        self.current = self._shown = scale
        self._part = 1.0
        self._marked = None

    def at(self, morph: float) -> ValueScale | Mixed:
        """The scale in a state of the morph; the same object as long as it stays."""
        if morph != self._part:
            self._part, self._shown = morph, mixed(self.last, self.current, morph)
        return self._shown

    def texels(self) -> NDArray[np.float32]:
        """Of `u_values`."""
        return value_texels(self.last, self.current)

    def new_marks(self, morph: float) -> ScaleMarks | None:
        """The marks on the palette; None if they are as they were at the last call. Contours have
        the current scale's values, so that in a morph they move rather than change."""
        now = self.at(morph)
        if now is self._marked:
            return None
        self._marked = now
        return ScaleMarks(contour_marks(now, self.current.contours), now.beyond)
