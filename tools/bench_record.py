"""What recording costs, beside not recording, interleaved in one run.

    python tools/bench_record.py [--frames N]

A frame of 1000 agents with and without, every other one; what a step takes of whoever gives it,
beside the copy of its positions alone; and what `calf-viz train --record` adds to a training step,
writing included.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from calf_viz.recording.limits import Limits
from calf_viz.recording.recorder import Recorder
from calf_viz.samples import Samples
from calf_viz.training.config import TrainingConfig
from calf_viz.training.recorded_trainee import TraineeRecording
from calf_viz.training.trainer import Trainer
from calf_viz.view import View
from calf_viz.viewer.app import CALFApplication
from calf_viz.viewer.config import VisualizationConfig

CALLS = 200
"""Steps of each kind in a round."""


def frames(folder: Path, count: int) -> None:
    """Frames with and without."""
    config = VisualizationConfig(
        system="differential_drive", n_agents=1000, trail_length=100, headless=True,
        record=folder / "frames.calf",
    )  # fmt: skip
    times: dict[bool, list[float]] = {True: [], False: []}
    with CALFApplication(config) as app:
        tap = app.feed.tap
        for frame in range(count):
            on = frame % 2 == 0
            app.feed.tap = tap if on else None
            start = time.perf_counter()
            app.step()
            if frame >= 20:
                times[on].append(1e3 * (time.perf_counter() - start))
        renderer = app.host.renderer
    recorded, bare = statistics.median(times[True]), statistics.median(times[False])
    ratio = recorded / bare
    print(
        f"{renderer}: frame of 1000 agents {bare:.2f} ms, recorded {recorded:.2f} ms: {ratio:.3f}"
    )


def steps(folder: Path, agents: int, zstd: bool) -> None:
    """Steps, beside copies."""
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.normal(scale=0.01, size=(CALLS, agents, 2)), axis=0).astype(np.float32)
    given = [Samples.of(places, headings=places[:, 0]) for places in walk]
    recorder = Recorder(
        folder / f"steps{agents}{zstd}.calf", View("walk"), limits=Limits(zstd=zstd)
    )
    room, costs, copies = np.empty_like(walk[0]), [], []
    for _ in range(40):
        start = time.perf_counter()
        for samples in given:
            recorder.see(samples)
        between = time.perf_counter()
        for samples in given:
            room[...] = samples.positions
        costs.append((between - start) / CALLS)
        copies.append((time.perf_counter() - between) / CALLS)
        recorder.flush()
    recorder.close()
    cost, copy = 1e6 * statistics.median(costs), 1e6 * statistics.median(copies)
    written = recorder.bytes / (recorder.acknowledged * agents)
    packed = " zstd" if zstd else ""
    print(
        f"{agents} agents{packed}: {cost:.1f} us a step, copy of its positions {copy:.1f} us; "
        f"{written:.1f} bytes an agent-step, positions alone 8"
    )


def training(folder: Path) -> None:
    """Steps of a training, as they are taken down and written; surfaces apart, which have a share
    of the time."""
    trainer, q = Trainer(TrainingConfig()), np.zeros(1)
    recorded = TraineeRecording(folder / "training.calf", trainer, q)
    recorded.start()
    actions = np.zeros((1, trainer.system.action_dim), np.float32)
    state = trainer.state.copy()
    recorded._next_surface = float("inf")
    costs = []
    for _ in range(40):
        start = time.perf_counter()
        for _ in range(CALLS):
            trainer.steps += 1
            recorded.took(actions, 0, state, -1.0, 0)
        recorded.recorder.flush()
        costs.append((time.perf_counter() - start) / CALLS)
    recorded.recorder.close()
    print(f"a training step: {1e6 * statistics.median(costs):.1f} us")


def main() -> None:
    parser = argparse.ArgumentParser(description="What recording costs.")
    parser.add_argument("--frames", type=int, default=400)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        training(Path(folder))
        frames(Path(folder), given.frames)
        for agents in (20, 1000, 10_000):
            for zstd in (False, True):
                steps(Path(folder), agents, zstd)


if __name__ == "__main__":
    main()
