"""How far the drawn surface deviates from the critic, by number of cells.

    python tools/grid_error.py [--cells 40 --cells 64 ...]

The drawn surface is linear between the nodes of its grid. At 401 x 401 points of the plane its
height is compared with the critic's, in pixels of a picture of 1280x720 at the point nearest to the
default camera, where a vertical unit spans the most pixels.
"""

from __future__ import annotations

import click
import numpy as np
from rich.table import Table

from calf_viz import systems
from calf_viz.agent import shipped_agents as shipped
from calf_viz.agent.calf import CALFAgent
from calf_viz.console import tables
from calf_viz.heightfield import Heightfield, plane_nodes
from calf_viz.run_command import run_command
from calf_viz.scene.scene import Scene
from calf_viz.viewer.opening import GRID_SOFTWARE

POINTS = 401


def errors(agent: CALFAgent, cells: int) -> np.ndarray:
    """Distance between surface and critic at each point, (POINTS * POINTS,) [px]."""
    plane, scene = agent.system.plane, Scene()

    def values(points: np.ndarray) -> np.ndarray:
        return agent.lyapunov(agent.system.plane_states(points))

    points = plane_nodes(plane.lo, plane.hi, POINTS, POINTS)
    nodes = values(plane_nodes(plane.lo, plane.hi, cells + 1, cells + 1))
    surface = Heightfield(nodes.reshape(cells + 1, cells + 1), plane.lo, plane.hi)
    exact = values(points)
    pixels = scene.height_scale * scene.camera.pixels_per_unit(scene.size, nearest=True)
    apart: np.ndarray = np.abs(surface.heights(points) - exact) / np.ptp(exact) * pixels
    return apart


@click.command(help=(__doc__ or "").splitlines()[0])
@click.option("--cells", multiple=True, type=click.IntRange(1), default=(GRID_SOFTWARE, 64, 128),
              show_default=True, help="Cells a side.")  # fmt: skip
def main(cells: tuple[int, ...]) -> None:
    table = Table(title="pixels between the drawn surface and the critic")
    for head in ("system", "cells", "mean", "99 in 100 within", "most"):
        table.add_column(head, justify="left" if head == "system" else "right")
    for name in shipped.trained():
        agent = shipped.load(systems.get(name))
        for count in cells:
            apart = errors(agent, count)
            figures = apart.mean(), np.percentile(apart, 99), apart.max()
            table.add_row(name, str(count), *(f"{figure:.2f}" for figure in figures))
    tables(80).print(table)


if __name__ == "__main__":
    run_command(main, "grid_error", "grid_error: ")
