"""What a loop pushes through a board looks as what the program simulates itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from calf_attach import attach

from calf_viz import CALFApplication, VisualizationConfig, systems
from calf_viz.heightfield import Heightfield
from calf_viz.samples import Samples
from calf_viz.sources.attached import Attached
from calf_viz.view import View

pytestmark = [pytest.mark.usefixtures("boards"), pytest.mark.rendering]
STEPS, AGENTS = 1000, 5


class Inside:
    """Steps of a simulation and its surface, as they are."""

    def __init__(self, view: View, steps: list[Samples], surface: Heightfield) -> None:
        self.view, self.steps, self.field = view, steps, [surface]

    def step(self) -> Samples | None:
        return self.steps.pop(0) if self.steps else None

    def surface(self) -> Heightfield | None:
        return self.field.pop() if self.field else None

    def close(self) -> None: ...


def copied(one: Samples) -> Samples:
    """Without headings, which a loop cannot push."""
    return Samples(one.positions.copy(), one.modes.copy(), one.first.copy())


def simulated(system: str) -> tuple[View, list[Samples], Heightfield]:
    config = VisualizationConfig(
        system=system, n_agents=AGENTS, headless=True, size=(64, 64), grid=32, seed=3
    )
    with CALFApplication(config) as app:
        simulation = app.simulation
        assert simulation is not None
        steps = [copied(simulation.step()) for _ in range(STEPS)]
        simulation.critic_changed()
        surface = simulation.surface()
        assert surface is not None
        return simulation.view, steps, surface


def picture(source: Any) -> np.ndarray:
    config = VisualizationConfig(
        headless=True, size=(480, 270), hud=False, camera="plane", frames=3, trail_length=300
    )
    with CALFApplication(config, source=source) as app:
        app.run()
        return app.screenshot()


@pytest.mark.parametrize("system", systems.own())
def test_a_system_pushed_looks_as_it_does_inside(system: str) -> None:
    view, steps, surface = simulated(system)
    assert any(one.first.any() for one in steps[1:]), "an episode ends"
    with attach(
        list(zip(view.lo, view.hi, strict=True)), name="pushed", labels=view.labels,
        periodic=view.periodic, modes=view.modes, value=view.value, dt=view.dt, rate=1e9,
    ) as viz:  # fmt: skip
        never = np.zeros(AGENTS, bool)
        for one, following in zip(steps, [*steps[1:], None], strict=True):
            ends = never if following is None else following.first
            viz.step(one.positions, np.zeros(AGENTS), ends, never, {}, modes=one.modes)
        viz.surface(surface.values)
        assert viz.board is not None
        source = Attached(viz.board)
        inside = Inside(source.view, steps, surface)
        np.testing.assert_array_equal(picture(source), picture(inside))
        assert source.lost == 0 and source.notice is None
