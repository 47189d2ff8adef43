"""The application: what a frame may ask for, agents that come and go, and its pictures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from applications import apart, running
from click.testing import CliRunner
from panda3d.core import RenderState
from PIL import Image

from calf_viz import CALFApplication, VisualizationConfig, systems
from calf_viz.agent import checkpoint
from calf_viz.agent.array_networks import ArrayNetworks
from calf_viz.agent.calf import CALFAgent
from calf_viz.cli.main import calf_viz
from calf_viz.errors import UserError
from calf_viz.hosts.setup import SLOTS_PER_STEP
from calf_viz.hud.widgets import ColourBar
from calf_viz.scene.camera import USUAL
from calf_viz.viewer import app, opening

pytestmark = pytest.mark.rendering


@pytest.mark.parametrize("system", systems.own())
def test_frames_show_agents_that_move_on_a_surface(system: str) -> None:
    with running(system=system, n_agents=8) as shown:
        shown.step()
        first = shown.screenshot()
        for _ in range(60):
            shown.step()
        later = shown.screenshot()
    assert first.shape == (108, 192, 3) and first.dtype == np.uint8
    assert len(np.unique(first.reshape(-1, 3), axis=0)) > 100
    assert 0.002 < apart(first, later) < 0.2, "trails and markers moved, the surface did not"
    assert shown.frames == 61


def test_agents_may_come_and_go_while_it_runs() -> None:
    with running(n_agents=1) as shown:
        for n_agents in (1, 1000, 3, 1500, 1):
            shown.n_agents = n_agents
            for _ in range(3):
                shown.step()
            assert shown.n_agents == shown.config.n_agents == shown.host.agents == n_agents
            assert shown.screenshot().any()
        with pytest.raises(UserError, match="n_agents 0 is out of range"):
            shown.n_agents = 0
        assert shown.n_agents == 1


def test_those_who_left_are_gone_from_the_picture() -> None:
    # Neither where they go nor their values change what else is seen.
    still = {"n_agents": 1, "camera": "-60,40,9,0,0", "clim": "auto"}
    with running(**still) as few, running(**still) as many:
        few.step(), many.step()
        many.n_agents = 200
        for _ in range(3):
            few.step(), many.step()
        assert apart(few.screenshot(), many.screenshot()) > 0.025  # smaller near the goal
        many.n_agents = 1
        few.step(), many.step()
        np.testing.assert_array_equal(few.screenshot(), many.screenshot())


def test_drawing_asks_the_critic_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    for kind in (CALFAgent, ArrayNetworks):
        for name in {"lyapunov", "q_values", "actor_actions"} & set(vars(kind)):
            original = getattr(kind, name)

            def counting(self: Any, *args: Any, name: str = name, original: Any = original) -> Any:
                asked.append(name)
                return original(self, *args)

            monkeypatch.setattr(kind, name, counting)
    with running(n_agents=5, policy="nominal") as shown:
        assert asked == ["lyapunov"], "the surface: one batched pass"
        uploads: list[int] = []
        monkeypatch.setattr(shown.host, "_upload_heights", lambda texels: uploads.append(1))
        for _ in range(20):
            shown.step()
        assert asked == ["lyapunov"] and not uploads
    with running(n_agents=5) as shown:
        asked.clear()
        for _ in range(20):
            shown.step()
        # The simulation's own: once for all agents in each step.
        assert asked == ["actor_actions", "q_values"] * 20


def test_run_ends_after_the_frames_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    with running(frames=7) as shown:
        shown.run(lambda: calls.append(shown.frames))
    assert calls == [1, 2, 3, 4, 5, 6, 7]
    monkeypatch.setattr(app, "HEADLESS_FRAMES", 3)
    with running() as shown:
        shown.run()
    assert shown.frames == 3


def test_steps_that_are_not_drawn_are_in_the_trails() -> None:
    with running(n_agents=4) as drawn, running(n_agents=4) as skipped:
        for _ in range(30):
            drawn.step()
        for _ in range(29):
            skipped.advance()
        skipped.step()
        np.testing.assert_array_equal(drawn.screenshot(), skipped.screenshot())


def test_a_restart_is_a_fresh_start() -> None:
    with running(n_agents=4, seed=3) as fresh, running(n_agents=4, seed=3) as again:
        for _ in range(25):
            fresh.step()
        # Long enough for a lap of the ring: nothing of it may be seen again.
        for _ in range(SLOTS_PER_STEP * 40 + 30):
            again.advance()
        again.step()
        again.restart()
        for _ in range(25):
            again.step()
        np.testing.assert_array_equal(fresh.screenshot(), again.screenshot())
        np.testing.assert_array_equal(fresh.simulation.states, again.simulation.states)
        assert again.frames == 25


def test_headless_frames_leave_nothing_behind() -> None:
    """Panda keeps states that nobody holds any more until it is told to look."""
    with running() as shown:
        for _ in range(20):
            shown.step()
        before = RenderState.get_num_states()
        for _ in range(50):
            shown.step()
        assert RenderState.get_num_states() <= before + 5


def test_the_grid_is_what_was_asked_for_and_else_fits_the_renderer() -> None:
    with running(grid=21) as shown:
        assert shown.host.heightfield.shape == (22, 22)
    with running(grid=None) as shown:
        software = shown.host.software
        for size, cells in (
            ((640, 360), 40 if software else 192),
            ((1920, 1080), 60 if software else 256),
            ((3840, 2160), 120 if software else 256),
            ((1000, 700), 40 if software else 192),
        ):
            shown.host.scene.size = size  # as a window's is set
            shown.fit_surface()
            assert shown.host.heightfield.shape == (cells + 1, cells + 1)
            assert shown.simulation.grid == shown.surface.grid
        shown.fit_surface(still=True)
        assert shown.host.heightfield.shape == (193, 193), "single pictures may take longer"
    with running(grid=21, size=(1920, 1080)) as shown:
        shown.fit_surface(still=True)
        assert shown.host.heightfield.shape == (22, 22)


def test_pictures_have_as_many_cells_as_a_gpu_draws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = []
    save = CALFApplication.save_screenshot

    def note(app: CALFApplication, path: Path) -> Path:
        shapes.append(app.host.heightfield.shape)
        return save(app, path)

    monkeypatch.setattr(CALFApplication, "save_screenshot", note)
    small = ["--size", "64x64", "--n-agents", "2"]
    for options in ([], ["--grid", "9"]):
        output = ["--output", str(tmp_path / "a.png"), "--frames", "2"]
        done = CliRunner().invoke(calf_viz, [*small, *options, *output])
        assert done.exit_code == 0, done.output
    assert shapes == [(193, 193), (10, 10)]


@pytest.mark.parametrize("size", [(16, 16), (64, 300), (501, 77)])
def test_odd_sizes(size: tuple[int, int]) -> None:
    with running(size=size) as shown:
        shown.step()
        assert shown.screenshot().shape == (size[1], size[0], 3)


def test_the_default_is_a_point_mass() -> None:
    config = VisualizationConfig.from_preset("medium")
    assert (config.system, config.n_agents, config.trail_length) == ("point_mass", 5, 600)


@pytest.mark.parametrize("size", [(360, 400), (200, 300)])
def test_the_whole_plane_fits_a_narrow_picture(size: tuple[int, int]) -> None:
    with running(size=size, camera="plane") as shown:
        shown.step()
        picture = shown.screenshot()
    edge = np.concatenate([picture[:, 0], picture[:, -1], picture[0], picture[-1]])
    assert len(np.unique(edge, axis=0)) == 1, "nothing but background touches the edge"


def test_lines_and_markers_grow_with_a_picture_higher_than_720() -> None:
    shares = []
    for size in ((1280, 720), (2560, 1440)):
        with running(size=size, n_agents=5, trail_length=300) as shown:
            shown.step()
            for _ in range(99):
                shown.advance()
            before = shown.screenshot()
            shown.step()
            shares.append(apart(before, shown.screenshot()))
    assert shares[1] == pytest.approx(shares[0], rel=0.1)


class TestHud:
    size = (800, 450)

    def test_says_what_is_drawn(self) -> None:
        with running(size=self.size, hud=True, n_agents=7) as shown:
            for _ in range(23):
                shown.step()
            assert shown.hud is not None
            assert shown.hud.values["step"] == "21", "texts change now and then"
            shown.screenshot()
            values = shown.hud.values
            assert values["step"] == "23", "a picture's are its own"
            assert values["agents"] == "7"
            modes = np.bincount(shown.simulation.step().modes, minlength=3)
            assert sum(int(values[f"mode_{i}"]) for i in range(3)) == modes.sum() == 7
            assert "fps" not in values, "no two runs have the frame rate in common"
            assert set(shown.hud.placed) == {"overview", "value"}, "no keys without a keyboard"
            scale = shown.host.scale
            bar = next(one for one in shown.hud.widgets if isinstance(one, ColourBar))
            ticks = bar._ticks(shown.hud.canvas, 100)
            assert len(ticks) >= 2
            for level, text in ticks:
                said = float(text.replace("−", "-"))
                assert scale.levels(said) == pytest.approx(level, abs=1e-6)

    def test_mean_value_is_the_critics_of_all_states(self) -> None:
        with running(size=self.size, hud=True, n_agents=5, policy="nominal") as shown:
            for _ in range(9):
                shown.step()
            samples = shown.simulation.step()
            shown._push([samples])
            shown.draw()
            shown.screenshot()
            expected = shown.agent.lyapunov(shown.simulation.states).mean()
            assert shown.hud is not None
            said = float(shown.hud.values["mean_value"].replace(",", ""))
            assert said == pytest.approx(expected, abs=0.51)

    def test_pictures_are_the_same_however_they_come_about(self) -> None:
        pictures = []
        for skipped in (0, 29):
            with running(size=self.size, hud=True) as shown:
                for _ in range(skipped):
                    shown.advance()
                for _ in range(30 - skipped):
                    shown.step()
                pictures.append(shown.screenshot())
        np.testing.assert_array_equal(*pictures)

    def test_without_one_the_scene_is_the_same(self) -> None:
        # (A camera by name leaves panels room.)
        camera = "30,35,14,0,0"
        with (
            running(size=self.size, hud=True, camera=camera) as shown,
            running(size=self.size, camera=camera) as plain,
        ):
            shown.step(), plain.step()
            assert plain.hud is None
            with_hud, without = shown.screenshot(), plain.screenshot()
            assert apart(with_hud, without) > 0.005
            assert shown.hud is not None
            shown.hud.visible = False
            shown.draw()
            np.testing.assert_array_equal(shown.host.screenshot(), without)

    def test_run_draws_but_does_not_count_while_paused(self) -> None:
        with running(size=self.size, hud=True, frames=5) as shown:
            drawn: list[int] = []

            def each_frame() -> None:
                drawn.append(shown.frames)
                if len(drawn) in (2, 6):
                    shown.playback.toggle()
                if len(drawn) == 4:
                    shown.playback.single_step()

            shown.run(each_frame)
        assert drawn == [1, 2, 2, 2, 3, 3, 4, 5]


WITHOUT_PYOPENGL = """
import sys
sys.modules["OpenGL"] = None

import numpy as np
from panda3d.core import ConfigVariableBool
from calf_viz import CALFApplication, VisualizationConfig, systems

application = CALFApplication(
    VisualizationConfig(size=(192, 108), grid=16, trail_length=40, headless=True, hud=False)
)
for _ in range(30):
    application.step()
np.save(sys.argv[1], application.screenshot())
assert ConfigVariableBool("gl-finish")
application.close()
"""


def test_pyopengl_checks_for_no_errors_of_pandas() -> None:
    program = """
from calf_viz.hosts.panda.raw_gl import raw, waiter
assert waiter() is not None
raw("3_3")
import OpenGL._configflags
assert not OpenGL._configflags.ERROR_CHECKING
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_without_pyopengl_panda_waits_for_frames_and_the_picture_is_the_same(
    tmp_path: Path,
) -> None:
    program = [sys.executable, "-c", WITHOUT_PYOPENGL, str(tmp_path / "picture.npy")]
    subprocess.run(program, check=True, timeout=120)
    with running() as shown:
        for _ in range(30):
            shown.step()
        np.testing.assert_array_equal(shown.screenshot(), np.load(tmp_path / "picture.npy"))


@pytest.mark.parametrize("system", systems.own())
def test_the_camera_steps_back_for_what_is_taller_or_flatter_than_usual(system: str) -> None:
    distances = {}
    for height in (0.0, 2.0, 20.0):
        with running(system=system, height_scale=height, camera="plane") as shown:
            distances[height] = shown.host.scene.camera.distance
    assert USUAL <= distances[2.0] < 1.1 * USUAL
    assert distances[2.0] < min(distances[0.0], distances[20.0])


def test_a_program_that_closes_nothing_ends_well() -> None:
    script = (
        "from calf_viz import CALFApplication, VisualizationConfig\n"
        "config = VisualizationConfig(size=(96, 54), n_agents=2, grid=8, trail_length=20,\n"
        "                             headless=True, critic_on_gpu=True)\n"
        "apps = [CALFApplication(config) for _ in range(2)]\n"
        "for app in apps:\n"
        "    app.step()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, timeout=120)
    assert done.returncode == 0


def test_its_picture_can_be_saved(tmp_path: Path) -> None:
    with running(size=(64, 36)) as shown:
        shown.step()
        saved = shown.save_screenshot(str(tmp_path / "new" / "a.png"))
        with Image.open(saved) as picture:
            np.testing.assert_array_equal(np.asarray(picture), shown.screenshot(3))
        with pytest.raises(UserError, match="cannot write"):
            shown.save_screenshot(tmp_path)


@pytest.mark.parametrize("headless", [True, False])
def test_without_a_display_it_says_that_no_window_opens(
    headless: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(opening, "display_found", lambda: False)
    with running(size=(64, 36), headless=headless) as shown:
        assert not shown.host.has_window
    assert ("no display: drawing without a window" in caplog.text) != headless


def test_the_panel_says_which_policy_and_which_agent_are_shown(tmp_path: Path) -> None:
    mine = tmp_path / "mine.npz"
    mine.write_bytes(checkpoint.shipped("point_mass").read_bytes())
    for settings, text in (
        ({}, "calf, trained"),
        ({"policy": "nominal"}, "nominal, trained"),
        ({"policy": "actor", "checkpoint": mine}, "actor, mine.npz"),
    ):
        with running(hud=True, n_agents=1, **settings) as shown:
            shown.step()
            assert shown.hud is not None and shown.hud.values["shown"] == text
