"""The HUD's panel of a training: counts, the certificate's timeline, rewards, modes.

    board ──▶ rings of `hud.Series` ──▶ curves, drawn by the GPU
          └─▶ texts

Each plot holds `SAMPLES` points. In an episode every few steps give one, so that the plot's width
is the episode; in the training every episode gives one, until there are `SAMPLES`: then pairs are
averaged, repeatedly, so that the plot's width is soon the whole training.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from calf_attach.layout import Phase, Word

from calf_viz.agent.modes import NAMES
from calf_viz.glsl.variants import TRAINEE_COLOURS
from calf_viz.hud import numbers, theme
from calf_viz.hud.hud import Hud
from calf_viz.hud.panel import Panel, Row
from calf_viz.hud.plots import Curve, Plot, Plots
from calf_viz.hud.series import SAMPLES
from calf_viz.hud.widgets import Notice
from calf_viz.scene.paint import Paint, mode_tone
from calf_viz.scene.scene import Scene
from calf_viz.sources.trainer_board import Episodes, Steps, TrainerBoard
from calf_viz.training.config import TrainingConfig
from calf_viz.viewer.episode_curves import AVERAGED, EpisodeCurves, goal_colour, scale_texts
from calf_viz.viewer.stats_cache import StatsCache
from calf_viz.viewer.step_rate import StepRate

OF_EPISODES = ("reward", "mean_reward", "goal", "p_relax", *(f"share_{name}" for name in NAMES))
"""Series with one point per few episodes."""


class TrainingPanel:
    """Adds its widgets to a HUD and keeps them up to date."""

    def __init__(
        self,
        hud: Hud,
        stats: StatsCache,
        board: TrainerBoard,
        scene: Scene,
        training: TrainingConfig,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Add the widgets.

        Args:
            hud: where the widgets are added.
            board: the trainer's board.
            stats: determines when texts and curves change (key "training"), as each change costs an
                upload of small textures.
            scene: has the theme, and the colours of the modes.
            training: the number of episodes, and the longest one.
            clock: returns the time in seconds.
        """
        episodes, steps = training.episodes, training.steps
        self.hud, self.stats, self.board = hud, stats, board
        self._rate = StepRate(clock)
        self.scene = scene
        self._colours: tuple[object, object] | None = None
        self.steps_each = math.ceil(steps / SAMPLES)
        self.total = episodes
        self._goal_colour = partial(goal_colour, hud.canvas)
        goal = {"goal": self._goal_colour}
        self._curves = EpisodeCurves(hud.canvas.series, OF_EPISODES, goal, episodes)
        self._steps = self._episodes = 0
        self._episode = -1
        self._recent: list[tuple[float, ...]] = []
        self._add_widgets(steps)

    @property
    def episodes_each(self) -> int:
        """Episodes per point of their plots."""
        return self._curves.each

    def _add_widgets(self, steps: int) -> None:
        certified, relax, nominal = map(mode_tone, range(len(NAMES)))
        training = mode_tone(TRAINEE_COLOURS)
        rows = [
            Row("train_mode", "agent", swatch=training),
            Row("train_episode", "episode"),
            Row("train_steps", "training steps", rank=1),
            Row("train_speed", "steps/s", rank=2),
        ]
        panel = Panel("training", "training", rows, collapses=True)
        lines = zip(NAMES, (certified, relax, nominal), strict=True)
        bounds, agents = Paint(theme.QUIET, 0.7), Paint(training)
        plots = Plots(
            "plots",
            [
                Plot(
                    "plot_certificate",
                    "certificate",
                    [
                        Curve("floor", bounds, name="bounds"),
                        Curve("ceiling", bounds),
                        Curve("q_plus", agents, name="q+"),
                    ],
                    band="modes",
                    band_key=("mode", (certified, relax, nominal)),
                ),
                Plot(
                    "plot_reward",
                    "return",
                    [
                        Curve("reward", Paint(training, 0.4), name="each"),
                        Curve("mean_reward", agents, name=f"mean of {AVERAGED}"),
                    ],
                    band="goal",
                    band_key=("goal rate", (theme.GROUND, theme.GOAL)),
                    begin="1",
                ),
                Plot(
                    "plot_modes",
                    "modes",
                    [
                        *(Curve(f"share_{name}", Paint(c), name=name) for name, c in lines),
                        Curve("p_relax", Paint(theme.CHANCE, 0.9), name="P_relax"),
                    ],
                    begin="1",
                ),
            ],
        )
        for widget in (Notice("training_notice", "train_notice"), panel, plots):
            self.hud.add(widget, before="keys")  # these matter more where room is short
        series = self.hud.canvas.series
        for name in ("q_plus", "floor", "ceiling", "modes"):
            series.scale(name, 0.0, 1.0, math.ceil(steps / self.steps_each))
        for name in OF_EPISODES:
            series.scale(name, 0.0, 1.0, self._curves.span)
        self.hud.update(
            plot_certificate="–", plot_reward="–", plot_modes="–", train_mode="–",
            plot_certificate_head="–", plot_certificate_foot="–", plot_reward_head="–",
            plot_reward_foot="–", plot_modes_head="100 %", plot_modes_foot="0 %",
            plot_certificate_end=f"{steps} steps", **self._ends(),
            train_episode=f"– / {self.total}", train_steps="–", train_speed="–",
        )  # fmt: skip

    def _ends(self) -> dict[str, str]:
        """Texts at the right end of the episode axes."""
        end = f"{numbers.count(self._curves.span * self.episodes_each)} episodes"
        return {"plot_reward_end": end, "plot_modes_end": end}

    def frame(self, notice: str | None) -> None:
        """Called before each frame. notice: a message that must not be missed."""
        self._follow_theme()
        self.hud.update(train_notice=notice)
        self.stats.get("training", self.refresh)

    def _follow_theme(self) -> None:
        """Redo the bands, whose samples hold colours, if the scene has others now."""
        self.hud.dress(self.scene)
        colours = self.scene.theme, self.scene.mode_colours
        if self._colours is None or any(
            new is not old for new, old in zip(colours, self._colours, strict=True)
        ):
            self._colours = colours
            series = self.hud.canvas.series
            series.recolour("modes", self._mode_colour)
            series.recolour("goal", self._goal_colour)

    def _mode_colour(self, mode: float) -> int:
        return self.hud.canvas.colour(mode_tone(int(mode)))

    def refresh(self) -> None:
        """Update texts and curves now."""
        steps = self.board.steps_since(self._steps)
        if len(steps.number):
            self._steps = int(steps.number[-1]) + 1
            self._draw_steps(steps)
        episodes = self.board.episodes_since(self._episodes)
        if len(episodes.number):
            self._episodes = int(episodes.number[-1]) + 1
            self._draw_episodes(episodes)
        if self.board[Word.PHASE] == Phase.COMPARING:
            self.hud.update(train_mode="comparing")
        if self.board[Word.PHASE] != Phase.STARTING:  # before that, its steps are unknown
            taken = self.board[Word.STEP]
            self.hud.update(train_steps=numbers.count(taken), train_speed=self._rate.text(taken))

    def _draw_steps(self, steps: Steps) -> None:
        series = self.hud.canvas.series
        bounds = zip(
            steps.q_plus.tolist(), steps.floor.tolist(), steps.ceiling.tolist(), strict=True
        )
        rows = zip(steps.episode.tolist(), steps.step.tolist(), steps.mode.tolist(), strict=True)
        for (episode, step, mode), values in zip(rows, bounds, strict=True):
            if episode != self._episode:
                self._episode = episode
                for name in ("q_plus", "floor", "ceiling", "modes"):
                    series.clear(name)
            if step % self.steps_each:
                continue
            for name, value in zip(("q_plus", "floor", "ceiling"), values, strict=True):
                series.push(name, value)
            series.push("modes", float(mode), self._mode_colour(mode))
        drawn = np.concatenate([series.values("q_plus"), series.values("floor")])
        drawn = drawn[np.isfinite(drawn)]
        low, high = (
            (float(drawn.min()), max(float(drawn.max()), 0.0)) if len(drawn) else (-1.0, 0.0)
        )
        scale = numbers.round_scale(low, high)
        for name in ("q_plus", "floor", "ceiling"):
            series.scale(name, scale[0], scale[-1])
        self.hud.update(
            train_mode=NAMES[int(steps.mode[-1])],
            train_episode=f"{self._episode + 1} / {self.total}",
            plot_certificate=f"q+ {numbers.value(float(steps.q_plus[-1]), high - low)}",
            **scale_texts("plot_certificate", scale),
        )

    def _draw_episodes(self, episodes: Episodes) -> None:
        series = self.hud.canvas.series
        shares = episodes.modes / np.maximum(episodes.steps, 1)[:, None]
        columns = (episodes.ret, episodes.goal, episodes.p_relax, shares)
        lists = (column.tolist() for column in columns)
        for ret, goal, p_relax, each in zip(*lists, strict=True):
            self._recent = [*self._recent[1 - AVERAGED :], (ret, goal)]
            mean, rate = np.mean(self._recent, axis=0)
            self._curves.add((ret, mean, rate, p_relax, *each))
        drawn = series.values("reward")
        low, high = (float(drawn.min()), float(drawn.max())) if len(drawn) else (-1.0, 0.0)
        scale = numbers.round_scale(low, high)
        for name in ("reward", "mean_reward"):
            series.scale(name, scale[0], scale[-1], self._curves.span)
        for name in OF_EPISODES[2:]:
            series.scale(name, -0.03, 1.03, self._curves.span)
        mean, goal = np.mean(self._recent, axis=0)
        self.hud.update(
            plot_reward=f"mean {numbers.value(mean, high - low)}, goals {100 * goal:.0f} %",
            **scale_texts("plot_reward", scale),
            plot_modes=f"P_relax {episodes.p_relax[-1]:.2f}",
            **self._ends(),
        )
