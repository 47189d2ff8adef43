"""The HUD over the scene: laid out for the picture's size, and changed in place.

values ──update()──▶ texts ──prepare()──▶ two batches of texels ──host──▶ one draw
                                ▲
      size, camera, surface ────┘
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from calf_viz.heightfield import Heightfield
from calf_viz.hud.atlas import atlas
from calf_viz.hud.axes import Axes
from calf_viz.hud.canvas import Canvas
from calf_viz.hud.layout import Anchor, Metrics, Rect, place
from calf_viz.hud.value_axis import ValueAxis
from calf_viz.hud.widgets import ColourBar, Widget
from calf_viz.scene.scene import Scene
from calf_viz.value_scale import LINEAR, Scale

COVERED = 0.25
"""Most of the picture that widgets cover together: those that come first have precedence."""
NARROWER = 0.83
"""Fraction of its width that a widget is tried in if there is little left of that."""
STACKED = 0.75
"""Most of the picture's height that widgets at one edge take together."""


class Hud:
    """Widgets at the picture's edges, the plane's axes, and that of the surface's value.

    Attributes:
        visible: whether hosts draw it.
        canvas: the batches that hosts draw, and their atlas.
        placed: rectangle of each widget that fits, by name.
    """

    def __init__(
        self,
        widgets: Sequence[Widget],
        axes: Axes | None = None,
        value_axis: ValueAxis | None = None,
    ) -> None:
        self.widgets, self.axes, self.value_axis = list(widgets), axes, value_axis
        self.visible = True
        self.values: dict[str, str] = {}
        self.placed: dict[str, Rect] = {}
        self._marks: list[Rect] = []
        self._value_marks: list[Rect] = []
        metrics = Metrics(1.0)
        self.canvas = Canvas(metrics, atlas(metrics.sizes))
        self._size = (0, 0)
        self._factor = 1.0
        self._panels_end = self._edges_end = self.canvas.mark
        self._new_layout = self._new_texts = True
        self._matrix: NDArray[np.float32] | None = None
        self._levels: Heightfield | None = None
        self._seen: tuple[object, ...] = ()
        self._scale: Scale | None = None  # for which widgets are arranged
        self._drawn_scale: Scale | None = None
        self._rearranged = True
        self._panels: tuple[Rect, ...] | None = None  # those of the layout, cached
        self._pressed: Widget | None = None

    def add(self, widget: Widget, first: bool = False, before: str = "") -> None:
        """Add a widget: beyond those at its edge, if there is room; or before all others, or before
        the one named, which then get the remaining room."""
        names = [other.name for other in self.widgets]
        last = names.index(before) if before in names else len(names)
        self.widgets.insert(0 if first else last, widget)
        self._new_layout = True

    def redraw(self) -> None:
        """Redo the layout for the next frame, when something other than a text changed."""
        self._new_layout = True

    def dress(self, scene: Scene) -> None:
        """Draw in the colours that the scene has now."""
        drawn, colours = scene.swatches, scene.mode_colours
        ramp: tuple[int, ...] = ()
        if drawn is not None:
            alone = self.values.get("coloured") == "markers"
            colours, ramp = drawn.markers if alone else drawn.trails, drawn.ramp
        self._new_layout |= self.canvas.dress(scene.theme, colours, ramp)

    def update(self, **texts: str | None) -> None:
        """Set texts by the widgets' keys; None: nothing to show."""
        for key, text in texts.items():
            old = self.values.get(key)
            if text == old:
                continue
            if text is None:
                del self.values[key]
            else:
                self.values[key] = text
            self._new_texts = True
            self._new_layout |= text is None or old is None or self._fits(key)

    def _fits(self, key: str) -> bool:
        """Whether no widget needs another size for the new text."""
        return any(key in widget.fitted for widget in self.widgets)

    def prepare(
        self,
        scene: Scene,
        levels: Heightfield,
        scale: Scale = LINEAR,
        shown: Scale | None = None,
    ) -> None:
        """Update the batches for a frame of this scene. Called by hosts before each frame.

        levels: of the surface, its drawn heights from 0 to 1. scale: its values at these. shown:
        the same in the current state of a morph to that surface; None if there is none.
        """
        shown = shown or scale
        width, height = scene.size
        self._arrange(scene, shown)
        matrix = scene.camera.view_projection(width / height)  # the same object while still
        grounds = scene.background, scene.second_ground
        seen = scene.size, scene.hud_scale, scene.height_scale, scene.frame, scale, grounds
        moved = matrix is not self._matrix or levels is not self._levels or seen != self._seen
        if moved:
            self._matrix, self._levels, self._seen = matrix, levels, seen
        moved |= self._rearranged
        new_scale, self._drawn_scale = shown != self._drawn_scale, shown
        if moved:
            self._draw_edges(scene, levels, scale)
        if moved or new_scale:
            self._draw_scale(scene, shown)
        self._rearranged = False

    def panels(self, scene: Scene, shown: Scale) -> tuple[Rect, ...]:
        """Rectangles of the widgets in the scene's next frame, with a margin; without those that
        come and go. shown: as for `prepare`."""
        self._arrange(scene, shown)
        if self._panels is None:
            gap = self.canvas.metrics.unit
            lasting = (each for each in self.widgets if not (each.urgent or each.passing))
            found = (self.placed[each.name] for each in lasting if each.name in self.placed)
            self._panels = tuple(rect.grown(gap) for rect in found)
        return self._panels

    def _arrange(self, scene: Scene, shown: Scale) -> None:
        """Lay out what changed, for the next frame."""
        size, factor = scene.size, scene.hud_scale
        self._new_layout |= size != self._size or factor != self._factor
        self._size, self._factor = size, factor
        self.dress(scene)
        if shown != self._scale:
            self._scale = shown
            for widget in self.widgets:
                self._new_layout |= widget.rescale(self.canvas, shown)
        if self._new_layout:
            self._lay_out()
            self._rearranged, self._panels = True, None
        elif self._new_texts:
            for widget in self.widgets:
                if widget.name in self.placed:
                    widget.update(self.canvas, self.values)
        self._new_layout = self._new_texts = False

    def _draw_edges(self, scene: Scene, levels: Heightfield, scale: Scale) -> None:
        self.canvas.back_to(self._panels_end)
        taken = list(self.placed.values())
        ticks = [] if self.axes is None else self.axes.place(self.canvas, scene, levels)
        if self.value_axis is not None:
            self.value_axis.others = ticks
            ticked = None if self.axes is None else self.axes.ticked(self.canvas, scene, levels)
            self.value_axis.edges = ticked
            taken += self.value_axis.stand(self.canvas, scene, levels, scale, taken)
        if self.axes is not None:
            self._marks = self.axes.draw(self.canvas, scene, levels, taken)
        self._edges_end = self.canvas.mark

    def _draw_scale(self, scene: Scene, shown: Scale) -> None:
        """Draw what follows the scale: it changes in each frame of a morph."""
        self.canvas.back_to(self._edges_end)
        if self.value_axis is not None:
            taken = [*self.placed.values(), *self._marks]
            self._value_marks = self.value_axis.draw(self.canvas, scene, shown, taken)
        for widget in self.widgets:
            if widget.name in self.placed:
                widget.draw_scale(self.canvas)

    def _lay_out(self) -> None:
        metrics = Metrics.fit(self._size, self.canvas.theme.stroke, self._factor)
        self.canvas.begin(metrics, atlas(metrics.sizes))
        self._place(4 * metrics.unit, 2 * metrics.unit)
        for widget in self.widgets:
            if widget.name in self.placed:
                widget.draw(self.canvas, self.values, self.placed[widget.name])
        self._panels_end = self.canvas.mark
        if self.value_axis is not None:
            bars = (w for w in self.widgets if isinstance(w, ColourBar) and w.name in self.placed)
            self.value_axis.share(next(bars, None))

    def _place(self, margin: int, gap: int) -> None:
        """Place each widget that has room; then the urgent ones, wherever they fit."""
        stacked: dict[Anchor, int] = defaultdict(int)
        self.placed = {}
        for widget in sorted(self.widgets, key=lambda widget: widget.urgent):
            anchor = widget.anchor
            opposite = anchor._replace(bottom=not anchor.bottom)
            room = self._room(widget, margin, stacked[anchor], stacked[opposite])
            extent = self._measured(widget, room)
            if extent is None:
                continue
            rect = place(extent, anchor, self._size, margin, stacked[anchor])
            if widget.urgent:
                rect = self._beside(rect, gap) or self._room_below(rect, margin, gap) or rect
            for other in self._overlapped(rect, gap):
                if not widget.urgent:
                    break
                del self.placed[other]
            else:
                self.placed[widget.name] = rect
                stacked[anchor] += rect.height + gap

    def _measured(self, widget: Widget, room: tuple[int, int]) -> tuple[int, int] | None:
        """The extent of a widget that leaves enough of the scene visible, too."""
        wide = widget.measure(self.canvas, self.values, room)
        if wide is None or widget.urgent:
            return wide
        whole = self._size[0] * self._size[1]
        covered = sum(rect.width * rect.height for rect in self.placed.values())
        left = max(int(COVERED * whole) - covered, 0)
        if wide[0] * wide[1] <= left:
            return wide
        for most in (left, int(widget.anyway * whole)):
            for part in (1.0, NARROWER):
                across = round(part * wide[0])
                lower = across, min(room[1], most // across)
                extent = widget.measure(self.canvas, self.values, lower)
                if extent is not None and extent[0] * extent[1] <= most:
                    return extent
        return None

    def _overlapped(self, rect: Rect, gap: int) -> list[str]:
        return [name for name, other in self.placed.items() if rect.overlaps(other, gap)]

    def _beside(self, rect: Rect, gap: int) -> Rect | None:
        """The rectangle, moved right past what is in its way, if it stays clear of the rest."""
        x = max((self.placed[name].right + gap for name in self._overlapped(rect, gap)), default=0)
        rect = rect._replace(x=max(rect.x, x))
        clear = not self._overlapped(rect, gap) and rect.within(self._size, gap)
        return rect if clear else None

    def _room_below(self, rect: Rect, margin: int, gap: int) -> Rect | None:
        """The rectangle, moved down past what is in its way; None if it leaves the picture."""
        while overlapped := self._overlapped(rect, gap):
            below = max(self.placed[name].bottom for name in overlapped) + gap
            rect = rect._replace(y=below)
        return rect if rect.within(self._size, margin) else None

    def _room(self, widget: Widget, margin: int, stacked: int, opposite: int) -> tuple[int, int]:
        """Room for a widget beyond those at its edge, and clear of those opposite on its side."""
        width, height = (
            min(round(part * side), side - 2 * margin)
            for part, side in zip(widget.share, self._size, strict=True)
        )
        free = self._size[1] - 2 * margin - opposite
        together = max(height, round(STACKED * self._size[1]))
        return width, min(height, min(together, free) - stacked)

    def hit(self, x: float, y: float) -> str | None:
        """The widget at a pixel of the picture that captures the mouse there, by name."""
        if not self.visible:
            return None
        captures = {widget.name for widget in self.widgets if widget.captures}
        found = (n for n, rect in self.placed.items() if n in captures and rect.holds(x, y))
        return next(found, None)

    def press(self, x: float, y: float) -> None:
        """The mouse went down: the widget there captures it until it goes up."""
        name = self.hit(x, y)
        self._pressed = next((w for w in self.widgets if w.name == name), None)
        if self._pressed is not None:
            self._pressed.press(x, y)

    def drag(self, x: float, y: float) -> None:
        """The mouse moved, pressed."""
        if self._pressed is not None:
            self._pressed.drag(x, y)

    def release(self) -> None:
        """The mouse went up."""
        if self._pressed is not None:
            self._pressed.release()
        self._pressed = None

    def foot(self) -> int:
        """Pixels at the picture's foot taken by the keys and by ticks."""
        keys = self.placed.get("keys")
        above = self._size[1] - keys.y if keys is not None else 0
        own = self.axes.depth(self.canvas) if self.axes is not None else 0
        return above + own

    def rectangles(self) -> list[Rect]:
        """Rectangles of all widgets and all texts of the axes."""
        return [*self.placed.values(), *self._marks, *self._value_marks]
