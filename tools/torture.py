"""Kills, starves and duplicates trainings at random: nothing must be lost.

    python tools/torture.py [--kills 100] [--seed 0] [--only moment|call|full|two|signal]

    moment   kill -9 at any moment
    call     kill -9 before or after the Nth rename, fsync, truncation or removal, or in the middle
             of a line of metrics
    full     a full disk: a limit on the size of a file or, as root, a small file system
    two      two processes that train one run, or start one, at the same time
    signal   SIGINT, SIGTERM and SIGHUP at any moment

Each training, a run or a file with two beside it, is interrupted up to three times in this way,
then runs to its end. Nothing is lost if

- no process ever printed a traceback, or an error of more than one line;
- each resumed from the newest intact checkpoint, or a later one;
- in the end all its files are, byte for byte, those of a training that was never interrupted, and
  there is no other file. (For checkpoints, only the newest: one written when a training was stopped
  in the middle of an episode has the number of complete episodes in its name.)

Processes are forked, so that they start at once. The exit code is 1 if something was lost.
"""

from __future__ import annotations

import itertools
import logging
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click
from rich.table import Table
from torture_child import SECONDS, Child, Place
from torture_ways import WAYS, Interruption, Uninterrupted, count_calls, signalled

from calf_viz.agent.threads import one_thread
from calf_viz.console import tables, tracked
from calf_viz.errors import UserError
from calf_viz.run_command import run_command

TIMES = 3
"""Interruptions of a training, at most."""


@dataclass
class Found:
    """Results of the trainings that were interrupted in one way."""

    trainings: int = 0
    interrupted: int = 0
    refused: int = 0
    """Processes that ended with a line of an error, as they should."""
    lost: list[str] = field(default_factory=list)


@contextmanager
def scratch(small: bool) -> Iterator[Path]:
    """An empty folder, on a small file system of its own if permitted."""
    with tempfile.TemporaryDirectory(prefix="torture-") as made:
        mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "torture", made]
        mounted = small and subprocess.run(mount, capture_output=True, check=False).returncode == 0
        try:
            yield Path(made)
        finally:
            if mounted:
                subprocess.run(["umount", made], check=True)


def uninterrupted(as_run: bool) -> Uninterrupted:
    """The reference for all others. Raises UserError if it fails."""
    with scratch(small=False) as root, tempfile.TemporaryFile() as calls:
        place = Place(root, as_run)

        def count() -> None:
            def note(number: int) -> bool:
                os.pwrite(calls.fileno(), b"%20d" % number, 0)
                return False

            count_calls(note)

        start = time.monotonic()
        child = Child(place, count)
        if child.wait() != 0:
            raise UserError(f"an uninterrupted training fails: {child.output()}")
        seconds = time.monotonic() - start
        return Uninterrupted(place.contents(), seconds, int(os.pread(calls.fileno(), 20, 0)))


def complaint(place: Place, child: Child, code: int) -> str:
    """What is wrong with how a process ended; empty if nothing."""
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
            found.interrupted += code != 0 or interrupt is signalled
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
        return f"it does not resume: {child.output()}"
    contents = place.contents()
    return "; ".join(
        f"{name} {'differs' if name in contents else 'is missing'}"
        if name in whole.contents
        else f"{name} is left over"
        for name in sorted(contents.keys() | whole.contents.keys())
        if contents.get(name) != whole.contents.get(name)
    )


def examine(ways: list[str], kills: int, seed: int, shown: bool = True) -> dict[str, Found]:
    """Run about `kills` interruptions in all."""
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
    """Interrupt in one way, until there are enough interruptions."""
    for number in numbers:
        chance = random.Random(f"{seed} {way} {number}")
        as_run = number % 2 == 0
        with scratch(small=way == "full" and number % 4 < 2) as root:
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
    """Interrupt trainings in every way, and compare them with an uninterrupted one."""
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
