"""Vertices as numbers: the shipped vertex shaders, read back by transform feedback.

    samples --> RingPacker --> ring texture --+
    heights --> height_texels --> texture ----+--> vertex shader --> buffer --> NumPy
    Scene.uniforms ---------------------------+

No host is involved, so the numbers are the shaders' and the packer's own.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import moderngl
import numpy as np

from calf_viz.glsl.contract import TEXTURE_NAMES
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.heightfield import Heightfield
from calf_viz.hosts.moderngl.host import create_context
from calf_viz.samples import Samples
from calf_viz.scene.height_texels import height_texels, level_field, value_texels
from calf_viz.scene.ring import RingLayout, RingPacker
from calf_viz.scene.scene import Scene
from calf_viz.value_scale import ValueScale

NEAR = 5e-3
"""Pixels between a sample's pixel in float32 and in float64."""


def context() -> moderngl.Context:
    """One for all tests, made current: other tests leave Panda3D's current."""
    made = _context()
    made.__enter__()
    return made


@cache
def _context() -> moderngl.Context:
    # Without a window, drawing needs a framebuffer even if it draws nothing.
    made = create_context()
    made.simple_framebuffer((4, 4)).use()
    return made


def transform(array: moderngl.VertexArray, bytes_each: int, vertices: int, instances: int = 1):
    """What the vertex shader wrote, (instances * vertices, bytes_each / 4) float32."""
    buffer = context().buffer(reserve=bytes_each * vertices * instances)
    array.transform(buffer, moderngl.POINTS, vertices, instances=instances)
    error = context().error
    assert error == "GL_NO_ERROR", error
    result = np.frombuffer(buffer.read(), np.float32)
    buffer.release()
    return result.reshape(-1, bytes_each // 4)


@cache
def lasting_trails() -> Path:
    """An overlay in which trails of finished episodes stay as they are, so that all are seen."""
    folder = Path(tempfile.mkdtemp()) / "lib"
    folder.mkdir()
    (folder / "trail_fade.glsl").write_text(
        "float faded_age(float age, int ended) { return age; }\n"
        "float faded_width(float width, float age) { return width; }\n",
        encoding="utf-8",
    )
    return folder.parent


class FlatCamera:
    """Straight down on a square plane of +-`half`, orthographic: scene units are pixels times a
    constant, so that a vertex tells its sample."""

    def __init__(self, half: float = 5.0) -> None:
        self.half = half

    def pixels_per_unit(self, size: tuple[int, int], nearest: bool = False) -> float:
        return 0.5 * size[1] / self.half

    def pixels_per_square(self, size: tuple[int, int]) -> float:
        return 0.25 * size[0] * size[1] / self.half**2

    def depth_before_target(self, units: float) -> float:
        return 0.0

    def view_projection(self, aspect: float) -> np.ndarray:
        return np.diag([1 / self.half, 1 / self.half, -0.1, 1.0]).astype(np.float32)


class Probe:
    """A scene's vertices in pixels from the picture's centre, y up."""

    def __init__(
        self,
        scene: Scene,
        heightfield: Heightfield,
        layout: RingLayout,
        overlay: Path | None = None,
        shader: str = "field.vert",
        varyings: tuple[str, ...] = ("gl_Position", "v_data", "v_id"),
    ) -> None:
        self.scene, self.heightfield, self.layout = scene, heightfield, layout
        self.packer = RingPacker(layout, scene.trail, frame=scene.frame, modes=scene.modes)
        self.scale = ValueScale("linear", *heightfield.range)
        self.levels = level_field(heightfield, self.scale)
        self.agents = 0
        text = ShaderLibrary(overlay, scene.defines).load(shader).text
        self.program = context().program(vertex_shader=text, varyings=varyings)
        width, height = layout.size
        self.ring = self._texture(np.zeros((height, width, 4), np.float32))
        self.heights = self._texture(height_texels(self.levels))
        self.values = self._texture(value_texels(self.scale, self.scale))
        self.colours = self._texture(np.zeros((1, 4, 4), np.float32))

    def _texture(self, texels: np.ndarray) -> moderngl.Texture:
        height, width, components = texels.shape
        return context().texture((width, height), components, texels.tobytes(), dtype="f4")

    def push(
        self,
        positions: Any,
        modes: Any = None,
        first: Any = None,
        headings: Any = None,
        step: int | None = None,
    ) -> None:
        """One step, as the hosts take it: positions (n, 2)."""
        positions = np.asarray(positions)
        n = self.agents = len(positions)
        modes = np.zeros(n, np.int32) if modes is None else modes
        first = np.zeros(n, bool) if first is None else first
        texels = self.packer.pack(Samples(positions, modes, first, headings, step)).texels
        columns, rows = self.layout.columns, self.layout.rows
        self.ring.write(texels, viewport=(0, self.packer.slot * rows, columns, rows))

    def bind(self, scrub: int = 0, morph: float = 1.0, runs: int | None = None) -> dict[str, Any]:
        """Sets every input that the program uses; returns the uniforms' values."""
        values = self.scene.uniforms(
            self.heightfield,
            self.layout,
            self.agents,
            self.packer.step - scrub,
            self.packer.runs(scrub) if runs is None else runs,
            self.scale.ends,
            morph,
        )
        textures = (self.ring, self.heights, self.colours, self.values)
        for unit, (name, texture) in enumerate(zip(TEXTURE_NAMES, textures, strict=True)):
            texture.use(unit)
            if name in self.program:
                self.program[name] = unit
        for name, value in values.items():
            if name in self.program:
                if isinstance(value, np.ndarray):
                    self.program[name].write(
                        np.ascontiguousarray(value.T if value.shape == (4, 4) else value)
                    )
                else:
                    self.program[name] = value
        return values

    def vertices(self, **options: Any) -> tuple[np.ndarray, int]:
        """Clip coordinates of every vertex and v_data behind them, (instances, vertices, 8)
        float64, and how many of the instances are the surface's. Options: see `bind`."""
        result, surface = self._run(**options)
        return result[..., :8].astype(np.float64), surface

    def ids(self, **options: Any) -> tuple[np.ndarray, int]:
        """v_id of every vertex, (instances, vertices, 4) int32, as `vertices`."""
        result, surface = self._run(**options)
        return np.ascontiguousarray(result[..., 8:]).view(np.int32), surface

    def _run(self, **options: Any) -> tuple[np.ndarray, int]:
        values = self.bind(**options)
        vertices, surface = values["u_vertices"], values["u_surface_instances"]
        instances = surface + self.agents
        array = context().vertex_array(self.program, [])
        result = transform(array, 48, vertices, instances)
        return result.reshape(instances, vertices, 12), surface

    def pixels(self, **options: Any) -> tuple[np.ndarray, int]:
        """As `vertices`, but (instances, vertices, 3): pixels from the picture's centre, and the
        distance across its chord that a trail's vertex passes on [px]."""
        found, surface = self.vertices(**options)
        pixels = found[..., :2] / found[..., 3:4] * (0.5 * np.array(self.scene.size))
        return np.concatenate([pixels, found[..., 6:7]], axis=2), surface


def middles(pairs: np.ndarray) -> np.ndarray:
    """Where pairs of vertices (pairs, 2, 3) have their sample: they reach to either side as far
    as the curve needs, and say how far."""
    weight = np.abs(pairs[:, ::-1, 2]) + 1e-9
    weight = weight / weight.sum(axis=1, keepdims=True)
    return (pairs[..., :2] * weight[..., None]).sum(axis=1)


def sides(reaches: np.ndarray) -> np.ndarray:
    """Of pairs' reaches across the trail (pairs, 2), whether they are a sample's two sides. A
    joint's vertices are the one before it and the one after it in the strip."""
    return (reaches[:, 0] > 0.0) & (reaches[:, 1] < 0.0)


def area(strip: np.ndarray) -> np.ndarray:
    """Areas of a strip's triangles, (vertices, 2) -> (vertices - 2,)."""
    a, b = strip[1:-1] - strip[:-2], strip[2:] - strip[:-2]
    return 0.5 * np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])


def drawn_runs(strip: np.ndarray) -> list[np.ndarray]:
    """Samples of an agent's pairs, run by run, from its strip (vertices, 3) [px].

    Asserts that no triangle from one run to the next has an area."""
    pairs = strip[: (len(strip) - 5) // 2 * 2].reshape(-1, 2, 3)
    wide = sides(pairs[..., 2])
    wide &= np.linalg.norm(pairs[:, 0, :2] - pairs[:, 1, :2], axis=1) > 0.1
    areas = area(strip)
    inside = np.zeros(len(areas), bool)
    for k in np.flatnonzero(wide[:-1] & wide[1:]):
        inside[2 * k : 2 * k + 2] = True
    inside[-2:] = True  # the marker
    assert areas[~inside].max(initial=0.0) < 1e-2, "a triangle bridges two runs"
    runs, samples = [], middles(pairs)
    for k in np.flatnonzero(wide):
        if k and wide[k - 1]:
            runs[-1].append(samples[k])
        else:
            runs.append([samples[k]])
    return [np.array(run) for run in runs]


def without_points(run: np.ndarray) -> np.ndarray:
    """A run without neighbours that coincide; empty if it is a point, which draws nothing."""
    keep = np.ones(len(run), bool)
    keep[1:] = np.linalg.norm(np.diff(run, axis=0), axis=1) > NEAR
    return run[keep] if keep.sum() > 1 else run[:0]
