"""Compares CALF, plain TD3 and the nominal policy on the same budget, over several seeds.

Both learners use the same networks, settings, starts and number of episodes; plain TD3 is the
same trainer without the certificate. The nominal policy does not learn: it runs as many episodes.
Afterwards each is evaluated from held-out starts: CALF strictly (P_relax = 0), TD3 by its actor.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from calf_viz import systems
from calf_viz.agent import evaluation
from calf_viz.agent.evaluation import Row, held_out_starts
from calf_viz.agent.threads import one_thread
from calf_viz.files import write_aside
from calf_viz.systems import System
from calf_viz.training import plots, pool
from calf_viz.training.config import TrainingConfig
from calf_viz.training.train import narrow_table
from calf_viz.training.trainer import Episode, Trainer

POLICIES = ("CALF", "TD3", "nominal")
WINDOW = 20
"""Episodes over which costs and goal rates during training are averaged."""
HELD_OUT = 100
"""Held-out starts after training."""
RESAMPLES = 2000
MOST_SEEDS, MOST_EPISODES = 1000, 10_000_000
"""Limits of a benchmark; episodes over all seeds, which are kept in memory."""
MOST_VALUES = 2**22
"""Numbers held at once during the bootstrap."""
NOMINAL_STREAM = 104
"""First word of the seeds of the nominal policy's starts; no other stream uses it."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Result:
    """One policy with one seed."""

    policy: str
    seed: int
    cost: Floats
    """Cost of each training episode, minus its summed rewards, (episodes,)."""
    goal: Floats
    """Whether each training episode reached the goal, 0 or 1, (episodes,)."""
    final: Row
    """Evaluation from the held-out starts, after training."""

    def values(self) -> dict[str, Any]:
        """As values for JSON, exact to the bit."""
        return {**asdict(self), "cost": self.cost.tolist(), "goal": self.goal.tolist()}

    @classmethod
    def of(cls, values: dict[str, Any]) -> Result:
        """The inverse of `values`."""
        final, cost, goal = values["final"], np.array(values["cost"]), np.array(values["goal"])
        row = Row(**{**final, "modes": tuple(final["modes"])})
        return cls(values["policy"], values["seed"], cost, goal, row)


class Interval(NamedTuple):
    """A median over seeds with its 95 % interval; floats, or arrays over episodes."""

    median: Floats
    low: Floats
    high: Floats


def most_jobs() -> int:
    """Most trainings in parallel, four for each core; each is a process of some 300 MB."""
    return 4 * (os.cpu_count() or 1)


def median_interval(values: Floats, seed: int = 0) -> Interval:
    """Median of values (seeds, ...) over the seeds, with its bootstrap interval (percentiles)."""
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, len(values), (RESAMPLES, len(values)))
    medians = _medians(values, picks)
    low, high = np.percentile(medians, [2.5, 97.5], axis=0)
    return Interval(np.median(values, axis=0), low, high)


def _medians(values: Floats, picks: NDArray[np.int64]) -> Floats:
    """Medians over the seeds picked, (resamples, ...), computed for a few episodes at a time."""
    if values.ndim == 1:
        return np.median(values[picks], axis=1)
    width = max(1, MOST_VALUES // picks.size)
    parts = (values[:, i : i + width] for i in range(0, values.shape[1], width))
    return np.concatenate([np.median(part[picks], axis=1) for part in parts], axis=1)


@one_thread()  # the products are too small to share: a second thread would only wait
def measure(policy: str, config: TrainingConfig) -> Result:
    """Train (or run) one policy with the configuration's seed, and evaluate it."""
    system = systems.get(config.system)
    starts = held_out_starts(system, HELD_OUT, config.seed)
    if policy == "nominal":
        cost, goal = _play_nominal(system, config)
        return Result(policy, config.seed, cost, goal, evaluation.nominal_row(system, starts))
    trainer = Trainer(replace(config, certificate=policy == "CALF"))
    episodes: list[Episode] = []
    trainer.run(lambda trainer: episodes.append(trainer.recent[-1]))
    row_of = evaluation.strict_row if policy == "CALF" else evaluation.actor_row
    return Result(
        policy,
        config.seed,
        -np.array([e.ret for e in episodes]),
        np.array([e.goal for e in episodes], dtype=np.float64),
        row_of(trainer.result(), starts),
    )


def _play_nominal(system: System, config: TrainingConfig) -> tuple[Floats, Floats]:
    """Costs and goals of its episodes, which end under the same conditions as in training."""
    rng = np.random.default_rng([NOMINAL_STREAM, config.seed])
    states = system.initial_states(config.episodes, rng)
    cost, goal = np.zeros(len(states)), np.zeros(len(states))
    alive = np.ones(len(states), dtype=np.bool_)
    for _ in range(config.steps):
        now = states[alive]
        actions = system.nominal(now)
        cost[alive] -= system.reward(now, actions)
        states[alive] = now = system.step(now, actions)
        goal[alive] = system.in_goal(now)
        alive[alive] = ~(system.in_goal(now) | system.out_of_plane(now))
        if not alive.any():
            break
    return cost, goal


def run(
    config: TrainingConfig,
    seeds: Sequence[int],
    jobs: int = 1,
    each: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """The results for all policies and seeds, from `jobs` processes; calls `each` as they arrive.

    Leaves no process behind, however it ends.

    Raises:
        UserError: one of the processes was killed, or exited.
    """
    tasks = [(policy, replace(config, seed=seed)) for seed in seeds for policy in POLICIES]
    found: list[Result] = []
    with closing(_results(tasks, jobs)) as results:
        for result in results:
            found.append(result)
            each(result)
    return sorted(found, key=lambda r: (POLICIES.index(r.policy), r.seed))


def _results(tasks: list[tuple[str, TrainingConfig]], jobs: int) -> Generator[Result, None, None]:
    if jobs == 1:
        yield from (measure(*task) for task in tasks)
        return
    given = [
        {"policy": policy, "config": asdict(config), "system": systems.reference(config.system)}
        for policy, config in tasks
    ]
    with closing(pool.answers("calf_viz.training.benchmark_worker", given, jobs)) as answers:
        yield from map(Result.of, answers)


def files(folder: Path, name: str) -> tuple[Path, Path, Path]:
    """The files written: training episodes, final results, and the plot."""
    return folder / f"{name}-episodes.csv", folder / f"{name}-final.csv", folder / f"{name}.png"


def of_policy(results: Sequence[Result], policy: str) -> list[Result]:
    """The results of one policy."""
    return [result for result in results if result.policy == policy]


def curves(results: Sequence[Result], policy: str) -> tuple[Interval, Interval]:
    """Episode cost and goal rate during training, as moving averages, over the seeds."""
    own = of_policy(results, policy)
    cost = np.array([plots.moving_average(r.cost, WINDOW) for r in own])
    goal = np.array([plots.moving_average(r.goal, WINDOW) for r in own])
    return median_interval(cost), median_interval(goal)


def write_csv(results: Sequence[Result], episodes: Path, final: Path) -> None:
    """Write one file with each training episode, and one with the final results."""
    with write_aside(episodes) as part, part.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(("policy", "seed", "episode", "cost", "goal"))
        for r in results:
            rows = zip(r.cost.tolist(), r.goal.tolist(), strict=True)
            lines.writerows((r.policy, r.seed, i, c, int(g)) for i, (c, g) in enumerate(rows))
    with write_aside(final) as part, part.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(("policy", "seed", "goal", "cost", "steps", "within", "longest"))
        for r in results:
            f = r.final
            lines.writerow((r.policy, r.seed, f.goal, f.cost, f.steps, f.within, f.longest))


def plot(results: Sequence[Result], output: Path, title: str) -> None:
    """Plot both curves for the three policies: medians over the seeds, intervals shaded."""
    colours = {"CALF": "#2b7bba", "TD3": "#e07b39", "nominal": "#7a828c"}
    with plots.figure_file(output, 7.2, 6.4) as figure:
        cost, goal = figure.subplots(2, 1, sharex=True)
        cost.set_title(title, color=plots.INK, fontsize=12, loc="left")
        for policy, colour in colours.items():
            for axis, interval, scale in zip(
                (cost, goal), curves(results, policy), (1, 100), strict=True
            ):
                episodes = np.arange(1, len(interval.median) + 1)
                axis.plot(episodes, scale * interval.median, color=colour, lw=1.8, label=policy)
                low, high = scale * interval.low, scale * interval.high
                axis.fill_between(episodes, low, high, color=colour, alpha=0.18, lw=0)
        cost.set_ylabel(f"cost of an episode (mean of {WINDOW})")
        goal.set_ylabel(f"goal reached [%] (of {WINDOW})")
        goal.set_ylim(-3, 103)
        goal.set_xlabel("training episode")
        for axis in (cost, goal):
            axis.grid(axis="y", color="#e6e9ec", lw=0.8)
            axis.set_axisbelow(True)
        cost.legend(frameon=False, loc="upper right")


def table(results: Sequence[Result], title: str) -> Table:
    """Medians over the seeds with their 95 % intervals, for the terminal."""
    out = narrow_table(title)
    for head in ("policy", "cost,\nlast episodes", "goal %,\nlast episodes", "cost,\nheld out",
                 "goal %,\nheld out", "goal %,\nworst seed"):  # fmt: skip
        out.add_column(head, justify="left" if head == "policy" else "right")
    for policy in POLICIES:
        own = of_policy(results, policy)
        cost, goal = (Interval(*(x[-1] for x in curve)) for curve in curves(results, policy))
        final_cost = median_interval(np.array([r.final.cost for r in own]))
        goals = np.array([r.final.goal for r in own])
        out.add_row(
            policy, _text(cost), _text(goal, 100), _text(final_cost),
            _text(median_interval(goals), 100), f"{100 * goals.min():.0f}",
        )  # fmt: skip
    averaged = min(WINDOW, *(len(result.cost) for result in results))
    out.caption = (
        f"median over the seeds [95 % bootstrap interval]. last episodes: mean of {averaged} in "
        f"training. held out: {HELD_OUT} starts over {evaluation.HORIZON} steps, CALF strict, "
        "TD3's actor."
    )
    return out


def _text(interval: Interval, scale: float = 1.0) -> str:
    median, low, high = (scale * float(x) for x in interval)
    return f"{median:.0f} [{low:.0f}, {high:.0f}]"
