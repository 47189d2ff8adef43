"""The configuration: presets, single changes, and one line for every value that makes no sense."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from calf_viz import AppConfig, systems
from calf_viz.errors import UserError
from calf_viz.scene.colours import PALETTES
from calf_viz.scene.mode_bits import ModeBits
from calf_viz.scene.theme import THEMES
from calf_viz.sources.simulation import POLICIES
from calf_viz.training.config import TrainingConfig
from calf_viz.viewer.config import (
    FASTEST,
    FINEST_GRID,
    LARGEST_SIDE,
    LONGEST_TRAIL,
    MOST_AGENTS,
    PRESETS,
    RAREST_STATS,
    VisualizationConfig,
    options,
)

BOUNDS = {
    "n_agents": (1, MOST_AGENTS),
    "trail_length": (2, LONGEST_TRAIL),
    "stride": (1, ModeBits().longest_stride),
    "speed": (1, FASTEST),
    "seed": (0, 2**63 - 1),
    "frames": (1, 2**31 - 1),
    "grid": (1, FINEST_GRID),
    "p_relax": (0.0, 1.0),
    "height_scale": (0.0, 100.0),
    "hud_scale": (0.25, 4.0),
    "slice": (-1e6, 1e6),
    "stats_q_value_update_freq": (1, RAREST_STATS),
    "stats_text_update_freq": (1, RAREST_STATS),
    "stats_profiler_update_freq": (1, RAREST_STATS),
}
CHOICES = {
    "system": systems.names(),
    "policy": POLICIES,
    "palette": tuple(PALETTES),
    "theme": tuple(THEMES),
    "preset": tuple(PRESETS),
}


def beyond(low: float, high: float) -> list[float]:
    """The nearest values outside a range; between floats there is no whole step."""
    if isinstance(low, int):
        return [low - 1, high + 1]
    return [math.nextafter(low, -math.inf), math.nextafter(high, math.inf), math.nan, math.inf]


def complaint(preset: str = "medium", **changes: Any) -> str:
    """What is said of changes that must be refused."""
    with pytest.raises(UserError) as caught:
        VisualizationConfig.from_preset(preset, **changes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("preset", "agents", "trail", "stride", "stats"),
    [
        ("low", 3, 300, 1, (5, 2, 15)),
        ("medium", 5, 600, 1, (10, 5, 30)),
        ("high", 10, 1000, 1, (20, 10, 60)),
    ],
)
def test_presets(
    preset: str, agents: int, trail: int, stride: int, stats: tuple[int, int, int]
) -> None:
    config = VisualizationConfig.from_preset(preset)
    assert (config.n_agents, config.trail_length, config.stride) == (agents, trail, stride)
    # In all else a preset is the plain configuration.
    rest = {"n_agents": agents, "trail_length": trail, "stride": stride}
    names = ("stats_q_value_update_freq", "stats_text_update_freq", "stats_profiler_update_freq")
    rest |= dict(zip(names, stats, strict=True))
    assert asdict(config) == asdict(VisualizationConfig(**rest))


def test_the_more_a_preset_shows_the_more_seldom_its_figures_are_asked_for() -> None:
    low, medium, high = (VisualizationConfig.from_preset(preset) for preset in PRESETS)
    for name in ("stats_q_value_update_freq", "stats_text_update_freq",
                 "stats_profiler_update_freq"):  # fmt: skip
        assert getattr(low, name) < getattr(medium, name) < getattr(high, name)


def test_without_a_preset_it_is_the_medium_one() -> None:
    assert VisualizationConfig() == VisualizationConfig.from_preset("medium")


def test_changes_win_over_the_preset() -> None:
    config = VisualizationConfig.from_preset("high", n_agents=40, seed=7, checkpoint=Path("a"))
    assert (config.n_agents, config.seed, config.checkpoint) == (40, 7, Path("a"))
    assert config.trail_length == 1000
    assert PRESETS["high"]["n_agents"] == 10


@pytest.mark.parametrize("name", BOUNDS)
def test_the_ends_of_a_range_belong_to_it(name: str) -> None:
    for value in BOUNDS[name]:
        assert getattr(VisualizationConfig(**{name: value}), name) == value


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, ends in BOUNDS.items() for value in beyond(*ends)]
)
def test_beyond_a_range(name: str, value: float) -> None:
    low, high = BOUNDS[name]
    assert complaint(**{name: value}) == f"{name} {value} is out of range: give {low} to {high}"


def test_a_stride_is_no_longer_than_its_trail() -> None:
    assert VisualizationConfig(trail_length=4, stride=4).stride == 4
    assert complaint(trail_length=4, stride=5) == "stride 5 is out of range: give 1 to 4"


@pytest.mark.parametrize("side", [0, 15, LARGEST_SIDE + 1])
def test_a_picture_of_no_such_size(side: int) -> None:
    said = f"{side} is out of range: give 16 to {LARGEST_SIDE}"
    assert complaint(size=(side, 90)) == f"size: width {said}"
    assert complaint(size=(160, side)) == f"size: height {said}"
    for good in (16, LARGEST_SIDE):
        assert VisualizationConfig(size=(good, good)).size == (good, good)


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("value", ["nonsense", "", "Low"])
def test_unknown_choices_list_those_there_are(name: str, value: str) -> None:
    listed = ", ".join(CHOICES[name])
    said = complaint(**{name: value})
    assert said.split("; ")[0] == f"unknown {name} '{value}': choose one of {listed}"


def test_hyphens_and_underscores_are_the_same_in_names() -> None:
    config = VisualizationConfig(system="differential-drive", palette="colour-blind")
    assert (config.system, config.palette) == ("differential_drive", "colour_blind")


def test_an_unknown_setting() -> None:
    assert complaint(n_agent=3) == (
        "unknown setting 'n_agent' of a visualisation: did you mean n_agents?"
    )


@pytest.mark.parametrize(
    ("kind", "given", "meant"),
    [
        (VisualizationConfig, {"nope": 1}, "scope"),
        (VisualizationConfig, {"n_agent": 3, "seed": 1}, "n_agents"),
        (TrainingConfig, {"episode": 3}, "episodes"),
        (AppConfig, {"visualisation": None}, "visualization"),
    ],
)
def test_an_unknown_setting_is_reported_where_a_configuration_is_made(
    kind: Any, given: dict[str, Any], meant: str
) -> None:
    with pytest.raises(UserError) as caught:
        kind(**given)
    said = str(caught.value)
    assert "\n" not in said and said.startswith(f"unknown setting '{next(iter(given))}' of ")
    assert "did you mean" in said and (meant == "scope" or said.endswith(f"{meant}?"))


def test_changed_is_a_copy_that_is_checked_as_well() -> None:
    config = VisualizationConfig.from_preset("low", seed=3)
    other = config.changed(n_agents=50)
    assert (other.n_agents, other.trail_length, other.seed) == (50, 300, 3)
    assert config.n_agents == 3
    with pytest.raises(UserError, match="n_agents 0 is out of range"):
        config.changed(n_agents=0)


def test_every_setting_explains_itself() -> None:
    for field in options():
        assert field.metadata["help"].rstrip("]").strip(), field.name
