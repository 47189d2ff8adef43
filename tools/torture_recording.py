"""Kills, starves and duplicates recorders at random: no acknowledged row must be lost.

    python tools/torture_recording.py [--kills 100] [--seed 0] [--only WAY]

    moment   kill -9 at any moment
    roll     kill -9 before, within or after a call that ends a stream, or begins the next
    agents   the same, where that is because the number of agents changed
    critic   the same, of a critic
    append   the same, while a recording is made ready to be appended to, or closed
    full     no room: a limit on the size of a file or, as root, a small file system
    term     SIGTERM
    stdout   nobody reads what it prints any more
    parent   the process that started it is killed
    two      two recorders want one folder, and the first is killed

Each recording is interrupted up to three times in this way, and then goes on to its end. Nothing is
lost if

- after each interruption it can be opened, and has all rows that were acknowledged, and no other
  bits than were recorded;
- in the end it has every row, critic and event once, in order, and all streams are sealed.

Processes are forked, so that they start at once. The exit code is 1 if something was lost.
"""

from __future__ import annotations

import itertools
import math
import random
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np
from rich.table import Table
from torture import scratch
from torture_recorder import (
    CRITIC_EVERY,
    STEPS,
    Writer,
    agents_at,
    field_at,
    row_at,
)
from torture_recorder_ways import WAYS, Interruption

from calf_viz.console import tables, tracked
from calf_viz.errors import UserError
from calf_viz.recording.recording import Recording
from calf_viz.run_command import run_command

TIMES = 3
"""Interruptions of a recording, at most."""


@dataclass
class Found:
    """What came of interrupting in one way."""

    recordings: int = 0
    interrupted: int = 0
    acknowledged: int = 0
    """Rows that had been acknowledged when they were interrupted."""
    lost: list[str] = field(default_factory=list)


def undisturbed() -> float:
    """Seconds that a recording takes. Raises UserError if it fails."""
    with scratch(small=False) as root:
        start = time.monotonic()
        writer = Writer(root / "a.calf")
        if writer.wait() != 0:
            raise UserError(f"an undisturbed recording fails: {writer.output()}")
        return time.monotonic() - start


def torture(
    interrupt: Interruption, folder: Path, chance: random.Random, whole: float, found: Found
) -> str:
    """Interrupt one recording, and let it go on to its end; what was lost, or nothing."""
    newest = 0
    for _ in range(chance.randint(1, TIMES)):
        for writer, code in interrupt(folder, chance, whole):
            if wrong := writer.complaint(code):
                return wrong
            found.interrupted += code != 0
            newest = max(newest, writer.acknowledged())
        found.acknowledged += newest
        if wrong := missing(folder, newest):
            return wrong
    writer = Writer(folder)
    code = writer.wait()
    if code != 0:
        return f"it does not go on: {writer.output()}"
    return missing(folder, STEPS) or incomplete(folder)


def missing(folder: Path, acknowledged: int) -> str:
    """What is wrong with the rows; nothing if those are all there."""
    if not acknowledged and not (folder / "meta.json").exists():
        return ""
    try:
        recording = Recording(folder)
        count = len(recording)
        if count < acknowledged:
            return f"{acknowledged} rows were acknowledged, and {count} are there"
        for number, samples in enumerate(recording.walk()):
            expected = row_at(number)
            same = samples.step == number and np.array_equal(samples.first, expected.first)
            if not same or not np.array_equal(samples.positions, expected.positions):
                return f"row {number} is another"
        recording.close()
    except UserError as error:
        return str(error)
    return ""


def incomplete(folder: Path) -> str:
    """What is wrong with a recording that went on to its end; nothing if it has everything once."""
    recording = Recording(folder)
    try:
        if recording.torn:
            return "a stream is not sealed"
        for step in range(0, STEPS, CRITIC_EVERY):
            number = recording.critic_at(step)
            if number is None or recording.critic(number).trained != step:
                return f"the critic of step {step} is another"
            if not np.array_equal(recording.critic(number).field.values, field_at(step).values):
                return f"the critic of step {step} differs"
        changes = [(e.step, e.number) for e in recording.events() if e.kind == "agents"]
        wanted = [
            (step, float(agents_at(step)))
            for step in range(STEPS)
            if step == 0 or agents_at(step) != agents_at(step - 1)
        ]
        if changes != wanted:
            return f"changes of the number of agents: {changes}"
        ends = [e.step for e in recording.events() if e.kind == "episode"]
        begun = [step for step in range(1, STEPS) if row_at(step).first[0]]
        if ends != [step - 1 for step in begun]:
            return f"ends of episodes: {ends}"
    finally:
        recording.close()
    return ""


def examine(ways: list[str], kills: int, seed: int, shown: bool = True) -> dict[str, Found]:
    """Make about `kills` interruptions in all."""
    each = math.ceil(kills / len(ways))
    found, whole = {way: Found() for way in ways}, undisturbed()
    for way in ways:
        numbers = tracked(itertools.count(), way, shown=shown)
        _interrupt(way, each, seed, whole, found[way], numbers)
    return found


def _interrupt(
    way: str, each: int, seed: int, whole: float, found: Found, numbers: Iterable[int]
) -> None:
    """Interrupt in one way, until there are enough interruptions."""
    for number in numbers:
        chance = random.Random(f"{seed} {way} {number}")
        with scratch(small=way == "full" and number % 2 == 0) as root:
            if lost := torture(WAYS[way], root / "a.calf", chance, whole, found):
                found.lost.append(f"recording {number}: {lost}")
        found.recordings += 1
        if found.interrupted >= each or found.recordings >= 2 * each:
            break


@click.command()
@click.option("--kills", default=100, show_default=True, help="Interruptions, of all kinds.")
@click.option("--seed", default=0, show_default=True, help="Decides which.")
@click.option("--only", type=click.Choice(sorted(WAYS)), help="One kind alone.")
def main(kills: int, seed: int, only: str | None) -> None:
    """Interrupt recorders in every way, and look at what is left."""
    found = examine([only] if only else list(WAYS), kills, seed)
    table = Table(title=f"recordings interrupted, seed {seed}")
    for head in ("way", "recordings", "interruptions", "rows acknowledged", "lost"):
        table.add_column(head, justify="left" if head == "way" else "right")
    for way, f in found.items():
        row = (f.recordings, f.interrupted, f.acknowledged, len(f.lost))
        table.add_row(way, *(f"{number:,}" for number in row))
    tables(80).print(table)
    for way, f in found.items():
        for text in f.lost:
            click.echo(f"{way}: {text}", err=True)
    sys.exit(1 if any(f.lost for f in found.values()) else 0)


if __name__ == "__main__":
    run_command(main, "torture_recording", "torture_recording: ")
