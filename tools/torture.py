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

import logging
import os
import random
import tempfile
import time
from dataclasses import dataclass

import click
from torture_child import Child, Place
from torture_disk import scratch
from torture_findings import Findings, interrupt_all, tell
from torture_ways import WAYS, Interruption, Uninterrupted, count_calls, signalled

from calf_viz.agent.threads import one_thread
from calf_viz.errors import UserError
from calf_viz.run_command import run_command

TIMES = 3
"""Interruptions of a training, at most."""


@dataclass
class Found(Findings):
    """Results of the trainings that were interrupted in one way."""

    refused: int = 0
    """Processes that ended with a line of an error, as they should."""


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
    if "Traceback" in said:
        return f"a traceback: {said}"
    if wrong := child.complaint(code):
        return wrong
    if code == 2 and said.count("\n") > 1:
        return f"more than a line: {said}"
    place.saved = max(place.saved, child.reported())
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
    # The trainings' own notes are no part of what is shown, nor of what processes may say.
    logging.getLogger("calf_viz").addHandler(logging.NullHandler())
    wholes = {as_run: uninterrupted(as_run) for as_run in (True, False)}

    def once(way: str, number: int, chance: random.Random, found: Found) -> str:
        as_run = number % 2 == 0
        with scratch(small=way == "full" and number % 4 < 2) as root:
            place = Place(root, as_run)
            lost = torture(WAYS[way], place, chance, wholes[as_run], found)
        kind = "a run" if as_run else "files"
        return lost and f"training {number}, {kind}: {lost}"

    found = {way: Found() for way in ways}
    interrupt_all(found, kills, seed, once, shown)
    return found


@click.command()
@click.option("--kills", default=100, show_default=True, help="Interruptions, of all kinds.")
@click.option("--seed", default=0, show_default=True, help="Decides which.")
@click.option("--only", type=click.Choice(sorted(WAYS)), help="One kind alone.")
@one_thread()
def main(kills: int, seed: int, only: str | None) -> None:
    """Interrupt trainings in every way, and compare them with an uninterrupted one."""
    found = examine([only] if only else list(WAYS), kills, seed)
    heads = "trainings", "interruptions", "ended with a line"
    tell(found, f"trainings interrupted, seed {seed}", heads,
         lambda f: [str(number) for number in (f.tried, f.interrupted, f.refused)])  # fmt: skip


if __name__ == "__main__":
    run_command(main, "torture", "torture: ")
