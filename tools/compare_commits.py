"""The program's pictures at two commits, compared to the last bit.

    python tools/compare_commits.py BEFORE [AFTER] [--look night ...] [--keep FOLDER] [--jobs 2]

Checks each commit out into a worktree of its own, has its `calf-viz --screenshot` draw every system
in every look, renderer and size and in a few special ways, and prints a table with a line for each.
A folder with a checkout may stand for a commit, `.` say for what is not committed yet. Systems and
looks that only one of the two has are named, and left out.

Exit code 0 where all pictures are equal, 1 where one differs, 2 where one could not be drawn. Both
are drawn on this machine, one after the other: whatever driver it has need only be repeatable.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import click
from compare_screenshots import Folders, compare_folders, write_report
from rich.table import Table

from calf_viz.children import code_child
from calf_viz.cli.option_types import GIVEN_PATH, SIZE
from calf_viz.console import plain, say, tables, tracked
from calf_viz.errors import UserError, shown
from calf_viz.files import is_folder, make_folder
from calf_viz.run_command import run_command

RENDERERS = "gpu", "batched", "per_agent"
SIZES = (640, 360), (257, 511)
"""A usual shape, and an odd one, higher than wide."""
PLAIN = "none"
"""What the shipped shaders without a look are called here."""
SPECIAL: dict[str, tuple[str, ...]] = {
    "critic_on_gpu": ("--critic-on-gpu",),
    "two_looks": ("--shaders", "topographic", "--ab", "night"),
    "many": ("--n-agents", "150", "--trail-length", "200", "--stride", "3"),
    "flat": ("--height-scale", "0", "--no-hud"),
    "nominal": ("--policy", "nominal", "--palette", "colour_blind", "--colour-map", "viridis"),
    "relaxed": ("--p-relax", "0.5", "--seed", "7", "--grid", "31"),
    "sliced": ("--slice", "0.4"),
}
"""Options that are compared beside the looks, in the first size, by name."""
SLICED = "differential_drive"
"""The system that `sliced` is for: the planes of the others show all of their states."""
SECONDS = 600
"""After which a picture is given up."""

# Whether it is the tree's program is asked in the very process that draws.
_DRAW = """\
import runpy, sys
from pathlib import Path
import calf_viz
tree = sys.argv.pop(1)
if Path(calf_viz.__file__).resolve().parent.parent != Path(tree).resolve():
    sys.exit(f"{calf_viz.__file__} is imported, not {tree}")
sys.argv[0] = "calf-viz"
runpy.run_module("calf_viz", run_name="__main__", alter_sys=True)
"""
_LIST = """\
import sys
from calf_viz import systems
print(*systems.names())
"""


@dataclass(frozen=True)
class Case:
    """One call of the program."""

    system: str
    what: str
    """The look, or the name in `SPECIAL`."""
    renderer: str
    size: tuple[int, int]

    @property
    def name(self) -> str:
        """As a folder, and at the beginning of its pictures' names."""
        return f"{self.system}-{self.what}-{self.renderer}-{self.size[0]}x{self.size[1]}"

    @property
    def options(self) -> list[str]:
        """What the program is called with."""
        look = () if self.what == PLAIN else ("--shaders", self.what)
        size = f"{self.size[0]}x{self.size[1]}"
        common = ("--system", self.system, "--renderer", self.renderer, "--size", size)
        return ["--screenshot", *common, *SPECIAL.get(self.what, look)]


def cases(
    systems: Iterable[str],
    looks: Iterable[str],
    renderers: Iterable[str],
    sizes: Iterable[tuple[int, int]],
    special: Iterable[str],
) -> list[Case]:
    """Each look in each renderer and size, and the special ways in the first of them."""
    systems, renderers, sizes = tuple(systems), tuple(renderers), tuple(sizes)
    usual = product(systems, looks, renderers, sizes)
    more = product(systems, special, renderers[:1], sizes[:1])
    return [Case(*c) for c in (*usual, *more) if c[1] != "sliced" or c[0] == SLICED]


class Tree:
    """A checkout of the program, run by this Python."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _run(self, code: str, *arguments: str) -> str:
        command, environment = code_child(code, *arguments)
        environment["PYTHONPATH"] = str(self.folder)
        with tempfile.TemporaryDirectory() as elsewhere:  # where nothing can be imported from
            done = subprocess.run(
                command, env=environment, cwd=elsewhere, capture_output=True, text=True,
                timeout=SECONDS,
            )  # fmt: skip
        if done.returncode:
            said = (done.stderr.strip() or "nothing was said").splitlines()[-1]
            call = " ".join(arguments)
            raise UserError(f"{shown(self.folder)} cannot run {shown(call)}: {shown(said)}")
        return done.stdout

    def systems(self) -> list[str]:
        """Names of its systems."""
        return self._run(_LIST).split()

    def looks(self) -> list[str]:
        """Names of its shipped looks, and of none."""
        folder = self.folder / "shaders" / "looks"
        return [PLAIN, *sorted(look.name for look in folder.iterdir() if look.is_dir())]

    def draw(self, case: Case, output: Path) -> None:
        """Write the case's pictures to a folder. Raises UserError where it cannot."""
        own = output / ".parts" / case.name
        make_folder(own)
        try:
            self._run(_DRAW, str(self.folder), *case.options, "--output", str(own))
        except subprocess.TimeoutExpired:
            raise UserError(f"{case.name} takes more than {SECONDS} s: leave it out") from None
        for picture in own.glob("*.png"):
            picture.rename(output / f"{case.name}-{picture.name}")
        own.rmdir()


@contextmanager
def checked_out(commit: str) -> Iterator[Tree]:
    """A commit's tree, or that of a folder, for as long as the block runs."""
    if is_folder(commit):
        yield Tree(Path(commit).absolute())
        return
    with tempfile.TemporaryDirectory(prefix="calf_viz-") as parent:
        folder = Path(parent) / "tree"
        _git("worktree", "add", "--quiet", "--detach", str(folder), commit)
        try:
            yield Tree(folder)
        finally:
            _git("worktree", "remove", "--force", str(folder))


def _git(*arguments: str) -> None:
    here = Path(__file__).parent
    done = subprocess.run(["git", *arguments], cwd=here, capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"git {arguments[0]}: {shown(done.stderr.strip())}: give a commit")


def draw_all(tree: Tree, wanted: list[Case], output: Path, jobs: int, title: str) -> None:
    """All cases' pictures, some at a time, each in a process of its own."""
    with ThreadPoolExecutor(jobs) as pool:
        drawn = pool.map(lambda case: tree.draw(case, output), wanted)
        for _ in tracked(drawn, title, total=len(wanted)):
            pass
    (output / ".parts").rmdir()


def table(folders: Folders, wanted: list[Case]) -> Table:
    """A line for each case, with what differs in all of its pictures."""
    made = Table("system", "look", "renderer", "size", "pictures", "pixels over", "largest", "")
    alone = [*folders.missing, *folders.extra, *folders.unreadable]
    for case in wanted:
        own = [pair for pair in folders.pairs if pair.name.startswith(f"{case.name}-")]
        unpaired = sum(name.startswith(f"{case.name}-") for name in alone)
        equal = bool(own) and all(pair.passes for pair in own) and not unpaired
        made.add_row(
            *map(plain, (case.system, case.what, case.renderer)),
            f"{case.size[0]}x{case.size[1]}",
            str(len(own)) + (f" + {unpaired} in one alone" if unpaired else ""),
            f"{100 * max((pair.share for pair in own), default=0.0):.3f} %",
            str(max((pair.largest for pair in own), default=0)),
            "equal" if equal else "differs",
        )
    return made


def _common(
    what: str, both: tuple[list[str], list[str]], given: tuple[str, ...]
) -> tuple[str, ...]:
    """Names that both have, of those given or of all; reports names that only one has."""
    one, other = both
    for name in sorted({*one} ^ {*other}):
        click.echo(f"{what} {name} is in one of the two only: left out", err=True)
    shared = [name for name in one if name in other]
    for name in given:
        if name not in shared:
            raise UserError(f"no {what} {shown(name)} in both: choose of {', '.join(shared)}")
    return given or tuple(shared)


@click.command(help=(__doc__ or "").splitlines()[0])
@click.argument("before")
@click.argument("after", default="HEAD")
@click.option("--system", "systems", multiple=True, help="May be repeated.  [default: all]")
@click.option("--look", "looks", multiple=True,
              help=f"May be repeated; {PLAIN} for none.  [default: all]")  # fmt: skip
@click.option("--renderer", "renderers", multiple=True, type=click.Choice(RENDERERS),
              help="May be repeated.  [default: all]")  # fmt: skip
@click.option("--size", "sizes", multiple=True, type=SIZE, help="May be repeated.")
@click.option("--special/--no-special", default=True, show_default=True,
              help=f"Draw in special ways too: {', '.join(SPECIAL)}.")  # fmt: skip
@click.option("--jobs", default=2, show_default=True, type=click.IntRange(1, 64),
              help="Pictures at a time.")  # fmt: skip
@click.option("--keep", type=GIVEN_PATH, help="Folder for pictures, and a page with what differs.")
@click.pass_context
def compare_commits(
    context: click.Context,
    before: str,
    after: str,
    systems: tuple[str, ...],
    looks: tuple[str, ...],
    renderers: tuple[str, ...],
    sizes: tuple[tuple[int, int], ...],
    special: bool,
    jobs: int,
    keep: Path | None,
) -> None:
    with ExitStack() as stack:
        trees = [stack.enter_context(checked_out(commit)) for commit in (before, after)]
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        outputs = folder / "before", folder / "after"
        a, b = trees
        wanted = cases(
            _common("system", (a.systems(), b.systems()), systems),
            _common("look", (a.looks(), b.looks()), looks),
            renderers or RENDERERS,
            sizes or SIZES,
            SPECIAL if special else (),
        )
        for tree, output, title in zip(trees, outputs, (before, after), strict=True):
            make_folder(output)
            if any(output.glob("*.png")):
                raise UserError(f"{shown(output)} holds pictures: give another --keep")
            draw_all(tree, wanted, output, jobs, title)
        found = compare_folders(*outputs, level=0, fraction=0.0)
        tables(120).print(table(found, wanted))
        equal = found.passes and not found.extra
        differing = [pair for pair in found.pairs if not pair.passes]
        count = f"{len(found.pairs)} pairs of pictures, {len(differing)} differ"
        say(f"{count}; {before} and {after}")
        if keep is not None and differing:
            page = keep / "differences.html"
            write_report(page, Folders(differing, sides=(before, after)), count)
            say(page)
    context.exit(0 if equal else 1)


def main() -> None:
    """Run from the command line."""
    run_command(compare_commits, "compare_commits", "compare_commits: ")


if __name__ == "__main__":
    main()
