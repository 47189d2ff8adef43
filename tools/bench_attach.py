"""What watching costs a training loop: `viz.step`, `project` and `critic` apart, beside the least
that any client could do, in one run, interleaved.

    python tools/bench_attach.py [--agents N ...] [--rounds N]

The least is a bare row in mapped memory: positions, rewards and flags copied into a ring, of as
many rows as the board's, its number before and after. `step` writes a row in every call here
(`rate=` above the loop's speed), in a ring that was full once; `merged` is a step that comes too
soon for another row, as most do in a fast loop. Where rerun's SDK is there (`pip install rerun-sdk`
in an environment of its own, with calf_attach), its `rr.log(rr.Points2D(...))` of the same points,
saved to a file, takes turns with them.
"""

from __future__ import annotations

import argparse
import mmap
import statistics
import struct
import tempfile
import time
from collections.abc import Callable

import numpy as np
from calf_attach import Handle, attach
from calf_attach.board import Board
from calf_attach.recorder import MOST_ROWS

CALLS = 50
"""Calls of each kind in a round."""
RERUN = 5.0
"""Times `step` that rerun takes at least, at 20 and 1000 agents."""
LIMITS = {20: 2.0, 1000: 2.0, 10_000: 1.3}
"""Times a bare row that `step` may take, by agents."""


class BareRow:
    """Writes rows into mapped memory, and nothing else."""

    def __init__(self, n: int, rows: int) -> None:
        self.size, self.rows = 64 + n * (8 + 4 + 1), rows
        self.memory = mmap.mmap(-1, rows * self.size)
        self.head = struct.Struct("<q")
        self.number = 0
        raw = np.frombuffer(self.memory, np.uint8).reshape(rows, self.size)
        self.slots = [
            (
                row[64 : 64 + 8 * n].view(np.float32).reshape(n, 2),
                row[64 + 8 * n : 64 + 12 * n].view(np.float32),
                row[64 + 12 * n :],
            )
            for row in raw
        ]

    def write(self, obs: np.ndarray, rewards: np.ndarray, flags: np.ndarray) -> None:
        """One step."""
        slot = self.number % self.rows
        at = slot * self.size
        self.head.pack_into(self.memory, at, self.number + 1)
        positions, paid, over = self.slots[slot]
        positions[...] = obs[:, :2]
        paid[...] = rewards
        over[...] = flags
        self.head.pack_into(self.memory, at + 8, self.number + 1)
        self.number += 1


def project(obs: np.ndarray) -> np.ndarray:
    """Angle and speed of a pendulum."""
    return np.stack([np.arctan2(obs[:, 1], obs[:, 0]), obs[:, 2]], axis=1)


def critic(obs: np.ndarray) -> np.ndarray:
    """A network of two layers of 256, as most are."""
    hidden = np.maximum(obs @ WEIGHTS[0], 0.0)
    values: np.ndarray = np.maximum(hidden @ WEIGHTS[1], 0.0) @ WEIGHTS[2]
    return values


_rng = np.random.default_rng(0)
WEIGHTS = [
    _rng.normal(0.0, 0.1, shape).astype(np.float32) for shape in ((3, 256), (256, 256), (256, 1))
]


def measured(kinds: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds a call of each kind; all kinds take turns."""
    found: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(rounds):
        for name, call in kinds.items():
            start = time.perf_counter()
            for _ in range(CALLS):
                call()
            found[name].append((time.perf_counter() - start) / CALLS)
    return {name: statistics.median(times) for name, times in found.items()}


def rerun_of(obs: np.ndarray, folder: str) -> dict[str, Callable[[], object]]:
    """Logging the same points with rerun, if it is there."""
    try:
        import rerun
    except ImportError:
        return {}
    rerun.init("bench_attach")
    rerun.save(f"{folder}/bench.rrd")
    return {"rerun": lambda: rerun.log("agents", rerun.Points2D(obs[:, :2]))}


def kinds_of(n: int, folder: str, handles: list[Handle]) -> dict[str, Callable[[], object]]:
    """What is measured with n agents."""
    obs = _rng.uniform(-1.0, 1.0, (n, 3)).astype(np.float32)
    rewards, never = np.zeros(n), np.zeros(n, bool)
    bounds = [(-1.0, 1.0), (-1.0, 1.0)]
    plain = attach(bounds, name="bench", rate=1e9)
    rare = attach(bounds, name="bench_rare", rate=1e-3)
    projected = attach(bounds, name="bench_project", rate=1e9, project=project)
    handles += [plain, rare, projected]
    for each in handles:
        each.reset(obs)
        for _ in range(MOST_ROWS):  # views of the ring's rows are made with its first lap
            each.step(obs, rewards, never, never, {})
    assert plain.board is not None
    bare = BareRow(n, Board.open(plain.board).shape.rows)
    for _ in range(bare.rows):
        bare.write(obs, rewards, never)
    return {
        "bare row": lambda: bare.write(obs, rewards, never),
        "step": lambda: plain.step(obs, rewards, never, never, {}),
        "merged": lambda: rare.step(obs, rewards, never, never, {}),
        "step, project": lambda: projected.step(obs, rewards, never, never, {}),
        "project": lambda: project(obs),
        **rerun_of(obs, folder),
    }


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--agents", type=int, nargs="+", default=list(LIMITS))
    parser.add_argument("--rounds", type=int, default=200)
    given = parser.parse_args()
    for n in given.agents:
        handles: list[Handle] = []
        with tempfile.TemporaryDirectory() as folder:
            found = measured(kinds_of(n, folder, handles), given.rounds)
        for handle in handles:
            handle.close()
        parts = ", ".join(f"{name} {1e6 * seconds:.2f} µs" for name, seconds in found.items())
        ratio = found["step"] / found["bare row"]
        print(f"{n} agents: {parts}; step is {ratio:.2f} bare rows", end="")
        print(f" (at most {LIMITS[n]})" if n in LIMITS else "", end="")
        if "rerun" in found:
            print(f", rerun {found['rerun'] / found['step']:.1f} steps", end="")
            print(f" (at least {RERUN:g})" if n in LIMITS and n < 10_000 else "", end="")
        print()
    with attach([(-1.0, 1.0), (-1.0, 1.0)], name="bench", critic=critic) as viz:
        viz.reset(np.zeros((1, 3), np.float32))
        times = []
        for _ in range(20):
            start = time.perf_counter()
            viz.refresh()
            times.append(time.perf_counter() - start)
    print(f"critic of two layers of 256 on 65 x 65 nodes: {1e3 * statistics.median(times):.1f} ms")


if __name__ == "__main__":
    main()
