"""Panels cover neither agents nor the goal, and not the plane where that is shown."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from framed import seen, showing
from trainings import new_board

from calf_viz import systems
from calf_viz.training.config import TrainingConfig
from calf_viz.viewer.app import CALFApplication
from calf_viz.viewer.stats_cache import StatsCache
from calf_viz.viewer.training_panel import TrainingPanel

SIZES = (3840, 2160), (1280, 720), (800, 600), (640, 400), (480, 300)


def uncovered(app: CALFApplication, positions: np.ndarray) -> np.ndarray:
    """Whether positions (n, 2) on the surface are in the picture, and no panel is before them."""
    size, hud = app.host.scene.size, app.hud
    x, y = (0.5 * np.array(size) * (seen(app, positions) * (1, -1) + 1)).T
    free = (x > 0) & (x < size[0]) & (y > 0) & (y < size[1])
    for panel in hud.placed.values() if hud is not None and hud.visible else ():
        free &= (x < panel.x) | (x >= panel.right) | (y < panel.y) | (y >= panel.bottom)
    return free


def mesh(lo: Any, hi: Any, nodes: int = 41) -> np.ndarray:
    x, y = (np.linspace(a, b, nodes) for a, b in zip(lo, hi, strict=True))
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


@pytest.mark.usefixtures("boards")
class TestPanels:
    @pytest.mark.parametrize("system", systems.own())
    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize(("fine", "factor"), [(1.0, 1.0), (1.5, 1.0), (2.0, 1.0), (2.0, 1.5)])
    def test_agents_and_the_goal_are_clear_of_them(
        self, system: str, size: tuple[int, int], fine: float, factor: float
    ) -> None:
        """fine: pixels per point of the display. factor: that of the panels by choice."""
        size = round(fine * size[0]), round(fine * size[1])
        with showing(system=system, n_agents=20, size=size, hud_scale=factor) as app:
            app.step()
            assert {"overview", "value"} <= set(app.hud.placed)
            region, goal = app.director._framed, app.director.view.goal_ellipse
            around = np.linspace(0.0, 2 * np.pi, 16)
            rim = np.column_stack([np.cos(around), np.sin(around)])
            assert uncovered(app, goal[:2] + rim * goal[2:]).all()
            assert uncovered(app, mesh(*region)).all()
            assert uncovered(app, app.simulation.view.wrapped(app.source.states[:, :2])).all()
            assert uncovered(app, app.director._whereabouts.paths).all()

    @pytest.mark.parametrize("system", systems.own())
    @pytest.mark.parametrize("size", SIZES)
    def test_a_training_s_plots_do_not_push_agents_to_one_side(
        self, system: str, size: tuple[int, int]
    ) -> None:
        """Half of the picture would be empty."""
        with showing(system=system, n_agents=5, size=size) as app:
            config = TrainingConfig.from_preset("quick")
            TrainingPanel(app.hud, StatsCache(), new_board(), app.host.scene, config)
            app.step()
            assert ("plots" in app.hud.placed) == (size[0] > 480)
            places = seen(app, mesh(*app.director._framed))
            middle = 0.5 * (places.min(axis=0) + places.max(axis=0))
            assert np.abs(middle).max() < 0.33
            assert uncovered(app, mesh(*app.director._framed)).all()

    @pytest.mark.parametrize("camera", ["plane", "top", "front", "side", "corner", "-60,40"])
    @pytest.mark.parametrize("size", [(1280, 720), (640, 400)])
    def test_the_plane_is_clear_of_them_from_every_named_side(
        self, camera: str, size: tuple[int, int]
    ) -> None:
        with showing(system="pendulum", n_agents=3, camera=camera, size=size) as app:
            app.step()
            view = app.director.view
            assert uncovered(app, mesh(view.lo, view.hi)).all()
            camera = app.host.scene.camera
            camera.orbit(0.3, 0.05)
            app.director.look_at_plane()
            app.step()
            assert uncovered(app, mesh(view.lo, view.hi)).all()

    def test_the_side_that_is_seen_when_agents_are_framed(self) -> None:
        with showing(system="pendulum", n_agents=20, size=(640, 400)) as app:
            app.step()
            for _ in range(8):
                app.host.scene.camera.orbit(math.radians(45), 0.0)
                app.director.look_at_agents()
                assert uncovered(app, mesh(*app.director._framed)).all()

    def test_a_window_that_is_resized_is_framed_anew_unless_the_camera_was_moved(self) -> None:
        with showing(system="pendulum", n_agents=20, size=(1280, 720)) as app:
            app.step()
            for size in ((500, 300), (400, 800), (1600, 500), (640, 400)):
                app.host.scene.size = size
                app.step()
                assert uncovered(app, mesh(*app.director._framed)).all()
            app.host.scene.camera.orbit(0.1, 0.0)
            moved = app.camera
            app.host.scene.size = 1280, 720
            app.step()
            assert app.camera == moved

    def test_without_them_the_picture_is_centred(self) -> None:
        with showing(n_agents=20, hud=False) as app, showing(n_agents=20) as hidden:
            app.step(), hidden.step()
            where = seen(app, mesh(*app.director._framed))
            assert where.min(axis=0) == pytest.approx(-where.max(axis=0), abs=0.08)
            assert hidden.camera != app.camera
            start = hidden.camera
            hidden.hud.visible = False
            hidden.step()
            assert hidden.camera == start, "hiding them moves nothing"
            hidden.camera = "home"
            assert hidden.camera == app.camera
            hidden.hud.visible = True
            hidden.step()
            hidden.camera = "home"
            assert uncovered(hidden, mesh(*hidden.director._framed)).all()

    @pytest.mark.parametrize("system", systems.own())
    @pytest.mark.parametrize("agents", [1, 20, 1000])
    def test_they_cost_a_large_picture_little(self, system: str, agents: int) -> None:
        """There is room at the sides of a wide one."""
        with (
            showing(system=system, n_agents=agents, size=(1920, 1080)) as app,
            showing(system=system, n_agents=agents, size=(1728, 1080), hud=False) as without,
        ):
            app.step(), without.step()
            assert app.host.scene.camera.distance < 1.25 * without.host.scene.camera.distance

    def test_numbers_of_ones_own_are_kept(self) -> None:
        with showing(system="pendulum", camera="-60,40,9,0,1,0.5", n_agents=3) as app:
            app.step()
            assert app.host.scene.camera.distance == 9.0
            assert app.camera == "azimuth=-60,elevation=40,distance=9,x=0,y=1,z=0.5"
