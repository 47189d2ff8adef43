"""Critics evaluated by shaders: against torch, in bands, with range and morph as the CPU has them.

Tolerance: 1e-4 of the critic's range on the plane.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from calf_attach.layout import Word
from trainings import board, configured
from waiting import until

from calf_viz import CALFApplication, VisualizationConfig, systems
from calf_viz.agent import shipped_agents as shipped
from calf_viz.agent.calf import AgentInfo, CALFAgent
from calf_viz.critic_networks import CriticNetworks, Layer
from calf_viz.errors import UserError
from calf_viz.heightfield import Grid, Heightfield, plane_nodes
from calf_viz.hosts.base import Host
from calf_viz.hosts.critic_passes import CriticPasses
from calf_viz.hosts.moderngl.host import ModernglHost
from calf_viz.hosts.panda.offscreen import OffscreenHost
from calf_viz.hosts.setup import Setup
from calf_viz.scene.colours import colour_map
from calf_viz.scene.critic import Bands
from calf_viz.scene.height_texels import REPLACED, height_texels, level_field
from calf_viz.scene.scene import Scene
from calf_viz.value_limits import Scaling
from calf_viz.value_scale import SCALES

pytestmark = pytest.mark.rendering

LO, HI = (-5.0, -4.0), (3.0, 5.0)
TOLERANCE = 1e-4
ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh, "linear": lambda x: x}


@pytest.fixture(scope="module", params=["moderngl", "panda"])
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    kind: Any = {"moderngl": ModernglHost, "panda": OffscreenHost}[request.param]
    made = kind(Setup(Scene(size=(64, 36), trail=4), colour_map("cividis"), 1))
    if request.param == "moderngl":
        made.context.__enter__()
    yield made
    made.close()


def layers(rng: np.random.Generator, sizes: list[int], activations: list[str]) -> list[Layer]:
    made = []
    for (inputs, outputs), activation in zip(pairwise(sizes), activations, strict=True):
        bound = 1.5 / np.sqrt(inputs)
        weights = rng.uniform(-bound, bound, (inputs, outputs)).astype(np.float32)
        made.append(Layer(weights, rng.uniform(-1, 1, outputs).astype(np.float32), activation))
    return made


def networks(
    seed: int, hidden: list[int], activation: str = "relu", states: int = 2, actions: int = 1,
    angles: tuple[int, ...] = (),
) -> CriticNetworks:  # fmt: skip
    rng = np.random.default_rng(seed)
    inputs = states + len(angles)
    inner = [activation] * len(hidden)
    return CriticNetworks(
        layers(rng, [inputs, *hidden, actions], [*inner, "tanh"]),
        layers(rng, [inputs + actions, *hidden, 1], [*inner, "linear"]),
        rng.uniform(0.5, 5.0, actions).astype(np.float32),
        np.linspace(0.7, 1.9, states).astype(np.float32),
        (0, 1),
        angles,
    )


def by_torch(made: CriticNetworks, rows: int, columns: int) -> np.ndarray:
    """L at the nodes, (rows, columns), by torch in float64."""
    points = torch.from_numpy(plane_nodes(LO, HI, rows, columns))
    states = torch.from_numpy(made.states).double().repeat(len(points), 1)
    states[:, list(made.axes)] = points
    parts = []
    for i in range(len(made.states)):
        angle = states[:, i : i + 1]
        parts += [angle.cos(), angle.sin()] if i in made.angles else [angle]
    encoded = torch.cat(parts, dim=1)

    def forward(network: Any, x: torch.Tensor) -> torch.Tensor:
        for layer in network:
            weights, bias = torch.from_numpy(layer.weights), torch.from_numpy(layer.bias)
            x = ACTIVATIONS[layer.activation](x @ weights.double() + bias.double())
        return x

    action = forward(made.actor, encoded) * torch.from_numpy(made.limits).double()
    return -forward(made.critic, torch.cat([encoded, action], dim=1)).numpy().reshape(rows, columns)


def evaluate(host: Host, made: CriticNetworks, rows: int, columns: int) -> CriticPasses:
    """To the end, anew."""
    host.evaluate_critic(made, Grid((rows, columns), LO, HI))
    while not host.continue_critic(restart=True):
        pass
    assert host._critic is not None
    return host._critic


def values(passes: CriticPasses) -> np.ndarray:
    return passes.draws.read("values")


SHAPES = [
    (1, [64, 64], "relu", 2, 1, ()),
    (2, [64, 64], "tanh", 2, 1, ()),
    (3, [64, 64], "relu", 3, 2, (2,)),
    (4, [1], "tanh", 2, 1, (0, 1)),
    (5, [5, 7, 3], "relu", 2, 3, ()),
    (6, [], "linear", 2, 1, ()),
    (7, [33, 66], "tanh", 4, 5, (0,)),
    (8, [256, 256], "relu", 3, 2, (2,)),
    (9, [128, 17, 64, 9], "tanh", 5, 16, (1, 3, 4)),
]


@pytest.mark.parametrize(("seed", "hidden", "activation", "states", "actions", "angles"), SHAPES)
def test_values_agree_with_torch(
    host: Host, seed: int, hidden: list[int], activation: str, states: int, actions: int,
    angles: tuple[int, ...],
) -> None:  # fmt: skip
    made = networks(seed, hidden, activation, states, actions, angles)
    rows, columns = (5, 9) if max(hidden, default=1) > 200 else (13, 21)
    passes = evaluate(host, made, rows, columns)
    found, expected = values(passes), by_torch(made, rows, columns)
    span = np.ptp(expected)
    np.testing.assert_allclose(found[..., 0], expected, rtol=0, atol=TOLERANCE * span)
    assert not found[..., 1].any()
    low, high = host.value_range
    assert low == pytest.approx(expected.min(), abs=TOLERANCE * span)
    assert high == pytest.approx(expected.max(), abs=TOLERANCE * span)


@pytest.mark.parametrize("name", systems.own())
def test_agents_networks_agree_with_the_agent(host: Host, name: str) -> None:
    system = systems.get(name)
    agent = CALFAgent.random(system, np.random.default_rng(3), AgentInfo(hidden=24))
    passes = evaluate(host, agent.critic_networks(0.3), 17, 19)
    nodes = plane_nodes(LO, HI, 17, 19)
    expected = agent.lyapunov(system.plane_states(nodes, 0.3)).reshape(17, 19)
    np.testing.assert_allclose(
        values(passes)[..., 0], expected, rtol=0, atol=TOLERANCE * np.ptp(expected)
    )


def test_heights_are_those_that_the_cpu_makes(host: Host) -> None:
    """Range, the last surface, in the middle of a morph."""
    one, two, three = (networks(seed, [16, 16]) for seed in (1, 2, 3))
    passes = evaluate(host, one, 9, 11)
    first = by_torch(one, 9, 11)
    heights = passes.draws.read(f"heights {passes._turn}")
    expected = height_texels(level_field(Heightfield(first, LO, HI), host.scale))
    np.testing.assert_allclose(heights[..., :2], expected, atol=1e-4)
    before, shown = expected[..., 0], expected[..., 1]
    for morph, made in ((1.0, two), (0.3, three)):
        host.morph = morph
        last = (1 - morph) * before + morph * shown
        host.evaluate_critic(made, Grid((9, 11), LO, HI))
        while not host.continue_critic():
            pass
        assert host.morph == 0.0
        new = by_torch(made, 9, 11)
        span = new.min(), new.max()
        assert host.value_range == pytest.approx(span, abs=1e-4)
        expected = height_texels(level_field(Heightfield(new, LO, HI), host.scale))
        heights = passes.draws.read(f"heights {passes._turn}")
        np.testing.assert_allclose(heights[..., 0], last, atol=1e-3)
        np.testing.assert_allclose(heights[..., 1], expected[..., 1], atol=1e-3)
        before, shown = last, expected[..., 1]


@pytest.mark.parametrize("kind", SCALES)
@pytest.mark.parametrize("clim", ["auto", "robust", (-0.1, 0.2)], ids=str)
def test_scaled_heights_are_those_that_the_cpu_makes(host: Host, kind: str, clim: Any) -> None:
    host.scaling = Scaling(kind, clim)
    passes = evaluate(host, networks(4, [16, 16]), 70, 81)
    found = passes.draws.read(f"heights {passes._turn}")[..., 1]
    surface = Heightfield(values(passes)[..., 0], LO, HI)
    scale = host.scaling.of(surface)
    assert host.scale.kind == scale.kind and host.value_range == pytest.approx(scale.ends)
    np.testing.assert_allclose(found, level_field(surface, scale).open, atol=2e-4)
    # Another scale is made of the values that are there.
    host.scaling = Scaling("rank")
    assert host.rescale(morph=0.0) and host.morph == 0.0
    heights = passes.draws.read(f"heights {passes._turn}")
    np.testing.assert_allclose(heights[..., 0], found, atol=1e-6)
    expected = level_field(surface, host.scaling.of(surface)).open
    np.testing.assert_allclose(heights[..., 1], expected, atol=2e-4)
    host.draw()


def test_values_that_are_not_finite_are_found_and_marked(host: Host) -> None:
    made = networks(1, [8])
    # Half of the plane overflows: one unit is huge for positive x.
    first = made.critic[0]
    weights, bias = first.weights.copy(), first.bias.copy()
    weights[:, 0], bias[0] = 0.0, 0.0
    weights[0, 0] = 1e38
    last = made.critic[1].weights.copy()
    last[0] = 1e38
    broken = CriticNetworks(
        made.actor,
        [Layer(weights, bias, "relu"), Layer(last, made.critic[1].bias, "linear")],
        made.limits, np.zeros(2, np.float32),
    )  # fmt: skip
    rows, columns = 9, 17
    passes = evaluate(host, broken, rows, columns)
    found = values(passes)
    x = np.linspace(LO[0], HI[0], columns)
    np.testing.assert_array_equal(found[..., 1], np.tile(x > 0, (rows, 1)))
    good = found[..., 0][:, x <= 0]
    assert host.value_range == pytest.approx((good.min(), good.max()), rel=1e-6)
    heights = passes.draws.read(f"heights {passes._turn}")
    assert (heights[..., 1][:, x > 0] == REPLACED - 1.0).all(), "the highest height, marked"
    assert (heights[..., 1][:, x <= 0] >= 0.0).all()
    np.testing.assert_array_equal(host.heightfield.bad, found[..., 1] != 0)
    host.draw()  # and it can be drawn


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_a_critic_without_any_finite_value(host: Host, poison: float) -> None:
    made = networks(1, [8])
    made.critic[-1].bias[:] = poison
    passes = evaluate(host, made, 5, 5)
    assert values(passes)[..., 1].all()
    assert host.value_range == (0.0, 0.0)
    host.draw()


def test_what_is_read_back_is_a_few_nodes(host: Host) -> None:
    made = networks(1, [4])
    evaluate(host, made, 200, 130)
    assert host.grid.shape == (200, 130)
    sampled = host.heightfield
    assert sampled.shape == (65, 65)
    expected = Heightfield(by_torch(made, 200, 130), LO, HI)
    points = np.random.default_rng(0).uniform(LO, HI, (200, 2))
    apart = np.abs(sampled.heights(points) - expected.heights(points)).max()
    assert apart < 0.05 * np.ptp(expected.values)


def test_a_critic_comes_in_bands_and_is_shown_when_it_is_whole(host: Host) -> None:
    evaluate(host, networks(1, [8]), 64, 33)
    critic = host._critic
    assert critic is not None
    critic.budget = 0.0  # the least: a row at a time after the first band
    shown, turn = host.heightfield, critic._turn
    host.evaluate_critic(networks(2, [8]), Grid((64, 33), LO, HI))
    frames = 0
    while True:
        frames += 1
        done = host.continue_critic()
        if done:
            break
        assert host.heightfield is shown and critic._turn == turn and host.evaluating
    assert frames == 1 + 64 - 8
    assert host.heightfield is not shown and not host.evaluating
    np.testing.assert_allclose(
        values(critic)[..., 0], by_torch(networks(2, [8]), 64, 33), atol=1e-3
    )


def test_the_cpus_surface_can_be_shown_again(host: Host) -> None:
    evaluate(host, networks(1, [8]), 9, 9)
    field = Heightfield(np.arange(81.0).reshape(9, 9), LO, HI)
    host.set_heightfield(field)
    assert host.grid is field and host.value_range == (0.0, 80.0) and host.morph == 1.0
    host.draw()
    evaluate(host, networks(1, [8]), 9, 9)
    host.draw()


# Without a host


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hidden": [257]}, "a layer of 257 is wider than 256"),
        ({"hidden": [8], "states": 300}, "a layer of 300 is wider than 256"),
        ({"hidden": [8], "actions": 17}, "17 actions are more than 16"),
        ({"hidden": [8], "activation": "gelu"}, "a layer of gelu is unknown"),
    ],
)
def test_networks_that_do_not_fit_are_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        networks(0, **change)


def test_bands_keep_to_the_budget() -> None:
    bands = Bands(100, budget=0.01)
    assert bands.timed and bands.take() == (0, 8)
    bands.time(0.004)  # half a millisecond a row
    assert not bands.timed
    assert [bands.take() for _ in range(5)] == [(8, 28), (28, 48), (48, 68), (68, 88), (88, 100)]
    assert bands.complete
    slow = Bands(3, budget=0.01)
    slow.take()
    slow.time(5.0)
    assert slow.take() == (1, 2) and slow.take() == (2, 3) and slow.complete


# The application


def picture(**changes: Any) -> np.ndarray:
    small = {"size": (320, 180), "grid": 24, "trail_length": 40, "headless": True}
    app = CALFApplication(VisualizationConfig(**{**small, **changes}))
    try:
        for _ in range(12):
            app.step()
        return app.screenshot()
    finally:
        app.close()


@pytest.mark.parametrize("name", shipped.trained())
def test_the_picture_is_the_same(name: str) -> None:
    one, other = (picture(system=name, critic_on_gpu=on) for on in (False, True))
    apart = np.abs(one.astype(int) - other).max(axis=2)
    assert (apart > 3).mean() < 0.001


def test_a_training_is_followed_without_grids_on_its_board(tmp_path: Path) -> None:
    config = configured(tmp_path, hud=True, critic_on_gpu=True, episodes=1000)
    app = CALFApplication(config)
    try:
        app.start_training()
        assert board(app).grid is None
        seen: list[Heightfield] = []

        def step() -> None:
            app.step()
            if not seen or app.host.heightfield is not seen[-1]:
                seen.append(app.host.heightfield)

        until(lambda: len(seen) > 3, step)
        assert app.live.version > 2 and board(app)[Word.SURFACE] > 2
        app.playback.toggle()
        app.draw()
        until(lambda: board(app).snapshot(0).steps == board(app)[Word.STEP])
        until(
            lambda: app.live.version == board(app)[Word.SURFACE] and not app.surface.evaluating,
            app.draw,
        )
        nodes = plane_nodes(*_corners(app), 17, 17)
        expected = app.agent.lyapunov(app.agent.system.plane_states(nodes)).reshape(17, 17)
        np.testing.assert_allclose(
            app.host.heightfield.values, expected, rtol=0, atol=1e-3 * np.ptp(expected)
        )
    finally:
        app.close()


def _corners(app: CALFApplication) -> tuple[Any, Any]:
    plane = app.agent.system.plane
    return plane.lo, plane.hi
