"""What a viewer costs the loop that it shows, and how far it is behind.

    python tools/bench_watched.py [--seconds 20] [--rounds 3]
    python tools/bench_watched.py --soak 10

The loop trains in one thread (NumPy, batches of 256 through two layers of 256) and steps 20 agents.
In turns it runs alone, attached, and attached beside a viewer without a window that draws 30 frames
a second: steps per second of each, the share of the time that `step` and the critic took, measured
inside, and how many of the viewer's frames passed from `viz.step` until a picture of it could be
read. On a machine with software rendering, leave the viewer a core of its own.

With --soak, 1000 agents take 1000 steps a second for so many minutes, every one of them a row: the
growth of memory of both sides per minute after the first, and rows that the viewer missed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import psutil
from calf_attach import Handle, attach
from calf_attach.board import Board, Row
from calf_attach.layout import Word
from soak import growth

from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.children import script_child
from calf_viz.pace import Pace
from calf_viz.samples import Samples
from calf_viz.sources.attached import Attached, find, give_way

FRAMES_A_SECOND = 30.0
BOUNDS = [(-2.0, 2.0), (-3.0, 3.0)]
NAME = f"bench_watched_{os.getpid()}"
WARM_UP = 60.0
"""Seconds of a soak in which caches fill."""
SLOWER, SHARE, LATE, GROWTH = 0.97, 0.01, 2.0, 1.0
"""Steps per second beside a viewer, of those alone; attach's own share; frames; MB a minute."""


ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
"""Variables that NumPy's libraries read when they are loaded."""


class Trainer:
    """A loop of one thread: a value function learns while agents move."""

    def __init__(self, agents: int) -> None:
        self.rng = np.random.default_rng(0)
        shapes = ((2, 256), (256, 256), (256, 1))
        self.weights = [self.rng.normal(0, 0.1, shape).astype(np.float32) for shape in shapes]
        self.obs: np.ndarray = self.rng.uniform(-1, 1, (agents, 2)).astype(np.float32)
        self.never = np.zeros(agents, bool)

    def value(self, obs: np.ndarray) -> np.ndarray:
        """The critic, (m, 1)."""
        a, b, c = self.weights
        found: np.ndarray = np.maximum(np.maximum(obs.astype(np.float32) @ a, 0) @ b, 0) @ c
        return found

    def learn(self) -> None:
        """A step of gradient descent."""
        a, b, c = self.weights
        x = self.rng.uniform(-2, 2, (256, 2)).astype(np.float32)
        first = np.maximum(x @ a, 0)
        second = np.maximum(first @ b, 0)
        error: np.ndarray = (second @ c + np.square(x).sum(axis=1, keepdims=True)) / len(x)
        back = (error @ c.T) * (second > 0)
        c -= 1e-3 * second.T @ error
        b -= 1e-3 * first.T @ back
        a -= 1e-3 * x.T @ ((back @ b.T) * (first > 0))

    def move(self) -> np.ndarray:
        """A step of the agents; returns rewards."""
        x, v = self.obs.T
        push = -3 * x - v + self.rng.normal(0, 2, len(x)).astype(np.float32)
        self.obs = self.obs + np.float32(0.02) * np.stack([v, push], axis=1)
        rewards: np.ndarray = -np.square(self.obs).sum(axis=1)
        return rewards


def speed(seconds: float, viz: Handle | None) -> float:
    """Steps per second of a training of so many seconds."""
    trainer = Trainer(20)
    if viz is not None:
        viz.reset(trainer.obs)
    steps, start = 0, time.perf_counter()
    while (lasted := time.perf_counter() - start) < seconds:
        trainer.learn()
        rewards = trainer.move()
        if viz is not None:
            viz.step(trainer.obs, rewards, trainer.never, trainer.never, {})
        steps += 1
    return steps / lasted


def keep(pace: Pace, rate: float) -> None:
    """Wait for the next of so many a second."""
    while (seconds := pace.wait(rate)) > 0.0:
        time.sleep(seconds)


class Timed(Attached):
    """Notes when the rows were written that it shows."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.written: list[int] = []

    def _samples(self, row: Row, again: bool = False) -> Samples:
        self.written.append(row.time)
        return super()._samples(row, again)


def view(name: str) -> None:
    """Draw the loop of a name until it has ended, then print what was seen as JSON."""
    give_way()
    source = Timed(find(name).board.path)
    config = VisualizationConfig(headless=True, size=(640, 360))
    pace, late = Pace(), []
    with CALFApplication(config, source=source) as app:
        app.step()
        print("ready", flush=True)
        while source.running:
            keep(pace, FRAMES_A_SECOND)
            source.written.clear()
            app.step()
            app.screenshot()
            now = time.perf_counter_ns()
            late += [1e-9 * (now - written) * FRAMES_A_SECOND for written in source.written]
        print(json.dumps({"late": late[len(late) // 10 :], "lost": source.lost}))


@contextmanager
def watching(name: str) -> Iterator[subprocess.Popen[str]]:
    """A viewer beside the block, which draws already."""
    command, environment = script_child(__file__, "--view", name)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as viewer:
        try:
            assert viewer.stdout is not None
            if viewer.stdout.readline() != "ready\n":
                sys.exit("the viewer did not start")
            yield viewer
        except BaseException:
            viewer.kill()
            raise


def seen_by(viewer: subprocess.Popen[str]) -> dict[str, Any]:
    """What the viewer of a loop that has ended says."""
    assert viewer.stdout is not None
    found: dict[str, Any] = json.loads(viewer.stdout.read())
    return found


def made(trainer: Trainer, **more: Any) -> Handle:
    """A handle whose first row is there, for viewers to find."""
    viz = attach(BOUNDS, name=NAME, critic=trainer.value, **more)
    viz.reset(trainer.obs)
    return viz


def beside(seconds: float, rounds: int) -> None:
    """Measure speeds in turns, and print them."""
    speeds: dict[str, list[float]] = {"alone": [], "attached": [], "beside a viewer": []}
    shares, critics, late = [], [], []
    for _ in range(rounds):
        speeds["alone"].append(speed(seconds, None))
        with made(Trainer(20)) as viz:
            speeds["attached"].append(speed(seconds, viz))
        with made(Trainer(20)) as viz, watching(NAME) as viewer:
            assert viz.board is not None
            board = Board.open(viz.board)
            before, start = board[Word.COST], time.perf_counter_ns()
            spent = board[Word.CRITIC_COST]
            speeds["beside a viewer"].append(speed(seconds, viz))
            lasted = time.perf_counter_ns() - start
            shares.append((board[Word.COST] - before) / lasted)
            critics.append((board[Word.CRITIC_COST] - spent) / lasted)
            viz.close()
            late += seen_by(viewer)["late"]
    best = {name: max(found) for name, found in speeds.items()}
    for name, found in speeds.items():
        every = ", ".join(f"{each:.0f}" for each in found)
        print(f"{name}: {every} steps/s, the best {best[name] / best['alone']:.3f} of it alone")
    print(f"(beside a viewer at least {SLOWER})")
    print(f"share of step: {100 * max(shares):.2f} %, of the critic {100 * max(critics):.2f} %, ")
    print(f"together {100 * max(map(sum, zip(shares, critics, strict=True))):.2f} % "
          f"(at most {100 * SHARE:g})")  # fmt: skip
    low, most = statistics.median(late), float(np.quantile(late, 0.99))
    print(f"from step to a picture: median {low:.2f} frames, 99 % of rows within {most:.2f} "
          f"(at most {LATE:g})")  # fmt: skip


def soak(minutes: float) -> None:
    """1000 agents at 1000 steps a second beside a viewer."""
    trainer, pace = Trainer(1000), Pace()
    with made(trainer, rate=1e9) as viz, watching(NAME) as viewer:
        sides = {"loop": psutil.Process(), "viewer": psutil.Process(viewer.pid)}
        seconds: list[float] = []
        held: dict[str, list[float]] = {name: [] for name in sides}
        start, steps, next_look = time.perf_counter(), 0, 0.0
        while (lasted := time.perf_counter() - start) < 60.0 * minutes:
            keep(pace, 1000.0)
            rewards = trainer.move()
            viz.step(trainer.obs, rewards, trainer.never, trainer.never, {})
            steps += 1
            if lasted > next_look:
                next_look = lasted + 1.0
                seconds.append(lasted)
                for name, process in sides.items():
                    held[name].append(process.memory_info().rss / 1e6)
        assert viz.board is not None
        board = Board.open(viz.board)
        rows, dropped, room = board[Word.ROW], board[Word.DROPPED], board.shape.rows
        viz.close()
        seen = seen_by(viewer)
    print(f"{minutes:g} min, {steps / lasted:.0f} steps/s, {rows} rows, {dropped} steps no rows")
    print(f"rows that the viewer missed: {seen['lost']}, of a ring of {room} (none)")
    settled = np.array(seconds) > min(WARM_UP, 0.5 * lasted)
    for name, found in held.items():
        rise = growth(np.array(seconds)[settled], np.array(found)[settled])
        print(f"{name}: {found[-1]:.0f} MB, growth {rise:+.2f} MB/min (at most {GROWTH:g})")


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="of each loop")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--soak", type=float, metavar="MINUTES")
    parser.add_argument("--view", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if not ONE_THREAD.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    if given.view is not None:
        view(given.view)
    elif given.soak is not None:
        soak(given.soak)
    else:
        beside(given.seconds, given.rounds)


if __name__ == "__main__":
    main()
