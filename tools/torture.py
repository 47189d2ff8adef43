"""Trainings that are killed, starved and doubled at random: what must not lose anything.

    python tools/torture.py [--kills 100] [--seed 0] [--only moment|call|full|two|signal]

    moment   kill -9 at any moment
    call     kill -9 before or behind the Nth rename, fsync, truncation or removal, or in the middle
             of a line of metrics
    full     a disk that is full: a bound on the size of a file, or, as root, a small file system
    two      two processes that train one run, or begin one, at the same time
    signal   SIGINT, SIGTERM and SIGHUP at any moment

Each training, a run or a file with two beside it, is interrupted up to three times in such a way,
then goes on to its end. Nothing is lost if

- no process ever printed a traceback, or more than a line of an error;
- each went on from the newest checkpoint that was whole, or a later one;
- in the end all its files are, byte for byte, those of a training that was never interrupted, and
  no other file is there. (Of a run's checkpoints the newest: one that was written when a training
  was told to end in the middle of an episode has the number of the episodes before it.)

Processes are forked, so that none takes seconds to start. Exit code 1 where something was lost.
"""

from __future__ import annotations

import itertools
import logging
import math
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import matplotlib.backends.backend_agg  # here, lest every child does
import matplotlib.figure  # noqa: F401 (likewise)
from numpy.typing import NDArray
from rich.table import Table

from calf_viz.agent.calf import CALFAgent
from calf_viz.agent.evaluation import Row, actor_row
from calf_viz.agent.threads import one_thread
from calf_viz.console import tables, tracked
from calf_viz.errors import UserError
from calf_viz.run_command import run_command
from calf_viz.training import metrics, resume
from calf_viz.training import train as training
from calf_viz.training import trainer as trainers
from calf_viz.training.trainer import Episode, Trainer

SETTINGS: dict[str, Any] = {
    "episodes": 6, "steps": 30, "batch": 8, "select_every": 2, "selection_episodes": 1,
    "replay": 100,
}  # fmt: skip
KEPT: dict[str, Any] = {"checkpoint_every": 1, "checkpoints": 2}
"""Settings of a run alone."""
CALLS = ("replace", "rename", "fsync", "truncate", "unlink", "write")
"""Functions of `os` that change what is on the disk."""
COMPARED = 20
"""Steps over which agents are compared."""
SECONDS = 120.0
"""Seconds that a process may take."""
TIMES = 3
"""Interruptions of a training, at most."""


# A training in a process of its own


@dataclass
class Place:
    """Where a training is written: a run below `root`, or a file and two beside it.

    Attributes:
        saved: steps of the newest checkpoint that a process said was written.
    """

    root: Path
    as_run: bool
    saved: int = 0

    @property
    def output(self) -> Path:
        return self.root / "agent.safetensors"

    @property
    def run(self) -> Path | None:
        """The run's folder, once it has its name."""
        return next(iter(sorted(self.root.glob("point_mass-*"))), None)

    @property
    def begun(self) -> Path | None:
        """What can be resumed, if anything can."""
        if self.as_run:
            return self.run
        return self.output if resume.resume_path(self.output).exists() else None

    def train(self) -> None:
        """In the child: begin, or go on with what there is."""
        begun = self.begun
        if begun is not None:
            training.train(resume_from=begun, progress=False)
        elif self.as_run:
            training.train(
                "point_mass", "quick", 5, runs=self.root, progress=False, **SETTINGS, **KEPT
            )
        else:
            training.train(
                "point_mass", "quick", 5, self.output, progress=False, overwrite=True, **SETTINGS
            )

    def steps(self) -> int:
        """Steps of the newest checkpoint, as a later process finds it."""
        begun = self.begun
        if begun is None:
            return 0
        if not self.as_run:
            return resume.load(resume.resume_path(begun)).steps
        checkpoints = (begun / "checkpoints").glob("*.resume")
        return resume.load(max(checkpoints, key=lambda path: int(path.stem))).steps

    def contents(self) -> dict[str, bytes]:
        """All files of the training by name, but for locks, which hold nothing; of checkpoints
        before the newest whether they are what their names say."""
        top = self.run if self.as_run and self.run is not None else self.root
        found = {str(path.relative_to(top)): path for path in top.rglob("*") if path.is_file()}
        if self.as_run:  # what is beside the run
            found |= {path.name: path for path in self.root.iterdir() if path != top}
        return {
            name: _content(path)
            for name, path in sorted(found.items())
            if not name.endswith(".lock")
        }


def _content(path: Path) -> bytes:
    newest = max(path.parent.glob("[0-9]*.resume"), default=path)
    if path.is_dir():
        return b"a folder"
    if path.suffix == ".resume" and path.parent.name == "checkpoints" and path != newest:
        return b"%d" % (resume.load(path).done == int(path.stem))
    return path.read_bytes()


class Child:
    """A forked process that trains, and says what it saved."""

    def __init__(self, place: Place, prepare: Callable[[], Any]) -> None:
        self.said = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the object)
        self.saved = tempfile.TemporaryFile()  # noqa: SIM115 (as well)
        self.pid = os.fork()
        if self.pid == 0:
            code = 99
            try:
                code = self._train(place, prepare)
            finally:
                os._exit(code)

    def _train(self, place: Place, prepare: Callable[[], Any]) -> int:
        for stream in (1, 2):
            os.dup2(self.said.fileno(), stream)
        sys.stdout, sys.stderr = open(1, "w"), open(2, "w")  # noqa: SIM115 (until it ends)
        save = resume.save

        def told(trainer: Trainer, path: str | Path) -> None:
            save(trainer, path)
            os.pwrite(self.saved.fileno(), b"%20d" % trainer.steps, 0)

        resume.save = told
        # Over few steps, as what is compared is no part of this and most of the time otherwise.
        trainers.strict_row = _compared
        prepare()
        try:
            place.train()
            sys.stdout.flush()
        except UserError as error:
            print(f"line: {error}", flush=True)
            return 2
        except KeyboardInterrupt:
            return 130
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            return 99
        return 0

    def kill(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def wait(self) -> int:
        """Its exit code, negative for a signal; 98 where it hangs."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.002)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return 98

    def output(self) -> str:
        self.said.seek(0)
        return self.said.read().decode(errors="replace")

    def steps_saved(self) -> int:
        return int(os.pread(self.saved.fileno(), 20, 0) or b"0")


def _compared(agent: CALFAgent, starts: NDArray[Any], horizon: int = COMPARED) -> Row:
    return actor_row(agent, starts, horizon)


# Ways to interrupt one


@dataclass
class Found:
    """What came of the trainings that were interrupted in one way."""

    trainings: int = 0
    interrupted: int = 0
    refused: int = 0
    """Processes that ended with a line of an error, as they should."""
    lost: list[str] = field(default_factory=list)


Interruption = Callable[[Place, random.Random, "Uninterrupted"], list[tuple[Child, int]]]


@dataclass
class Uninterrupted:
    """A training that nobody disturbed."""

    contents: dict[str, bytes]
    seconds: float
    calls: int

    @property
    def largest(self) -> int:
        return max(map(len, self.contents.values()))


def moment(place: Place, chance: random.Random, whole: Uninterrupted) -> list[tuple[Child, int]]:
    child = Child(place, lambda: None)
    time.sleep(chance.uniform(0.0, whole.seconds))
    child.kill(signal.SIGKILL)
    return [(child, child.wait())]


def call(place: Place, chance: random.Random, whole: Uninterrupted) -> list[tuple[Child, int]]:
    last, behind = chance.randint(1, whole.calls), chance.random() < 0.5
    child = Child(place, lambda: _count_calls(lambda n: n == last, behind))
    return [(child, child.wait())]


def _count_calls(ends: Callable[[int], bool], behind: bool = False) -> Iterator[int]:
    """Have this process end at one of its calls; what `ends` is asked is their number."""
    numbers = itertools.count(1)

    def counted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **options: Any) -> Any:
            now = ends(next(numbers))
            if now and name == "write" and not behind:
                real(arguments[0], arguments[1][: len(arguments[1]) // 2])
            if now and not behind:
                os.kill(os.getpid(), signal.SIGKILL)
            result = real(*arguments, **options)
            if now:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return called

    for name in CALLS:
        setattr(os, name, counted(name, getattr(os, name)))
    return numbers


def full(place: Place, chance: random.Random, whole: Uninterrupted) -> list[tuple[Child, int]]:
    if place.root.is_mount():
        with _filled(place.root, chance.randint(0, 8 * whole.largest)):
            child = Child(place, lambda: None)
            return [(child, child.wait())]
    most, since = chance.randint(100, whole.largest), chance.randint(0, 3)

    def bound() -> None:
        append, numbers = metrics.append, itertools.count()

        def bounded(path: str | Path, episode: Episode) -> None:
            if next(numbers) >= since:
                resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
            append(path, episode)

        metrics.append = bounded

    child = Child(place, bound)
    return [(child, child.wait())]


def two(place: Place, chance: random.Random, whole: Uninterrupted) -> list[tuple[Child, int]]:
    first, end = Child(place, lambda: None), time.monotonic() + SECONDS
    time.sleep(chance.uniform(0.0, 0.7 * whole.seconds))
    # There is a run to go on with then; else the second would begin another one.
    while place.as_run and place.begun is None and time.monotonic() < end:
        time.sleep(0.002)
    second = Child(place, lambda: None)
    time.sleep(chance.uniform(0.0, 0.5 * whole.seconds))
    first.kill(signal.SIGKILL)
    return [(first, first.wait()), (second, second.wait())]


def told(place: Place, chance: random.Random, whole: Uninterrupted) -> list[tuple[Child, int]]:
    child = Child(place, lambda: None)
    time.sleep(chance.uniform(0.0, whole.seconds))
    child.kill(chance.choice((signal.SIGINT, signal.SIGTERM, signal.SIGHUP)))
    return [(child, child.wait())]


WAYS: dict[str, Interruption] = {
    "moment": moment, "call": call, "full": full, "two": two, "signal": told,
}  # fmt: skip


@contextmanager
def _filled(root: Path, free: int) -> Iterator[None]:
    """A file system with so many bytes free meanwhile."""
    status = os.statvfs(root)
    filler = root / ".filler"
    with filler.open("wb") as file, suppress(OSError):
        os.posix_fallocate(file.fileno(), 0, max(1, status.f_bavail * status.f_frsize - free))
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def _folder(small: bool) -> Iterator[Path]:
    """An empty folder; where it may be, a small file system of its own."""
    with tempfile.TemporaryDirectory(prefix="torture-") as made:
        mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "torture", made]
        mounted = small and subprocess.run(mount, capture_output=True, check=False).returncode == 0
        try:
            yield Path(made)
        finally:
            if mounted:
                subprocess.run(["umount", made], check=True)


# The judge


def uninterrupted(as_run: bool) -> Uninterrupted:
    """What all others are compared with; UserError where it cannot be had."""
    with _folder(small=False) as root, tempfile.TemporaryFile() as calls:
        place = Place(root, as_run)

        def count() -> None:
            def note(number: int) -> bool:
                os.pwrite(calls.fileno(), b"%20d" % number, 0)
                return False

            _count_calls(note)

        start = time.monotonic()
        child = Child(place, count)
        if child.wait() != 0:
            raise UserError(f"a training that nobody disturbs fails: {child.output()}")
        seconds = time.monotonic() - start
        return Uninterrupted(place.contents(), seconds, int(os.pread(calls.fileno(), 20, 0)))


def complaint(place: Place, child: Child, code: int) -> str:
    """What is wrong with how a process ended; nothing where nothing is."""
    said = child.output()
    if "Traceback" in said or code == 99:
        return f"a traceback: {said}"
    if code == 98:
        return f"it did not end within {SECONDS:.0f} s"
    if code == 2 and said.count("\n") > 1:
        return f"more than a line: {said}"
    place.saved = max(place.saved, child.steps_saved())
    return ""


def torture(
    interrupt: Interruption, place: Place, chance: random.Random, whole: Uninterrupted, found: Found
) -> str:
    """Interrupt one training, and let it go on to its end; what was lost, or nothing."""
    for _ in range(chance.randint(1, TIMES)):
        for child, code in interrupt(place, chance, whole):
            found.interrupted += code != 0 or interrupt is told
            found.refused += code == 2
            if wrong := complaint(place, child, code):
                return wrong
        try:
            steps = place.steps()
        except UserError as error:
            return str(error)
        if steps < place.saved:
            return f"{place.saved} steps were saved, and {steps} are there"
    child = Child(place, lambda: None)
    code = child.wait()
    if wrong := complaint(place, child, code):
        return wrong
    if code != 0:
        return f"it does not go on: {child.output()}"
    contents = place.contents()
    return "; ".join(
        f"{name} {'differs' if name in contents else 'is missing'}"
        if name in whole.contents
        else f"{name} is left over"
        for name in sorted(contents.keys() | whole.contents.keys())
        if contents.get(name) != whole.contents.get(name)
    )


def examine(ways: list[str], kills: int, seed: int, shown: bool = True) -> dict[str, Found]:
    """About so many interruptions in all."""
    each = math.ceil(kills / len(ways))
    # The trainings' own notes are no part of what is shown, nor of what processes may say.
    logging.getLogger("calf_viz").addHandler(logging.NullHandler())
    wholes = {as_run: uninterrupted(as_run) for as_run in (True, False)}
    found = {way: Found() for way in ways}
    for way in ways:
        numbers = tracked(itertools.count(), way, shown=shown)
        _interrupt(way, each, seed, found[way], wholes, numbers)
    return found


def _interrupt(
    way: str,
    each: int,
    seed: int,
    found: Found,
    wholes: dict[bool, Uninterrupted],
    numbers: Iterable[int],
) -> None:
    """One way, until there are so many interruptions."""
    for number in numbers:
        chance = random.Random(f"{seed} {way} {number}")
        as_run = number % 2 == 0
        with _folder(small=way == "full" and number % 4 < 2) as root:
            place = Place(root, as_run)
            lost = torture(WAYS[way], place, chance, wholes[as_run], found)
            if lost:
                kind = "a run" if as_run else "files"
                found.lost.append(f"training {number}, {kind}: {lost}")
        found.trainings += 1
        if found.interrupted >= each or found.trainings >= 2 * each:
            break


@click.command()
@click.option("--kills", default=100, show_default=True, help="Interruptions, of all kinds.")
@click.option("--seed", default=0, show_default=True, help="Decides which.")
@click.option("--only", type=click.Choice(sorted(WAYS)), help="One kind alone.")
@one_thread()
def main(kills: int, seed: int, only: str | None) -> None:
    """Interrupt trainings in every way, and compare them with one that never was."""
    found = examine([only] if only else list(WAYS), kills, seed)
    table = Table(title=f"trainings interrupted, seed {seed}")
    for head in ("way", "trainings", "interruptions", "ended with a line", "lost"):
        table.add_column(head, justify="left" if head == "way" else "right")
    for way, f in found.items():
        row = (f.trainings, f.interrupted, f.refused, len(f.lost))
        table.add_row(way, *map(str, row))
    tables(80).print(table)
    lost = Counter({way: len(f.lost) for way, f in found.items()})
    for way, f in found.items():
        for text in f.lost:
            click.echo(f"{way}: {text}", err=True)
    sys.exit(1 if lost.total() else 0)


if __name__ == "__main__":
    run_command(main, "torture", "torture: ")
