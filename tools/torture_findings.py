"""What came of interrupting something again and again, and how that is told."""

from __future__ import annotations

import itertools
import math
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import click
from rich.table import Table

from calf_viz.console import tables, tracked


@dataclass
class Findings:
    """Those of one way to interrupt."""

    tried: int = 0
    """Trainings, or recordings."""
    interrupted: int = 0
    lost: list[str] = field(default_factory=list)


Found = TypeVar("Found", bound=Findings)


def interrupt_all(
    found: dict[str, Found],
    kills: int,
    seed: int,
    once: Callable[[str, int, random.Random, Found], str],
    shown: bool,
) -> None:
    """Make about `kills` interruptions in all, of each way in `found` as many.

    once: interrupts in a way, for the nth time, and returns what was lost, or nothing.
    """
    each = math.ceil(kills / len(found))
    for way, one in found.items():
        for number in tracked(itertools.count(), way, shown=shown):
            chance = random.Random(f"{seed} {way} {number}")
            if lost := once(way, number, chance, one):
                one.lost.append(lost)
            one.tried += 1
            if one.interrupted >= each or one.tried >= 2 * each:
                break


def tell(
    found: dict[str, Found],
    title: str,
    heads: Sequence[str],
    row: Callable[[Found], Sequence[str]],
) -> None:
    """Print a table with a row for each way, and what was lost; ends the program, with exit code 1
    if something was."""
    table = Table(title=title)
    for head in ("way", *heads, "lost"):
        table.add_column(head, justify="left" if head == "way" else "right")
    for way, one in found.items():
        table.add_row(way, *row(one), str(len(one.lost)))
    tables(80).print(table)
    for way, one in found.items():
        for text in one.lost:
            click.echo(f"{way}: {text}", err=True)
    sys.exit(1 if any(one.lost for one in found.values()) else 0)
