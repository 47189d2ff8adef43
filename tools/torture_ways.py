"""Ways to interrupt a training."""

from __future__ import annotations

import itertools
import random
import resource
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torture_child import SECONDS, Child, Place
from torture_disk import filled
from torture_process import die_at

from calf_viz.training import metrics
from calf_viz.training.trainer import Episode

CALLS = ("replace", "rename", "fsync", "truncate", "unlink", "write")
"""Functions of `os` that change the disk's contents."""
Interruption = Callable[[Place, random.Random, "Uninterrupted"], list[tuple[Child, int]]]


@dataclass
class Uninterrupted:
    """A training that was not interrupted."""

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
    child = Child(place, lambda: count_calls(lambda n: n == last, behind))
    return [(child, child.wait())]


def count_calls(ends: Callable[[int], bool], behind: bool = False) -> None:
    """End this process at the call for whose number `ends` returns True."""
    numbers = itertools.count(1)
    die_at(CALLS, lambda: ends(next(numbers)), behind)


def full(place: Place, chance: random.Random, whole: Uninterrupted) -> list[tuple[Child, int]]:
    if place.root.is_mount():
        with filled(place.root, chance.randint(0, 8 * whole.largest)):
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


def signalled(place: Place, chance: random.Random, whole: Uninterrupted) -> list[tuple[Child, int]]:
    child = Child(place, lambda: None)
    time.sleep(chance.uniform(0.0, whole.seconds))
    child.kill(chance.choice((signal.SIGINT, signal.SIGTERM, signal.SIGHUP)))
    return [(child, child.wait())]


WAYS: dict[str, Interruption] = {
    "moment": moment, "call": call, "full": full, "two": two, "signal": signalled,
}  # fmt: skip
