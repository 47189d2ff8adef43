"""The vertical axis beside the plane's edges: its ticks are not taken for those of another axis."""

from __future__ import annotations

import math

import numpy as np
import pytest
from test_value_axis import SADDLE, drawn, field_of, lines, projected, seen

from calf_viz import View, systems
from calf_viz.agent.system_view import view_of
from calf_viz.heightfield import Heightfield, plane_nodes
from calf_viz.hud.hud import Hud
from calf_viz.scene.camera import OrbitCamera
from calf_viz.scene.frame import Frame
from calf_viz.scene.scene import Scene

BOWL = np.add.outer(np.linspace(-1, 1, 17) ** 2, np.linspace(-1, 1, 17) ** 2)


def framed(field: Heightfield, view: View, scene: Scene) -> OrbitCamera:
    """A camera that has all of the surface in the picture."""
    lo, hi = scene.frame.corners(field)
    levels = drawn(field)[0].values.ravel() * scene.height_scale
    camera = OrbitCamera()
    camera.frame(
        (*lo, *hi, scene.height_scale),
        np.column_stack([plane_nodes(lo, hi, *field.shape), levels]),
    )
    return camera


def edges_with_ticks(hud: Hud, scene: Scene, field: Heightfield, view: View) -> list[np.ndarray]:
    """The surface's edges in the picture, (200, 2) each, that have ticks drawn on them."""
    (lo_x, lo_y), (hi_x, hi_y) = view.lo, view.hi
    along, levels = np.linspace(0.0, 1.0, 200), drawn(field)[0]
    starts = lines(hud, hud._panels_end[0])[:, :2]
    starts = starts[: len(starts) - len(lines(hud, hud._edges_end[0]))]
    found = []
    for axis, end in ((0, lo_y), (0, hi_y), (1, lo_x), (1, hi_x)):
        places = np.empty((200, 2))
        places[:, axis] = view.lo[axis] + along * (view.hi[axis] - view.lo[axis])
        places[:, 1 - axis] = end
        at = scene.frame.places(places)
        heights = levels.heights(places) * scene.height_scale
        edge = projected(scene, np.column_stack([at, heights]))
        near = np.hypot(*(starts[:, None] - edge[None]).transpose(2, 0, 1)).min(axis=1) < 2.0
        if near.sum() >= 2:
            found.append(edge)
    return found


def along(line: np.ndarray, edge: np.ndarray, near: float) -> float:
    """Fraction of a line that is so near [px] to a part of an edge that has its direction."""
    way, ways = line[2:] - line[:2], np.diff(edge, axis=0)
    cross = np.abs(way[0] * ways[:, 1] - way[1] * ways[:, 0])
    alike = cross < math.sin(math.radians(11)) * np.hypot(*way) * np.hypot(*ways.T)
    points = line[:2] + np.linspace(0.0, 1.0, 50)[:, None] * way
    away = np.hypot(*(points[:, None] - edge[None, :-1]).transpose(2, 0, 1))
    return float(((away < near) & alike).any(axis=1).mean())


@pytest.mark.parametrize("name", systems.own())
@pytest.mark.parametrize("height", [2.0, 8.0, 20.0])
@pytest.mark.parametrize("size", [(480, 300), (1280, 720)])
def test_it_does_not_lie_along_an_edge_with_ticks(
    name: str, height: float, size: tuple[int, int]
) -> None:
    view, there = view_of(systems.get(name)), 0
    for values, elevation in ((SADDLE, 12), (BOWL, 30), (SADDLE, 55), (BOWL, 74)):
        field = field_of(view, values)
        scene = Scene(size=size, frame=Frame.of(view), height_scale=height)
        camera = scene.camera = framed(field, view, scene)
        camera.elevation = math.radians(elevation)
        hud = seen(scene, field, view)
        for turn in range(16):
            camera.azimuth = math.radians(22.5 * turn + 3)
            hud.prepare(scene, *drawn(field))
            if not hud._value_marks:
                continue
            there += 1
            line = lines(hud, hud._edges_end[0])[0]
            for edge in edges_with_ticks(hud, scene, field, view):
                assert along(line, edge, 6 * hud.canvas.metrics.unit) < 0.7, camera
    if size[0] > 1000:
        assert there >= (64 if height < 20.0 else 50), "of 64: from above it is seen end on"
