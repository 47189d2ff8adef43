"""A scene: all inputs of the shaders except samples, and the number of vertices to draw."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calf_viz.glsl.variants import DEVIATIONS
from calf_viz.heightfield import Grid, Heightfield
from calf_viz.periods import Pair
from calf_viz.scene import circle
from calf_viz.scene.camera import WIDEST, OrbitCamera
from calf_viz.scene.colours import mode_colours, palette_texels
from calf_viz.scene.crowd import DEPTH_BIAS, Crowd, among
from calf_viz.scene.frame import Frame
from calf_viz.scene.mode_bits import ModeBits
from calf_viz.scene.ring import LONGEST_AGE, RingLayout
from calf_viz.scene.swatches import Swatches
from calf_viz.scene.theme import DARK, Theme
from calf_viz.scene.trail_ink import Inked
from calf_viz.view import Certificate, Ellipse

MARKER_RADII = {"sphere": 7.0, "arrow": 12.0}  # px
MARKER_AREAS = {"sphere": math.pi, "arrow": 1.015}  # of a marker of radius 1
LIGHT = (-0.45, -0.25, math.sqrt(1.0 - 0.45**2 - 0.25**2))  # unit vector towards the light
LEAST_MARKS = 0.5  # of their usual size, in the smallest pictures
LEAST_PART = 0.03  # of the plane, in which agents are assumed to be spread
THINNEST = 1.0  # width of a trail in a crowd [px]
SMALLEST = {"sphere": 1.2, "arrow": 2.1}  # radius of a marker there [px]
PAIRS_PER_RUN = 3  # of a trail's strip, besides its strided samples: head, tail, joint
PAIRS_PER_EDGE = (0, 2, 5)  # more for 0, 1, 2 periodic axes: the ends, a run between edges


@dataclass
class Scene:
    """Sizes are in units of the scene, unless in pixels.

    Pixels are those of a picture of 1152 x 720; in a larger one lines and markers grow with it, in
    a smaller one trails and markers shrink somewhat.
    """

    size: tuple[int, int] = (1280, 720)
    supersample: int = 1
    """Samples per pixel along each axis: while a picture is drawn that many times as large, to be
    averaged, lines and markers grow with it."""
    camera: OrbitCamera = field(default_factory=OrbitCamera)
    frame: Frame = field(default_factory=Frame)
    """Maps the plane to the scene."""
    height_scale: float = 2.0
    trail: int = 600
    stride: int = 1
    trail_width: float = 2.6
    marker: str = "sphere"
    marker_radius: float | None = None  # px; None: the marker's own
    training_agent: int = -1  # index of the agent in training; -1: none
    goal: Ellipse | None = None
    """The region drawn as the goal, as in a view; None: none."""
    highlighted: int = -1  # index of an agent with a ring and a wider trail; -1: none
    modes: int = 3
    """Number of modes of the samples."""
    margins: bool = False
    """Whether they have margins."""
    deviations: bool = False
    """Whether values are deviations from zero; see `View`."""
    mode_colours: NDArray[np.float32] = field(default_factory=mode_colours)
    """RGBA, from `colours.mode_colours`."""
    swatches: Swatches | None = None
    """What the look makes of the palette's colours; None: leaves them as they are."""
    theme: Theme = DARK
    background: tuple[float, float, float] = DARK.background
    """The theme's, or that of a look."""
    hud_scale: float = 1.0
    """Factor on the sizes of texts and panels."""
    second_ground: tuple[float, tuple[float, float, float]] | None = None
    """Where another background begins, as a fraction of the width, and its colour."""
    certificate: Certificate = field(default_factory=Certificate)
    ink: Inked | None = None
    """Where the trails lie, once there are some."""

    @property
    def samples(self) -> tuple[int, int]:
        """Width and height of what is drawn, in samples: `size`, unless they are averaged."""
        return self.size[0] * self.supersample, self.size[1] * self.supersample

    @property
    def line_scale(self) -> float:
        """Pixels per pixel of a picture up to 1152 x 720."""
        return max(1.0, self._enlarged)

    @property
    def mark_scale(self) -> float:
        """As `line_scale`, but for trails, markers and circles, which would cover much of a small
        picture, and are legible when they are smaller: below 1 there, by the square root."""
        return max(self._enlarged, min(math.sqrt(self._enlarged), 1.0), LEAST_MARKS)

    @property
    def _enlarged(self) -> float:
        return min(self.size[1], self.size[0] / WIDEST) / 720

    @property
    def mode_bits(self) -> ModeBits:
        """The encoding of modes."""
        return ModeBits.of(self.modes, self.margins)

    def palette(self, colour_map: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Texels of `u_palette` for a surface's colours, RGBA from low to high."""
        theme = self.theme
        return palette_texels(colour_map, self.mode_colours, theme.ramp, theme.dark_casing)

    def ground_at(self, x: float) -> tuple[float, float, float]:
        """The background at a pixel's column."""
        if self.second_ground is not None and x >= self.second_ground[0] * self.size[0]:
            return self.second_ground[1]
        return self.background

    @property
    def defines(self) -> dict[str, str]:
        """Macros for its shaders."""
        own = {DEVIATIONS.name: "1"} if self.deviations else {}
        return self.mode_bits.defines | self.frame.defines | own

    def vertices(self, runs: int, head_step: int) -> int:
        """Vertices of an instance: a trail with room for `runs` runs, a joint, a marker.

        At first trails reach back to step 0 only; their room for samples grows by quarters, so that
        it rarely changes.
        """
        quarter = math.ceil(self.trail / 4)
        reach = min(self.trail, max(1, math.ceil(head_step / quarter)) * quarter)
        runs += self.trail // LONGEST_AGE  # where a reader loses track of a run's beginning
        strided = reach // self.stride + 1  # over all runs, as samples are addressed by step
        pairs = PAIRS_PER_RUN + PAIRS_PER_EDGE[sum(self.frame.periodic)]
        return 2 * (strided + pairs * runs + 1) + 5

    @staticmethod
    def surface_instances(heightfield: Heightfield | Grid, vertices: int, circles: int) -> int:
        """Number of instances into which the one strip of surface and circles is divided."""
        rows, columns = heightfield.shape
        rim = 4 * (rows + columns) + 2  # each node on the edge, and one beyond it; the first again
        length = (2 * columns + 2) * (rows - 1) + rim
        length += 1 + circles * circle.VERTICES
        return math.ceil((length - 2) / (vertices - 2))

    @property
    def circles(self) -> tuple[int, int]:
        """Number of circles of the goal, and of all."""
        return self._circles(self.goal)

    def _circles(self, ellipse: Ellipse | None) -> tuple[int, int]:
        goal = 0
        if ellipse is not None:
            goal = circle.EACH_GOAL * circle.shown(ellipse, self.frame).copies
        return goal, goal + circle.EACH * (self.highlighted >= 0)

    def _goal_depth(self, goal: circle.GoalShown) -> float:
        """How much nearer the goal's circle is drawn than it lies [NDC]."""
        least = circle.LEAST_GOAL * self.mark_scale / self.camera.pixels_per_unit(self.size)
        width = 2.0 * max(*goal.ellipse[2:], least)
        return self.camera.depth_before_target(circle.HIDING * width)

    @property
    def largest_radius(self) -> float:
        """Radius of a marker that has room [px]."""
        return self.marker_radius or MARKER_RADII[self.marker]

    def _crowd(self, lo: Pair, hi: Pair, agents: int, width: float, radius: float) -> Crowd:
        """How to draw this number of agents on a plane with these corners, by trails of this width
        and markers of this radius [px]."""
        camera, ink, crowded = self.camera, self.ink, among(agents)
        occupied = LEAST_PART * (hi[0] - lo[0]) * (hi[1] - lo[1])
        length = 0.0
        if ink is not None:
            length, area = ink.lately
            occupied = max(area, occupied)
        area = max(occupied * camera.pixels_per_square(self.size), 1.0)
        return Crowd.of(
            crowded * length * camera.pixels_per_unit(self.size) * width / area,
            crowded * agents * MARKER_AREAS[self.marker] * radius**2 / area,
            min(THINNEST / width, 1.0),
            min(SMALLEST[self.marker] / radius, 1.0),
            min(THINNEST / self.trail_width, 1.0),
        )

    def uniforms(
        self,
        heightfield: Heightfield | Grid,
        layout: RingLayout,
        agents: int,
        head_step: int,
        runs: int,
        value_range: tuple[float, float] = (0.0, 1.0),
        morph: float = 1.0,
    ) -> dict[str, Any]:
        """All uniforms of the contract by name; the matrix as (4, 4), for column vectors."""
        rows, columns = heightfield.shape
        lo, hi = self.frame.corners(heightfield)
        vertices = self.vertices(runs, head_step)
        samples, marks = self.supersample, self.mark_scale
        width, radius = marks * self.trail_width, marks * self.largest_radius
        crowd = self._crowd(lo, hi, agents, width, radius)
        by_agent, by_age = crowd.depth_bias
        certificate = self.certificate
        ellipse = self.goal
        circles = self._circles(ellipse)
        goal = circle.shown(ellipse or circle.NOWHERE, self.frame)
        return {
            "u_view_projection": self.camera.view_projection(self.size[0] / self.size[1]),
            "u_viewport": tuple(map(float, self.samples)),
            "u_line_scale": samples * self.line_scale,
            "u_plane": tuple(map(float, (*heightfield.lo, *heightfield.hi))),
            "u_corners": tuple(map(float, (*lo, *hi))),
            "u_frame": self.frame.uniform,
            "u_periods": self.frame.periods,
            "u_grid": self.frame.grid,
            "u_cells": (columns - 1, rows - 1),
            "u_morph": morph,
            "u_height_scale": self.height_scale,
            "u_value_range": value_range,
            "u_light": LIGHT,
            "u_surface_instances": self.surface_instances(heightfield, vertices, circles[1]),
            "u_vertices": vertices,
            "u_agents": agents,
            "u_training_agent": self.training_agent,
            "u_highlighted": self.highlighted,
            "u_goal": goal.ellipse,
            "u_goal_copy": goal.copy,
            "u_goal_depth": self._goal_depth(goal),
            "u_circles": circles,
            "u_circle_radii": (
                samples * marks * circle.LEAST_GOAL,
                samples * (circle.AROUND_MARKER * crowd.radius * radius + marks * circle.APART),
            ),
            "u_ring_rows": layout.rows,
            "u_ring_slots": layout.slots,
            "u_head": max(head_step, 0) % layout.slots,
            "u_head_step": head_step,
            "u_trail": self.trail,
            "u_stride": self.stride,
            "u_trail_width": samples * crowd.width * width,
            "u_marker_radius": samples * crowd.radius * radius,
            "u_opacity": crowd.opacity,
            "u_casing": samples * crowd.casing * self.line_scale,
            "u_marker_shape": 1 if self.marker == "arrow" else 0,
            "u_depth_bias": (
                DEPTH_BIAS,
                DEPTH_BIAS / max(agents, 1),
                by_agent / max(agents, 1),
                by_age,
            ),
            "u_chosen": certificate.chosen,
            "u_q_plus": (0.0, 0.0) if certificate.q_plus is None else (certificate.q_plus, 1.0),
            "u_certificate": certificate.constants,
            "u_hidden_square": certificate.hidden_square,
        }
