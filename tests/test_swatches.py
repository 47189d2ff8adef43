"""The legend has the colours that looks draw: compared with pixels of trails, markers, circles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from framed import seen

from calf_viz import CALFApplication, Samples, View, VisualizationConfig
from calf_viz.glsl.shipped_shaders import look_names
from calf_viz.glsl.variants import CIRCLE
from calf_viz.heightfield import Heightfield

SIZE = (960, 600)
WIDTH = 24.0
"""Of trails [px], so that what is in their middle can be measured."""
ALIKE = 26
"""Most difference of a mean over some pixels, 0 to 255: trails there are of some age."""
Y = np.array([-2.5, 0.0, 2.5])
GOAL = (2.9, 3.4, 1.2, 0.8)


class Walkers:
    """An agent for each mode, on parallel ways over flat ground."""

    view = View("walk", modes=("a", "b", "c"), goal=GOAL, value="v")

    def __init__(self, margins: bool = False) -> None:
        self.field: Heightfield | None = Heightfield(np.ones((5, 5)), self.view.lo, self.view.hi)
        self.steps = 0

    def step(self) -> Samples:
        self.steps += 1
        x = np.full(3, -3.0 + 0.02 * self.steps)
        return Samples.of(np.column_stack([x, Y]), modes=[0, 1, 2])

    def surface(self) -> Heightfield | None:
        new, self.field = self.field, None
        return new

    def close(self) -> None:
        pass


def shown(look: Any, **changes: Any) -> CALFApplication:
    config = VisualizationConfig(
        size=SIZE, headless=True, shaders=look, trail_length=2000, camera="top", grid=8, **changes
    )
    app = CALFApplication(config, source=Walkers())
    app.host.scene.trail_width = WIDTH
    for _ in range(180):
        app.advance()
    app.step()
    return app


def near(app: CALFApplication, picture: np.ndarray, place: tuple[float, float]) -> np.ndarray:
    """Mean colour of pixels around a place on the plane."""
    ((x, y),) = 0.5 * np.array(SIZE) * (seen(app, np.array([place])) * (1, -1) + 1)
    reach = round(0.2 * WIDTH)
    part = picture[round(y) - reach : round(y) + reach + 1, round(x) - 2 : round(x) + 3]
    mean: np.ndarray = part.reshape(-1, 3).mean(axis=0)
    return mean


def apart(colour: np.ndarray, other: np.ndarray, ground: np.ndarray) -> float:
    """Difference of a colour in the picture from another, through which the ground may shine."""
    parts = np.linspace(0.65, 1.0, 36)[:, None]
    return float(np.abs(parts * other + (1.0 - parts) * ground - colour).max(axis=1).min())


def swatch(app: CALFApplication, entry: int) -> np.ndarray:
    colour = app.hud.canvas.modes[entry]
    return np.array([colour >> 16, colour >> 8 & 255, colour & 255])


def is_in_panel(app: CALFApplication, picture: np.ndarray, colour: np.ndarray) -> bool:
    rect = app.hud.placed["overview"]
    part = picture[rect.y : rect.bottom, rect.x : rect.right].astype(int)
    return bool((np.abs(part - colour).max(axis=2) <= 2).any())


@pytest.mark.rendering
@pytest.mark.parametrize("look", [None, *look_names()])
def test_trails_and_the_goal_s_circle_have_the_legend_s_colours(look: str | None) -> None:
    with shown(look) as app:
        picture = app.screenshot(1).astype(float)
        ground = near(app, picture, (0.2, 4.2))
        by_mode = app.host.programs.trail_colour == "BY_MODE"
        for mode, y in list(enumerate(Y))[app.looks.show_chosen :] if by_mode else ():
            colour = swatch(app, mode)
            assert is_in_panel(app, picture, colour)
            assert apart(near(app, picture, (0.2, y)), colour, ground) < ALIKE, mode
        circle = swatch(app, CIRCLE)
        assert is_in_panel(app, picture, circle)
        rim = near(app, picture, (GOAL[0] + GOAL[2], GOAL[1]))
        assert apart(rim, circle, ground) < ALIKE
