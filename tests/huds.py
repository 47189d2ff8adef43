"""Overviews with texts for all they show, and a surface that they are prepared for."""

from __future__ import annotations

import numpy as np
from scene_folder import POINT_MASS

from calf_viz.heightfield import Heightfield
from calf_viz.hud.hud import Hud
from calf_viz.hud.keys import KEYS, help_line
from calf_viz.hud.overview import overview
from calf_viz.scene.height_texels import level_field
from calf_viz.scene.scene import Scene
from calf_viz.value_scale import ValueScale

BOWL = Heightfield(np.add.outer(np.linspace(-1, 1, 9) ** 2, np.linspace(-1, 1, 9) ** 2),
                   (-5.0, -5.0), (5.0, 5.0))  # fmt: skip
RANGE = (0.0, 2.0)
SCALE = ValueScale("linear", *RANGE)
LEVELS = level_field(BOWL, SCALE)
TEXTS = {
    "step": "12,345", "time": "123.45 s", "episodes": "31", "coloured": "trails and markers",
    "agents": "20", "mean_value": "−12.5", "fps": "60",
    "mode_0": "12", "mode_1": "0", "mode_2": "8",
}  # fmt: skip
ALL_KEYS = help_line({key.action for key in KEYS})


def made(**texts: str) -> Hud:
    hud = overview(POINT_MASS, ALL_KEYS)
    hud.update(**{**TEXTS, **texts})
    return hud


def prepared(hud: Hud, scene: Scene, levels: Heightfield = LEVELS) -> Hud:
    hud.prepare(scene, levels, SCALE)
    return hud
