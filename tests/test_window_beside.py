"""A window beside headless applications in one process, and how it ends."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from virtual_display import under_display

ONE_WINDOW_SCRIPT = """
import signal
from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.errors import UserError

def opened():
    return CALFApplication(VisualizationConfig(size=(200, 120), n_agents=2, grid=8))

before = signal.getsignal(signal.SIGINT)
app = opened()
app.step()
app.host.app.task_mgr.add(lambda task: signal.raise_signal(signal.SIGINT), "ctrl-c")
try:
    app.run()
except KeyboardInterrupt:
    print("interrupted")
try:
    opened()
except UserError as error:
    print(error)
app.close()
assert signal.getsignal(signal.SIGINT) is before, "as it was"
with opened() as again:
    again.step()
    print(again.screenshot().shape)
"""


BESIDE_SCRIPT = """
import sys
import numpy as np
from calf_viz import CALFApplication, VisualizationConfig

others = {"gpu": {}, "batched": {"renderer": "batched"}, "ab": {"ab": "night"},
          "critic": {"critic_on_gpu": True}}
path, *order = sys.argv[1:]

def opened(name):
    changes = others.get(name, {"headless": False, "size": (240, 160)})
    return CALFApplication(VisualizationConfig(**{
        "n_agents": 6, "size": (320, 180), "grid": 16, "trail_length": 40, "headless": True,
        "hud": name == "gpu", **changes}))

applications = [opened(name) for name in order]
for step in range(30):
    if step == 15:
        for shown in applications:
            shown.host.reload()
            shown.n_agents = 40
    for shown in applications:
        shown.step()
np.savez(path, *[shown.screenshot() for shown in applications])
for shown in applications:
    shown.close()
"""


@pytest.mark.rendering
class TestBeside:
    def test_ctrl_c_ends_it_silently_and_there_is_one_at_a_time(self) -> None:
        done = under_display(sys.executable, "-c", ONE_WINDOW_SCRIPT)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == [
            "interrupted",
            "a process has one window at a time: close the other, or use headless",
            "(120, 200, 3)",
        ]

    def test_beside_headless_ones_each_draws_what_it_draws_alone(self, tmp_path: Path) -> None:
        """Opened before and after it, closed before and after it, and nothing is complained of."""

        def drawn(*order: str) -> dict[str, np.ndarray]:
            path = tmp_path / "pictures.npz"
            done = under_display(sys.executable, "-c", BESIDE_SCRIPT, str(path), *order)
            assert done.returncode == 0, done.stdout + done.stderr
            said = [line for line in done.stderr.splitlines() if not line.startswith("Xlib: ")]
            assert not said
            return dict(zip(order, np.load(path).values(), strict=True))

        together = drawn("gpu", "window", "batched") | drawn("window", "ab", "critic")
        for name, picture in together.items():
            alone = drawn(name)[name]
            assert picture.shape == alone.shape
            assert (picture != alone).any(axis=2).sum() == 0, name

    def test_agents_that_come_leave_no_texture_bound_that_is_gone(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Panda looks for errors now and then only; Mesa tells of each, if it is asked to."""
        monkeypatch.setenv("MESA_DEBUG", "1")
        done = under_display(
            sys.executable, "-c", BESIDE_SCRIPT, str(tmp_path / "pictures.npz"), "gpu", "window"
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "glBindTexture" not in done.stderr


@pytest.mark.rendering
def test_an_application_that_nobody_closes_is_closed_when_the_process_ends() -> None:
    """Before Panda takes apart what its window is closed by. One headless beside it, too."""
    script = """
from calf_viz import CALFApplication, VisualizationConfig
small = dict(size=(64, 64), grid=8, n_agents=2)
beside = CALFApplication(VisualizationConfig(**small, headless=True))
shown = CALFApplication(VisualizationConfig(**small))
shown.step()
beside.step()
raise SystemExit(3)
"""
    done = under_display(sys.executable, "-c", script)
    assert done.returncode == 3, done.stderr
    said = [line for line in done.stderr.splitlines() if not line.startswith("Xlib: ")]
    assert said == [] and done.stdout == ""


LOST_SCRIPT = """
import ctypes
from calf_viz import CALFApplication, UserError, VisualizationConfig
from calf_viz.hosts.panda import context

context.PATIENCE = context.PAUSE = 0.01
small = dict(size=(64, 64), grid=8, n_agents=2)
shown = CALFApplication(VisualizationConfig(**small))
shown.step()
gl = ctypes.CDLL("libGL.so.1")
for name in ("glXGetCurrentDisplay", "glXGetCurrentContext"):
    getattr(gl, name).restype = ctypes.c_void_p
with shown.host.context:
    lost = gl.glXGetCurrentDisplay(), gl.glXGetCurrentContext()
    gl.glXDestroyContext(*map(ctypes.c_void_p, lost))
beside = CALFApplication(VisualizationConfig(**small, headless=True))
beside.step()  # so that the window's context is made current anew

def frames():
    for _ in range(100):
        shown.step()

for use in (shown.screenshot, frames):
    try:
        use()
        print("nothing")
    except UserError as error:
        print(error)
beside.step()
print(bool(beside.screenshot().any()))
shown.close()
"""


@pytest.mark.rendering
def test_a_window_whose_driver_fails_is_an_error_and_no_black_picture() -> None:
    done = under_display(sys.executable, "-c", LOST_SCRIPT)
    if "cannot open shared object" in done.stderr:
        pytest.skip("there is no GLX")
    assert done.returncode == 0, done.stderr
    *told, beside = done.stdout.splitlines()
    assert len(told) == 2 and beside == "True", done.stdout
    assert all("draws no frame any more (" in line for line in told), told
    assert "Traceback" not in done.stderr


AFTER_SCRIPT = """
import numpy as np
from calf_viz import CALFApplication, VisualizationConfig

def picture(**changes):
    config = {"n_agents": 2, "size": (240, 160), "grid": 8, "hud": False, "seed": 1}
    with CALFApplication(VisualizationConfig(**{**config, **changes})) as app:
        for _ in range(5):
            app.step()
        if app.host.compare is not None:
            app.host.compare.view.mode = "difference"
            app.step()
        return app.screenshot()

alone = picture()
picture(hud=True, ab="night", size=(320, 200))
print(np.array_equal(picture(), alone))
"""


@pytest.mark.rendering
def test_nothing_of_a_window_is_seen_in_the_next() -> None:
    """Neither what was written over its scene nor how two looks differ."""
    done = under_display(sys.executable, "-c", AFTER_SCRIPT)
    assert done.stdout.strip() == "True", done.stderr
