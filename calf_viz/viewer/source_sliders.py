"""A source's numbers as sliders in a window."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from calf_viz.glsl.controls import Control, ControlValues
from calf_viz.hud.control_panel import ControlPanel

if TYPE_CHECKING:
    from calf_viz.hud.hud import Hud
    from calf_viz.sources.base import Slider
    from calf_viz.viewer.feed import Feed


class SourceSliders:
    """The panel of a source that is `Adjustable`, if there is a mouse to use it."""

    def __init__(self, feed: Feed, hud: Hud | None, has_window: bool) -> None:
        self._feed, self._values = feed, ControlValues()
        sliders = feed.sliders() if hud is not None and has_window else ()
        self._values.adopt({slider.name: _control(slider) for slider in sliders})
        self._known = dict(self._values.values)
        if hud is not None and sliders:
            hud.add(ControlPanel(self._values, "sliders", "surface at"), before="keys")

    def poll(self) -> None:
        """Called before each frame: tell the source what was moved."""
        for name, value in self._values.values.items():
            if value != self._known[name] and not isinstance(value, tuple):
                self._feed.slide(name, float(value))
                self._known[name] = value


def _control(slider: Slider) -> Control:
    """Its steps are of a round number, a hundredth to a thousandth of its range."""
    name, label, low, high, value = slider
    step = 10.0 ** (math.floor(math.log10(high - low)) - 2) if high > low else 0.0
    return Control(name, "float", "slider", label, value, low, high, step)
