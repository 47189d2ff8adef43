"""Rules that alternate within pixels: their mean colour by transform feedback and by pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from render_probe import FlatCamera, Probe, context, transform
from scene_folder import OLDER, Agents, SceneFolder
from written_looks import NO_CASING

from calf_viz.glsl.library import ShaderLibrary
from calf_viz.heightfield import Heightfield
from calf_viz.scene.colours import mode_colours
from calf_viz.scene.crowd import CASING
from calf_viz.scene.ring import RingLayout
from calf_viz.scene.scene import Scene

pytestmark = pytest.mark.rendering

SIZE = (640, 480)
LEVEL = Heightfield(np.zeros((3, 4)), (-5.0, -5.0), (5.0, 5.0))
UNIT = SIZE[0] / 10  # px, of the flat camera
SHORTEST_RUN = 3.0  # px
UNMIXED = -1.0


def tones(modes: np.ndarray, step: float, known: int, stride: int, trainee: int = -1):
    """Of one agent that moves `step` px a step along x, with these modes: steps back of each sample
    drawn, and its segment's red, green, blue."""
    scene = Scene(size=SIZE, camera=FlatCamera(), trail=len(modes) - 1, modes=known, stride=stride)
    scene.training_agent = trainee
    probe = Probe(
        scene,
        LEVEL,
        RingLayout.fit(1, len(modes)),
        varyings=("gl_Position", "v_data", "v_tone"),
    )
    colours = np.zeros((2, 32, 4), np.float32)
    colours[1, : len(mode_colours())] = mode_colours()
    probe.colours = context().texture((32, 2), 4, colours.tobytes(), dtype="f4")
    for k, mode in enumerate(modes):
        probe.push([[(k - 0.5 * len(modes)) * step / UNIT, 0.5]], modes=np.array([mode]))
    values = probe.bind()
    surface, vertices = values["u_surface_instances"], values["u_vertices"]
    found = transform(context().vertex_array(probe.program, []), 48, vertices, surface + 1)
    agent = found.reshape(surface + 1, vertices, 12)[surface, : vertices - 5]
    drawn = agent[:, 2] < agent[:, 3]
    return np.rint(agent[drawn, 4]).astype(int), agent[drawn, 8:11]


def expected(modes: np.ndarray, back: int, step: float, known: int, trainee: bool) -> np.ndarray:
    """In float64, from all the modes."""
    window, texel = (15, 5) if known <= 4 else (10, 3)
    newest = len(modes) - 1 - back
    steps = np.concatenate([np.zeros(window, int), modes])[newest + 1 : newest + 1 + window]
    changes = np.diff(steps) != 0
    if (
        not changes[-(texel - 1) :].any()
        or step * (window - 1) >= (changes.sum() - 1) * SHORTEST_RUN
    ):
        return np.array([UNMIXED, CASING, 0.0])
    return mode_colours().astype(float)[steps + 8 * trainee, :3].mean(axis=0)


@pytest.mark.parametrize("stride", [1, 4])
@pytest.mark.parametrize("known", [3, 8])
@pytest.mark.parametrize("step", [0.4, 1.1, 2.6, 3.4])
def test_segments_have_the_mean_of_their_rules_where_these_alternate(
    step: float, known: int, stride: int
) -> None:
    rng = np.random.default_rng(7)
    modes = rng.integers(0, known, 80)
    modes[20:40] = 1
    modes[60:] = np.arange(20) % 2
    backs, found = tones(modes, step, known, stride)
    assert len(set(backs)) > 80 // stride - 2
    mixed = 0
    for back, tone in zip(backs, found, strict=True):
        if back > 80 - 16:
            continue  # where the ring has no older ones
        right = expected(modes, back, step, known, trainee=False)
        np.testing.assert_allclose(tone, right, atol=1e-5)
        mixed += right[0] >= 0
    assert (mixed > 0) == (step < SHORTEST_RUN)


def test_the_agent_in_training_mixes_its_own_colours() -> None:
    modes = np.arange(60) % 2
    backs, found = tones(modes, 0.5, 3, 1, trainee=0)
    right = expected(modes, 3, 0.5, 3, trainee=True)
    assert np.abs(right - expected(modes, 3, 0.5, 3, trainee=False)).max() > 0.1
    np.testing.assert_allclose(found[backs == 3], np.tile(right, (2, 1)), atol=1e-5)


CHATTER = SceneFolder(
    "chatter",
    size=(320, 180),
    trail=300,
    steps=310,
    height_scale=0.0,
    agents=[Agents(2, "circle", seed=3, speed=0.006, modes=[0, 0, 2], mode_steps=1)],
)


def overlay(folder: Path, colour: str) -> ShaderLibrary:
    """Trails in full opacity on black, without markers, of a colour in GLSL."""
    files = {
        "trail_colour": f"vec4 trail_colour(vec3 colour, int mode, float age, float edge) "
        f"{{ return vec4({colour}, 1.0); }}",
        "trail_casing": NO_CASING,
        "trail_width": "float trail_half_width(float age) { return 1.3; }",
        "marker_shape": "vec4 marker_shape(vec2 p, float radius, vec3 colour, int shape) "
        "{ return vec4(0.0); }",
        "surface_colour": "vec3 surface_colour(vec3 c, vec2 p, float level, float light, bool bad) "
        "{ return vec3(0.0); }",
    }
    for name, text in files.items():
        (folder / f"{name}.glsl").write_text(text + "\n")
    return ShaderLibrary(folder)


@pytest.mark.parametrize("kind", ["moderngl", *OLDER])
def test_chatter_is_drawn_as_shares_not_as_noise(kind: str, tmp_path: Path) -> None:
    """Along the middle of a trail, every pixel has the mean of its rules' colours."""
    host = CHATTER.open(kind, library=overlay(tmp_path, "edge < 0.4 ? colour : vec3(0.0)"))
    picture = CHATTER.play(host).astype(float)
    host.close()
    lines = picture[picture.sum(axis=2) > 0.98 * picture.sum(axis=2).max()]
    mean = 255 * mode_colours().astype(float)[[0, 0, 2], :3].mean(axis=0)
    assert len(lines) > 30
    np.testing.assert_allclose(lines, np.tile(mean, (len(lines), 1)), atol=6)


def test_hooks_receive_the_most_frequent_rule(tmp_path: Path) -> None:
    host = CHATTER.open("moderngl", library=overlay(tmp_path, "vec3(mode == 0, mode == 2, 0.0)"))
    picture = CHATTER.play(host)
    host.close()
    assert picture[..., 0].max() > 200 and picture[40:140, 80:240, 1].max() < 30


@pytest.mark.parametrize("kind", OLDER)
def test_older_designs_agree(kind: str, tmp_path: Path) -> None:
    pictures = []
    for each in ("moderngl", kind):
        host = CHATTER.open(each, library=overlay(tmp_path, "colour"))
        host.detail.stride = lambda *_: 1
        for step in range(CHATTER.steps):
            host.push(CHATTER.samples(step))
        if each == "per_agent":
            for trail in host.geometry.trails:
                trail.rebuild()
        host.draw()
        pictures.append(host.screenshot().astype(int))
        host.close()
    apart = np.abs(pictures[0] - pictures[1]).max(axis=2) > 8
    assert apart.mean() < 2e-3
