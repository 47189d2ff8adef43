"""What a trial draws: a small picture with everything that shaders have to draw.

A surface with non-finite nodes; trails of every mode, with new episodes and non-finite positions;
markers of both shapes; a goal, and a ring around an agent; a HUD with every kind of shape.
"""

from __future__ import annotations

import math

import numpy as np

from calf_viz.heightfield import Heightfield, plane_nodes
from calf_viz.hosts.base import Host
from calf_viz.hosts.setup import Setup
from calf_viz.hud.axes import Axes
from calf_viz.hud.canvas import Canvas
from calf_viz.hud.hud import Hud
from calf_viz.hud.layout import TOP_LEFT, Rect
from calf_viz.hud.widgets import Values, Widget, backing
from calf_viz.samples import Samples
from calf_viz.scene.colours import colour_map
from calf_viz.scene.paint import Paint
from calf_viz.scene.scene import Scene
from calf_viz.view import Certificate

SIZE, AGENTS, TRAIL, CELLS, MODES = (320, 180), 6, 60, 16, 4


def _vertices(agents: int, trail: int, cells: int) -> int:
    return 2 * agents * trail + 2 * cells * cells


PIXELS = 1280 * 720 / (SIZE[0] * SIZE[1])
VERTICES = _vertices(20, 600, 40) / _vertices(AGENTS, TRAIL, CELLS)
"""How many times more of these a typical picture has: 1280 x 720 pixels, 20 agents, trails of 600
steps, and a surface of 40 cells per side."""


def open_host(design: str) -> Host:
    """A host of a design, or of `moderngl`, with the shipped shaders and samples. Raises UserError
    without OpenGL."""
    colours = colour_map("cividis")
    scene = Scene(
        size=SIZE,
        trail=TRAIL,
        training_agent=1,
        goal=(1.0, 1.0, 1.5, 1.0),
        highlighted=2,
        modes=MODES,
        certificate=Certificate(chosen=0, q_plus=-1.0),
    )
    setup = Setup(scene, colours, AGENTS, surface())
    host: Host
    if design == "moderngl":
        from calf_viz.hosts.moderngl.host import ModernglHost

        host = ModernglHost(setup)
    else:
        from calf_viz.hosts.panda.offscreen import OffscreenHost
        from calf_viz.hosts.panda.older.choice import geometry

        made = geometry(design, vectorized_heights=True)
        host = OffscreenHost(setup, made)
    host.set_hud(Hud([Everything()], Axes(("x", "y"))))
    play(host)
    return host


def surface() -> Heightfield:
    """Hills, with a hole."""
    lo, hi = (-5.0, -5.0), (5.0, 5.0)
    x, y = plane_nodes(lo, hi, CELLS + 1, CELLS + 1).T
    values = (np.sin(x) * np.cos(y)).reshape(CELLS + 1, CELLS + 1)
    values[3, 4:7] = np.nan, np.inf, -np.inf
    return Heightfield(values, lo, hi)


def play(host: Host, agents: int = AGENTS, steps: int = TRAIL + 20) -> None:
    """Push agents that circle, a few steps in each mode, with occasional new episodes."""
    number = np.arange(agents)
    for step in range(steps):
        turn = 0.1 * step + number
        radius = 1.0 + 3.0 * (number + 1) / agents
        positions = np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1)
        if step % 25 == 17:
            positions[0] = np.nan
        modes = ((step // 5 + number) % MODES).astype(np.uint8)
        first = (step + 7 * number) % 40 == 0
        host.push(Samples(positions, modes, first, headings=turn + math.pi / 2))


class Everything(Widget):
    """Every kind of shape and a text, at the picture's left edge."""

    name, anchor, share = "everything", TOP_LEFT, (0.5, 1.0)

    def measure(
        self, canvas: Canvas, values: Values, room: tuple[int, int]
    ) -> tuple[int, int] | None:
        return room

    def draw(self, canvas: Canvas, values: Values, rect: Rect) -> None:
        half, series = rect.height // 2, canvas.series
        for sample in range(12):
            series.push("curve", math.sin(sample), 0x224466 * (sample % 3))
        series.scale("curve", -1.0, 1.0)
        backing(canvas, rect)
        for row in (0, 1):
            canvas.map_bar(Rect(rect.x + 12 * row, rect.y, 10, half), row)
        canvas.label("Trial 1", "small", rect.x + 30, rect.y + 20, 0xFFFFFF, rect.width - 30)
        below = Rect(rect.x, rect.y + half, rect.width, half - 10)
        canvas.curve(below, "curve", 1.5, Paint(0x4488CC))
        canvas.band(below, "curve")
        canvas.line((below.x, below.y), (below.right, below.bottom), 2.0, Paint(0xCC8844, 0.5))

    def update(self, canvas: Canvas, values: Values) -> None:
        pass
