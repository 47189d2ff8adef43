"""Pixel scenes: a folder with a scene.toml and the picture it must give.

    tests/scenes/<name>/scene.toml    what is shown; every key is a field of a class below
    tests/scenes/<name>/expected.png  the picture, rewritten only by `pytest --update-pixels`

Adding a scene takes no Python. `python tests/scene_folder.py panda|moderngl FOLDER` renders every
scene with one host and writes FOLDER/<name>.npy; the tests do that in a child process for each
host, so that no two OpenGL contexts share one.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import json
import math
import subprocess
import sys
import tempfile
import tomllib
import traceback
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from drivers import Driver

from calf_viz import systems
from calf_viz.agent.system_view import view_of
from calf_viz.heightfield import Heightfield, plane_nodes
from calf_viz.hosts.base import Host
from calf_viz.hosts.setup import Setup
from calf_viz.hud.hud import Hud
from calf_viz.hud.overview import overview
from calf_viz.samples import Samples
from calf_viz.scene.camera import OrbitCamera
from calf_viz.scene.colours import colour_map, mode_colours
from calf_viz.scene.frame import Frame
from calf_viz.scene.scene import Scene
from calf_viz.view import View

SCENES = Path(__file__).parent / "scenes"
NAMES = sorted(path.parent.name for path in SCENES.glob("*/scene.toml"))
HOSTS = ("panda", "moderngl")
OLDER = ("batched", "per_agent")  # designs of the geometry under Panda3D
HALF = 5.0  # the plane is a square of +-5 units
POINT_MASS = view_of(systems.get("point_mass"))


@dataclass
class Surface:
    """Values at the nodes of a grid; `nan` lists (row, column) of nodes without a value."""

    kind: str = "bowl"
    rows: int = 33
    columns: int = 33
    seed: int = 0
    nan: list[tuple[int, int]] = field(default_factory=list)

    def heightfield(self) -> Heightfield:
        lo, hi = (-HALF, -HALF), (HALF, HALF)
        x, y = plane_nodes(lo, hi, self.rows, self.columns).T
        kinds = {
            "flat": lambda: 0.0 * x,
            "bowl": lambda: x * x + y * y,
            "waves": lambda: np.sin(1.3 * x) * np.cos(0.9 * y),
            "cliff": lambda: np.tanh(4.0 * (x + 0.3 * y)),
            "random": lambda: np.random.default_rng(self.seed).random(len(x)),
        }
        values = kinds[self.kind]().reshape(self.rows, self.columns)
        for row, column in self.nan:
            values[row, column] = np.nan
        return Heightfield(values, lo, hi)


@dataclass
class Agents:
    """A group of agents that move alike, each from a start of its own drawn by `seed`.

    circle, line (to and fro), spiral (into the goal at the origin), drift (on and on, as on a plane
    whose axes wrap), still.
    """

    count: int = 1
    path: str = "circle"
    seed: int = 0
    speed: float = 0.02  # rounds, ways or decays per step
    modes: list[int] = field(default_factory=lambda: [0])
    mode_steps: int = 40  # steps that each of `modes` lasts, over and over
    reset_steps: int = 0  # steps of an episode; 0: one episode for ever
    invalid: list[int] = field(default_factory=list)  # [from, to): steps with NaN positions
    come: int = 0  # the step with which the group comes; later groups are listed later

    def sample(self, step: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Positions (n, 2), modes (n,), first (n,), headings (n,) of a step since they came."""
        episode, time = divmod(step, self.reset_steps) if self.reset_steps else (0, step)
        start = np.random.default_rng([self.seed, episode]).random((self.count, 4))
        now, soon = (self._places(start, float(t)) for t in (time, time + 0.5))
        away = soon - now
        positions = now.astype(np.float32)
        if self.invalid and self.invalid[0] <= step < self.invalid[1]:
            positions[:] = np.nan
        mode = self.modes[step // self.mode_steps % len(self.modes)]
        return (
            positions,
            np.full(self.count, mode, np.uint8),
            np.full(self.count, time == 0),
            np.arctan2(away[:, 1], away[:, 0]).astype(np.float32),
        )

    def _places(self, start: np.ndarray, time: float) -> np.ndarray:
        a, b = 9.0 * start[:, :2] - 4.5, 9.0 * start[:, 2:] - 4.5
        turn = 2 * math.pi * start[:, 3] + self.speed * time
        if self.path == "still":
            return a
        if self.path == "line":
            there = 1.0 - abs((self.speed * time) % 2.0 - 1.0)
            return a + there * (b - a)
        if self.path == "drift":
            wave = 0.4 * np.sin(turn * np.array([[3.0], [5.0]])).T
            return (a + self.speed * time * (b - a) + wave + HALF) % (2 * HALF) - HALF
        if self.path == "circle":
            centre, radius = 0.5 * a, 0.6 + 1.8 * start[:, 2]
        elif self.path == "spiral":
            centre, radius = 0.0 * a, (3.0 + 1.5 * start[:, 2]) * math.exp(-self.speed * time)
            turn = 2 * math.pi * start[:, 3] + 4.0 * self.speed * time
        else:
            raise ValueError(f"unknown path '{self.path}'")
        return centre + np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1)


@dataclass
class Words:
    """A HUD and its texts: of `hud.overview`, by key."""

    title: str
    axes: tuple[str, str] = ("x [m]", "y [m]")
    keys: list[tuple[str, str]] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)

    def hud(self) -> Hud:
        view = replace(POINT_MASS, title=self.title, labels=tuple(self.axes))
        hud = overview(view, self.keys)
        hud.update(**self.texts)
        return hud


@dataclass
class SceneFolder:
    """What a scene.toml says. `level` and `fraction`: bounds of this scene alone, instead of those
    that its driver has (tests/drivers.py). `detail_fraction`: in what share of the pixels the
    trails' level of detail may show."""

    about: str
    size: tuple[int, int] = (480, 270)
    steps: int = 300
    trail: int = 300
    stride: int = 1
    scrub: int = 0
    marker: str = "sphere"
    palette: str = "standard"
    colour_map: str = "cividis"
    height_scale: float = 2.0
    level: int | None = None
    fraction: float | None = None
    detail_fraction: float = 0.001
    periodic: tuple[bool, bool] = (False, False)  # of the axes
    camera: dict[str, float] = field(default_factory=dict)  # distance; azimuth, elevation [deg]
    surface: Surface = field(default_factory=Surface)
    agents: list[Agents] = field(default_factory=list)
    hud: Words | None = None

    @classmethod
    def read(cls, name: str) -> SceneFolder:
        """The scene of a name; TypeError for a key that nothing reads."""
        text = (SCENES / name / "scene.toml").read_text(encoding="utf-8")
        said: dict[str, Any] = tomllib.loads(text)
        said["surface"] = Surface(**said.get("surface", {}))
        if "hud" in said:
            said["hud"] = Words(**said["hud"])
        said["agents"] = [Agents(**group) for group in said.get("agents", [])]
        scene = cls(**said)
        comes = [group.come for group in scene.agents]
        if comes != sorted(comes):
            raise ValueError(f"{name}: groups of agents must be listed as they come")
        return scene

    def bounds(self, driver: Driver) -> tuple[int, float]:
        """(level, fraction) within which its picture is the expected one."""
        level = driver.level if self.level is None else self.level
        return level, driver.fraction if self.fraction is None else self.fraction

    def scene(self) -> Scene:
        """Sizes, camera and colours."""
        angles = {k: math.radians(v) for k, v in self.camera.items() if k != "distance"}
        camera = OrbitCamera(**{**self.camera, **angles})
        return Scene(
            size=tuple(self.size),
            camera=camera,
            frame=Frame.of(View("", periodic=tuple(self.periodic))),
            height_scale=self.height_scale,
            trail=self.trail,
            stride=self.stride,
            marker=self.marker,
            mode_colours=mode_colours(self.palette),
        )

    def samples(self, step: int) -> Samples | None:
        """Those of a step; None while no agent is there."""
        parts = [g.sample(step - g.come) for g in self.agents if step >= g.come]
        return Samples(*map(np.concatenate, zip(*parts, strict=True))) if parts else None

    def open(self, kind: str, **changes: Any) -> Host:
        """A host of the scene, of a kind in HOSTS or OLDER, nothing pushed yet."""
        there = sum(group.count for group in self.agents if group.come == 0)
        host = open_host(
            kind,
            **{
                "scene": self.scene(),
                "heightfield": self.surface.heightfield(),
                "colour_map": colour_map(self.colour_map),
                "agents": max(there, 1),
                **changes,
            },
        )
        if self.hud is not None:
            host.set_hud(self.hud.hud())
        return host

    def play(self, host: Host) -> np.ndarray:
        """The picture after the last step, (height, width, 3) uint8."""
        for step in range(self.steps):
            samples = self.samples(step)
            if samples is not None:
                host.push(samples)
        host.scrub = self.scrub
        host.draw()
        return host.screenshot()


def open_host(kind: str, **fields: Any) -> Host:
    """A Panda3D or moderngl host of this `Setup`, without a window."""
    setup = Setup(**fields)
    if kind == "moderngl":
        from calf_viz.hosts.moderngl.host import ModernglHost

        return ModernglHost(setup)
    from calf_viz.hosts.panda.offscreen import OffscreenHost

    if kind in OLDER:
        from calf_viz.hosts.panda.older.choice import geometry

        return OffscreenHost(setup, geometry(kind, kind != "per_agent"))
    return OffscreenHost(setup)


@cache
def _opengl() -> ctypes.CDLL:
    names = ("libGL.so.1", "libOpenGL.so.0", "opengl32", ctypes.util.find_library("OpenGL"))
    for name in filter(None, names):
        with suppress(OSError):
            return ctypes.CDLL(name)
    raise OSError(f"no OpenGL library under any of the names {names}")


def gl_error() -> int:
    """The first OpenGL error of the current context since the last call; 0 if there is none.

    From OpenGL itself, since Panda3D does not report it.
    """
    error = int(_opengl().glGetError())
    while error and _opengl().glGetError():
        pass
    return error


@dataclass
class Rendered:
    """A child process's result for the scenes: pictures by name, or why there is none."""

    renderer: str
    pictures: dict[str, np.ndarray]
    errors: dict[str, str]


@cache
def rendered(kind: str) -> Rendered:
    """Every scene, rendered by one host in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        child = subprocess.run(
            [sys.executable, __file__, kind, folder],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert child.returncode == 0, f"rendering in {kind} failed:\n{child.stderr}"
        said = json.loads(Path(folder, "said.json").read_text())
        pictures = {path.stem: np.load(path) for path in Path(folder).glob("*.npy")}
    return Rendered(said["renderer"], pictures, said["errors"])


def main(kind: str, folder: str) -> None:
    renderer, errors = "", {}
    for name in NAMES:
        try:
            scene = SceneFolder.read(name)
            host = scene.open(kind)
            renderer = host.renderer
            np.save(Path(folder, f"{name}.npy"), scene.play(host))
            error = gl_error()
            if error:
                errors[name] = f"OpenGL error {error:#x}"
            host.close()
        except Exception:  # one broken scene must not hide the others
            errors[name] = traceback.format_exc()
    Path(folder, "said.json").write_text(json.dumps({"renderer": renderer, "errors": errors}))


if __name__ == "__main__":
    main(*sys.argv[1:])
