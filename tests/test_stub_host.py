"""A backend from outside: begun from the stub, and given to the application as a class."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from calf_viz import CALFApplication, Heightfield, Samples, View, VisualizationConfig
from calf_viz.errors import UserError
from calf_viz.hosts.base import Host
from calf_viz.hosts.setup import Setup
from calf_viz.hosts.stub import StubHost, StubRing


class Ring:
    """Four agents that go round."""

    view = View("ring", lo=(-2.0, -2.0), hi=(2.0, 2.0))

    def __init__(self) -> None:
        self.new: Heightfield | None = Heightfield(np.eye(5), self.view.lo, self.view.hi)
        self.steps = 0

    def step(self) -> Samples:
        self.steps += 1
        turn = 0.1 * self.steps + np.arange(4)
        return Samples.of(np.stack([np.cos(turn), np.sin(turn)], axis=1))

    def surface(self) -> Heightfield | None:
        new, self.new = self.new, None
        return new

    def close(self) -> None:
        self.steps = -1


def configured(**changes: Any) -> VisualizationConfig:
    return VisualizationConfig(**{"size": (64, 36), "trail_length": 8, "frames": 20, **changes})


class Counting(StubHost):
    """Says what it was asked for."""

    asked: list[str]

    def __init__(self, setup: Setup) -> None:
        self.asked = []
        super().__init__(setup)

    def _draw(self) -> None:
        self.asked.append("draw")
        super()._draw()

    def _make_ring(self, layout: Any) -> StubRing:
        asked = self.asked

        class CountingRing(StubRing):
            def append(self, packed: Any) -> None:
                asked.append("append")
                super().append(packed)

            def grow(self, old: Any, new: Any) -> None:
                asked.append("grow")

        return CountingRing(self, layout)


def test_an_application_runs_on_a_host_of_ones_own() -> None:
    source = Ring()
    with CALFApplication(configured(n_agents=2), source=source, host=Counting) as app:
        app.run()
        assert app.host.asked[-2:] == ["append", "draw"] and app.host.asked.count("draw") == 20
        assert "grow" in app.host.asked, "there was room for two"
        assert app.host.agents == 4 and app.failure is None
        assert app.hud is not None and app.hud.values["agents"] == "4"
        picture = app.screenshot()
        assert picture.shape == (36, 64, 3) and picture.dtype == np.uint8
        assert (picture == np.rint(255 * np.asarray(app.host.background))).all()
        app.host.background = (1.0, 0.0, 0.5)
        assert app.screenshot()[0, 0].tolist() == [255, 0, 128]
    assert source.steps == -1 and app.host.closed


def test_what_a_host_does_not_have_is_refused_in_one_line() -> None:
    with pytest.raises(UserError, match="`ab`: the stub host shows one look"):
        CALFApplication(configured(ab="night"), source=Ring(), host=StubHost)
    with pytest.raises(UserError, match="`critic_on_gpu`: the stub host evaluates no critic"):
        CALFApplication(configured(critic_on_gpu=True), host=StubHost)


def test_a_host_that_cannot_be_opened_closes_what_was() -> None:
    class Broken(StubHost):
        def _make_ring(self, layout: Any) -> StubRing:
            raise UserError("no textures today")

    source = Ring()
    with pytest.raises(UserError, match="no textures today"):
        CALFApplication(configured(), source=source, host=Broken)


def test_the_stub_has_every_method_that_a_host_has() -> None:
    """So that whoever copies it sees all of them: those that must be written, and those that a
    host of this program's own has written anew."""
    from calf_viz.hosts.moderngl.host import ModernglHost
    from calf_viz.hosts.panda.host import PandaHost
    from calf_viz.hosts.panda.offscreen import OffscreenHost
    from calf_viz.hosts.panda.window import WindowHost

    known = {name for kind in Host.__mro__[:-1] for name in vars(kind) if not name.startswith("__")}
    written = {
        name
        for kind in (ModernglHost, PandaHost, OffscreenHost, WindowHost)
        for name in vars(kind).keys() & known
        if callable(vars(kind)[name]) or isinstance(vars(kind)[name], property)
    }
    assert Host.__abstractmethods__ <= written
    assert written <= vars(StubHost).keys(), "write these in the stub as well"
    for name in (*written, "__init__"):
        method = vars(StubHost)[name]
        assert method.__doc__, f"StubHost.{name}: say what it must do"


def test_a_host_of_ones_own_needs_neither_panda_nor_torch() -> None:
    script = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from test_stub_host import *\n"
        "with CALFApplication(configured(), source=Ring(), host=StubHost) as app: app.run()\n"
        "print(sorted({'torch', 'panda3d', 'ursina', 'moderngl'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout == "[]\n", done.stderr
