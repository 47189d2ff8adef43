"""What going anywhere in a recording takes, apart from the frame, and whether memory stays level.

    python tools/bench_replay.py [--sizes 100x200000,10000x2000] [--trail 100] [--seeks 60]

Writes recordings of that many agents and rows (14 bytes an agent and row) into a temporary folder,
or into --folder, where a next run finds them.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil

from calf_viz.files import exists
from calf_viz.heightfield import Heightfield
from calf_viz.recording.recorder import Recorder
from calf_viz.recording.recording import Recording
from calf_viz.samples import Samples
from calf_viz.sources.replay import Replay
from calf_viz.view import View
from calf_viz.viewer.app import CALFApplication
from calf_viz.viewer.config import VisualizationConfig

CRITICS = 100
"""Surfaces of a recording."""
EPISODE = 500
"""Rows of an episode."""
WARM_UP = 8


def write(folder: Path, agents: int, rows: int) -> None:
    """A recording of agents that circle, each in episodes of its own."""
    rng = np.random.default_rng(0)
    view = View("circles", lo=(-1.0, -1.0), hi=(1.0, 1.0), modes=("a", "b", "c"))
    recorder = Recorder(folder, view)
    radius, phase = rng.uniform(0.1, 0.9, agents), rng.uniform(0.0, 2.0 * np.pi, agents)
    begins = rng.integers(0, EPISODE, agents)
    x, y = np.meshgrid(np.linspace(-1.0, 1.0, 65), np.linspace(-1.0, 1.0, 65))
    for row in range(rows):
        if row % max(rows // CRITICS, 1) == 0:
            heights = (x * x + y * y + 0.3 * np.sin(8.0 * row / rows + 3.0 * x)).astype(np.float32)
            recorder.critic(Heightfield(heights, view.lo, view.hi), trained=row)
        turn = phase + 0.02 * row
        places = np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1)
        mode = (turn.astype(np.int64) % 3).astype(np.uint8)
        first = (row + begins) % EPISODE == 0
        recorder.see(Samples.of(places.astype(np.float32), mode, first))
        if row % 256 == 0:
            recorder.flush()  # as fast as the disk, so that nothing is left out
    recorder.close()
    assert not recorder.left_out


class Measured:
    """An application that shows a recording, and what its memory was at first."""

    def __init__(self, app: CALFApplication) -> None:
        self.app, self.process = app, psutil.Process()
        self.frame = float("nan")
        self.least = self.most = 0.0

    def memory(self) -> float:
        gc.collect()
        return float(self.process.memory_info().rss) / 2**20

    def times(self, rows: list[int]) -> list[float]:
        """Milliseconds to go to each row, apart from the frame that follows."""
        found, frames = [], []
        for row in rows:
            start = time.perf_counter()
            self.app.playhead.go(row)
            between = time.perf_counter()
            self.app.draw()
            found.append(1e3 * (between - start))
            frames.append(1e3 * (time.perf_counter() - between))
        self.frame = statistics.median(frames)
        return found

    def note(self) -> None:
        now = self.memory()
        self.least, self.most = min(self.least or now, now), max(self.most, now)


def measure(folder: Path, agents: int, rows: int, trail: int, seeks: int) -> dict[str, float]:
    """Medians and worst of each kind, by name."""
    config = VisualizationConfig(headless=True, trail_length=trail)
    rng = np.random.default_rng(1)
    result: dict[str, float] = {}
    with CALFApplication(config, source=Replay(Recording(folder))) as app:
        app.step()
        measured = Measured(app)
        measured.times(rng.integers(0, rows, WARM_UP).tolist())
        measured.note()

        def kind(name: str, places: list[int]) -> None:
            found = measured.times(places)
            measured.note()
            frame = statistics.median(found) + measured.frame
            result[f"{name}_ms"], result[f"{name}_worst_ms"] = statistics.median(found), max(found)
            result[f"{name}_a_second"] = 1e3 / frame
            print(
                f"  {name}: median {statistics.median(found):.2f} ms, worst {max(found):.2f} ms; "
                f"with its frame {1e3 / frame:.0f} a second"
            )

        kind("anywhere", rng.integers(0, rows, seeks).tolist())
        begin = int(rng.integers(0, rows // 2))
        step = max(rows // 750, 1)  # a pixel of the timeline
        kind("dragged", [min(begin + step * number, rows - 1) for number in range(seeks)])
        kind("dragged_back", [max(begin - step * number, 0) for number in range(seeks)])
        app.playhead.go(rows - 1)
        back = range(rows - 1, max(rows - 1 - 4 * seeks, 0), -1)
        kind("back_by_one", list(back))
        kind("within_the_ring", [int(app.playhead.at + at % 2) for at in range(seeks)])
        for row in range(0, rows, max(rows // 200, 1)):
            app.playhead.go(row)
        measured.note()
        result["grew_mb"] = measured.most - measured.least
        print(
            f"  frame {measured.frame:.1f} ms ({app.host.renderer}); memory {measured.least:.0f} "
            f"to {measured.most:.0f} MB"
        )
    return result


def run(
    sizes: list[tuple[int, int]], trail: int, seeks: int, where: Path, said: Callable[[str], None]
) -> dict[tuple[int, int], dict[str, float]]:
    """All sizes, one after another."""
    found = {}
    for agents, rows in sizes:
        folder = where / f"{agents}x{rows}.calf"
        if not exists(folder):
            write(folder, agents, rows)
        size = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
        said(f"{agents} agents, {rows} rows, {size:.0f} MB, trails of {trail}:")
        found[agents, rows] = measure(folder, agents, rows, trail, seeks)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="What going anywhere in a recording takes.")
    parser.add_argument("--sizes", default="100x200000,10000x2000", help="AGENTSxROWS, ...")
    parser.add_argument("--trail", type=int, default=100)
    parser.add_argument("--seeks", type=int, default=60)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    sizes = []
    for size in given.sizes.split(","):
        agents, rows = map(int, size.split("x"))
        sizes.append((agents, rows))
    with tempfile.TemporaryDirectory() as work:
        run(sizes, given.trail, given.seeks, given.folder or Path(work), print)


if __name__ == "__main__":
    main()
