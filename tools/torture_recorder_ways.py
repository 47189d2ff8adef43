"""Ways to interrupt a recorder."""

from __future__ import annotations

import itertools
import os
import random
import resource
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from torture_disk import filled
from torture_process import die_at
from torture_recorder import Writer

from calf_viz.recording import critics, files
from calf_viz.recording.recorder import Recorder
from calf_viz.recording.stream import StreamWriter

CALLS = ("open", "write", "fsync", "ftruncate", "close", "unlink")
"""Functions of `os` that change what is on disk, or who has it open."""
SMALL_SEGMENT = 3000
Interruption = Callable[[Path, random.Random, float], list[tuple[Writer, int]]]
"""Interrupts a recording in a folder; the number is the seconds that it takes undisturbed."""


def moment(folder: Path, chance: random.Random, whole: float) -> list[tuple[Writer, int]]:
    writer = Writer(folder)
    time.sleep(chance.uniform(0.0, 0.7 * whole))
    writer.kill()
    return [(writer, writer.wait())]


def roll(folder: Path, chance: random.Random, whole: float) -> list[tuple[Writer, int]]:
    def prepare() -> None:
        files.SEGMENT_BYTES = SMALL_SEGMENT
        kill_within([(StreamWriter, "seal"), (StreamWriter, "__init__")], chance, 60)

    return _prepared(folder, prepare)


def agents(folder: Path, chance: random.Random, whole: float) -> list[tuple[Writer, int]]:
    return _prepared(folder, lambda: kill_within([(files.Files, "_stream")], chance, 30))


def critic(folder: Path, chance: random.Random, whole: float) -> list[tuple[Writer, int]]:
    def prepare() -> None:
        write, batch, found = StreamWriter.write, critics.batch, False

        def noted(one: Any) -> Any:
            nonlocal found
            found = True
            return batch(one)

        def written(self: StreamWriter, rows: Any) -> None:
            nonlocal found
            (doomed if found else write)(self, rows)
            found = False

        doomed = _Doom(chance, 15).guard(write)
        setattr(critics, "batch", noted)  # noqa: B010 (it is no function of that module's)
        setattr(StreamWriter, "write", written)  # noqa: B010 (as well)

    return _prepared(folder, prepare)


def append(folder: Path, chance: random.Random, whole: float) -> list[tuple[Writer, int]]:
    return _prepared(
        folder,
        lambda: kill_within([(Recorder, "_begin"), (Recorder, "close")], chance, 25),
    )


def _prepared(folder: Path, prepare: Callable[[], Any]) -> list[tuple[Writer, int]]:
    writer = Writer(folder, prepare)
    return [(writer, writer.wait())]


def full(folder: Path, chance: random.Random, whole: float) -> list[tuple[Writer, int]]:
    if folder.parent.is_mount():
        with filled(folder.parent, chance.randint(4000, 120_000)):
            return _prepared(folder, lambda: None)
    most = chance.randint(500, 20_000)

    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    return _prepared(folder, bound)


def term(folder: Path, chance: random.Random, whole: float) -> list[tuple[Writer, int]]:
    writer = Writer(folder)
    time.sleep(chance.uniform(0.0, 0.7 * whole))
    writer.kill(signal.SIGTERM)
    return [(writer, writer.wait())]


def stdout(folder: Path, chance: random.Random, whole: float) -> list[tuple[Writer, int]]:
    reads, writes = os.pipe()
    writer = Writer(folder, partial(os.close, reads), writes)
    os.close(writes)
    os.read(reads, chance.randint(1, 150))
    os.close(reads)
    return [(writer, writer.wait())]


def parent(folder: Path, chance: random.Random, whole: float) -> list[tuple[Writer, int]]:
    """It goes on, and is killed itself somewhat later, or ends."""
    reads, writes = os.pipe()

    def start() -> None:
        """In the parent: fork the recorder, which holds the pipe until it ends."""
        os.close(reads)
        if os.fork():
            os.close(writes)
            time.sleep(60.0)
            os._exit(0)
        os.write(writes, b"%d\n" % os.getpid())

    writer = Writer(folder, start)
    os.close(writes)
    pid = int(os.read(reads, 20))
    time.sleep(chance.uniform(0.0, 0.7 * whole))
    writer.kill()
    code = writer.wait()
    if chance.random() < 0.5:
        time.sleep(chance.uniform(0.0, 0.5 * whole))
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    os.read(reads, 1)
    os.close(reads)
    return [(writer, code)]


def two(folder: Path, chance: random.Random, whole: float) -> list[tuple[Writer, int]]:
    first = Writer(folder)
    time.sleep(chance.uniform(0.0, 0.3 * whole))
    second = Writer(folder)
    time.sleep(chance.uniform(0.0, 0.5 * whole))
    first.kill()
    return [(first, first.wait()), (second, second.wait())]


WAYS: dict[str, Interruption] = {
    "moment": moment, "roll": roll, "agents": agents, "critic": critic, "append": append,
    "full": full, "term": term, "stdout": stdout, "parent": parent, "two": two,
}  # fmt: skip


class _Doom:
    """Ends this process at one of the calls of `os` that are made within some functions: before
    it, after it, or, of a write, in its middle."""

    def __init__(self, chance: random.Random, most: int) -> None:
        last, behind = chance.randint(1, most), chance.random() < 0.5
        numbers = itertools.count(1)
        self._depth = 0
        die_at(CALLS, lambda: self._depth > 0 and next(numbers) == last, behind)

    def guard(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, within which calls count."""

        def guarded(*arguments: Any, **options: Any) -> Any:
            self._depth += 1
            try:
                return function(*arguments, **options)
            finally:
                self._depth -= 1

        return guarded


def kill_within(functions: list[tuple[type, str]], chance: random.Random, most: int) -> None:
    """End this process at one of the first `most` calls within these."""
    doom = _Doom(chance, most)
    for owner, name in functions:
        setattr(owner, name, doom.guard(getattr(owner, name)))
