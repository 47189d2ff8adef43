"""What a frame costs at two commits: frames of both in turn, so that a machine whose speed varies
hides no difference.

    python tools/bench_commits.py BEFORE [AFTER] [--scene 20x600 ...] [--rounds 60] [--starts 5]

A folder with a checkout may stand for a commit, `.` say for what is not committed yet. Each start
is a new process for either, since where its memory lies alone makes a frame 5 % faster or slower on
a software renderer. The ratio is the median over all starts of the median over a start's pairs of
frames; in brackets, the least and the most of a start. The scenes are those of bench_frame.py, of
which each commit has its own.
"""

from __future__ import annotations

import json
import statistics
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from compare_commits import checked_out
from rich.table import Table

from calf_viz.children import code_child
from calf_viz.cli.option_types import SIZE
from calf_viz.console import tables, tracked
from calf_viz.errors import UserError, shown
from calf_viz.run_command import run_command

SCENES = ((20, 600), (1000, 100))
WARM_UP = 5
"""Frames of each that are not counted."""
HEADS = "frame", "vertices, CPU", "pixels, CPU"

_FRAMES = """\
import json, sys, time
tree, agents, trail = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
sys.path[:0] = [tree, tree + "/attach", tree + "/tools"]
import bench_frame as bench
import calf_viz
if not calf_viz.__file__.startswith(tree):
    sys.exit(f"{calf_viz.__file__} is imported, not {tree}")
from calf_viz.hosts.moderngl.host import ModernglHost
host, rest = bench.filled(ModernglHost, bench.Case(agents, trail, 3), bench.GRID_SOFTWARE, "calf")
host.draw()
host.context.finish()
print(json.dumps(host.renderer), flush=True)
for number, _ in enumerate(sys.stdin):
    mine, theirs, start = time.thread_time(), bench.rasterisers(), time.perf_counter()
    host.push(rest[number % len(rest)])
    host.draw()
    host.context.finish()
    took = time.perf_counter() - start, time.thread_time() - mine, bench.rasterisers() - theirs
    print(json.dumps([1e3 * each for each in took]), flush=True)
"""


class Frames:
    """A process that draws a frame when it is asked to. A context manager, which ends it."""

    def __init__(self, tree: Path, scene: tuple[int, int]) -> None:
        command, environment = code_child(_FRAMES, str(tree), *map(str, scene))
        environment.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")})
        self.tree, self._process = tree, subprocess.Popen(
            command, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.renderer = str(self._answer())

    def __enter__(self) -> Frames:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def _answer(self) -> Any:
        assert self._process.stdout is not None and self._process.stderr is not None
        line = self._process.stdout.readline()
        if not line:
            said = (self._process.stderr.read().strip() or "nothing was said").splitlines()[-1]
            raise UserError(f"{shown(self.tree)} cannot draw: {shown(said)}")
        return json.loads(line)

    def draw(self) -> Any:
        """Time of a frame, and CPU times of this thread and of llvmpipe's others in it [ms]."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._answer()


def pairs(
    trees: tuple[Path, Path], scene: tuple[int, int], rounds: int
) -> tuple[str, list[tuple[list[float], list[float]]]]:
    """The renderer, and frames of both in turn, each first as often as the other."""
    with Frames(trees[0], scene) as before, Frames(trees[1], scene) as after:
        found = []
        for number in range(WARM_UP + rounds):
            if number % 2:
                second, first = after.draw(), before.draw()
            else:
                first, second = before.draw(), after.draw()
            found.append((first, second))
        return before.renderer, found[WARM_UP:]


@click.command(help=" ".join((__doc__ or "").split("\n\n")[0].split()))
@click.argument("before")
@click.argument("after", default="HEAD")
@click.option("--scene", "scenes", multiple=True, type=SIZE, metavar="AGENTSxTRAIL",
              help="May be repeated.")  # fmt: skip
@click.option("--rounds", default=60, show_default=True, type=click.IntRange(1),
              help="Frames of either in a start.")  # fmt: skip
@click.option("--starts", default=5, show_default=True, type=click.IntRange(1))
def bench_commits(
    before: str, after: str, scenes: tuple[tuple[int, int], ...], rounds: int, starts: int
) -> None:
    table = Table("agents", "trail")
    for head in HEADS:
        table.add_column(f"{head} [ms]", justify="right")
        table.add_column("ratio", justify="right")
    with ExitStack() as stack:
        one, other = (stack.enter_context(checked_out(each)).folder for each in (before, after))
        for scene in scenes or SCENES:
            runs = [
                pairs((one, other), scene, rounds)
                for _ in tracked(range(starts), "x".join(map(str, scene)), total=starts)
            ]
            table.title = f"{before} and {after}, {runs[0][0]}"
            table.add_row(*map(str, scene), *cells([run for _, run in runs]))
    tables(120).print(table)


def cells(runs: list[list[tuple[list[float], list[float]]]]) -> list[str]:
    """Times of either, and their ratio, for each of `HEADS`; empty where nothing was measured."""
    made = []
    for at in range(len(HEADS)):
        times = [[pair[side][at] for run in runs for pair in run] for side in (0, 1)]
        if not all(map(all, times)):
            made += ["", ""]
            continue
        ratios = [statistics.median(b[at] / a[at] for a, b in run) for run in runs]
        middle = statistics.median(ratios)
        made += [
            " → ".join(f"{statistics.median(each):.2f}" for each in times),
            f"{middle:.3f} ({min(ratios):.3f} … {max(ratios):.3f})",
        ]
    return made


def main() -> None:
    """Run from the command line."""
    run_command(bench_commits, "bench_commits", "bench_commits: ")


if __name__ == "__main__":
    main()
