"""The HUD's panel of an attached loop: its speed, what watching costs it, and its episodes."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from calf_attach.layout import Word
from numpy.typing import NDArray

from calf_viz.hud import numbers, theme
from calf_viz.hud.hud import Hud
from calf_viz.hud.panel import Panel, Row
from calf_viz.hud.plots import Curve, Plot, Plots
from calf_viz.scene.paint import Paint, mode_tone
from calf_viz.scene.scene import Scene
from calf_viz.sources.attached import Attached
from calf_viz.viewer.episode_curves import AVERAGED, EpisodeCurves, goal_colour, scale_texts
from calf_viz.viewer.stats_cache import StatsCache
from calf_viz.viewer.step_rate import StepRate

RESETS = {"next_step": "next step"}
"""What was assumed of when environments begin anew, where nothing says so."""
SERIES = ("reward", "mean_reward", "length", "mean_length", "goal")


class AttachedPanel:
    """Adds its widgets to a HUD and keeps them up to date."""

    def __init__(
        self,
        hud: Hud,
        stats: StatsCache,
        source: Attached,
        scene: Scene,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """stats: determines when texts and curves change (key "training"). clock: the time in
        seconds."""
        self.hud, self.stats, self.source, self.scene = hud, stats, source, scene
        self._rate = StepRate(clock)
        self._goal_colour = partial(goal_colour, hud.canvas)
        self._curves = EpisodeCurves(hud.canvas.series, SERIES, {"goal": self._goal_colour})
        self._episodes = 0
        self._recent: list[tuple[float, float, float]] = []
        self._colours: object = None
        self._add_widgets()

    def _add_widgets(self) -> None:
        rows = [
            Row("loop_speed", "steps/s"),
            Row("loop_cost", "taken a step", rank=1),
            Row("loop_margin", "margin < 0", rank=1),
            Row("loop_resets", "resets, assumed", rank=5),
            Row("loop_critic", "for the critic", rank=2),
            Row("loop_surface", "surface", rank=5),
            Row("loop_behind", "behind", rank=3),
            Row("loop_merged", "steps not drawn", rank=4),
            Row("loop_lost", "rows missed", rank=4),
        ]
        panel = Panel("loop", "watching", rows, collapses=True)
        agents = Paint(mode_tone(0))
        faint = Paint(mode_tone(0), 0.4)
        returns = [
            Curve("reward", faint, name="each"),
            Curve("mean_reward", agents, name=f"mean of {AVERAGED}"),
        ]
        lengths = [
            Curve("length", faint, name="each"),
            Curve("mean_length", agents, name=f"mean of {AVERAGED}"),
        ]
        band = ("goal rate", (theme.GROUND, theme.GOAL))
        plots = Plots(
            "plots",
            [
                Plot("plot_return", "return", returns, begin="1"),
                Plot("plot_goals", "return", returns, band="goal", band_key=band, begin="1"),
                Plot("plot_length", "length", lengths, begin="1"),
            ],
        )
        for widget in (panel, plots):
            self.hud.add(widget, before="keys")
        for name in SERIES:
            self.hud.canvas.series.scale(name, 0.0, 1.0, 2)

    def frame(self) -> None:
        """Called before each frame."""
        self.hud.dress(self.scene)
        if self.scene.theme is not self._colours:
            self._colours = self.scene.theme
            self.hud.canvas.series.recolour("goal", self._goal_colour)
        self.stats.get("training", self.refresh)

    def refresh(self) -> None:
        """Update texts and curves now."""
        ends = self.source.ends()
        if len(ends):
            self._draw_episodes(ends)
        self.hud.update(**self._texts())

    def _texts(self) -> dict[str, str | None]:
        source, board = self.source, self.source.board
        steps, evaluations = board[Word.STEP], board[Word.EVALUATIONS]
        lasted = 1e-9 * (board[Word.HEARTBEAT] - board[Word.EPOCH])
        speed = self._rate.text(steps, lasted)
        texts: dict[str, str | None] = {"loop_speed": speed if source.running else None}
        cost = board[Word.COST]
        if steps and not cost:  # it does not measure itself: this program's own trainer
            texts["loop_cost"] = None
        else:
            texts["loop_cost"] = f"{1e-3 * cost / steps:.3g} µs" if steps else "–"
        texts["loop_behind"] = f"{1e3 * source.behind:.0f} ms" if source.running else None
        texts["loop_merged"] = numbers.count(board[Word.DROPPED]) if board[Word.DROPPED] else None
        texts["loop_lost"] = numbers.count(source.lost) if source.lost else None
        texts["loop_surface"] = f"no. {board[Word.SURFACE]}" if board[Word.SURFACE] else None
        if source.negative is not None:
            below, known = source.negative
            texts["loop_margin"] = f"{numbers.count(below)} of {numbers.count(known)}"
        texts["loop_resets"] = RESETS.get(str(source.meta.get("assumed")))
        if evaluations:
            share = 1e-9 * board[Word.CRITIC_COST] / max(lasted, 1e-9)
            texts["loop_critic"] = f"{100.0 * share:.1f} %"
        return texts

    def _draw_episodes(self, ends: NDArray[Any]) -> None:
        for end in ends:
            self._recent = self._recent[1 - AVERAGED :]
            self._recent.append((float(end["ret"]), float(end["length"]), float(end["goal"])))
            ret, length, goal = self._means()
            self._curves.add((float(end["ret"]), ret, float(end["length"]), length, goal))
        self._episodes += len(ends)
        ret, length, goal = self._means()
        known = bool(np.isfinite(goal))
        count = f"{numbers.count(self._curves.span * self._curves.each)} episodes"
        plot, other = ("plot_goals", "plot_return") if known else ("plot_return", "plot_goals")
        goals = f", goals {100.0 * goal:.0f} %" if known else ""
        low, high, scale = self._scale("reward", "mean_reward")
        texts: dict[str, str | None] = {other: None, f"{plot}_end": count}
        texts |= scale_texts(plot, scale)
        texts[plot] = f"mean {numbers.value(ret, high - low)}{goals}"
        low, high, scale = self._scale("length", "mean_length", low=0.0)
        texts |= scale_texts("plot_length", scale)
        texts |= {"plot_length": f"mean {numbers.value(length, high - low)}"}
        texts["plot_length_end"] = count
        self.hud.canvas.series.scale("goal", -0.03, 1.03, self._curves.span)
        self.hud.update(**texts)

    def _means(self) -> tuple[float, float, float]:
        """Mean return, length and goal of the last episodes; NaN for goals that are unknown."""
        ret, length, goal = np.array(self._recent).T
        known = goal[np.isfinite(goal)]
        return (
            float(ret.mean()),
            float(length.mean()),
            float(known.mean()) if len(known) else np.nan,
        )

    def _scale(
        self, name: str, mean: str, low: float | None = None
    ) -> tuple[float, float, list[float]]:
        """Lowest and highest value of a series, and round numbers around them. low: the lowest."""
        series = self.hud.canvas.series
        drawn = series.values(name)
        drawn = drawn[np.isfinite(drawn)]
        least, high = (float(drawn.min()), float(drawn.max())) if len(drawn) else (0.0, 1.0)
        low = least if low is None else low
        scale = numbers.round_scale(low, high)
        for each in (name, mean):
            series.scale(each, scale[0], scale[-1], self._curves.span)
        return low, high, scale
