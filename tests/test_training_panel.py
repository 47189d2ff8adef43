"""The panel of a training that is watched: its figures, and its plots from the first episode on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from calf_attach.layout import Phase, Word
from scene_folder import POINT_MASS
from trainings import board, configured, new_board, watched
from waiting import until

from calf_viz import CALFApplication
from calf_viz.agent.modes import NAMES
from calf_viz.hud.overview import overview
from calf_viz.hud.plots import Plots
from calf_viz.hud.series import HEAD, SAMPLES
from calf_viz.scene.colours import mode_colours
from calf_viz.scene.paint import mixed, packed
from calf_viz.scene.scene import Scene
from calf_viz.scene.theme import THEMES, Theme
from calf_viz.sources import worker
from calf_viz.training.columns import METRICS
from calf_viz.training.config import TrainingConfig
from calf_viz.training.run import Run
from calf_viz.training.trainer import Trainer
from calf_viz.viewer.stats_cache import StatsCache
from calf_viz.viewer.training_panel import TrainingPanel

pytestmark = [pytest.mark.rendering, pytest.mark.usefixtures("boards")]
training = pytest.fixture(watched)


def lasts(episodes: int) -> TrainingConfig:
    return TrainingConfig(episodes=episodes, steps=50)


def test_the_panel_tells_what_the_board_does(training: Callable[..., CALFApplication]) -> None:
    app = training(hud=True, size=(960, 540), system="differential_drive")
    until(lambda: board(app)[Word.PHASE] == Phase.FINISHED, app.step)
    for _ in range(10):
        app.step()
    values, run = app.hud.values, app.live.run
    rows = [line.split(",") for line in run.metrics.read_text().splitlines()]
    assert rows[0] == list(METRICS) and len(rows) == 5
    steps = sum(int(row[1]) for row in rows[1:])
    assert values["train_steps"] == str(steps)
    assert values["train_episode"] == "4 / 4"
    assert values["train_notice"] == "the training is finished"
    assert {"training", "plots", "training_notice"} <= app.hud.placed.keys()
    series = app.hud.canvas.series
    np.testing.assert_allclose(series.values("reward"), [float(r[2]) for r in rows[1:]], rtol=1e-6)
    mean = np.cumsum([float(r[2]) for r in rows[1:]]) / np.arange(1, 5)
    np.testing.assert_allclose(series.values("mean_reward"), mean, rtol=1e-6)
    for i, name in enumerate(("certified", "relax", "nominal")):
        shares = [int(r[4 + i]) / int(r[1]) for r in rows[1:]]
        np.testing.assert_allclose(series.values(f"share_{name}"), shares, rtol=1e-6)
    steps = board(app).steps_since(0)
    last = steps.q_plus[steps.episode == 3]
    np.testing.assert_allclose(series.values("q_plus"), last, rtol=1e-6)


def test_steps_and_speed_of_a_resumed_run_begin_with_those_it_has(tmp_path: Path) -> None:
    config = configured(tmp_path).training
    trainer = Trainer(config)
    for _ in range(30):
        trainer.step()
    run = Run.create(trainer, config, tmp_path / "run")
    made = new_board(weights=len(trainer.agent.flat_weights()))
    hud = overview(POINT_MASS)
    panel = TrainingPanel(hud, StatsCache(), made, Scene(), lasts(4))
    panel.refresh()
    assert panel.hud.values["train_steps"] == "–", "nobody knows yet"
    made.stop()
    worker.Worker(run, trainer, made).work()
    assert made[Word.STEP] == made[Word.SAVED] == 30
    panel.refresh()
    assert panel.hud.values["train_steps"] == "30"
    assert panel.hud.values["train_speed"] == "–", "and not 30 since it started"


def test_the_panel_says_when_the_trainer_compares_its_agents(tmp_path: Path) -> None:
    """Then there is no step for seconds."""
    config = configured(tmp_path).training
    trainer = Trainer(config)
    run = Run.create(trainer, config, tmp_path / "run")
    made = new_board(weights=len(trainer.agent.flat_weights()))
    hud = overview(POINT_MASS)
    panel = TrainingPanel(hud, StatsCache(), made, Scene(), lasts(4))
    made[Word.PHASE] = Phase.RUNNING
    said = []
    at_work = worker.Worker(run, trainer, made)
    begin = trainer.before_comparison

    def compare() -> None:
        begin()
        panel.refresh()
        said.append(hud.values["train_mode"])
        made.stop()

    trainer.before_comparison = compare
    at_work.work()
    assert said == ["comparing"]
    panel.refresh()
    assert hud.values["train_mode"] in NAMES


def test_plots_show_every_episode_from_the_first_on_and_the_whole_training(tmp_path: Path) -> None:
    made = new_board(weights=1)
    hud = overview(POINT_MASS)
    panel = TrainingPanel(hud, StatsCache(), made, Scene(), lasts(500))
    series = hud.canvas.series
    points = {}
    for episode in range(500):
        made.add_episode(episode, 10, float(episode), episode % 2, 5, 0, 5, 0.5)
        panel.refresh()
        values = series.values("reward")
        points[episode + 1] = len(values)
        each = panel.episodes_each
        whole = (episode + 1) // each * each
        expected = np.arange(whole).reshape(-1, each).mean(axis=1)
        np.testing.assert_allclose(values, expected, rtol=1e-6)
        span = series.texels[series.row("reward"), 1, 0]
        assert len(values) <= span <= SAMPLES
    assert [points[n] for n in (1, 2, 80, 81, 160, 500)] == [1, 2, 80, 40, 80, 62]
    assert span == 63, "8 episodes a point: the width is the training"
    assert hud.values["plot_reward_end"] == "504 episodes"
    np.testing.assert_allclose(series.values("goal")[2:], 0.5, atol=0.06)
    np.testing.assert_allclose(series.values("share_certified"), 0.5)


@pytest.mark.parametrize("palette", ["standard", "colour_blind"])
@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_a_colour_of_the_plots_has_one_meaning(palette: str, theme: Theme) -> None:
    hud = overview(POINT_MASS)
    made = new_board(weights=1)
    scene = Scene(theme=theme, mode_colours=mode_colours(palette, palettes=theme.palettes))
    TrainingPanel(hud, StatsCache(), made, scene, lasts(4))
    hud.dress(scene)
    (plots,) = (widget for widget in hud.widgets if isinstance(widget, Plots))
    meanings: dict[int, set[str]] = {}
    subjects = {"each": "agent", "q+": "agent", "mean of 20": "agent"}
    for plot in plots.plots:
        for name, paints, _ in plot.entries:
            each = NAMES if name == "mode" else [subjects.get(name, name)]
            for what, paint in zip(each, paints[-len(each) :], strict=True):
                meanings.setdefault(hud.canvas.colour(paint.colour), set()).add(what)
    colours = [packed(tuple(colour[:3].tolist())) for colour in scene.mode_colours]
    modes = dict(zip(colours, NAMES, strict=False))
    assert all(len(names) == 1 for names in meanings.values()), meanings
    assert all(meanings[colour] == {name} for colour, name in modes.items())
    for plot in plots.plots:
        assert {f"{plot.key}_head", f"{plot.key}_foot", f"{plot.key}_end"} <= hud.values.keys()


def test_bands_follow_the_theme_and_the_palette() -> None:
    made, scene = new_board(weights=1), Scene()
    hud = overview(POINT_MASS)
    panel = TrainingPanel(hud, StatsCache(), made, scene, lasts(10))
    for episode, goal in enumerate((0, 1, 1)):
        made.add_episode(episode, 10, 1.0, goal, 5, 0, 5, 0.5)
    for mode in range(3):
        hud.canvas.series.push("modes", float(mode), panel._mode_colour(mode))
    panel.frame(None)
    series = hud.canvas.series

    def colours(name: str) -> list[int]:
        return series.texels[series.row(name), HEAD : HEAD + 3, 1].astype(int).tolist()

    for name in ("dark", "light", "high_contrast"):
        theme = scene.theme = THEMES[name]
        scene.mode_colours = mode_colours("colour_blind", palettes=theme.palettes)
        panel.frame(None)
        modes = theme.palettes["colour_blind"].modes[:3]
        assert colours("modes") == [packed(mode) for mode in modes]
        rates = series.values("goal")
        assert colours("goal") == [mixed(theme.ground, theme.goal, rate) for rate in rates]
