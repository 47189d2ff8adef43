"""How full a picture of a crowd is: the share of trails' pixels that hide what is below them.

    python tools/crowd_opacity.py [--system point_mass] [--policy calf] [--size 1280x720]
                                  [--scene 20x600 ...] [--pictures FOLDER] [--drawn shown]

The same trails are drawn over a black and over a white surface, without markers: a pixel's opacity
is 1 minus the difference of the two. `opaque` is the share of the pixels with a trail that are at
least 95 % covered, `area` the share of the picture with a trail, `distinct` the entropy of the
pixels' opacity in 16 steps [bits], at most 4: how many degrees of density can be told apart.
`--drawn` chooses another way of drawing, to compare.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.table import Table

from calf_viz.agent import checkpoint
from calf_viz.agent.calf import CALFAgent
from calf_viz.agent.system_view import view_of
from calf_viz.agent.threads import one_thread
from calf_viz.cli.option_types import GIVEN_PATH
from calf_viz.cli.option_types import SIZE as SIZE_PARAMETER
from calf_viz.console import tables
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.heightfield import Heightfield, plane_nodes
from calf_viz.hosts.moderngl.host import ModernglHost
from calf_viz.hosts.setup import Setup
from calf_viz.run_command import run_command
from calf_viz.samples import Samples
from calf_viz.scene.colours import colour_map
from calf_viz.scene.crowd import Crowd
from calf_viz.scene.frame import Frame
from calf_viz.scene.scene import Scene
from calf_viz.sources.simulation import POLICIES, Simulation
from calf_viz.viewer.opening import GRID_SOFTWARE

SCENES = ((1, 600), (20, 600), (100, 600), (1000, 100), (1000, 600), (10_000, 100), (100_000, 20))
OPAQUE = 0.95
VISIBLE = 0.02
SETTLED = 50  # steps beyond those that fill the trails
SURFACE = "vec3 surface_colour(vec3 c, vec2 point, float level, float light, bool bad)"
MARKER = "vec4 marker_shape(vec2 p, float radius, vec3 colour, int shape)"


WAYS: dict[str, Callable[[Crowd], Crowd]] = {
    "shown": lambda crowd: crowd,
    "few": lambda crowd: Crowd(1.0, 1.0, (1.0, 1.0), 0.0, 0.0),
    "thin": lambda crowd: crowd._replace(opacity=(1.0, 1.0), by_age=0.0),
    "thin-by-age": lambda crowd: crowd._replace(opacity=(1.0, 1.0)),
    "by-agent": lambda crowd: crowd._replace(by_age=0.0),
    "faint-by-agent": lambda crowd: crowd._replace(opacity=(0.06, 1.0), by_age=0.0),
}
"""What is changed in how a crowd is drawn."""


class Case(NamedTuple):
    """What is drawn."""

    system: str
    policy: str
    size: tuple[int, int]
    agents: int
    trail: int


def walked(agent: CALFAgent, case: Case) -> Iterator[Samples]:
    """Steps that fill the trails, and some more."""
    simulation = Simulation(agent, case.agents, seed=0, policy=case.policy)
    for _ in range(case.trail + SETTLED):
        yield deepcopy(simulation.step())


def opened(agent: CALFAgent, case: Case, overlay: Path | None) -> ModernglHost:
    """A host with full trails over the system's shipped critic."""
    view = view_of(agent.system)
    nodes = plane_nodes(view.lo, view.hi, GRID_SOFTWARE + 1, GRID_SOFTWARE + 1)
    values = agent.lyapunov(agent.system.plane_states(nodes))
    side = GRID_SOFTWARE + 1
    field = Heightfield(values.reshape(side, side), view.lo, view.hi)
    scene = Scene(size=case.size, frame=Frame.of(view), trail=case.trail, marker=view.marker)
    library = ShaderLibrary(overlay)
    slots = case.trail + 1
    host = ModernglHost(
        Setup(scene, colour_map("cividis"), case.agents, field, library, slots=slots)
    )
    host.frame_surface()
    for samples in walked(agent, case):
        host.push(samples)
    return host


def opacity(host: ModernglHost, overlay: Path) -> NDArray[np.float64]:
    """Opacity of the trails in each pixel, (height, width). overlay: the folder of its shaders."""
    (overlay / "marker_shape.glsl").write_text(f"{MARKER} {{ return vec4(0.0); }}\n")
    pictures = []
    for level in (0.0, 1.0):
        (overlay / "surface_colour.glsl").write_text(f"{SURFACE} {{ return vec3({level}); }}\n")
        host.background = (level, level, level)
        host.reload()
        host.draw()
        pictures.append(host.screenshot().astype(np.float64))
    black, white = pictures
    covered: NDArray[np.float64] = 1.0 - (white - black).mean(axis=2) / 255.0
    return covered


def measure(case: Case, pictures: Path | None) -> tuple[float, float, float]:
    """Shares and entropy, as above."""
    agent = CALFAgent.load(checkpoint.shipped(case.system))
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(opened(agent, case, Path(folder))) as host,
    ):
        if pictures is not None:
            name = f"{case.system}_{case.agents}x{case.trail}_{case.policy}.png"
            Image.fromarray(host.screenshot()).save(pictures / name)
        return fullness(opacity(host, Path(folder)))


def fullness(covered: NDArray[np.float64]) -> tuple[float, float, float]:
    """Opaque share, area and entropy of pixels' opacity."""
    trails = covered[covered >= VISIBLE]
    counts, _ = np.histogram(trails, 16, (0.0, 1.0 + 1e-9))
    shares = counts[counts > 0] / max(len(trails), 1)
    opaque = float((trails >= OPAQUE).mean()) if len(trails) else 0.0
    return opaque, len(trails) / covered.size, float(-(shares * np.log2(shares)).sum())


def _drawn(
    change: Callable[[Crowd], Crowd], usual: Callable[..., Crowd], *fullness: float
) -> Crowd:
    return change(usual(*fullness))


@click.command()
@click.option("--system", default="point_mass", show_default=True, help="Of the shipped ones.")
@click.option("--policy", default="calf", show_default=True, help=", ".join(POLICIES) + ".")
@click.option("--size", default=(1280, 720), type=SIZE_PARAMETER, metavar="WxH")
@click.option("--scene", "scenes", multiple=True, type=SIZE_PARAMETER, metavar="AGENTSxTRAIL",
              help="May be repeated.")  # fmt: skip
@click.option("--drawn", default="shown", show_default=True, type=click.Choice(list(WAYS)))
@click.option("--pictures", type=GIVEN_PATH, help="Existing folder for the pictures as shown.")
@one_thread()
def main(
    system: str,
    policy: str,
    size: tuple[int, int],
    scenes: tuple[tuple[int, int], ...],
    drawn: str,
    pictures: Path | None,
) -> None:
    """Measure how full pictures of crowds are."""
    table = Table(title=f"{system}, {policy} policy, {size[0]}x{size[1]}")
    for head in ("agents", "trail", "opaque", "area", "distinct"):
        table.add_column(head, justify="right")
    for agents, trail in scenes or SCENES:
        with patch.object(Crowd, "of", partial(_drawn, WAYS[drawn], Crowd.of)):
            opaque, area, bits = measure(Case(system, policy, size, agents, trail), pictures)
        cells = (f"{100 * opaque:.1f} %", f"{100 * area:.1f} %", f"{bits:.2f}")
        table.add_row(str(agents), str(trail), *cells)
    tables(100).print(table)


if __name__ == "__main__":
    run_command(main, "crowd_opacity", "crowd_opacity: ")
