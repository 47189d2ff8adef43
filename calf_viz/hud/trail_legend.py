"""The legend of the trails' colours, if they do not show the mode: see `glsl.variants`.

trails: certified there          trails: age                  trails: speed [m/s]
▬ yes   ▬ no (margin: ≥ 0, < 0)  [dark ........ bright]       [dark ........ bright]
                                 6 s ago           now         0    1   2     5

Where a source leaves steps out, a trail's samples are not evenly apart: `earlier` and `now`, `slow`
and `fast` then stand in place of numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from calf_viz.glsl.variants import BY_MARGIN, CERTIFIED, RAMP_ROW, REFUSED, place_of_speed
from calf_viz.hud import numbers, theme
from calf_viz.hud.canvas import Canvas
from calf_viz.hud.layout import TOP_LEFT, Anchor, Rect
from calf_viz.hud.text import width
from calf_viz.hud.widgets import Values, Widget, backing, baseline_of, map_bar
from calf_viz.scene.paint import Paint, mode_tone

TITLES = {
    "BY_MODE": "as the modes",
    "BY_AGE": "age",
    "BY_SPEED": "speed",
    "BY_CERTIFICATE": "certified there",
    BY_MARGIN: "margin",
}
"""By value of TRAIL_COLOUR, and of margins of the steps' own."""
TWO: Mapping[str, tuple[str, str]] = {"BY_CERTIFICATE": ("yes", "no"), BY_MARGIN: ("≥ 0", "< 0")}
"""What two colours mean."""
APART = 0.16
"""Least fraction of the ramp between two of its numbers, and from the last to its end."""


def speed_unit(units: Sequence[str], timed: bool) -> str:
    """The unit of speed on a plane with axes in these units: m/s, or units/s if they have none in
    common; per step unless steps have a duration."""
    common = set(units)
    length = common.pop() if len(common) == 1 and all(common) else "units"
    return f"{length}/s" if timed else f"{length}/step"


def by_mode(values: Mapping[str, str | None]) -> str:
    """What has the colours of the modes, in all looks shown; values: as for the legend."""
    keys = {"A": "trails", "B": "trails_b"}
    shown = {values.get(keys[look]) for look in values.get("looks") or "A"}
    return "trails and markers" if shown == {"BY_MODE"} else "markers"


@dataclass
class TrailLegend(Widget):
    """Shown while the key `trails` has a value of TRAIL_COLOUR; `trails_b` is a second look's.

    With two looks, those shown (the key `looks`); a single legend if both mean the same.
    """

    duration: float
    """Seconds that a trail reaches back, or steps if those have no duration."""
    crossing: float
    """Speed of an agent that crosses the plane's width in one step."""
    unit: str
    """Unit of speed."""
    timed: bool = True
    """Whether steps have a duration."""
    even: bool = True
    """Whether all samples are one step apart; else ages and speeds have no numbers."""
    name: str = "trails"
    anchor: Anchor = TOP_LEFT
    columns: int = 44
    """Width in units."""
    share = (0.45, 0.75)
    _sections: list[tuple[str, str]] = field(default_factory=list, repr=False)

    @property
    def fitted(self) -> Sequence[str]:
        return "trails", "trails_b", "looks"

    def measure(
        self, canvas: Canvas, values: Values, room: tuple[int, int]
    ) -> tuple[int, int] | None:
        self._sections = list(self._shown(values))
        extent = self.columns * canvas.metrics.unit
        unit, line = canvas.metrics.unit, self._line(canvas)
        contents = sum(self._content(canvas, value) for _, value in self._sections)
        height = len(self._sections) * line + contents + 4 * unit
        fits = self._sections and extent <= room[0] and height <= room[1]
        return (extent, height) if fits else None

    @staticmethod
    def _shown(values: Values) -> Iterator[tuple[str, str]]:
        """Letter of the look, if the two differ, and the meaning of its trails' colours."""
        a, b = values.get("trails"), values.get("trails_b")
        both = {"A": a, "B": b}
        looks = values.get("looks") or "A"
        variants = {look: both[look] for look in looks}
        if set(variants.values()) == {"BY_MODE"} or not any(variants.values()):
            return  # the panel shows the modes
        if len(set(variants.values())) == 1:
            variants = {"": variants[looks[0]]}
        yield from ((look, value) for look, value in variants.items() if value is not None)

    def _line(self, canvas: Canvas) -> int:
        return max(5 * canvas.metrics.unit, canvas.face("body").height)

    def _content(self, canvas: Canvas, value: str) -> int:
        """Height [px] of a section's content."""
        if value in TWO:
            return self._line(canvas)
        if value == "BY_MODE":
            return 0
        return 3 * canvas.metrics.unit + max(5 * canvas.metrics.unit, canvas.face("small").height)

    def draw(self, canvas: Canvas, values: Values, rect: Rect) -> None:
        unit, line = canvas.metrics.unit, self._line(canvas)
        backing(canvas, rect)
        left, room, y = rect.x + 3 * unit, rect.width - 6 * unit, rect.y + 2 * unit
        for look, value in self._sections:
            numbered = value == "BY_SPEED" and self.even
            words = TITLES[value] + (f" [{self.unit}]" if numbered else "")
            titles = [f"{look}  {trails}{words}".strip() for trails in ("trails: ", "")]
            face = canvas.face("body")
            title = next((t for t in titles if width(face, t) <= room), titles[-1])
            baseline = baseline_of(canvas, "body", y, line)
            canvas.label(title, "body", left, baseline, theme.BRIGHT, room)
            y += line
            if value in TWO:
                self._draw_two(canvas, TWO[value], left, y)
            elif value in ("BY_AGE", "BY_SPEED"):
                self._draw_ramp(canvas, value, Rect(left, y + unit, room, 2 * unit))
            y += self._content(canvas, value)

    def update(self, canvas: Canvas, values: Values) -> None:
        """Nothing to do: other colours need another layout."""

    def _draw_two(self, canvas: Canvas, words: tuple[str, str], left: int, top: int) -> None:
        unit = canvas.metrics.unit
        baseline = baseline_of(canvas, "body", top, self._line(canvas))
        middle = baseline - (canvas.face("body").cap_height + 1) // 2
        for word, entry in zip(words, (CERTIFIED, REFUSED), strict=True):
            stroke = Rect(left, middle - unit // 2, 4 * unit, unit)
            canvas.rectangle(stroke, mode_tone(entry), 0.5 * unit)
            canvas.label(word, "body", left + 6 * unit, baseline, theme.QUIET, 12 * unit)
            left += 18 * unit

    def _draw_ramp(self, canvas: Canvas, value: str, bar: Rect) -> None:
        unit, face = canvas.metrics.unit, canvas.face("small")
        map_bar(canvas, bar, RAMP_ROW, lying=True)
        ends = [round(bar.x + i * bar.width / len(canvas.ramp)) for i in range(len(canvas.ramp))]
        for x, end, colour in zip(
            ends, [*ends[1:], bar.right][: len(ends)], canvas.ramp, strict=True
        ):
            canvas.rectangle(bar._replace(x=x, width=end - x), Paint(colour))
        baseline = bar.bottom + 2 * unit + face.cap_height
        if value == "BY_AGE":
            canvas.label(self._ago(), "small", bar.x, baseline, theme.QUIET, bar.width)
            canvas.label("now", "small", bar.right, baseline, theme.QUIET, bar.width, "right")
            return
        if not self.even:
            canvas.label("slow", "small", bar.x, baseline, theme.QUIET, bar.width)
            canvas.label("fast", "small", bar.right, baseline, theme.QUIET, bar.width, "right")
            return
        line, free = canvas.metrics.line, bar.x
        for place, text in self._speeds():
            x = round(bar.x + place * (bar.width - line))
            at = max(bar.x, x - width(face, text) // 2)
            if at < free:
                continue
            canvas.rectangle(Rect(x, bar.bottom, line, unit), theme.TICK)
            canvas.label(text, "small", at, baseline, theme.QUIET, bar.width)
            free = at + width(face, text) + unit

    def _ago(self) -> str:
        """When the oldest part of a trail was."""
        if not self.even:
            return "earlier"
        if self.timed:
            return f"{numbers.plain(self.duration)} s ago"
        steps = round(self.duration)
        return f"{numbers.count(steps)} {'step' if steps == 1 else 'steps'} ago"

    def _speeds(self) -> Iterator[tuple[float, str]]:
        """Position in the ramp and text of round speeds, from 0 on."""
        yield 0.0, "0"
        last = 0.0
        middle = round(math.log10(self.crossing))
        for power in range(middle - 9, middle + 10):
            for digit in (1, 2, 5):
                speed = float(f"{digit}e{power}")
                place = place_of_speed(speed / self.crossing)
                if place - last >= APART and 1.0 - place >= 0.5 * APART:
                    yield place, numbers.tick_texts([speed])[0]
                    last = place
