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

import random
import time
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from torture_disk import scratch
from torture_findings import Findings, interrupt_all, tell
from torture_recorder import (
    CRITIC_EVERY,
    STEPS,
    Writer,
    agents_at,
    field_at,
    row_at,
)
from torture_recorder_ways import WAYS, Interruption

from calf_viz.errors import UserError
from calf_viz.recording.recording import Recording
from calf_viz.run_command import run_command

TIMES = 3
"""Interruptions of a recording, at most."""


@dataclass
class Found(Findings):
    """What came of interrupting in one way."""

    acknowledged: int = 0
    """Rows that had been acknowledged when they were interrupted."""


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
            newest = max(newest, writer.reported())
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
    whole = undisturbed()

    def once(way: str, number: int, chance: random.Random, found: Found) -> str:
        with scratch(small=way == "full" and number % 2 == 0) as root:
            lost = torture(WAYS[way], root / "a.calf", chance, whole, found)
        return lost and f"recording {number}: {lost}"

    found = {way: Found() for way in ways}
    interrupt_all(found, kills, seed, once, shown)
    return found


@click.command()
@click.option("--kills", default=100, show_default=True, help="Interruptions, of all kinds.")
@click.option("--seed", default=0, show_default=True, help="Decides which.")
@click.option("--only", type=click.Choice(sorted(WAYS)), help="One kind alone.")
def main(kills: int, seed: int, only: str | None) -> None:
    """Interrupt recorders in every way, and look at what is left."""
    found = examine([only] if only else list(WAYS), kills, seed)
    heads = "recordings", "interruptions", "rows acknowledged"
    tell(found, f"recordings interrupted, seed {seed}", heads,
         lambda f: [f"{n:,}" for n in (f.tried, f.interrupted, f.acknowledged)])  # fmt: skip


if __name__ == "__main__":
    run_command(main, "torture_recording", "torture_recording: ")
