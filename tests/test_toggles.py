"""Renderer and toggles: which design draws, what overrides what, and what contradicts."""

from __future__ import annotations

import logging
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield
from calf_viz.hosts.panda.older import heights
from calf_viz.viewer.app_config import AppConfig
from calf_viz.viewer.designs import RENDERERS, TOGGLES, overridden

SMALL: dict[str, Any] = {"n_agents": 2, "grid": 8, "trail_length": 12, "size": (64, 64)}


def configured(**changes: Any) -> VisualizationConfig:
    return VisualizationConfig.from_preset("medium", **SMALL, headless=True, **changes)


def complaint(**changes: Any) -> str:
    with pytest.raises(UserError) as caught:
        configured(**changes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_all_are_on_and_the_gpu_draws() -> None:
    config = VisualizationConfig()
    assert config.toggles == dict.fromkeys(TOGGLES, True)
    assert config.renderer == "gpu"


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("make", [VisualizationConfig, configured])
def test_a_renderer_sets_the_toggles(make: Any, renderer: str) -> None:
    config = make(renderer=renderer)
    assert config.toggles == RENDERERS[renderer]
    assert config.renderer == renderer


def test_what_the_names_stand_for() -> None:
    off = {name: {t for t in TOGGLES if not values[t]} for name, values in RENDERERS.items()}
    assert off == {
        "gpu": set(),
        "batched": {"use_gpu_geometry"},
        "per_agent": set(TOGGLES),
    }


EXPECTED = {  # batched trails, vectorised heights, gpu geometry
    (True, True, True): "gpu",
    (True, True, False): "batched",
    (True, False, True): "batched",
    (True, False, False): "batched",
    (False, True, True): "per_agent",
    (False, True, False): "per_agent",
    (False, False, True): "per_agent",
    (False, False, False): "per_agent",
}


@pytest.mark.rendering
@pytest.mark.parametrize(("switches", "cached"), list(product(EXPECTED, [True, False])))
def test_every_combination_draws(
    switches: tuple[bool, bool, bool], cached: bool, caplog: pytest.LogCaptureFixture
) -> None:
    names = ("use_batched_trails", "use_vectorized_heights", "use_gpu_geometry")
    config = configured(**dict(zip(names, switches, strict=True)), use_stats_cache=cached)
    with caplog.at_level(logging.INFO):
        app = CALFApplication(config)
    app.step()
    picture = app.screenshot()
    geometry = app.host.geometry
    app.close()
    expected = EXPECTED[switches]
    assert config.renderer == app.host.design == geometry.design == expected
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 10
    if expected != "gpu":
        assert geometry.method is (heights.vectorised if switches[1] else heights.loop)
    told = [r.message for r in caplog.records if "overrides" in r.message]
    assert len(told) == (switches[2] and expected != "gpu")
    assert config.use_stats_cache is cached, "it selects no geometry"


def test_the_log_says_what_overrides_the_gpu() -> None:
    assert overridden(configured(use_batched_trails=False).toggles) == (
        "use_batched_trails = False overrides use_gpu_geometry: "
        "the per_agent renderer draws, heights in NumPy"
    )
    assert overridden(configured(use_vectorized_heights=False).toggles) == (
        "use_vectorized_heights = False overrides use_gpu_geometry: "
        "the batched renderer draws, heights in a Python loop"
    )
    both = configured(use_batched_trails=False, use_vectorized_heights=False)
    said = overridden(both.toggles)
    assert said is not None and "use_vectorized_heights = False and use_batched_trails" in said


@pytest.mark.parametrize("renderer", [*RENDERERS, None])
def test_what_was_asked_for_overrides_nothing(renderer: str | None) -> None:
    assert overridden(configured(renderer=renderer).toggles) is None


@pytest.mark.parametrize(
    ("renderer", "toggle", "value"),
    [
        ("gpu", "use_gpu_geometry", False),
        ("gpu", "use_batched_trails", False),
        ("batched", "use_vectorized_heights", False),
        ("batched", "use_gpu_geometry", True),
        ("per_agent", "use_batched_trails", True),
        ("per_agent", "use_stats_cache", True),
    ],
)
def test_a_contradiction_names_both(renderer: str, toggle: str, value: bool) -> None:
    said = complaint(renderer=renderer, **{toggle: value})
    assert f"renderer '{renderer}'" in said and f"{toggle} = {value}" in said
    if not value:  # what is on by itself was perhaps never said
        with pytest.raises(UserError, match=toggle):
            VisualizationConfig(renderer=renderer, **{toggle: value})
    assert configured(renderer=renderer, **{toggle: not value}).renderer == renderer


def test_an_unknown_renderer() -> None:
    assert complaint(renderer="vulkan") == (
        "unknown renderer 'vulkan': choose one of gpu, batched, per_agent"
    )


class TestChanged:
    """A configuration that is there, with something else."""

    def test_another_renderer(self) -> None:
        for before, after in product(RENDERERS, RENDERERS):
            config = configured(renderer=before).changed(renderer=after)
            assert (config.renderer, config.toggles) == (after, RENDERERS[after])

    def test_another_toggle(self) -> None:
        assert configured(renderer="gpu").changed(use_gpu_geometry=False).renderer == "batched"
        assert configured(renderer="batched").changed(use_gpu_geometry=True).renderer == "gpu"
        config = configured().changed(use_vectorized_heights=False)
        assert config.renderer == "batched" and config.use_gpu_geometry

    @pytest.mark.parametrize("toggle", TOGGLES)
    def test_anything_else_keeps_them(self, toggle: str) -> None:
        config = configured(**{toggle: False})
        after = config.changed(n_agents=7)
        assert (after.toggles, after.renderer) == (config.toggles, config.renderer)

    def test_a_contradiction(self) -> None:
        with pytest.raises(UserError, match=r"renderer 'gpu' .* use_gpu_geometry = False"):
            configured().changed(renderer="gpu", use_gpu_geometry=False)


def test_loop_and_numpy_agree_on_heights_and_slopes() -> None:
    rng = np.random.default_rng(0)
    field = Heightfield(rng.uniform(size=(7, 12)), (-5.0, -3.0), (5.0, 4.0))
    nodes = np.stack(np.meshgrid(np.linspace(-5, 5, 12), np.linspace(-3, 4, 7)), -1).reshape(-1, 2)
    points = np.concatenate([rng.uniform(-6, 6, (500, 2)), nodes])
    expected = heights.vectorised(field)(points)
    np.testing.assert_allclose(heights.loop(field)(points), expected, atol=1e-9)
    assert heights.loop(field)(points[:0]).shape == (0, 3)


class TestOverAFile:
    """A later choice replaces the file's, whichever of the two ways it is made in."""

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        path = tmp_path / "settings.toml"
        path.write_text(AppConfig.from_preset("medium").text())  # both ways are in it
        return path

    @pytest.mark.parametrize("renderer", RENDERERS)
    def test_a_renderer(self, file: Path, renderer: str) -> None:
        config = AppConfig.load(file, renderer=renderer).visualization
        assert (config.renderer, config.toggles) == (renderer, RENDERERS[renderer])

    def test_a_toggle(self, file: Path) -> None:
        config = AppConfig.load(file, use_batched_trails=False).visualization
        assert config.renderer == "per_agent" and config.use_stats_cache
        file.write_text('[visualization]\nrenderer = "per_agent"\n')
        config = AppConfig.load(file, use_batched_trails=True).visualization
        assert config.renderer == "batched" and not config.use_stats_cache

    def test_a_file_that_contradicts_itself_says_so_all_the_same(self, file: Path) -> None:
        file.write_text('[visualization]\nrenderer = "gpu"\nuse_batched_trails = false\n')
        with pytest.raises(UserError, match="use_batched_trails"):
            AppConfig.load(file, renderer="batched")


def test_a_hyphen_is_as_good_as_an_underscore() -> None:
    assert configured(renderer="per-agent").renderer == "per_agent"
