"""Circles on the surface: the goal's region, and two rings around an agent; see lib/circle.glsl."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from calf_viz.periods import Pair
from calf_viz.scene.frame import Frame
from calf_viz.view import Ellipse

SPOKES = 64
VERTICES = 2 * (SPOKES + 1) + 2
"""Of each circle: a pair for each spoke, the first pair again, and two more."""
EACH, EACH_GOAL = 4, 3
"""Circles for an agent, which has two rings, and for a goal: each that is seen has a darker and
wider one below. A goal has a faint one, too, for where something hides it."""
LEAST_GOAL = 11.0
"""Least radius of a goal [px], in a picture whose marks have their usual size."""
AROUND_MARKER, APART = 1.2, 5.0
"""Radius of the inner ring around an agent: in radii of its marker, and in such pixels beyond."""
HIDING = 2.0
"""Width of slopes before a goal's circle that do not hide it, in its widths."""
NOWHERE: Ellipse = (0.0, 0.0, 1.0, 1.0)
"""In place of a goal that is not drawn."""


class GoalShown(NamedTuple):
    """A goal's region in the scene.

    Attributes:
        ellipse: its centre and semi-axes.
        copy: from there to its copies over the edges of periodic axes; 0 on axes without.
        copies: their number, itself included: 1, 2 or 4.
    """

    ellipse: tuple[float, float, float, float]
    copy: Pair
    copies: int


@lru_cache(maxsize=8)
def shown(goal: Ellipse, frame: Frame) -> GoalShown:
    """The goal of a view in the scene."""
    x, y, *radii = goal
    centre = [(at - c) * s for at, c, s in zip((x, y), frame.centre, frame.scale, strict=True)]
    radii = [radius * scale for radius, scale in zip(radii, frame.scale, strict=True)]
    copy = [0.0, 0.0]
    for axis, period in enumerate(frame.periods):
        if period:
            centre[axis] -= period * round(centre[axis] / period)
            if abs(centre[axis]) + radii[axis] > 0.5 * period:
                copy[axis] = -period if centre[axis] > 0.0 else period
    copies = 2 ** sum(shift != 0.0 for shift in copy)
    return GoalShown((centre[0], centre[1], radii[0], radii[1]), (copy[0], copy[1]), copies)
