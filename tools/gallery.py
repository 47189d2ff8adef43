"""What the program draws for everyone, to be looked at: systems, sizes, crowds, themes, scales.

    python tools/gallery.py [--output docs/gallery] [--sheet pendulum_1000 ...] [--whole FOLDER]

writes a sheet for each: whole pictures, made smaller, and parts of them pixel by pixel, with a
caption below each; --whole keeps the pictures themselves, up to 4K. Agents start from the same
places each time. The half-trained critic is trained here, which takes some seconds.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
from colour_vision import picture_seen
from gallery_sheet import HALF, WIDTH, Tile, crop, sheet, shrunk
from PIL import Image
from small_webp import write_webp

from calf_viz import CALFApplication, VisualizationConfig, systems
from calf_viz.agent.calf import CALFAgent
from calf_viz.agent.threads import one_thread
from calf_viz.cli.option_types import GIVEN_PATH
from calf_viz.console import say
from calf_viz.files import make_folder, write_aside
from calf_viz.run_command import run_command
from calf_viz.training.config import TrainingConfig
from calf_viz.training.trainer import Trainer

Size = tuple[int, int]
Place = tuple[float, float]
SIZES: tuple[Size, ...] = (3840, 2160), (1920, 1080), (1280, 720), (800, 500), (480, 300)
USUAL = SIZES[2]
STEPS = 400
HALF_TRAINED = 12
"""Episodes of the half-trained critic."""
HEIGHT = 270
"""Of parts of pictures, on a sheet [px]."""


def untrained(system: str) -> CALFAgent:
    """An agent with random weights."""
    return CALFAgent.random(systems.get(system), np.random.default_rng(0))


@cache
def half_trained(system: str) -> CALFAgent:
    """An agent after a few episodes."""
    trainer = Trainer(
        TrainingConfig.from_preset("quick", system=system, seed=0, episodes=HALF_TRAINED)
    )
    with one_thread():  # whose products are so small that a second one only waits
        trainer.run()
    return trainer.agent


AGENTS: dict[str, Callable[[str], CALFAgent]] = {
    "untrained": untrained,
    f"after {HALF_TRAINED} episodes": half_trained,
}
"""Agents that are not the shipped ones, as captions call them."""


@dataclass(frozen=True)
class Scene:
    """What is drawn.

    Attributes:
        settings: of the `VisualizationConfig`.
        agent: one of `AGENTS`; None: the shipped one.
        steps: that were taken.
    """

    settings: dict[str, Any]
    agent: str | None = None
    steps: int = STEPS

    @property
    def caption(self) -> str:
        """Its system, agents and options, in words."""
        more = dict(self.settings)
        system, n = more.pop("system").replace("_", " "), more.pop("n_agents")
        whose = "" if self.agent is None else f", {self.agent}"
        said = f"{system}{whose}, {n:,} agent{'s' * (n > 1)}"
        return " ".join([said, *(_option(name, value) for name, value in more.items())])


def _option(name: str, value: Any) -> str:
    text = " ".join(value) if isinstance(value, tuple) else str(value)
    return f"--{name.replace('_', '-')} {text}"


def _scene(system: str, n_agents: int, **settings: Any) -> Scene:
    own = {name: settings.pop(name) for name in ("agent", "steps") if name in settings}
    return Scene({"system": system, "n_agents": n_agents, **settings}, **own)


class Shot(NamedTuple):
    """A picture on a sheet.

    Attributes:
        part: around what it shows it pixel by pixel: `agents`, or a widget's name; None: all of it.
        deficiency: of the eyes that see it, from `colour_vision`.
    """

    scene: Scene
    size: Size = USUAL
    part: str | None = None
    deficiency: str | None = None


class Sheet(NamedTuple):
    """Its title, and its rows of shots."""

    title: str
    rows: tuple[tuple[Shot, ...], ...]


def five_sizes(title: str, scene: Scene) -> Sheet:
    """One scene in all sizes."""
    uhd, hd, usual, small, least = SIZES
    return Sheet(
        f"{title}, in five sizes",
        (
            (Shot(scene, uhd),),
            (Shot(scene, uhd, "agents"), Shot(scene, hd, "agents")),
            (Shot(scene, hd), Shot(scene, usual)),
            (Shot(scene, usual, "agents"), Shot(scene, small, "agents")),
            (Shot(scene, small), Shot(scene, least)),
        ),
    )


def variations(title: str, part: str, *scenes: Scene, size: Size = USUAL) -> Sheet:
    """Each scene beside a part of it."""
    return Sheet(title, tuple((Shot(scene, size), Shot(scene, size, part)) for scene in scenes))


BLIND = _scene("pendulum", 20, agent=f"after {HALF_TRAINED} episodes", palette="colour_blind")
STANDARD = Scene({**BLIND.settings, "palette": "standard"}, BLIND.agent)
SHEETS = {
    "point_mass_1": five_sizes("One agent", _scene("point_mass", 1)),
    "point_mass_20": five_sizes("20 agents", _scene("point_mass", 20)),
    "point_mass_1000": five_sizes("1000 agents", _scene("point_mass", 1000)),
    "differential_drive_20": five_sizes("Differential drive", _scene("differential_drive", 20)),
    "differential_drive_1000": five_sizes(
        "Differential drive, 1000 agents", _scene("differential_drive", 1000)
    ),
    "pendulum_20": five_sizes("Pendulum", _scene("pendulum", 20)),
    "pendulum_1000": five_sizes("Pendulum, 1000 agents", _scene("pendulum", 1000)),
    "untrained": five_sizes("Untrained", _scene("point_mass", 20, agent="untrained")),
    "half_trained": five_sizes(
        "Half-trained", Scene({"system": "pendulum", "n_agents": 20}, BLIND.agent)
    ),
    "steep": five_sizes("Steep: ten times as high", _scene("point_mass", 20, height_scale=20.0)),
    "light": five_sizes("Light theme", _scene("differential_drive", 20, theme="light")),
    "crowds": variations(
        "Crowds",
        "agents",
        _scene("pendulum", 10_000, trail_length=100, steps=200),
        *(
            _scene(system, 100_000, trail_length=20, steps=80)
            for system in ("point_mass", "differential_drive")
        ),
    ),
    "colour_vision": Sheet(
        "Palettes, and how they are seen",
        (
            (Shot(STANDARD), Shot(BLIND)),
            *(
                (Shot(STANDARD, USUAL, "agents", eyes), Shot(BLIND, USUAL, "agents", eyes))
                for eyes in (None, "deuteranopia", "protanopia", "tritanopia")
            ),
        ),
    ),
    "colouring": variations(
        "Trails by age, speed and certificate",
        "trails",
        *(
            _scene("point_mass", 20, define=(f"TRAIL_COLOUR={name}",))
            for name in ("BY_AGE", "BY_SPEED", "BY_CERTIFICATE")
        ),
        _scene("point_mass", 20, define=("TRAIL_COLOUR=BY_AGE",), theme="light"),
        size=SIZES[3],  # in which legend and trails are near each other
    ),
    "scales": variations(
        "Scales of values",
        "value",
        *(_scene("point_mass", 20, value_scale=scale) for scale in ("linear", "rank")),
        _scene("point_mass", 20, agent="untrained", value_scale="symlog"),
        _scene("point_mass", 20, clim="agents"),
        _scene("point_mass", 20, value_scale="linear", clim="agents"),
    ),
}


class Drawn(NamedTuple):
    """A scene's picture, and where in it is what shots show parts of [px]."""

    picture: Image.Image
    places: dict[str, Place]


def draw(scene: Scene, size: Size) -> Drawn:
    """The scene's picture in one size."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = None
        if scene.agent is not None:
            checkpoint = Path(folder) / "agent.safetensors"
            AGENTS[scene.agent](scene.settings["system"]).save(checkpoint)
        config = VisualizationConfig(
            **scene.settings, size=size, checkpoint=checkpoint, seed=3, headless=True
        )
        with CALFApplication(config) as app:
            app.fit_surface(still=True)
            for _ in range(scene.steps - 1):
                app.advance()
            app.step()
            picture = Image.fromarray(app.screenshot(app.config.supersample))
            return Drawn(picture, dict(_places(app)))


def _places(app: CALFApplication) -> Iterator[tuple[str, Place]]:
    assert app.hud is not None and app.simulation is not None
    for name, rect in app.hud.placed.items():
        yield name, (rect.x + rect.width / 2, rect.y + rect.height / 2)
    scene, ground = app.host.scene, app.host.ground
    axes = list(app.simulation.system.plane.axes)
    on_plane = app.feed.view.wrapped(app.simulation.states[:, axes])
    places = scene.frame.places(on_plane.astype(np.float64))
    width, height = scene.size
    points = np.column_stack([places, ground.heights(places), np.ones(len(places))])
    clip = points @ scene.camera.view_projection(width / height).astype(np.float64).T
    x, y = np.median(clip[:, :2] / clip[:, 3:], axis=0)
    yield "agents", (0.5 * width * (1.0 + float(x)), 0.5 * height * (1.0 - float(y)))


def tile(shot: Shot, drawn: Drawn, width: int) -> Tile:
    """A shot as it is on the sheet, in that width at most."""
    picture = drawn.picture
    if shot.deficiency is not None:
        picture = Image.fromarray(picture_seen(np.asarray(picture), shot.deficiency))
    if shot.part is not None:
        picture = crop(picture, drawn.places[shot.part], (width, HEIGHT))
    else:
        picture = shrunk(picture, width)
    whole, (large, high) = shot.part is None, shot.size
    percent = round(100 * picture.width / large)
    how = f"at {percent}\N{NO-BREAK SPACE}%" if whole and percent < 100 else "pixels as they are"
    part = "" if whole else "part of "
    pixels = f"{large} x {high}".replace(" ", "\N{NO-BREAK SPACE}")
    seen = "" if shot.deficiency is None else f", seen with {shot.deficiency}"
    return Tile(picture, f"{shot.scene.caption}: {part}{pixels}, {how}{seen}")


def draw_sheet(name: str, whole: Path | None = None) -> Image.Image:
    """A sheet. whole: folder for its pictures in their own sizes."""
    made, drawn = SHEETS[name], dict[str, Drawn]()
    for shot in (shot for row in made.rows for shot in row):
        known = key(shot)
        if known in drawn:
            continue
        drawn[known] = draw(shot.scene, shot.size)
        if whole is not None:
            stem = f"{name}_{len(drawn)}_{shot.size[0]}x{shot.size[1]}"
            with write_aside(whole / f"{stem}.png") as part:
                drawn[known].picture.save(part, format="PNG")
    return sheet(
        made.title,
        [
            [tile(shot, drawn[key(shot)], WIDTH if len(row) == 1 else HALF) for shot in row]
            for row in made.rows
        ],
    )


def key(shot: Shot) -> str:
    """The same for all shots of one picture."""
    return f"{shot.scene} {shot.size}"


@click.command(help=(__doc__ or "").splitlines()[0])
@click.option("--output", type=GIVEN_PATH, default=Path("docs/gallery"), show_default=True)
@click.option(
    "--sheet",
    "names",
    multiple=True,
    type=click.Choice(list(SHEETS)),
    help="May be repeated.  [default: all]",
)
@click.option("--whole", type=GIVEN_PATH, help="Folder for the pictures in their own sizes.")
def main(output: Path, names: tuple[str, ...], whole: Path | None) -> None:
    for folder in (output, whole):
        if folder is not None:
            make_folder(folder)
    for name in names or SHEETS:
        path = output / f"{name}.webp"
        write_webp(draw_sheet(name, whole), path)
        say(f"{path}: {SHEETS[name].title}")


if __name__ == "__main__":
    run_command(main, "gallery", "gallery: ")
