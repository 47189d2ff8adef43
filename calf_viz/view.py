"""What samples and a surface mean: names of the plane, its axes, the modes and the value.

A source defines it once; the picture takes all labels and measures from it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError, quoted, shown
from calf_viz.periods import fold_axes
from calf_viz.settings import one_of
from calf_viz.value_limits import Clim, read_clim
from calf_viz.value_scale import SCALES

Colour = tuple[float, float, float]
"""RGB, each within 0 and 1."""
Ellipse = tuple[float, float, float, float]
"""Centre and semi-axes along the axes of the plane, in their units."""

LONGEST_NAME = 60
"""Most characters of a mode's name."""
NARROWEST, WIDEST = 1e-15, 1e15
"""Width of an axis, in its unit: shaders use it in float32, and square it."""
FINEST = 1e-9
"""Least width of an axis relative to its ends: below, float64 cannot resolve points on it."""
BRIEFEST, LENGTHIEST = 1e-12, 1e12
"""Seconds that a step takes: durations of trails and speeds are computed from it."""
MOST_AGENTS = 2**26
"""More than any texture of samples holds: the largest has this many texels."""
LONGEST = 1000.0
"""Most that one axis may exceed the other if both have one scale."""


_HEX = re.compile("#[0-9a-fA-F]{6}")


def _finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # an integer that is too large for a float
        return False


def _sequence(values: Any) -> bool:
    """Whether it has parts in an order, and is no text."""
    return isinstance(values, Iterable) and not isinstance(values, (str, set, frozenset))


def _two(values: Any) -> bool:
    try:
        return _sequence(values) and len(values) == 2
    except TypeError:
        return False


@dataclass(frozen=True)
class View:
    """What a source shows. Raises UserError for invalid values.

    Attributes:
        title: title of the panel; files are named after it.
        lo, hi: corners of the plane, in the units of its axes: of any size, anywhere.
        labels: name and unit of each axis of the plane, such as `x [m]`.
        periodic: whether each axis wraps, like an angle: its ends are the same, and trails that
            leave the plane at one end enter at the other. Its width is the period; positions beyond
            its ends are taken modulo it.
        modes: name of each mode of the samples, by number. Up to 4 are cheapest; of more than 8,
            the first 7 are distinguished, and all others shown as one.
        colours: colour of each mode, `#rrggbb` or three numbers from 0 to 1; None: the palette's.
        value: name of the quantity that the surface's height shows.
        symbol: a short form of it; None: the name itself.
        value_scale: how values become heights and colours, one of `value_scale.SCALES`.
        clim: the values at the lowest and the highest: `auto` (all of the surface's), `robust`
            (without the highest 2 %), `agents` (those where agents are), or two numbers.
        aspect: `fill` draws the plane as a square; with `equal` both axes have the same scale.
        marker: how an agent is drawn; an arrow points along its heading.
        goal: region of the plane drawn as the goal: centre and radius, (x, y, r), or semi-axes,
            (x, y, rx, ry), in the units of the axes; None: no goal is drawn.
        dt: seconds between two samples; None if steps have no duration.
        trainee: index of the agent in training; None if there is none. Its marker, and its steps
            in the first mode, have a colour of their own.
        margins: whether samples have a column `margin`, which should not be negative; trails
            coloured by certificate show its sign. Then 4 modes at most are distinguished.
        deviations: whether values are deviations from zero: the surface's colours diverge from it,
            and where a value is missing nothing is wrong, and it is grey rather than marked.
        live: whether steps arrive by themselves, so that each frame takes all that are available.
    """

    title: str
    lo: tuple[float, float] = (-5.0, -5.0)
    hi: tuple[float, float] = (5.0, 5.0)
    labels: tuple[str, str] = ("x", "y")
    periodic: tuple[bool, bool] = (False, False)
    modes: tuple[str, ...] = ("agents",)
    colours: tuple[str | Colour, ...] | None = None
    value: str = "value"
    symbol: str | None = None
    value_scale: Literal["linear", "sqrt", "symlog", "rank"] = "linear"
    clim: Clim = "auto"
    aspect: Literal["fill", "equal"] = "fill"
    marker: Literal["sphere", "arrow"] = "sphere"
    goal: tuple[float, float, float] | Ellipse | None = None
    dt: float | None = None
    trainee: int | None = None
    live: bool = False
    margins: bool = False
    deviations: bool = False

    def __post_init__(self) -> None:
        self._check_types()
        for axis, (lo, hi) in enumerate(zip(self.lo, self.hi, strict=True)):
            where = f"view {shown(self.title)}: axis {axis} goes from {shown(lo)} to {shown(hi)}"
            if not (_finite(lo) and _finite(hi) and lo < hi):
                raise UserError(f"{where}: give two finite numbers, the lower first")
            if not NARROWEST <= hi - lo <= WIDEST:
                raise UserError(
                    f"{where}: its width must be within {NARROWEST:g} and {WIDEST:g}: take another "
                    "unit"
                )
            if hi - lo < FINEST * max(abs(lo), abs(hi)):
                raise UserError(
                    f"{where}: too far from zero for its width, which must be {FINEST:g} of its "
                    "ends at least: subtract an offset"
                )
        self._keep(lo=tuple(map(float, self.lo)), hi=tuple(map(float, self.hi)))
        where = f"view {shown(self.title)}: "
        one_of(f"{where}value_scale", self.value_scale, SCALES)
        self._keep(clim=read_clim(self.clim, f"{where}clim"))
        self._check_aspect()
        self._check_modes()
        self._check_colours()
        self._check_goal()
        if not isinstance(self.marker, str) or self.marker not in ("sphere", "arrow"):
            raise UserError(
                f"view {shown(self.title)}: marker {shown(self.marker)}: sphere or arrow"
            )
        if self.dt is not None and not BRIEFEST <= self.dt <= LENGTHIEST:
            raise UserError(
                f"view {shown(self.title)}: a step takes {shown(self.dt)} s: give {BRIEFEST:g} to "
                f"{LENGTHIEST:g}, or None if steps have no duration"
            )

    def _check_types(self) -> None:
        where = f"view {shown(self.title)}"
        for name in ("lo", "hi", "labels"):
            pair = getattr(self, name)
            if not _two(pair):
                raise UserError(f"{where}: lo, hi and labels are of a plane: give two of each")
            self._keep(**{name: tuple(pair)})  # lists and arrays compare differently from tuples
        texts = [("title", self.title), ("value", self.value)]
        texts += [("label", label) for label in self.labels]
        if self.symbol is not None:
            texts.append(("symbol", self.symbol))
        for name, text in texts:
            if not isinstance(text, str) or not text.isprintable():
                raise UserError(f"{where}: {name} {quoted(text)}: give text on one line")
        numbers = {"lo": self.lo, "hi": self.hi, "dt": () if self.dt is None else (self.dt,)}
        for name, found in numbers.items():
            for number in found:
                if not isinstance(number, Real) or isinstance(number, bool):
                    raise UserError(f"{where}: {name} {quoted(number)}: give a number")
        if self.trainee is not None:
            whole = isinstance(self.trainee, Integral) and not isinstance(self.trainee, bool)
            if not (whole and 0 <= self.trainee < MOST_AGENTS):
                raise UserError(
                    f"{where}: trainee {shown(self.trainee)}: give an agent's number, from 0 to "
                    f"{MOST_AGENTS - 1}"
                )
        answers = self.periodic
        if not _two(answers) or not all(isinstance(answer, (bool, np.bool_)) for answer in answers):
            raise UserError(
                f"{where}: periodic {quoted(answers)}: give True or False for each axis, such "
                "as (True, False)"
            )
        self._keep(periodic=tuple(map(bool, answers)))
        if not isinstance(self.live, (bool, np.bool_)):
            raise UserError(f"{where}: live {shown(self.live)}: give True or False")
        self._keep(live=bool(self.live))

    def _keep(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def units(self) -> tuple[str, str]:
        """Units of the axes, from their labels; empty if a label has none."""
        x, y = (label.partition("[")[2].rstrip("] ") for label in self.labels)
        return x, y

    @property
    def mode_colours(self) -> tuple[Colour, ...] | None:
        """The `colours` as numbers."""
        return cast("tuple[Colour, ...] | None", self.colours)

    @property
    def goal_ellipse(self) -> Ellipse | None:
        """The `goal` as centre and semi-axes."""
        return cast("Ellipse | None", self.goal)

    def _check_goal(self) -> None:
        if self.goal is None:
            return
        given = tuple(self.goal) if _sequence(self.goal) else ()
        number = all(isinstance(part, Real) and not isinstance(part, bool) for part in given)
        if not (number and len(given) in (3, 4) and all(map(_finite, given))):
            raise UserError(
                f"view {shown(self.title)}: goal {quoted(self.goal)}: give (x, y, radius) or "
                "(x, y, rx, ry), in the units of the axes"
            )
        for radius, lo, hi in zip((given[2], given[-1]), self.lo, self.hi, strict=True):
            if not NARROWEST <= radius <= LONGEST * (hi - lo):
                raise UserError(
                    f"view {shown(self.title)}: goal {quoted(self.goal)}: a radius of "
                    f"{shown(radius)}, on an axis of width {shown(hi - lo)}: give {NARROWEST:g} to "
                    f"{LONGEST:g} widths"
                )
        self._keep(goal=tuple(map(float, (*given[:3], given[-1]))))

    def _check_modes(self) -> None:
        where = f"view {shown(self.title)}: modes"
        if not _sequence(self.modes):
            raise UserError(f"{where}: give a sequence of names, not {quoted(self.modes)}")
        self._keep(modes=tuple(self.modes))
        if not self.modes:
            raise UserError(f"{where}: give one name at least")
        before: dict[str, int] = {}
        for number, name in enumerate(self.modes):
            what = f"{where}: that of mode {number}"
            if not isinstance(name, str) or not name.strip() or not name.isprintable():
                raise UserError(f"{what}, {quoted(name)}, is no name: give some text")
            if len(name) > LONGEST_NAME:
                raise UserError(f"{what} is longer than {LONGEST_NAME} characters: {shown(name)}")
            if before.setdefault(name.strip(), number) != number:
                raise UserError(
                    f"{what}, {shown(name)}, is that of mode {before[name.strip()]} too"
                )

    def _check_colours(self) -> None:
        if self.colours is None:
            return
        where = f"view {shown(self.title)}: colours"
        if not _sequence(self.colours):
            raise UserError(f"{where}: give a sequence of them, not {quoted(self.colours)}")
        given = tuple(self.colours)
        if len(given) != len(self.modes):
            raise UserError(f"{where}: {len(given)} of {len(self.modes)} modes: give one of each")
        self._keep(colours=tuple(self._colour(*each) for each in enumerate(given)))

    def _colour(self, mode: int, colour: str | Colour) -> Colour:
        if not isinstance(colour, str):
            with suppress(TypeError, ValueError, OverflowError):
                red, green, blue = colour
                parts = (red, green, blue)
                if _sequence(colour) and all(
                    isinstance(part, Real) and 0.0 <= part <= 1.0 for part in parts
                ):
                    return float(red), float(green), float(blue)
        elif _HEX.fullmatch(colour):
            red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
            return red, green, blue
        raise UserError(
            f"view {shown(self.title)}: the colour of mode {mode}, {quoted(colour)}: give "
            "#rrggbb or three numbers from 0 to 1"
        )

    def wrapped(self, positions: NDArray[np.floating]) -> NDArray[np.floating]:
        """Positions (n, 2) on the plane: on a periodic axis taken modulo its width into [lo, hi),
        in float64; unchanged if all are there already."""
        return fold_axes(positions, self.lo, self.hi, self.periodic)

    def _check_aspect(self) -> None:
        if not isinstance(self.aspect, str) or self.aspect not in ("fill", "equal"):
            raise UserError(f"view {shown(self.title)}: aspect {shown(self.aspect)}: fill or equal")
        if self.aspect == "fill":
            return
        x, y = (shown(unit) if unit else "no unit" for unit in self.units)
        if x != y:
            raise UserError(
                f"view {shown(self.title)}: aspect equal, where one axis is in {x}, the other in "
                f"{y}: take fill"
            )
        sides = [hi - lo for lo, hi in zip(self.lo, self.hi, strict=True)]
        if max(sides) > LONGEST * min(sides):
            raise UserError(
                f"view {shown(self.title)}: aspect equal, where one axis is over {LONGEST:g} times "
                "as long as the other: take fill"
            )


@dataclass
class Certificate:
    """What the certificate requires of one agent now, for shaders that show it."""

    chosen: int = 0
    """Index of the agent."""
    q_plus: float | None = None
    """Its q+; None before its first certified step."""
    constants: tuple[float, float, float] = (0.01, 0.01, 1000.0)
    """nu_bar, C_low, C_up."""
    hidden_square: float = 0.0
    """Sum of the squares of the states that the plane does not show."""
