"""Scales of values: monotone, exact, with round values whose levels are spread, for any range; and
the same on the GPU, in pictures, and in texts."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from applications import running
from hypothesis import given
from hypothesis import strategies as st
from opened_hosts import opened
from render_probe import Probe, context, transform

from calf_viz import Samples, View, VisualizationConfig, systems
from calf_viz.agent.system_view import view_of
from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield
from calf_viz.scene.height_texels import REPLACED, height_texels, level_field, value_texels
from calf_viz.scene.ring import RingLayout
from calf_viz.scene.scene import Scene
from calf_viz.value_limits import Scaling, read_clim
from calf_viz.value_scale import MOST_OPEN, SCALES, Mixed, ValueScale, contour_marks, mixed
from calf_viz.viewer.agent_values import AgentValues
from calf_viz.viewer.app_config import AppConfig

LO, HI = (-5.0, -5.0), (5.0, 5.0)
SIDE = np.linspace(-1.0, 1.0, 17)
BOWL = np.add.outer(SIDE**2, SIDE**2)
RANGES = [(-5.3, 6137.0), (0.0, 1.0), (-1.0, 1.0), (-6137.0, 5.0), (1000.0, 1010.0), (-50.0, -2.0),
          (0.0012, 0.0013), (1e8, 3e9), (-3e38, 3e38), (1e-30, 3e-30)]  # fmt: skip

kinds = st.sampled_from(SCALES)
ranges = st.sampled_from(RANGES)


def scale_of(kind: str, ends: tuple[float, float]) -> ValueScale:
    """A scale, for a surface with many low values and few high ones."""
    parts = np.random.default_rng(0).uniform(size=2000) ** 3
    return ValueScale.of(kind, ends, ends[0] + (ends[1] - ends[0]) * parts)


@given(kinds, ranges, st.lists(st.floats(0.0, 1.0), min_size=1))
def test_levels_lead_back_to_their_values(
    kind: str, ends: tuple[float, float], parts: list[float]
) -> None:
    scale, (low, high) = scale_of(kind, ends), ends
    values = np.sort(low + np.array(parts) * (high - low))
    levels = scale.levels(values)
    assert (levels >= 0.0).all() and (levels <= 1.0).all() and (np.diff(levels) >= 0.0).all()
    size = max(abs(low), abs(high))
    np.testing.assert_allclose(scale.values(levels), values, rtol=1e-9, atol=1e-9 * size)


@given(kinds, ranges)
def test_the_ends_are_the_lowest_and_the_highest_level(
    kind: str, ends: tuple[float, float]
) -> None:
    scale, (low, high) = scale_of(kind, ends), ends
    np.testing.assert_allclose(scale.levels([low, high]), [0.0, 1.0], atol=1e-12)
    span = 0.1 * (high - low)
    assert scale.levels([low - span, high + span]).tolist() == [0.0, 1.0], "and beyond them"
    assert scale.values([0.0, 1.0]).tolist() == pytest.approx([low, high], rel=1e-9)


@given(kinds, ranges, st.lists(st.floats(-3.0, 4.0), min_size=1))
def test_open_levels_go_on_beyond_the_ends(
    kind: str, ends: tuple[float, float], parts: list[float]
) -> None:
    scale, (low, high) = scale_of(kind, ends), ends
    values = np.sort(low + np.array(parts) * (high - low))
    levels, found = scale.levels(values), scale.open_levels(values)
    inside = (values >= low) & (values <= high)
    np.testing.assert_allclose(found[inside], levels[inside], atol=1e-12)
    np.testing.assert_allclose(np.clip(found, 0.0, 1.0), levels, atol=1e-12)
    assert (found[values > high] >= 1.0).all() and (found[values < low] <= 0.0).all()
    assert (np.diff(found) >= -1e-12).all() and np.abs(found).max() <= 1.0 + MOST_OPEN


@given(kinds, ranges, st.integers(2, 12))
def test_ticks_are_round_and_spread(kind: str, ends: tuple[float, float], most: int) -> None:
    scale = scale_of(kind, ends)
    ticks = scale.ticks(most)
    assert ticks == sorted(set(ticks)) and len(ticks) <= 2 * most + 1
    assert all(ends[0] <= tick <= ends[1] for tick in ticks)
    gaps = np.diff(scale.levels(ticks))
    if kind != "linear":
        assert (gaps > 0.4 / most).all()
        apart = scale.levels(scale.ticks(most, apart=0.2))
        assert (np.diff(apart) > 0.195).all()
    for tick, other in pairwise(ticks):
        step = other - tick
        digits = step / 10.0 ** math.floor(math.log10(step) + 1e-9)
        assert digits == pytest.approx(round(digits, 1), rel=1e-6), "few digits apart"


@pytest.mark.parametrize("kind", SCALES)
@pytest.mark.parametrize("ends", RANGES[:8], ids=str)
def test_contours_are_spread_over_all_levels(kind: str, ends: tuple[float, float]) -> None:
    scale = scale_of(kind, ends)
    lines, strong = scale.contours
    assert 12 <= len(lines) <= 30 and 2 <= strong.sum() <= len(lines) / 2
    gaps = np.diff([0.0, *scale.levels(lines), 1.0])
    assert gaps[1:-1].min() > 0.02 and gaps.max() < 0.14


@pytest.mark.parametrize("most", [4, 6, 20])
@pytest.mark.parametrize(
    "surface",
    [6000.0 * (1.0 - np.exp(-5.0 * BOWL)), 10.0 * np.exp(-200.0 * BOWL) + 0.01 * BOWL,
     np.minimum(BOWL, 1.0 + 0.001 * BOWL)],
    ids=["plateau", "spike", "funnel"],
)  # fmt: skip
def test_ranks_have_ticks_all_the_way_however_level_most_of_a_surface_is(
    surface: Any, most: int
) -> None:
    scale = ValueScale.of("rank", (float(surface.min()), float(surface.max())), surface)
    ticks = scale.ticks(most)
    levels = scale.levels(ticks)
    assert ticks == sorted(set(ticks)) and most / 2 <= len(ticks) <= 2 * most + 1
    assert np.diff(levels).min() > 0.5 / most
    assert np.diff([0.0, *levels, 1.0]).max() < 2.2 / most + 0.34
    for tick in ticks:
        assert tick == pytest.approx(float(f"{tick:.5g}"), rel=1e-9), "few digits"


@pytest.mark.parametrize("kind", SCALES)
@pytest.mark.parametrize("value", [-3.0, 0.0, 7.5])
def test_a_constant_surface_is_level(kind: str, value: float) -> None:
    field = Heightfield(np.full((5, 5), value), LO, HI)
    scale = Scaling(kind).of(field)
    assert scale.ends == (value, value) and (level_field(field, scale).values == 0.0).all()
    assert len(scale.contours.values) == 0 and scale.ticks(5) == []
    assert np.isfinite(value_texels(scale, scale)).all()
    assert (contour_marks(scale, scale.contours) == 0).all()


@pytest.mark.parametrize("kind", SCALES)
@pytest.mark.parametrize("clim", ["auto", "robust", "agents", (0.5, 1.0)], ids=str)
def test_values_that_are_not_finite_are_a_marked_wall(kind: str, clim: Any) -> None:
    values = BOWL.copy()
    values[3, 4], values[5, 5], values[6, 6] = np.nan, np.inf, -np.inf
    field = Heightfield(values, LO, HI)
    scale = Scaling(kind, clim, lambda _: (0.1, 0.7)).of(field)
    levels = level_field(field, scale)
    texels, highest = height_texels(levels), levels.open[~field.bad].max()
    assert (texels[field.bad] == REPLACED - highest).all() and highest >= 1.0
    assert (levels.values[field.bad] == 1.0).all(), "a wall"
    assert (texels[~field.bad] > 0.5 * REPLACED).all()
    nothing = Heightfield(np.full((3, 3), np.nan), LO, HI)
    assert (height_texels(level_field(nothing, Scaling(kind).of(nothing))) == REPLACED).all()


def test_limits() -> None:
    values = np.arange(10_000.0).reshape(100, 100)
    values[0, 0], values[-1, -1] = -1e6, 1e6
    field = Heightfield(values, LO, HI)
    assert Scaling().of(field).ends == field.range
    low, high = Scaling(clim="robust").of(field).ends
    assert low == -1e6, "agents gather at the lowest"
    assert high == pytest.approx(9800, abs=60)
    assert Scaling(clim="robust").of(field).beyond == (False, True)
    assert Scaling(clim="robust").of(field, (-2e6, 3e6)).ends == (-2e6, high)
    fixed = Scaling(clim=(0.0, 2e6)).of(field)
    assert fixed.ends == (0.0, 2e6) and fixed.beyond == (True, False)
    assert Scaling(clim="agents").of(field).ends == field.range, "none known"
    spike = np.zeros((9, 9))
    spike[4, 4] = 1.0
    assert Scaling(clim="robust").of(Heightfield(spike, LO, HI)).ends == (0.0, 1.0)


@pytest.mark.parametrize(
    "clim",
    ["5,1", "1,1", "nan,1", "1,inf", "1", "1,2,3", "", "a,b", "1e300,1e301", "1,1.000000000001",
     (2, 1), (1,), (1, 2, 3), (True, False), ("a", 2), math.nan, 7, None, "robus"],
    ids=str,
)  # fmt: skip
def test_limits_that_are_none_are_refused(clim: Any) -> None:
    with pytest.raises(UserError) as caught:
        read_clim(clim)
    said = str(caught.value)
    assert "\n" not in said and ": give auto, robust, agents, or two numbers" in said
    with pytest.raises(UserError):
        View("v", clim=clim)
    if clim is not None:
        with pytest.raises(UserError):
            VisualizationConfig(clim=clim)


def test_limits_as_they_are_written() -> None:
    assert read_clim(" robust ") == "robust"
    assert read_clim("-5, 1e3") == read_clim((-5, 1e3)) == read_clim([-5, 1000]) == (-5.0, 1000.0)
    assert View("v", value_scale="rank", clim=[0, 2]).clim == (0.0, 2.0)
    with pytest.raises(UserError, match=r"unknown .*value_scale 'log': choose one of linear, sqrt"):
        View("v", value_scale="log")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="value_scale"):
        VisualizationConfig(value_scale="log")


class TestMorph:
    @given(kinds, kinds, ranges, ranges, st.floats(0.0, 0.999))
    def test_is_monotone_between_both(
        self, one: str, other: str, before: Any, after: Any, part: float
    ) -> None:
        last, current = scale_of(one, before), scale_of(other, after)
        scale = mixed(last, current, part)
        levels = np.linspace(0.0, 1.0, 50)
        values = scale.values(levels)
        expected = last.values(levels) + part * (current.values(levels) - last.values(levels))
        size = max(map(abs, (*before, *after)))
        np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-9 * size)
        assert (np.diff(values) >= 0.0).all()
        if isinstance(scale, Mixed):
            kept = scale.kept.values(levels)
            np.testing.assert_allclose(kept, values, rtol=0, atol=2e-2 * (values[-1] - values[0]))
        assert len(contour_marks(scale, current.contours)) == 256


class TestAgentValues:
    field = Heightfield(10.0 * BOWL, LO, HI)
    view = View("v")

    def seen(self, kept: AgentValues, radius: float, steps: int = 80) -> None:
        for step in range(steps):
            angle = np.arange(5.0) + 0.1 * step
            places = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
            kept.see([Samples.of(places)], self.view)

    def test_are_where_agents_are_with_some_room(self) -> None:
        kept = AgentValues(20)
        assert kept.limits(self.field) is None, "no agents, no limits"
        self.seen(kept, 3.0)
        low, high = kept.limits(self.field) or (0.0, 0.0)
        value = 10.0 * (3.0 / 5.0) ** 2
        assert low < value < high and high - low < 0.2 * 20.0

    def test_stay_until_they_no_longer_fit(self) -> None:
        kept = AgentValues(20)
        for radius in (1.0, 2.0, 3.0):
            self.seen(kept, radius, steps=20)
        limits = kept.limits(self.field)
        self.seen(kept, 2.9, steps=10)
        assert kept.limits(self.field) is limits
        self.seen(kept, 4.9)
        wider = kept.limits(self.field)
        assert wider is not None and limits is not None and wider[1] > limits[1]

    def test_agents_off_the_plane_do_not_count(self) -> None:
        kept = AgentValues(20)
        kept.see([Samples.of([[1.0, 1.0], [9.0, 0.0], [np.nan, 0.0]])], self.view)
        limits = kept.limits(self.field)
        assert limits is not None and limits[1] < 3.0

    def test_any_number_of_agents_and_of_steps(self) -> None:
        kept = AgentValues(4000)
        for count in (0, 1, 5000, 3):
            kept.see([Samples.of(np.zeros((count, 2)), np.zeros(count, int))], self.view)
        assert kept.steps == 4


VALUE = """#version 330
#include "lib/contract.glsl"
#include "lib/values.glsl"
in float a_level;
out float v_value;
void main() { v_value = value_of(a_level); }
"""


@pytest.mark.rendering
@pytest.mark.parametrize("kind", SCALES)
def test_shaders_find_a_levels_value(tmp_path: Any, kind: str) -> None:
    (tmp_path / "probe.vert").write_text(VALUE, encoding="utf-8")
    field = Heightfield(6000.0 * BOWL - 5.0, LO, HI)
    probe = Probe(
        Scene(trail=2), field, RingLayout.fit(1, 4), tmp_path, "probe.vert", varyings=("v_value",)
    )
    last, current = scale_of("linear", (0.0, 100.0)), scale_of(kind, field.range)
    probe.values = probe._texture(value_texels(last, current))
    levels = np.random.default_rng(0).uniform(0.0, 1.0, 500).astype(np.float32)
    for morph in (0.0, 0.3, 1.0):
        probe.bind(morph=morph)
        data = context().buffer(levels.tobytes())
        array = context().vertex_array(probe.program, [(data, "1f", "a_level")])
        found = transform(array, 4, len(levels))[:, 0]
        expected = mixed(last, current, morph).values(levels)
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-6 * current.span)


@pytest.mark.rendering
@pytest.mark.parametrize("kind", SCALES)
def test_all_designs_draw_the_same(kind: str) -> None:
    from scene_folder import OLDER

    field, pictures = Heightfield(6000.0 * BOWL - 5.0, LO, HI), []
    for host_kind in ("panda", "moderngl", *OLDER):
        with opened(host_kind, heightfield=None) as host:
            host.scaling = Scaling(kind, (-5.0, 4000.0))
            host.set_heightfield(field)
            host.push(Samples.of([[1.0, 1.0], [-3.0, 2.0]]))
            host.draw()
            pictures.append(host.screenshot().astype(int))
    for picture in pictures[1:]:
        assert (np.abs(picture - pictures[0]).max(axis=2) > 8).mean() < 0.003


@pytest.mark.rendering
@pytest.mark.parametrize("kind", SCALES)
@pytest.mark.parametrize("host_kind", ["panda", "moderngl"])
def test_contours_are_where_their_values_are(host_kind: str, kind: str) -> None:
    """On a ramp seen from above, what lines add is brightest where the values are round."""
    from scene_folder import SceneFolder

    side = np.linspace(0.0, 1.0, 129)
    ramp = Heightfield(np.tile(300.0 * side**2 + 3.0, (2, 1)), LO, HI)
    size, pictures = (720, 720), []
    scene = SceneFolder("ramp", size=size)
    for marked in (True, False):
        with opened(host_kind, scene, heightfield=None) as host:
            host.scene.height_scale = 0.0
            host.scaling = Scaling(kind)
            host.set_heightfield(ramp)
            if not marked:
                host._move_contours = lambda: None  # type: ignore[method-assign]
            host.scene.camera.top_view(size[0] / size[1])
            matrix = host.scene.camera.view_projection(size[0] / size[1])
            host.draw()
            middle = host.screenshot()[350:370].astype(float)
            pictures.append(middle.sum(axis=2).mean(axis=0))
            scale = host.scale
    added = pictures[0] - pictures[1]
    values = scale.contours.values
    places = np.array([10.0 * np.sqrt((values - 3.0) / 300.0) - 5.0, 0 * values, 0 * values]).T
    clip = np.column_stack([places, np.ones(len(values))]) @ matrix.T
    columns = (0.5 + 0.5 * clip[:, 0] / clip[:, 3]) * size[0] - 0.5
    seen = []
    for before, x, after in zip(columns, columns[1:], columns[2:], strict=False):
        if min(x - before, after - x) < 10.0:
            continue
        around = np.arange(round(x) - 4, round(x) + 5)
        light = np.maximum(added[around], 0.0)
        assert light.sum() > 4.0, "a line is seen"
        seen.append(float((light * around).sum() / light.sum()) - x)
    assert len(seen) >= 6 and np.abs(seen).max() < 1.0, seen


@pytest.mark.rendering
class TestLive:
    def test_a_change_takes_effect_with_the_next_frame(self) -> None:
        with running(n_agents=5) as app:
            app.step()
            assert app.host.scale.kind == app.scaling[0]
            for kind in SCALES:
                app.config.value_scale = kind
                app.draw()
                assert app.host.scale.kind == kind and app.host.morph == 1.0
                expected = app.host.scale.levels(app.host.heightfield.values)
                np.testing.assert_allclose(app.host.levels.values, expected, atol=1e-6)
            app.config.update(value_scale="linear", clim=(0, 50))
            app.draw()
            assert app.host.value_range == (0.0, 50.0)
            assert app.host.levels.range == (0.0, 1.0)
            with pytest.raises(UserError, match="has no extent upwards"):
                app.config.clim = (3, 2)
            app.config.clim = None
            app.draw()
            assert app.scaling[1] == app.feed.view.clim

    def test_the_critic_is_not_asked_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with running(n_agents=5) as app:
            app.step()
            monkeypatch.setattr(app.simulation, "surface", lambda: pytest.fail("asked"))
            before = app.host.heightfield
            app.config.value_scale = "rank"
            monkeypatch.setattr(app.feed, "surface", lambda: None)
            app.draw()
            assert app.host.heightfield is before and app.host.scale.kind == "rank"

    def test_keys_cycle_scales_and_ranges(self) -> None:
        with running(n_agents=5, value_scale="linear", clim="1,2") as app:
            kinds, limits = [], []
            for _ in range(5):
                app.actions.by_name["next_scale"]()
                kinds.append(app.scaling[0])
                app.actions.by_name["next_limits"]()
                limits.append(app.scaling[1])
                app.draw()
            assert kinds == ["sqrt", "symlog", "rank", "linear", "sqrt"]
            assert limits == ["auto", "robust", "agents", (1.0, 2.0), "auto"]
            assert app.actions.notice == "range of values: auto"

    def test_a_range_that_follows_agents_moves_in_steps_that_are_morphs(self) -> None:
        with running(n_agents=10, clim="agents", value_scale="linear") as app:
            app.step()
            first = app.host.value_range
            assert first != app.host.heightfield.range and app.host.morph == 1.0, "at once at first"
            ranges, ends = [first], []
            for _ in range(200):
                app.step()
                if app.host.value_range != ranges[-1]:
                    ranges.append(app.host.value_range)
                    assert app.host.morph < 0.1, "a new one begins where the last one is"
                ends.append(app.host.shown_scale.ends[1])
            assert 1 <= len(ranges) <= 6
            span = max(ends) - min(ends) or 1.0
            assert np.abs(np.diff(ends)).max() <= 0.2 * span

    def test_the_same_in_a_file_and_back(self, tmp_path: Any) -> None:
        for clim in ("robust", (-2.0, 7.5)):
            config = AppConfig.from_preset("low", clim=clim, value_scale="symlog")
            (tmp_path / "a.toml").write_text(config.text(), encoding="utf-8")
            again = AppConfig.load(tmp_path / "a.toml")
            assert again.visualization.clim == clim
            assert again.visualization.value_scale == "symlog"
        (tmp_path / "a.toml").write_text("clim = [5, 1]")
        with pytest.raises(UserError, match=r"a\.toml: clim .* has no extent upwards"):
            AppConfig.load(tmp_path / "a.toml")


@pytest.mark.rendering
@pytest.mark.parametrize("host_kind", ["panda", "moderngl"])
def test_values_beyond_recede_into_the_ground(host_kind: str) -> None:
    """In another colour than the scale's ends, which the colour bar's points have, not its bar."""
    field = Heightfield(BOWL, LO, HI)
    with opened(host_kind, heightfield=None) as host:
        host.scaling = Scaling(clim=(0.2, 1.0))
        host.set_heightfield(field)
        host.draw()
        host.screenshot()
        row = host._palette[0].astype(int)
        usual = host._colour_map.astype(int)
        assert (row[1:-1, :3] == usual[1:-1, :3]).all()
        for entry in (0, -1):
            colour, ground = row[entry, :3], 255 * np.array(host.background)
            assert np.ptp(colour) < 20 and np.abs(colour - ground).max() > 30, "a grey"
        host.scaling = Scaling()
        host.rescale()
        host.draw()
        assert (host._palette[0, :, :3] == usual[:, :3]).all()


def test_each_system_has_the_scale_on_which_its_agents_are_seen() -> None:
    found = {name: view_of(systems.get(name)).value_scale for name in systems.own()}
    assert found == {"point_mass": "sqrt", "differential_drive": "sqrt", "pendulum": "linear"}
