"""What is assigned to a configuration counts, and is checked where it is assigned."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calf_viz import AppConfig, CALFApplication, VisualizationConfig
from calf_viz.errors import UserError
from calf_viz.training.config import TrainingConfig
from calf_viz.viewer.config import options
from calf_viz.viewer.designs import RENDERERS, TOGGLES, renderer

OTHER: dict[str, Any] = {
    "system": "differential_drive", "n_agents": 7, "trail_length": 50, "stride": 2, "speed": 3,
    "checkpoint": Path("a.safetensors"), "policy": "nominal", "p_relax": 0.5, "seed": 3,
    "frames": 9, "size": (640, 360), "grid": 8, "critic_on_gpu": True, "slice": 0.5,
    "height_scale": 1.5, "camera": "top", "value_scale": "sqrt", "clim": (0.0, 5.0),
    "colour_map": "viridis", "palette": "colour_blind", "theme": "light",
    "shaders": Path("look"), "ab": Path("other"), "define": ("TRAILS=0",), "set": ("u_a=1",),
    "watch": True, "chosen": 2, "why": True, "hud": False, "hud_scale": 2.0,
    "supersample": 2, "renderer": "batched",
    "use_vectorized_heights": False, "use_stats_cache": False, "use_batched_trails": False,
    "use_gpu_geometry": False, "train": True, "train_rate": "200/s", "resume": Path("runs/a"),
    "runs": Path("mine"), "detach": True, "morph_frames": 3, "headless": True, "no_vsync": True,
    "record": Path("a.calf"), "record_every": 2, "record_limit": "1GB", "record_zstd": True,
    "stats_q_value_update_freq": 4, "stats_text_update_freq": 6, "stats_profiler_update_freq": 8,
}  # fmt: skip
"""Another value of each field than the usual one."""
SMALL: dict[str, Any] = {"grid": 8, "trail_length": 12, "size": (64, 64), "headless": True}


def refused(assign: Callable[[], Any]) -> str:
    """What is said of an assignment that must be refused."""
    with pytest.raises(UserError) as caught:
        assign()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def assigned(config: Any, name: str, value: Any) -> str:
    return refused(lambda: setattr(config, name, value))


def test_every_field_has_another_value_here() -> None:
    assert OTHER.keys() == {f.name for f in options()}


@pytest.mark.parametrize("name", OTHER)
def test_an_assigned_field_is_as_if_it_was_made_with_it(name: str) -> None:
    config = VisualizationConfig()
    setattr(config, name, OTHER[name])
    assert getattr(config, name) == OTHER[name]
    assert config == VisualizationConfig(**{name: OTHER[name]})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("n_agents", 0, "n_agents 0 is out of range: give 1 to"),
        ("n_agents", 2.0, "n_agents = 2.0 has the wrong type: give a whole number"),
        ("n_agents", None, "n_agents = None has the wrong type"),
        ("hud", 1, "hud = 1 has the wrong type: give true or false"),
        ("size", 640, "size = 640 has the wrong type: give two whole numbers"),
        ("size", (640, 0), "size: height 0 is out of range"),
        ("slice", float("nan"), "slice nan is out of range"),
        ("height_scale", 10**400, "height_scale inf is out of range"),
        ("system", "no_such_system", "unknown system 'no_such_system': choose one of"),
        ("renderer", "vulkan", "unknown renderer 'vulkan': choose one of gpu, batched, per_agent"),
        ("use_gpu_geometry", "no", "use_gpu_geometry = 'no' has the wrong type"),
        ("colour_map", "nonsense", "unknown colour map 'nonsense'"),
        ("define", "TRAILS=0", "define = 'TRAILS=0' has the wrong type: give strings in quotes"),
        ("define", ["TRAILS=7"], "TRAILS=7: choose one of 1, 0"),
        ("set", ["u_a"], "`set` u_a: write NAME=VALUE"),
        ("train_rate", "fast", "unknown train_rate 'fast'"),
        ("runs", "", "runs is empty: give a path"),
        ("n_agent", 3, "unknown setting 'n_agent' of a visualisation: did you mean n_agents?"),
        ("toggles", {}, "unknown setting 'toggles' of a visualisation"),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_is_assigned(
    name: str, value: Any, words: str
) -> None:
    config = VisualizationConfig.from_preset("high", seed=3)
    before = copy.copy(config)
    assert words in assigned(config, name, value)
    assert config == before, "the old value stays"


ODD = (
    10**5000, -(10**400), "x" * 10_000, b"\0", [[]] * 9, {}, ["x" * 10_000 + "\n"], object,
    ("TRAILS=" + "1" * 10_000,), "\x1b[31m\udc80", complex(1),
)  # fmt: skip


@pytest.mark.parametrize("name", OTHER)
def test_no_value_gets_through_or_makes_a_long_message(name: str) -> None:
    for value in ODD:
        config = VisualizationConfig()
        before = copy.copy(config)
        try:
            setattr(config, name, value)
        except UserError as error:
            assert len(str(error)) < 500 and str(error).isprintable()
            assert config == before
        else:  # a path may have any name, and a control any value
            assert isinstance(getattr(config, name), Path) or name == "set"


def test_values_are_brought_into_their_form() -> None:
    config = VisualizationConfig()
    config.system = "differential-drive"
    config.palette = "colour-blind"
    config.size = [640, 360]  # type: ignore[assignment]
    config.define = ["TRAILS=0"]  # type: ignore[assignment]
    config.runs = "mine"  # type: ignore[assignment]
    config.renderer = "per-agent"
    assert (config.system, config.palette) == ("differential_drive", "colour_blind")
    assert (config.size, config.define, config.runs) == ((640, 360), ("TRAILS=0",), Path("mine"))
    assert config.renderer == "per_agent"


def test_numpys_values_become_pythons() -> None:
    config = VisualizationConfig()
    values = {
        "n_agents": np.int32(7), "slice": np.float32(0.5), "use_batched_trails": np.False_,
        "policy": np.str_("actor"), "size": (np.int64(640), np.uint16(360)),
    }  # fmt: skip
    for name, value in values.items():
        setattr(config, name, value)
        assert getattr(config, name) == (value if name != "size" else (640, 360))
    kinds = [type(getattr(config, name)) for name in values]
    assert kinds == [int, float, bool, str, tuple]
    assert [type(side) for side in config.size] == [int, int]


class TestRendererAndToggles:
    def test_a_toggle_chooses_the_renderer(self) -> None:
        config = VisualizationConfig.from_preset("medium", headless=True)
        config.use_batched_trails = False
        assert config.renderer == "per_agent"
        assert config.use_gpu_geometry, "what was not assigned stays"
        config.use_batched_trails = True
        assert config.renderer == "gpu"

    def test_a_renderer_sets_the_toggles(self) -> None:
        config = VisualizationConfig()
        for name in (*RENDERERS, *reversed(RENDERERS)):
            config.renderer = name
            assert (config.renderer, config.toggles) == (name, RENDERERS[name])

    def test_without_a_renderer_the_toggles_say_it(self) -> None:
        config = VisualizationConfig(use_gpu_geometry=False)
        config.renderer = None
        assert (config.renderer, config.use_gpu_geometry) == ("batched", False)

    @given(
        st.lists(
            st.one_of(
                st.tuples(st.just("renderer"), st.sampled_from([*RENDERERS])),
                st.tuples(st.sampled_from(TOGGLES), st.booleans()),
            ),
            max_size=8,
        )
    )
    def test_the_later_wins_and_they_always_agree(self, steps: list[tuple[str, Any]]) -> None:
        config = VisualizationConfig()
        expected = dict.fromkeys(TOGGLES, True)
        for name, value in steps:
            setattr(config, name, value)
            expected |= RENDERERS[value] if name == "renderer" else {name: value}
            assert config.toggles == expected
            assert config.renderer == renderer(expected)
            assert VisualizationConfig(**asdict(config)) == replace(config) == config
            assert replace(config, seed=1).toggles == expected

    def test_a_file_says_the_same(self, tmp_path: Path) -> None:
        path = tmp_path / "settings.toml"
        for switches in product((True, False), repeat=len(TOGGLES)):
            config = AppConfig.from_preset("low", **dict(zip(TOGGLES, switches, strict=True)))
            path.write_text(config.text())
            assert AppConfig.load(path) == config

    def test_a_copy_with_another_toggle_follows_it(self) -> None:
        config = VisualizationConfig()
        assert replace(config, use_batched_trails=False).renderer == "per_agent"
        assert replace(config, renderer="batched").use_gpu_geometry is False

    def test_a_copy_of_which_nobody_knows_what_is_meant_is_refused(self) -> None:
        config = VisualizationConfig(renderer="batched")
        said = refused(lambda: replace(config, use_gpu_geometry=True))
        assert "take changed()" in said
        assert config.changed(use_gpu_geometry=True).renderer == "gpu"
        assert "take changed()" in refused(lambda: VisualizationConfig(renderer=config.renderer))

    def test_anothers_renderer_may_be_assigned(self) -> None:
        config, other = VisualizationConfig(), VisualizationConfig(use_batched_trails=False)
        config.renderer = other.renderer
        assert config.toggles == RENDERERS["per_agent"]


class TestFieldsThatGoTogether:
    def test_what_another_value_forbids_names_it_and_the_way_out(self) -> None:
        config = VisualizationConfig(stride=5)
        assert assigned(config, "trail_length", 4) == (
            "trail_length as assigned does not go with the rest: stride 5 is out of range: "
            "give 1 to 4; assign that first, or both at once: update(...)"
        )
        assert config.trail_length == 600
        config.update(trail_length=4, stride=2)
        assert (config.trail_length, config.stride) == (4, 2)

    def test_a_checkpoint_and_a_training_exclude_each_other(self) -> None:
        config = VisualizationConfig(checkpoint=Path("a.safetensors"))
        assert "leave checkpoint out" in assigned(config, "train", True)
        config.checkpoint = None
        config.train = True
        assert "leave checkpoint out" in assigned(config, "checkpoint", "b.safetensors")
        assert (config.train, config.checkpoint) == (True, None)

    def test_all_at_once_or_none(self) -> None:
        config = VisualizationConfig()
        before = copy.copy(config)
        assert "n_agents 0" in refused(lambda: config.update(seed=4, n_agents=0))
        assert "did you mean seed" in refused(lambda: config.update(n_agents=4, sed=4))
        said = refused(lambda: config.update(renderer="gpu", use_gpu_geometry=False))
        assert "leave out one of them" in said
        assert config == before

    def test_in_any_order_fields_that_are_free_of_each_other(self) -> None:
        names = ("n_agents", "system", "use_batched_trails", "size")
        expected = VisualizationConfig(**{name: OTHER[name] for name in names})
        for order in permutations(names):
            config = VisualizationConfig()
            for name in order:
                setattr(config, name, OTHER[name])
            assert config == expected

    def test_a_deleted_field_would_have_no_value(self) -> None:
        config = VisualizationConfig()
        assert "cannot be deleted" in refused(lambda: delattr(config, "n_agents"))
        assert config.n_agents == 5


@pytest.mark.parametrize(
    "copied",
    [
        copy.copy,
        copy.deepcopy,
        replace,
        VisualizationConfig.changed,
        lambda config: pickle.loads(pickle.dumps(config)),
        lambda config: VisualizationConfig(**asdict(config)),
        lambda config: config.kept({"n_agents": "not here"}),
    ],
    ids=["copy", "deepcopy", "replace", "changed", "pickle", "asdict", "kept"],
)
def test_a_copy_is_equal_and_a_thing_of_its_own(copied: Callable[[Any], Any]) -> None:
    config = VisualizationConfig.from_preset("high", shaders="look")
    config.use_batched_trails = False
    other = copied(config)
    assert other == config and other is not config
    assert repr(other) == repr(config)
    other.seed = 9
    assert (other.seed, config.seed) == (9, 0)
    assert "out of range" in assigned(other, "seed", -1)


def test_copies_of_what_cannot_be_assigned_are_free() -> None:
    config = VisualizationConfig().kept({"n_agents": "take another"})
    assert assigned(config, "n_agents", 3) == "n_agents cannot be assigned here: take another"
    copies = (copy.copy, copy.deepcopy, replace, lambda c: pickle.loads(pickle.dumps(c)))
    for copied in (*copies, VisualizationConfig.changed):
        other = copied(config)  # type: ignore[operator]
        other.n_agents = 3
        assert (other.n_agents, config.n_agents) == (3, 5)


def test_a_subclass_is_checked_as_well() -> None:
    @dataclass
    class Mine(VisualizationConfig):
        note: str = ""

        def __post_init__(self) -> None:
            self.n_agents += 1
            super().__post_init__()
            self.note = self.note or "none"

    mine = Mine(n_agents=2)
    assert (mine.n_agents, mine.note) == (3, "none")
    mine.note = "a note"
    mine.n_agents = 4
    assert (mine.n_agents, mine.note) == (4, "a note")
    assert "n_agents 0" in assigned(mine, "n_agents", 0)


class TestTraining:
    def test_nothing_can_be_assigned_and_it_says_what_to_do(self) -> None:
        config = TrainingConfig()
        assert assigned(config, "lr", 0.1) == (
            "lr cannot be assigned here: a training keeps its settings; take a copy, "
            "changed(lr=...)"
        )
        assert "did you mean lr" in assigned(config, "lrr", 0.1)
        assert "lr cannot be assigned" in refused(lambda: delattr(config, "lr"))
        assert config == TrainingConfig()

    def test_changed_is_a_copy_that_is_checked_as_well(self) -> None:
        config = TrainingConfig.from_preset("quick", lr=0.01)
        other = config.changed(batch=32)
        assert (other.batch, other.lr, config.batch) == (32, 0.01, 64)
        assert config.changed(preset="thorough", batch=32).episodes == 1000
        assert config.changed(preset="thorough", batch=32).batch == 32
        assert "batch 0 is out of range" in refused(lambda: config.changed(batch=0))
        assert "did you mean batch" in refused(lambda: config.changed(bach=3))
        assert pickle.loads(pickle.dumps(config)) == copy.deepcopy(config) == config
        assert hash(config) == hash(replace(config))


class TestBoth:
    def test_what_is_shown_alone_may_be_assigned(self) -> None:
        config = AppConfig.from_preset("low")
        config.visualization.n_agents = 20
        assert config.visualization.n_agents == 20
        assert "n_agents 0" in assigned(config.visualization, "n_agents", 0)

    @pytest.mark.parametrize("name", ["system", "seed", "resume"])
    def test_what_concerns_both_may_not(self, name: str) -> None:
        config = AppConfig.from_preset("low")
        for one in (
            config,
            copy.copy(config),
            copy.deepcopy(config),
            replace(config, preset="high"),
            pickle.loads(pickle.dumps(config)),
        ):
            said = assigned(one.visualization, name, OTHER[name])
            assert said.endswith(f"take a copy, changed({name}=...)")
        assert "changed(lr=...)" in assigned(config.training, "lr", 0.1)
        for field in ("preset", "training", "visualization"):
            said = assigned(config, field, getattr(config, field))
            assert said.endswith(f"take a copy, dataclasses.replace(config, {field}=...)")
        assert replace(config, visualization=VisualizationConfig(n_agents=2)) != config
        said = refused(lambda: replace(config, visualization={"n_agents": 2}))
        assert said.endswith("has the wrong type: give a VisualizationConfig")

    def test_changed_finds_the_field_and_keeps_both_together(self) -> None:
        config = AppConfig.from_preset("low")
        config.visualization.use_batched_trails = False
        other = config.changed(seed=4, n_agents=9, lr=0.01, training_preset="standard")
        assert (other.visualization.seed, other.training.seed) == (4, 4)
        assert (other.visualization.n_agents, other.training.lr) == (9, 0.01)
        assert (other.training.episodes, other.visualization.renderer) == (500, "per_agent")
        assert config.visualization.seed == config.training.seed == 0
        assert config.changed() == config
        assert "did you mean n_agents" in refused(lambda: config.changed(n_agent=3))
        assert "n_agents 0" in refused(lambda: config.changed(n_agents=0))

    def test_it_takes_a_copy(self) -> None:
        shown = VisualizationConfig()
        config = AppConfig(shown, TrainingConfig())
        shown.seed = 4
        assert config.visualization.seed == 0


@pytest.mark.rendering
class TestApplication:
    @pytest.mark.parametrize("name", RENDERERS)
    def test_the_design_that_was_assigned_draws(self, name: str) -> None:
        config = VisualizationConfig.from_preset("medium", **SMALL)
        if name == "per_agent":
            config.use_batched_trails = False
        else:
            config.renderer = name
        app = CALFApplication(config=config)
        app.step()
        design, described = app.host.design, app.profiler.describe().configuration
        app.close()
        assert design == described["renderer"] == name
        assert described["use_batched_trails"] is config.use_batched_trails

    def test_it_takes_a_copy_and_refuses_what_would_come_too_late(self) -> None:
        config = VisualizationConfig(**SMALL, n_agents=3)
        app = CALFApplication(config=config)
        config.n_agents = 9
        config.renderer = "per_agent"
        assert "app.n_agents" in assigned(app.config, "n_agents", 4)
        assert "config.changed(height_scale=...)" in assigned(app.config, "height_scale", 1.0)
        app.n_agents = 4
        assert "app.n_agents" in assigned(app.config, "n_agents", 5)
        app.config.frames = 2
        app.config.chosen = 1
        app.run()
        drawn, there, design = app.frames, app.n_agents, app.host.design
        app.close()
        assert (drawn, there, design, app.config.n_agents) == (2, 4, "gpu", 4)
        assert config.frames is None
        other = CALFApplication(config=config)
        there, design = other.n_agents, other.host.design
        other.close()
        assert (there, design) == (9, "per_agent")
