"""A source's numbers as sliders in a window."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from calf_viz.glsl.controls import Control, ControlValues, Value
from calf_viz.hud.control_panel import ControlPanel

if TYPE_CHECKING:
    from calf_viz.hud.hud import Hud
    from calf_viz.sources.base import Slider
    from calf_viz.viewer.feed import Feed


ASK_EVERY = 60
"""Frames between looks at whether the source has other sliders."""


class SourceSliders:
    """The panel of a source that is `Adjustable`, if there is a mouse to use it."""

    def __init__(self, feed: Feed, hud: Hud | None, has_window: bool) -> None:
        self._feed, self._values = feed, ControlValues()
        self._hud = hud if has_window and feed.adjustable else None
        self._known: dict[str, Value] = {}
        self._shown, self._frames = False, 0
        self._ask()

    def _ask(self) -> None:
        """Take the sliders that the source has now."""
        hud, values = self._hud, self._values
        found = {slider.name: _control(slider) for slider in self._feed.sliders()} if hud else {}
        ends = [(one.name, one.low, one.high) for one in found.values()]
        if hud is None or ends == [
            (one.name, one.low, one.high) for one in values.controls.values()
        ]:
            return  # values alone are those that were moved here
        values.adopt(found)
        self._known = dict(values.values)
        if not self._shown:
            hud.add(ControlPanel(values, "sliders", "surface at"), before="keys")
        self._shown = True
        hud.redraw()

    def poll(self) -> None:
        """Called before each frame: tell the source what was moved."""
        self._frames += 1
        if self._frames % ASK_EVERY == 0:
            self._ask()
        for name, value in self._values.values.items():
            if value != self._known[name] and not isinstance(value, tuple):
                self._feed.slide(name, float(value))
                self._known[name] = value


def _control(slider: Slider) -> Control:
    """Its steps are of a round number, a hundredth to a thousandth of its range."""
    name, label, low, high, value = slider
    step = 10.0 ** (math.floor(math.log10(high - low)) - 2) if high > low else 0.0
    return Control(name, "float", "slider", label, value, low, high, step)
