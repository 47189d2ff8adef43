"""The shaders' controls as sliders, switches, choices and colours under the mouse.

name        ----o-----   1.25       a slider: press or drag
name              (  o)   on        a switch: press
name         <  lines  >            a choice: press its left or right half
name        --o- -o-- o---  []      a colour: red, green and blue
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from calf_viz.glsl.controls import Control, ControlValues
from calf_viz.hud import theme
from calf_viz.hud.canvas import Canvas
from calf_viz.hud.layout import BOTTOM_RIGHT, Anchor, Rect
from calf_viz.hud.widgets import Values, Widget, backing, baseline_of
from calf_viz.scene.paint import Paint, Shade, packed

COMPONENTS = (0xE5484D, 0x46A758, 0x3E8EDE)
"""Red, green and blue of a colour's sliders."""


class Part(NamedTuple):
    """The area where a control takes the mouse; `component` of a colour, else 0."""

    rect: Rect
    name: str
    component: int


@dataclass
class ControlPanel(Widget):
    """As many controls as fit, in the order of their declaration."""

    controls: ControlValues
    name: str = "controls"
    title: str = "look"
    hint: str = ""
    """Text beside the title, such as how to save."""
    look: str = ""
    """Letter of the look, of two, that they belong to; shown while the key `looks` contains it."""
    anchor: Anchor = BOTTOM_RIGHT
    share = (0.6, 0.6)
    anyway = 0.15
    columns: int = 68
    """Width in units."""
    parts: list[Part] = field(default_factory=list, repr=False)
    _shown: list[Control] = field(default_factory=list, repr=False)
    _held: Part | None = field(default=None, repr=False)

    def measure(
        self, canvas: Canvas, values: Values, room: tuple[int, int]
    ) -> tuple[int, int] | None:
        if self.look not in values.get("looks", self.look):
            return None
        unit, row = canvas.metrics.unit, self._row(canvas)
        fit = (room[1] - 5 * unit) // row - 1
        every = list(self.controls.controls.values())
        # The last line says how many are not shown.
        self._shown = every if len(every) <= fit else every[: max(fit - 1, 0)]
        self.parts = []
        lines = 1 + len(self._shown) + (len(every) > len(self._shown))
        extent = self.columns * unit, lines * row + 5 * unit
        return extent if self._shown and extent[0] <= room[0] else None

    @property
    def fitted(self) -> Sequence[str]:
        return ("looks",)

    def _row(self, canvas: Canvas) -> int:
        return max(6 * canvas.metrics.unit, canvas.face("body").height)

    def draw(self, canvas: Canvas, values: Values, rect: Rect) -> None:
        unit, row = canvas.metrics.unit, self._row(canvas)
        backing(canvas, rect)
        left, right, y = rect.x + 3 * unit, rect.right - 3 * unit, rect.y + 2 * unit
        baseline = baseline_of(canvas, "title", y, row)
        canvas.label(self.title, "title", left, baseline, theme.BRIGHT, right - left)
        canvas.label(self.hint, "small", right, baseline, theme.QUIET, 40 * unit, "right")
        y += unit
        for control in self._shown:
            y += row
            self._draw_control(canvas, control, Rect(left, y, right - left, row))
        more = len(self.controls.controls) - len(self._shown)
        if more:
            baseline = baseline_of(canvas, "small", y + row, row)
            canvas.label(f"and {more} more", "small", left, baseline, theme.QUIET, right - left)

    def _draw_control(self, canvas: Canvas, control: Control, rect: Rect) -> None:
        unit = canvas.metrics.unit
        baseline = baseline_of(canvas, "body", rect.y, rect.height)
        canvas.label(control.label, "body", rect.x, baseline, theme.QUIET, 22 * unit)
        value = self.controls.values[control.name]
        text, x = control.text(value), rect.x + 24 * unit
        rest, track = rect.right - x, Rect(x, rect.y, 24 * unit, rect.height)
        if control.kind == "choice":
            self._choice(canvas, control, track._replace(width=rest), text)
            return
        if isinstance(value, tuple):
            self._colour(canvas, control, track._replace(width=rest), value)
            return
        if control.kind == "toggle":
            self._switch(canvas, control, track, bool(value))
        else:
            self._slider(canvas, control, track, float(value), 0)
        room = rect.right - track.right - 2 * unit
        canvas.label(text, "body", rect.right, baseline, theme.BRIGHT, room, "right")

    def _slider(
        self,
        canvas: Canvas,
        control: Control,
        track: Rect,
        value: float,
        component: int,
        colour: Shade = theme.ACCENT,
    ) -> None:
        unit, middle = canvas.metrics.unit, track.y + track.height // 2
        part = (value - control.low) / (control.high - control.low)
        knob = track.x + round(part * (track.width - 3 * unit)) + 3 * unit // 2
        groove = Rect(track.x, middle - unit // 2, track.width, unit)
        canvas.rectangle(groove, theme.GROOVE, 0.5 * unit)
        filled = Rect(track.x, groove.y, knob - track.x, unit)
        canvas.rectangle(filled, Paint(colour, 0.9), 0.5 * unit)
        radius = 3 * unit // 2
        place = Rect(knob - radius, middle - radius, 2 * radius, 2 * radius)
        canvas.rectangle(place, Paint(theme.BRIGHT), radius)
        self.parts.append(Part(track, control.name, component))

    def _switch(self, canvas: Canvas, control: Control, track: Rect, on: bool) -> None:
        unit, middle = canvas.metrics.unit, track.y + track.height // 2
        body = Rect(track.x, middle - 3 * unit // 2, 7 * unit, 3 * unit)
        canvas.rectangle(body, Paint(theme.ACCENT, 0.9) if on else theme.GROOVE, 1.5 * unit)
        knob = body.right - 3 * unit if on else body.x
        place = Rect(knob + unit // 4, body.y + unit // 4, 5 * unit // 2, 5 * unit // 2)
        canvas.rectangle(place, Paint(theme.BRIGHT), 1.25 * unit)
        self.parts.append(Part(track, control.name, 0))

    def _choice(self, canvas: Canvas, control: Control, rect: Rect, text: str) -> None:
        unit = canvas.metrics.unit
        inner = Rect(rect.x, rect.y + unit // 2, rect.width, rect.height - unit)
        canvas.rectangle(inner, theme.GROOVE, unit)
        baseline = baseline_of(canvas, "body", rect.y, rect.height)
        middle = rect.x + rect.width // 2
        canvas.label("<", "body", rect.x + unit, baseline, theme.QUIET, 4 * unit)
        canvas.label(">", "body", rect.right - unit, baseline, theme.QUIET, 4 * unit, "right")
        room = rect.width - 8 * unit
        canvas.label(text, "body", middle, baseline, theme.BRIGHT, room, "centre")
        half = rect.width // 2
        left = Rect(rect.x, rect.y, half, rect.height)
        right = Rect(rect.x + half, rect.y, rect.width - half, rect.height)
        self.parts += [Part(left, control.name, -1), Part(right, control.name, 1)]

    def _colour(
        self, canvas: Canvas, control: Control, rect: Rect, value: tuple[float, float, float]
    ) -> None:
        unit = canvas.metrics.unit
        swatch = Rect(rect.right - 4 * unit, rect.y + unit, 4 * unit, rect.height - 2 * unit)
        canvas.rectangle(swatch, Paint(packed(value), border=1.0, border_colour=theme.QUIET), unit)
        each = (swatch.x - rect.x - 2 * unit) // 3
        for component, (part, colour) in enumerate(zip(value, COMPONENTS, strict=True)):
            track = Rect(rect.x + component * each, rect.y, each - unit, rect.height)
            self._slider(canvas, control, track, part, component, colour)

    def update(self, canvas: Canvas, values: Values) -> None:
        """Nothing to do: texts change together with shapes, by a new layout."""

    def press(self, x: float, y: float) -> None:
        """The mouse went down at a pixel."""
        self._held = next((part for part in self.parts if part.rect.holds(x, y)), None)
        if self._held is None:
            return
        control = self.controls.controls[self._held.name]
        value = self.controls.values[control.name]
        if isinstance(value, tuple) or control.kind == "slider":
            self.drag(x, y)
        elif control.kind == "toggle":
            self.controls.set(control.name, 1 - round(value))
        else:
            chosen = (round(value) + self._held.component) % len(control.words)
            self.controls.set(control.name, chosen)

    def drag(self, x: float, y: float) -> None:
        """The mouse moved, still down."""
        held = self._held
        control = self.controls.controls.get(held.name) if held is not None else None
        if held is None or control is None:  # a reload removed it
            return
        inside = 0.5 * held.rect.height  # about a knob's width, which the groove's ends leave free
        part = (x - held.rect.x - 0.5 * inside) / max(held.rect.width - inside, 1.0)
        part = min(max(part, 0.0), 1.0)
        value = self.controls.values[control.name]
        if isinstance(value, tuple):
            red, green, blue = (
                round(255 * part) / 255 if component == held.component else old
                for component, old in enumerate(value)
            )
            self.controls.set(control.name, (red, green, blue))
        elif control.kind == "slider":
            wanted = control.low + part * (control.high - control.low)
            self.controls.set(control.name, control.nearest(wanted))

    def release(self) -> None:
        """The mouse went up."""
        self._held = None
