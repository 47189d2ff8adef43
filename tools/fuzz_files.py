"""Fuzzes the program with broken files of every kind that it reads.

    python tools/fuzz_files.py [--count 3000] [--seed 0] [--only CLASS] [--limit 60]

Each mutant is a file that the program wrote, damaged at random, or something else in its place: a
link, a pipe, a device, a folder, gigabytes of zeros. Most are read in a child process by the same
functions as the commands use, every `SHARE`-th by the command itself. A mutant passes if it is
accepted, or refused in one line. Otherwise it is a TRACEBACK (any other exception, or more than one
line of output), a CRASH, a HANG, or took more MEMORY than `MOST_MEMORY`; the exit code is 1 if
there was any of these.
"""

from __future__ import annotations

import base64
import random
import re
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from itertools import count as numbers
from pathlib import Path
from typing import Any

import click
import fuzzing
from damages import flip
from fuzzed_files import KINDS, PLACES, bases
from fuzzing import Verdict, is_line, judged

from calf_viz.children import python_child, script_child
from calf_viz.errors import UserError
from calf_viz.run_command import run_command

LIMIT = 60.0
"""Seconds that a mutant may take; the first one's include the start of the child."""
MOST_MEMORY = 2**29
"""Bytes that reading a mutant may take at once."""
SHARE = 40
"""One in this many mutants is read by the command itself."""
TOOLS = Path(__file__).parent


@dataclass(frozen=True)
class Mutant:
    """A damaged file, or something else in its place.

    Attributes:
        kind: kind of file; a name in KINDS.
        damage: what was done to it.
        what: `bytes`, or what is in its place; a name in PLACES.
        data: the bytes, if it is a file.
    """

    kind: str
    damage: str
    what: str = "bytes"
    data: bytes = b""


def mutants(seed: int, only: Iterable[str] = ()) -> Iterator[Mutant]:
    """An endless sequence of mutants, determined by the seed and the files."""
    names = list(only) or list(KINDS)
    random_ = random.Random(seed)
    for number in numbers():
        name = names[number % len(names)]
        kind = KINDS[name]
        if random_.random() < 0.15 and kind.command is not None:
            place = random_.choice(list(PLACES))
            yield Mutant(name, place, place)
            continue
        data = (bases() / name / kind.name).read_bytes()
        damage = random_.choice(kind.damages)
        try:
            data = damage(random_, data)
        except (ValueError, UnicodeError):
            data = flip(random_, data)
        yield Mutant(name, (damage.__doc__ or "").rstrip("."), "bytes", data)


def place(mutant: Mutant, folder: Path, whole: Path) -> Path:
    """Put a mutant into a folder, with what is read together with it; returns the file's path."""
    kind = KINDS[mutant.kind]
    shutil.copytree(whole / mutant.kind, folder, dirs_exist_ok=True, symlinks=True)
    path = folder / kind.name
    path.unlink()
    if mutant.what == "bytes":
        path.write_bytes(mutant.data)
    else:
        PLACES[mutant.what](path, whole / mutant.kind / kind.name)
    return path


def _try(whole: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """In the child: a mutant read by what the commands call."""
    mutant = Mutant(asked["kind"], asked["damage"], asked["what"], base64.b64decode(asked["data"]))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = place(mutant, Path(folder), whole)
        before = _memory()
        try:
            KINDS[mutant.kind].read(path)
            verdict = Verdict("accepted")
        except UserError as error:
            verdict = Verdict("refused" if is_line(str(error)) else "TRACEBACK", str(error)[:2000])
        except BaseException as error:
            verdict = Verdict("TRACEBACK", f"{type(error).__name__}: {error}"[:500])
        taken = _memory(peak=True) - before
        if taken > MOST_MEMORY and verdict.survived:
            verdict = Verdict("MEMORY", f"{taken:,} bytes; {verdict.said}")
    return asdict(verdict)


def _memory(peak: bool = False) -> int:
    """Resident memory of this process, or its peak since the last call without `peak`."""
    if not peak:
        Path("/proc/self/clear_refs").write_text("5")
    name = "VmHWM" if peak else "VmRSS"
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(rf"{name}:\s+(\d+)", status)[1])  # type: ignore[index]


def serve(whole: Path) -> None:
    """The child."""
    resource.setrlimit(resource.RLIMIT_AS, (2**34, 2**34))  # the machine stays usable
    fuzzing.serve(partial(_try, whole))


class Child(fuzzing.Child):
    """A process that reads mutants, and is started again where one ends it."""

    def __init__(self, limit: float = LIMIT) -> None:
        command, environment = script_child(__file__, "--serve", str(bases()))
        super().__init__(command, limit, environment)

    def try_(self, mutant: Mutant) -> Verdict:
        """The verdict, even if the child dies or hangs."""
        data = base64.b64encode(mutant.data).decode("ascii")
        return self.ask({**asdict(mutant), "data": data}).verdict


def by_command(mutant: Mutant, limit: float = LIMIT) -> Verdict:
    """The verdict when the command itself reads the mutant."""
    arguments = KINDS[mutant.kind].command
    assert arguments is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        given = arguments(place(mutant, Path(folder, "mutant"), bases()))
        if given[0] == "compare_profiles":
            command, environment = script_child(str(TOOLS / "compare_profiles.py"), *given[1:])
        else:
            command, environment = python_child("calf_viz", *given)
        return ended(command, environment, limit, folder)


def ended(command: list[str], environment: dict[str, str], limit: float, folder: str) -> Verdict:
    """The verdict on a command, by its exit code and its stderr."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=2 * limit,  # it has the program to start
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Verdict("HANG", " ".join(command)[:500])
    verdict = judged(done.returncode, done.stderr)
    verdict.said = f"{' '.join(command[-6:])[:300]}: {verdict.said}"
    return verdict


def verdicts(
    seed: int, limit: float, rounds: Iterable[int], only: Iterable[str] = (), share: int = SHARE
) -> Iterator[tuple[Mutant, Verdict]]:
    """A mutant and its verdict for each of the rounds; every `share`-th by the command."""
    child = Child(limit)
    try:
        for number, mutant in zip(rounds, mutants(seed, only), strict=False):
            by_itself = number % share == share - 1 and KINDS[mutant.kind].command is not None
            yield mutant, by_command(mutant, limit) if by_itself else child.try_(mutant)
    finally:
        child.close()


@click.command(help=(__doc__ or "").splitlines()[0])
@fuzzing.options(3000, "mutants", KINDS, LIMIT)
@click.option("--serve", "served", type=click.Path(path_type=Path), hidden=True)
def main(count: int, seed: int, only: tuple[str, ...], limit: float, served: Path | None) -> int:
    if served is not None:
        serve(served)
        return 0

    def tries(rounds: Iterable[int]) -> Iterator[tuple[str, str, Verdict]]:
        for mutant, verdict in verdicts(seed, limit, rounds, only):
            yield mutant.kind, f"{mutant.kind} ({mutant.damage})", verdict

    return fuzzing.campaign("mutants", count, seed, tries)


if __name__ == "__main__":
    run_command(main, "fuzz_files", "fuzz_files: ")
