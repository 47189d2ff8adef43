"""Which agent the picture shows at a pixel: against a rasteriser in float64."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from applications import opened as opened_application
from opened_hosts import opened
from scene_folder import Agents, SceneFolder

from calf_viz.errors import UserError
from calf_viz.glsl.shipped_shaders import shader_folder
from calf_viz.heightfield import Heightfield, plane_nodes
from calf_viz.hosts.base import Host
from calf_viz.hosts.picking import SIDE, Asked, Pick, Picks, nearest, window
from calf_viz.samples import Samples
from calf_viz.viewer.app import CALFApplication

KINDS = ("panda", "moderngl", "batched", "per_agent")
SIZE = (240, 160)
EDGE, DEPTH = 0.12, 3e-5
"""What the two may differ by: in coverage [px], in depth."""
PICKED_FROM = 0.15
STEEPEST = 0.01


def surface(seed: int, nodes: int = 9) -> Heightfield:
    """Random hills, levels from 0 to 1."""
    rng = np.random.default_rng(seed)
    x, y = plane_nodes((-5.0, -5.0), (5.0, 5.0), nodes, nodes).T
    values = np.zeros(len(x))
    for _ in range(4):
        a, b, phase = rng.uniform(-0.9, 0.9), rng.uniform(-0.9, 0.9), rng.uniform(0.0, 6.0)
        values += np.sin(a * x + b * y + phase)
    values = (values - values.min()) / np.ptp(values)
    return Heightfield(values.reshape(nodes, nodes), (-5.0, -5.0), (5.0, 5.0))


@dataclass
class Oracle:
    """Markers on a surface, one pixel at a time."""

    matrix: np.ndarray
    scale: float
    radius: float
    biases: np.ndarray
    positions: np.ndarray
    field: Heightfield

    def __post_init__(self) -> None:
        half = 0.5 * np.array(SIZE)
        planes = self.field.tangent_planes(self.positions)
        points = np.column_stack([self.positions, planes[:, 0] * self.scale, np.ones(len(planes))])
        clip = points @ self.matrix.T
        w = clip[:, 3]
        self.front = w > 0.1
        ndc = clip[:, :3] / w[:, None]
        self.at, self.depth = ndc[:, :2] * half + half, ndc[:, 2]
        along = []
        for axis in (0, 1):
            way = (
                self.matrix[:, axis]
                + self.matrix[:, 2] * (planes[:, 1 + axis] * self.scale)[:, None]
            )
            moved = (way[:, :3] - ndc * way[:, 3:]) / w[:, None]
            along.append(np.column_stack([moved[:, :2] * half, moved[:, 2]]))
        (x, y) = along
        det = x[:, 0] * y[:, 1] - x[:, 1] * y[:, 0]
        self.slope = np.column_stack(
            [x[:, 2] * y[:, 1] - y[:, 2] * x[:, 1], y[:, 2] * x[:, 0] - x[:, 2] * y[:, 0]]
        )
        self.slope /= np.where(np.abs(det) < 1e-3, np.inf, det)[:, None]
        rows, columns = self.field.shape
        nodes = np.column_stack(
            [
                self.field.points[:, :2],
                self.field.points[:, 2] * self.scale,
                np.ones(rows * columns),
            ]
        )
        clip = nodes @ self.matrix.T
        screen = clip[:, :3] / clip[:, 3:]
        screen[:, :2] = screen[:, :2] * half + half
        number = np.arange(rows * columns).reshape(rows, columns)
        a, b = number[:-1, :-1].ravel(), number[:-1, 1:].ravel()
        c, d = number[1:, :-1].ravel(), number[1:, 1:].ravel()
        triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([b, c, d], 1)])
        self.triangles = screen[triangles]  # (m, 3, 3)

    def ground(self, pixel: np.ndarray) -> tuple[float, float]:
        """Least and greatest depth that the nearest surface may have at a pixel."""
        a, b, c = (self.triangles[:, i] for i in range(3))
        u, v = b[:, :2] - a[:, :2], c[:, :2] - a[:, :2]
        rest = pixel - a[:, :2]
        det = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            s = (rest[:, 0] * v[:, 1] - rest[:, 1] * v[:, 0]) / det
            t = (u[:, 0] * rest[:, 1] - u[:, 1] * rest[:, 0]) / det
        depth = a[:, 2] + s * (b[:, 2] - a[:, 2]) + t * (c[:, 2] - a[:, 2])
        least = np.minimum(np.minimum(s, t), 1.0 - s - t)
        surely, perhaps = least > 0.02, least > -0.02
        return (
            float(depth[perhaps].min(initial=1.0)),
            float(depth[surely].min(initial=1.0)),
        )

    def possible(self, pixel: np.ndarray) -> set[int | None]:
        """What a pixel may show: several where rounding decides."""
        offset = pixel - self.at
        inside = self.radius - np.hypot(*offset.T)
        there = 0.5 + inside - PICKED_FROM
        shift = (self.slope * offset).sum(axis=1)
        corner = np.abs(self.slope).sum(axis=1) * (self.radius + 1.0)
        depth = self.depth + np.clip(shift, -STEEPEST, STEEPEST) - self.biases
        vague = np.where(corner > STEEPEST, corner, 0.0)  # clamped at corners, not here
        covered, perhaps = there > EDGE, there > -EDGE
        nearest_ground, surest_ground = self.ground(pixel)
        found: set[int | None] = set()
        candidates = np.flatnonzero(perhaps & self.front)
        for agent in candidates.tolist():
            others = [one for one in candidates.tolist() if one != agent and covered[one]]
            hidden = depth[agent] - vague[agent] > surest_ground + DEPTH or any(
                depth[one] + vague[one] < depth[agent] - vague[agent] - DEPTH for one in others
            )
            if not hidden:
                found.add(agent)
        seen = [
            one
            for one in candidates.tolist()
            if covered[one] and depth[one] + vague[one] < nearest_ground - DEPTH
        ]
        if not seen:
            found.add(None)
        return found

    def answers(self, x: int, y: int) -> set[int | None]:
        """What may be picked at a pixel from the top left."""
        reach = SIDE // 2
        near = [(i, j) for i in range(-reach, reach + 1) for j in range(-reach, reach + 1)]
        found: set[int | None] = set()
        rings: dict[int, list[tuple[int, int]]] = {}
        for i, j in near:
            rings.setdefault(i * i + j * j, []).append((i, j))
        for distance in sorted(rings):
            certain = False
            for i, j in rings[distance]:
                if not (0 <= x + i < SIZE[0] and 0 <= y + j < SIZE[1]):
                    pass  # beyond the picture's edge the scene goes on
                here = self.possible(np.array([x + i + 0.5, SIZE[1] - (y + j) - 0.5]))
                found |= here - {None}
                certain |= None not in here
            if certain:
                return found
        return found | {None}


def oracle(host: Host, positions: np.ndarray, field: Heightfield) -> Oracle:
    values: dict[str, Any] = host.uniforms()
    all_of_them, by_agent, _, _ = values["u_depth_bias"]
    agents = np.arange(len(positions))
    return Oracle(
        np.asarray(values["u_view_projection"], np.float64),
        values["u_height_scale"],
        values["u_marker_radius"],
        3.0 * all_of_them + by_agent * agents,
        positions.astype(np.float64),
        field,
    )


def random_scene(seed: int) -> tuple[SceneFolder, np.ndarray, Heightfield]:
    rng = np.random.default_rng(seed)
    agents = int(rng.integers(1, 60))
    positions = rng.uniform(-5.0, 5.0, (agents, 2)).astype(np.float32)
    if seed % 2:  # in a heap
        positions *= 0.25
    return SceneFolder("random", size=SIZE, trail=20, steps=1), positions, surface(seed)


def turned(host: Host, seed: int) -> None:
    rng = np.random.default_rng([seed, 1])
    camera = host.scene.camera
    camera.orbit(float(rng.uniform(0.0, 6.0)), float(rng.uniform(-0.6, 0.7)))
    camera.zoom(float(rng.uniform(0.4, 1.2)))


def pixels(seed: int, found: Oracle, count: int) -> Iterator[tuple[int, int]]:
    """Some at agents, some anywhere."""
    rng = np.random.default_rng([seed, 2])
    for number in range(count):
        if number % 2:
            agent = int(rng.integers(len(found.at)))
            x, y = found.at[agent] + rng.normal(0.0, 5.0, 2)
            y = SIZE[1] - y
        else:
            x, y = rng.uniform(0.0, SIZE[0]), rng.uniform(0.0, SIZE[1])
        if 0 <= x < SIZE[0] and 0 <= y < SIZE[1]:
            yield int(x), int(y)


@pytest.mark.parametrize("kind", KINDS)
def test_the_nearest_in_front_is_picked(kind: str) -> None:
    asked = certain = hits = 0
    for seed in range(5):
        folder, positions, field = random_scene(seed)
        with opened(kind, folder) as host:
            host.set_heightfield(field, restart=True)
            host.frame_surface()
            turned(host, seed)
            host.push(Samples.of(positions, first=True))
            host.draw()
            expected = oracle(host, positions, field)
            for x, y in pixels(seed, expected, 16):
                possible = expected.answers(x, y)
                found = host.pick(x, y)
                assert found in possible, (seed, x, y)
                asked, certain = asked + 1, certain + (len(possible) == 1)
                hits += found is not None
    assert certain > 0.8 * asked and hits > 0.3 * asked


@pytest.mark.parametrize("kind", KINDS)
def test_a_trail_is_picked_where_it_is_seen(kind: str) -> None:
    rng = np.random.default_rng(3)
    flat = Heightfield(np.tile(np.linspace(0.0, 1.0, 5), (5, 1)), (-5.0, -5.0), (5.0, 5.0))
    folder = SceneFolder("trails", size=SIZE, trail=60, steps=1)
    starts = np.column_stack([rng.uniform(-4.5, -3.0, 6), np.linspace(-4.0, 4.0, 6)])
    ways = np.column_stack([rng.uniform(0.08, 0.18, 6), rng.uniform(-0.015, 0.015, 6)])
    paths = [(starts + ways * step).astype(np.float32) for step in range(40)]
    with opened(kind, folder) as host:
        host.set_heightfield(flat, restart=True)
        host.frame_surface()
        for step, positions in enumerate(paths):
            host.push(Samples.of(positions, first=step == 0))
        host.draw()
        values: dict[str, Any] = host.uniforms()
        matrix = np.asarray(values["u_view_projection"], np.float64)
        drawn = paths if kind != "per_agent" else paths[:32]  # its meshes are up to 7 steps behind
        along = np.stack(drawn).astype(np.float64)  # steps, agents, 2
        height = (
            flat.heights(along.reshape(-1, 2)).reshape(along.shape[:2]) * values["u_height_scale"]
        )
        clip = (
            np.concatenate([along, height[..., None], np.ones_like(height)[..., None]], 2)
            @ matrix.T
        )
        at = (clip[..., :2] / clip[..., 3:] + 1.0) * 0.5 * np.array(SIZE)
        seen = 0
        for agent in range(6):
            for step in range(4, len(drawn) - 6, 3):
                x, y = at[step, agent]
                away = np.hypot(*(at - (x, y)).transpose(2, 0, 1))
                away[:, agent] = np.inf  # of other trails
                markers = np.hypot(*(at[-1] - (x, y)).T)
                if away.min() > 4.0 and markers.min() > 10.0:
                    assert host.pick(int(x), int(SIZE[1] - y)) == agent
                    seen += 1
        assert seen > 20


def test_without_any_agent_there(tmp_path: Any) -> None:
    with opened_application() as app:
        for _ in range(3):
            app.step()
        assert app.pick(0, 0) is None
        for x, y in ((-1, 0), (0, -1), (192, 5), (5, 108)):
            with pytest.raises(UserError, match="outside of the picture of 192 x 108"):
                app.pick(x, y)


@pytest.mark.parametrize("kind", KINDS)
def test_pickings_are_counted_apart_and_leave_the_picture(kind: str) -> None:
    folder = SceneFolder("small", size=SIZE, trail=40, steps=20, agents=[Agents(6)])
    with opened(kind, folder) as host:
        before = folder.play(host).copy()
        host.frame_counts()
        host.draw()
        usual = host.frame_counts()
        host.picks.ask(Asked(SIZE[0] / 2, SIZE[1] / 2, click=True))
        host.draw()
        picking = host.frame_counts()
        one_more = kind in ("panda", "moderngl")
        assert picking.pop("pick_draws") == 1 if one_more else picking.pop("pick_draws") > 0
        assert picking == usual
        assert (host.screenshot() == before).all()
        host.draw()
        assert host.frame_counts()["pick_draws"] == 0
        (found,) = host.picked()
        assert found.asked is not None and found.asked.click
        assert found.agent == host.pick(SIZE[0] / 2, SIZE[1] / 2)
        assert (host.screenshot() == before).all()
        assert host.frame_counts()["pick_draws"] > 0


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_asked_for_is_found_some_frames_later(kind: str) -> None:
    folder = SceneFolder("small", size=SIZE, trail=40, steps=20, agents=[Agents(6)])
    with opened(kind, folder) as host:
        folder.play(host)
        wanted = [
            (x, y) for x in range(4, SIZE[0], 8) for y in range(4, SIZE[1], 8)
            if host.pick(x, y) is not None
        ][:5]  # fmt: skip
        assert wanted
        for x, y in wanted:
            host.picks.ask(Asked(x, y, click=True))
        found: list[Pick] = []
        for _ in range(40):
            host.draw()
            found += host.picked()
        assert [pick.asked and pick.asked[:2] for pick in found] == wanted
        assert [pick.agent for pick in found] == [host.pick(x, y) for x, y in wanted]


def test_a_look_of_ones_own_is_picked_as_it_is_drawn(tmp_path: Any) -> None:
    """Markers of another shape; and after a reload, which the numbers follow."""
    (tmp_path / "marker_shape.glsl").write_text(
        "vec4 marker_shape(vec2 p, float radius, vec3 colour, int shape) {\n"
        "    return vec4(colour, p.x < 0.0 ? 0.0 : 1.0);\n}\n"
    )
    with opened_application(shaders=tmp_path, n_agents=1, size=(640, 400), hud=False) as app:
        app.step()
        (x, y) = middle(app)
        assert app.pick(x + 5, y) == 0 and app.pick(x - 5, y) is None
        hook = tmp_path / "marker_shape.glsl"
        hook.write_text(hook.read_text().replace("p.x < 0.0", "p.x > 0.0"))
        assert app.host.reload()
        app.draw()
        assert app.pick(x - 5, y) == 0 and app.pick(x + 5, y) is None


def test_a_whole_shader_of_ones_own_draws_no_numbers(
    tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    shipped = (shader_folder() / "field.frag").read_text(encoding="utf-8")
    (tmp_path / "field.frag").write_text(shipped.replace("#if PICKING == 1", "#if 0"))
    with opened_application(shaders=tmp_path, n_agents=1, hud=False) as app:
        app.step()
        assert app.pick(*middle(app)) is None
    assert "field is your own, and draws no numbers" in caplog.text


def middle(app: CALFApplication, agent: int = 0) -> tuple[int, int]:
    """The pixel of an agent's marker."""
    host = app.host
    values = host.uniforms()
    simulation = app.simulation
    assert simulation is not None
    plane = simulation.states[agent : agent + 1, list(simulation.system.plane.axes)]
    place = host.scene.frame.samples(plane)
    height = host.scene_levels.heights(place)[0] * values["u_height_scale"]
    clip = values["u_view_projection"] @ (*place[0], height, 1.0)
    across, up = clip[:2] / clip[3]
    width, tall = host.scene.size
    return int((across + 1.0) * 0.5 * width), int((1.0 - up) * 0.5 * tall)


class TestPicks:
    def test_of_pixels_that_the_mouse_passed_the_newest_counts(self) -> None:
        picks = Picks()
        for x in range(5):
            picks.ask(Asked(x, 0))
        assert picks.next() == (4, 0, False)

    def test_clicks_are_all_answered_in_order_and_first(self) -> None:
        picks = Picks()
        picks.ask(Asked(1, 1))
        picks.ask(Asked(2, 2, True))
        picks.ask(Asked(3, 3, True))
        answered = []
        for _ in range(3):
            picks.next()
            assert picks.next() is None, "one at a time"
            picks.drawn()
            picks.found(numbers(0, 0, 7))
            answered += [pick.asked for pick in picks.take()]
        assert answered == [(2, 2, True), (3, 3, True), (1, 1, False)]

    def test_a_moving_mouse_waits_where_the_cpu_draws_and_clicks_do_not(self) -> None:
        picks = Picks(hover_every=4)
        drawn = []
        for frame in range(12):
            picks.ask(Asked(frame, 0))
            if picks.next() is not None:
                drawn.append(frame)
                picks.drawn()
                picks.found(numbers())
        assert drawn == [0, 4, 8]
        picks.ask(Asked(0, 0, True))
        assert picks.next() is not None

    def test_a_mouse_that_left_points_at_nobody(self) -> None:
        picks = Picks()
        picks.ask(Asked(1, 1))
        picks.next()
        picks.drawn()
        picks.leave()
        picks.found(numbers(0, 0, 7))
        assert picks.take() == [Pick(None, None)]


def numbers(row: int = 0, column: int = 0, number: int = 0) -> np.ndarray:
    texels = np.zeros((SIDE, SIDE), "<u4")
    texels[row, column] = number
    return texels.view(np.uint8).reshape(SIDE, SIDE, 4)


def test_the_nearest_number_is_read() -> None:
    assert nearest(numbers()) is None
    assert nearest(numbers(0, 8, 2**26)) == 2**26 - 1
    texels = numbers(4, 6, 300)
    texels[4, 3] = numbers(4, 3, 5)[4, 3]
    assert nearest(texels) == 4


def test_the_window_is_the_pixels_around() -> None:
    seen = np.eye(4)
    narrowed = window(seen, (90, 45), 30.7, 10.2)
    # Pixel (30, 10) from the top left: its middle is the window's.
    x, y = (30.5 / 90) * 2 - 1, 1 - (10.5 / 45) * 2
    assert narrowed @ (x, y, 0.0, 1.0) == pytest.approx((0, 0, 0, 1), abs=1e-6)
    right = narrowed @ (x + SIDE / 90, y, 0.0, 1.0)
    assert right[0] == pytest.approx(1.0, abs=1e-5) and math.isclose(right[3], 1.0)
