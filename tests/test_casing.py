"""Outlines of trails: each is seen on every colour of the surface, in every theme, by pixels."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from opened_hosts import opened
from render_probe import Probe
from scene_folder import HOSTS, OLDER, Agents, SceneFolder, Surface
from test_ribbon import LEVEL
from written_looks import NO_CASING, surface, write

from calf_viz.scene.colours import mode_colours
from calf_viz.scene.crowd import CASING, Crowd
from calf_viz.scene.ring import RingLayout
from calf_viz.scene.scene import Scene
from calf_viz.scene.theme import CASED, THEMES, Theme
from calf_viz.scene.trail_ink import TrailInk

pytestmark = pytest.mark.rendering

GREYS = np.linspace(0.0, 1.0, 9)
SCENE = SceneFolder(
    "casing", size=(640, 360), trail=120, steps=60, surface=Surface("flat"), height_scale=0.0,
    agents=[Agents(1, seed=3, speed=0.05)],
)  # fmt: skip
every_theme = pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)


def luminance(colours: np.ndarray) -> np.ndarray:
    """Relative luminance (WCAG 2) of bytes (..., 3)."""
    part = colours / 255.0
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return linear @ (0.2126, 0.7152, 0.0722)


def least_contrast(picture: np.ndarray, scene: Scene, steps: range) -> float:
    """Between the darkest and the brightest within 3 px of where an agent was."""
    width, height = scene.size
    matrix = scene.camera.view_projection(width / height)
    found = math.inf
    for step in steps:
        samples = SCENE.samples(step)
        assert samples is not None
        clip = matrix @ (*samples.positions[0].tolist(), 0.0, 1.0)
        x, y = (0.5 + 0.5 * clip[:2] / clip[3] * (1, -1)) * (width, height)
        near = picture[int(y) - 3 : int(y) + 4, int(x) - 3 : int(x) + 4]
        values = luminance(near) + 0.05
        found = min(found, values.max() / values.min())
    return found


@every_theme
@pytest.mark.parametrize("palette", ["standard", "colour_blind"])
def test_every_mode_is_seen_on_every_surface(theme: Theme, palette: str, look: Path) -> None:
    """Also modes of a view that has eight, and on colours of any brightness."""
    folder = "uniform float u_grey;    // @slider 0..1 = 0.5\n"
    library = write(look, surface_colour__glsl=surface("vec3(u_grey)", folder))
    modes = 8
    for mode in range(modes):
        scene = SCENE.scene()
        scene.modes, scene.theme = modes, theme
        scene.mode_colours = mode_colours(palette, palettes=theme.palettes)
        agents = SceneFolder(
            **{**vars(SCENE), "agents": [Agents(1, seed=3, speed=0.05, modes=[mode])]}
        )
        with opened("moderngl", agents, scene=scene, library=library) as host:
            agents.play(host)
            for grey in GREYS:
                host.controls.set("u_grey", float(grey))
                host.draw()
                # Not near the marker, which has its own rim.
                seen = least_contrast(host.screenshot(3), host.scene, range(30, 50))
                assert seen >= CASED, (mode, grey)


@pytest.mark.parametrize("kind", [*HOSTS, *OLDER])
def test_every_design_and_host_draws_it(kind: str, look: Path) -> None:
    """And a look that wants none has none, to the pixel."""
    pictures = []
    for files in ({}, {"trail_casing__glsl": NO_CASING}):
        library = write(look, surface_colour__glsl=surface("vec3(0.5)"), **files)
        with opened(kind, SCENE, library=library) as host:
            pictures.append(SCENE.play(host))
    with_it, without = pictures
    darker = luminance(without) - luminance(with_it) > 0.1
    assert darker.sum() > 200 and not (luminance(with_it) > luminance(without) + 0.01).any()


@pytest.mark.parametrize("kind", [*HOSTS, *OLDER])
def test_it_suits_what_the_colour_shows(kind: str, look: Path) -> None:
    """Around a trail by age, whose old parts are dark, it is white: greys, as nothing else is."""
    scene, greys = SceneFolder(**{**vars(SCENE), "steps": 110}), []
    for files in ({}, {"trail_casing__glsl": NO_CASING}):
        library = write(look, surface_colour__glsl=surface("vec3(0.0)"), **files)
        library = library.with_defines({"TRAIL_COLOUR": "BY_AGE"})
        with opened(kind, scene, library=library) as host:
            picture = scene.play(host).astype(int)
        greys.append(int(((picture.min(axis=2) > 90) & (np.ptp(picture, axis=2) < 12)).sum()))
    assert greys[0] > greys[1] + 30, greys


def width_of(agents: int, trail: int = 600) -> float:
    """Of the outline, in a scene that is full of such trails [px]."""
    scene = Scene(size=(1280, 720), trail=trail)
    rng = np.random.default_rng(0)
    scene.ink = TrailInk(trail)
    at = rng.uniform(-4.0, 4.0, (agents, 2))
    none = np.zeros(agents, bool)
    for _ in range(trail):
        at = np.clip(at + rng.normal(0.0, 0.03, at.shape), -5.0, 5.0)
        scene.ink.see(at, none, none)
    values = scene.uniforms(LEVEL, RingLayout.fit(agents, trail + 1), agents, trail, 1)
    return float(values["u_casing"])


def test_it_fades_out_as_crowds_grow() -> None:
    few, some, many = (width_of(agents) for agents in (20, 50, 1000))
    assert few == pytest.approx(CASING) and some > 0.9 * CASING and many < 0.15 * CASING
    widths = [Crowd.of(overlap, 0.0, 0.4, 0.2).casing for overlap in np.linspace(0.0, 5.0, 200)]
    assert np.all(np.diff(widths) < 0) and np.abs(np.diff(widths)).max() < 0.05, "without jumps"


def test_a_ribbon_has_room_for_it() -> None:
    probe = Probe(Scene(size=(1280, 720), trail=20), LEVEL, RingLayout.fit(1, 40))
    for step in range(8):
        probe.push([[0.3 * step, 0.0]])
    vertices, first = probe.vertices()
    ribbon = vertices[first]
    reach, half_width = np.abs(ribbon[:-5, 6]), ribbon[:-5, 7]
    shown = reach > 0
    assert np.allclose((reach - half_width)[shown], CASING + 0.55, atol=1e-3)
