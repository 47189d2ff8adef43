"""Ten scenes in five sizes, to be looked at: what the program draws for everyone.

    python tools/gallery.py [--output docs/gallery] [--scene pendulum_1000 ...] [--whole FOLDER]

writes a sheet for each scene, with its five pictures beside each other, the larger ones made
smaller and the smallest larger; --whole keeps the pictures themselves, up to 4K. Agents start
from the same places each time. The half-trained critic is trained here, which takes some seconds.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import click
import numpy as np
from PIL import Image

from calf_viz import CALFApplication, VisualizationConfig, systems
from calf_viz.agent.calf import CALFAgent
from calf_viz.cli.option_types import GIVEN_PATH
from calf_viz.console import say
from calf_viz.files import make_folder, write_aside
from calf_viz.run_command import run_command
from calf_viz.training.config import TrainingConfig
from calf_viz.training.trainer import Trainer

SIZES = (3840, 2160), (1920, 1080), (1280, 720), (800, 500), (480, 300)
STEPS = 400
HALF = 12
"""Episodes of the half-trained critic."""
GAP, GROUND = 8, (128, 128, 128)
LARGE, SMALL = 1100, 480
"""Widths [px] on the sheet of the largest picture, and of the two beside it."""


def untrained(system: str) -> CALFAgent:
    """An agent with random weights."""
    return CALFAgent.random(systems.get(system), np.random.default_rng(0))


@cache
def half_trained(system: str) -> CALFAgent:
    """An agent after a few episodes."""
    trainer = Trainer(TrainingConfig.from_preset("quick", system=system, seed=0, episodes=HALF))
    trainer.run()
    return trainer.agent


@dataclass(frozen=True)
class Scene:
    """What one sheet shows.

    Attributes:
        agent: makes its agent; None: the shipped one.
        settings: of the `VisualizationConfig`.
    """

    title: str
    agent: Callable[[str], CALFAgent] | None
    settings: dict[str, Any]


def _scene(
    title: str,
    system: str,
    n_agents: int,
    agent: Callable[[str], CALFAgent] | None = None,
    **settings: Any,
) -> Scene:
    return Scene(title, agent, {"system": system, "n_agents": n_agents, **settings})


SCENES = {
    "point_mass_1": _scene("Point mass, 1 agent", "point_mass", 1),
    "point_mass_20": _scene("Point mass, 20 agents", "point_mass", 20),
    "point_mass_1000": _scene("Point mass, 1000 agents", "point_mass", 1000),
    "differential_drive_20": _scene("Differential drive, 20 agents", "differential_drive", 20),
    "differential_drive_1000": _scene(
        "Differential drive, 1000 agents", "differential_drive", 1000
    ),
    "pendulum_20": _scene("Pendulum, 20 agents", "pendulum", 20),
    "pendulum_1000": _scene("Pendulum, 1000 agents", "pendulum", 1000),
    "untrained": _scene("Untrained point mass", "point_mass", 20, untrained),
    "half_trained": _scene("Half-trained pendulum", "pendulum", 20, half_trained),
    "steep": _scene("Steep: ten times as high", "point_mass", 20, height_scale=20.0),
}


def draw(scene: Scene, size: tuple[int, int]) -> Image.Image:
    """The scene's picture in one size."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = None
        if scene.agent is not None:
            checkpoint = Path(folder) / "agent.safetensors"
            scene.agent(scene.settings["system"]).save(checkpoint)
        config = VisualizationConfig(
            **scene.settings, size=size, checkpoint=checkpoint, seed=3, headless=True
        )
        with CALFApplication(config) as app:
            for _ in range(STEPS - 1):
                app.advance()
            app.step()
            return Image.fromarray(app.screenshot(app.config.supersample))


def sheet(pictures: list[Image.Image]) -> Image.Image:
    """The largest picture, the next two beside it, the last two below."""
    width = LARGE + GAP + SMALL
    widths = LARGE, SMALL, SMALL, (width - GAP) // 2, (width - GAP) // 2
    tiles = [
        picture.resize((w, round(w * picture.height / picture.width)), Image.Resampling.LANCZOS)
        for picture, w in zip(pictures, widths, strict=True)
    ]
    beside, below = tiles[1].height + GAP, tiles[0].height + GAP
    places = (0, 0), (LARGE + GAP, 0), (LARGE + GAP, beside), (0, below), (widths[3] + GAP, below)
    whole = Image.new("RGB", (width, below + tiles[3].height), GROUND)
    for tile, place in zip(tiles, places, strict=True):
        whole.paste(tile, place)
    return whole


@click.command(help=(__doc__ or "").splitlines()[0])
@click.option("--output", type=GIVEN_PATH, default=Path("docs/gallery"), show_default=True)
@click.option("--scene", "names", multiple=True, type=click.Choice(list(SCENES)),
              help="May be repeated.  [default: all]")  # fmt: skip
@click.option("--whole", type=GIVEN_PATH, help="Folder for the pictures in their own sizes.")
def main(output: Path, names: tuple[str, ...], whole: Path | None) -> None:
    for folder in (output, whole):
        if folder is not None:
            make_folder(folder)
    for name in names or SCENES:
        pictures = []
        for width, height in SIZES:
            picture = draw(SCENES[name], (width, height))
            pictures.append(picture)
            if whole is not None:
                with write_aside(whole / f"{name}_{width}x{height}.png") as part:
                    picture.save(part, format="PNG")
        path = output / f"{name}.webp"
        with write_aside(path) as part:
            sheet(pictures).save(part, format="WEBP", quality=88, method=6)
        say(f"{path}: {SCENES[name].title}")


if __name__ == "__main__":
    run_command(main, "gallery", "gallery: ")
