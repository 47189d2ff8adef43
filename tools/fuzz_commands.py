"""Fuzzes the program with odd command lines.

    python tools/fuzz_commands.py [--count 600] [--seed 0] [--only CLASS] [--limit 60]

Each is a command with random options, values and paths: numbers that are invalid or too large,
names that are too long or forbidden, links, pipes, devices, folders, bytes that are not text,
escape sequences, markup. It runs in a fork of a process that has imported the program, in a folder
of its own, without a display. It passes if it did its work, or ended with one line. Otherwise it is
a TRACEBACK, a CRASH, a HANG, or took more MEMORY than `MOST_MEMORY`; the exit code is 1 if there
was any of these.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from itertools import count as numbers
from pathlib import Path
from typing import Any, NoReturn

import click
import fuzzing
from fuzzing import Verdict, judged

from calf_viz.children import script_child
from calf_viz.run_command import run_command

LIMIT = 60.0
"""Seconds that a command line may take; none requests more than a moment's work."""
MOST_MEMORY = 2**31
"""Bytes that a command may have in memory; torch alone takes some 0.4 GB."""

NUMBERS = (
    "0", "-1", "1", "3", "0.5", "1e400", "nan", "inf", "-inf", "9" * 5000, "0x7f", "1_0", "٣",
    "9223372036854775808", "-9223372036854775809", "1e308", "007", "", " 1", "1.0", "10000000000",
    "1e-320", "True", "16777217", "2147483648",
)  # fmt: skip
WORDS = (
    "", "-", "--", "x", "point_mass", "differential_drive", "low", "quick", "gpu", "per_agent",
    "calf", "nominal", "actor", "ink", "night", "cividis", "[red]x[/b]", "[/]",
    "\x1b[2J\x1b]0;x\x07", "é",
    "\udcff\udcfe", "a" * 300, "a" * 100_000, "../..", "~", "a\nb", "%s%n", "$(id)", "{0}", "☠",
    ".", "medium",
    "batched", "colour_blind", "640x360", "0x0", "1x1x1", "-1x5", "99999x99999", "1e3x2",
    "NAN=NAN", "A=1", "TRAILS=0", "TRAILS=7", "gl_X=1", "A=\\", "u_glow=1", "b:u_glow=2", "u_glow",
    "=", "b:=", "u_glow=nan",
)  # fmt: skip
# All lie in the folder of their own or where nobody can write: much is written to some of them.
PATHS = (
    "no/such", "a.toml", "a.st", "a.json", "folder", "pipe", "loop", "dangling", "null", "full",
    "zero", "stdin", "/proc/self/mem", "/proc/1/mem", "proc", "locked", "locked/file", "a.toml/x",
    "pipe/x", "n" * 300, "n/" * 3000, "\udcff.st", "[b]x[/b].st", "", "a b", "-x", "é.toml",
    "\x1b[31m.st", "spare", "new", "new/er/still", "link", ".", "..", "binary", "look",
)  # fmt: skip
LINKS = {
    "loop": "loop", "dangling": "no/such/target", "link": "a.toml", "null": "/dev/null",
    "full": "/dev/full", "zero": "/dev/zero", "stdin": "/dev/stdin", "proc": "/proc",
}  # fmt: skip
# What an accepted command is kept short with; click takes the last of each.
SHORT_TRAINING = (
    "--episodes", "1", "--steps", "5", "--selection-episodes", "1", "--batch", "8", "--no-progress",
)  # fmt: skip
SHORT_PICTURE = ("--headless", "--frames", "1", "--size", "64x48", "--grid", "4")
CLASSES = ("config", "viewer", "train", "evaluate", "shaders", "benchmark", "garbage")


def _options(command: click.Command) -> list[click.Option]:
    kept = ("--help", "--jobs")
    return [
        p for p in command.params if isinstance(p, click.Option) and not set(kept) & set(p.opts)
    ]


def _some_options(
    random_: random.Random, command: click.Command, least: int = 1, without: Iterable[str] = ()
) -> list[str]:
    """Options with values that suit them or do not."""
    given: list[str] = []
    options = [o for o in _options(command) if not set(without) & set(o.opts)]
    for _ in range(random_.randint(least, 3)):
        option = random_.choice(options)
        flags = [*option.opts, *option.secondary_opts]
        given.append(random_.choice(flags))
        if not option.is_flag:
            given.append(_value(random_, option.type.name))
    return given


def _value(random_: random.Random, type_: str) -> str:
    """A valid value in half of the cases: of several bad ones only the first would be checked."""
    sane = {"integer": ("1", "2", "7"), "float": ("0.5", "1", "0.01")}
    if type_ in sane and random_.random() < 0.5:
        return random_.choice(sane[type_])
    likely = {"integer": NUMBERS, "float": NUMBERS, "text": WORDS}.get(type_, PATHS)
    pool = likely if random_.random() < 0.75 else random_.choice([NUMBERS, WORDS, PATHS])
    return random_.choice(pool)


def command_line(random_: random.Random, kind: str) -> list[str]:
    """The arguments of an odd command line of that class."""
    from calf_viz.cli.main import calf_viz
    from calf_viz.training.config import TrainingConfig  # noqa: F401  (its options)

    commands = calf_viz.commands
    path = random_.choice(PATHS)
    if kind == "config":
        return ["config", *_some_options(random_, commands["config"])]
    if kind == "viewer":
        without = ("--train", "--profile", "--frames", "--screenshot", "--watch")
        return [*_some_options(random_, calf_viz, 1, without), *SHORT_PICTURE]
    if kind == "train":
        line = ["train"]
        if random_.random() < 0.5:
            line += _some_options(random_, commands["train"])
        line += [random_.choice(["--output", "--output", "--runs", "--resume", "--config"]), path]
        system = ["--system", "point_mass"] if random_.random() < 0.8 else []
        return [*line, *system, *SHORT_TRAINING]
    if kind == "evaluate":
        line = ["evaluate"]
        if random_.random() < 0.5:
            line += _some_options(random_, commands["evaluate"])
        line += ["--system", random_.choice(["point_mass", "x", "differential_drive"])]
        checkpoint = ["--checkpoint", path] if random_.random() < 0.8 else []
        return [*line, *checkpoint, "--episodes", random_.choice(["1", "1", "0", "10000000000"])]
    if kind == "shaders":
        command = random_.choice(["list", "new", "check", "lst"])
        more = [random_.choice(WORDS)] if random_.random() < 0.3 else []
        return ["shaders", command, path, *more]
    if kind == "benchmark":
        line = ["benchmark", *_some_options(random_, commands["benchmark"], 1, ("--seeds",))]
        return [*line, "--output", path, "--seeds", random_.choice(["0", "-1", "nan", "1e9", "x"])]
    words = [*WORDS, *PATHS, "--help", "--version", "train", "config", "--no-such", "-q", "--seed="]
    return [random_.choice(words) for _ in range(random_.randint(1, 4))] + ["--no-such-option"]


def command_lines(seed: int, only: Iterable[str] = ()) -> Iterator[tuple[str, list[str]]]:
    """An endless sequence of (class, arguments), determined by the seed."""
    names = list(only) or list(CLASSES)
    random_ = random.Random(seed)
    for number in numbers():
        kind = names[number % len(names)]
        yield kind, command_line(random_, kind)


def _furnish(folder: Path) -> None:
    """Create what the paths refer to."""
    (folder / "a.toml").write_text("[visualization]\nseed = 3\n")
    (folder / "a.json").write_text("{}")
    (folder / "a.st").write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    (folder / "binary").write_bytes(bytes(range(256)))
    (folder / "folder").mkdir()
    (folder / "look").mkdir()
    (folder / "look" / "surface_colour.glsl").write_text("broken\n")
    os.mkfifo(folder / "pipe")
    for name, target in LINKS.items():
        (folder / name).symlink_to(target)
    (folder / "locked").mkdir(mode=0)
    (folder / "spare").touch()


def _try(limit: float, asked: dict[str, Any]) -> dict[str, Any]:
    """In the child: a command line in a fork."""
    arguments = [text.encode("utf-8", "surrogateescape") for text in asked["arguments"]]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as outermost:
        folder = Path(outermost, "a", "b")  # for paths that lead upwards
        folder.mkdir(parents=True)
        _furnish(folder)
        with tempfile.TemporaryFile() as stderr:
            pid = os.fork()
            if pid == 0:
                _run([os.fsdecode(a) for a in arguments], folder, stderr.fileno())
            code, memory = _wait(pid, limit)
            stderr.seek(0)
            said = stderr.read().decode("utf-8", "surrogateescape")
    if code is None:
        return asdict(Verdict("HANG", f"not done after {limit:.0f} s: {said[-500:]}"))
    verdict = judged(code, said)
    if memory > MOST_MEMORY and verdict.survived:
        verdict = Verdict("MEMORY", f"{memory:,} bytes")
    verdict.said = verdict.said.encode("utf-8", "backslashreplace").decode()
    return asdict(verdict)


def _run(arguments: list[str], folder: Path, stderr: int) -> NoReturn:
    """In the fork: what `calf-viz` runs."""
    code = 70
    try:
        os.setsid()
        os.chdir(folder)
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, 0)
        os.dup2(nowhere, 1)
        os.dup2(stderr, 2)
        os.environ.pop("DISPLAY", None)
        sys.argv = ["calf-viz", *arguments]
        sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
        from calf_viz.cli.main import main as calf_viz

        calf_viz()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 1
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _wait(pid: int, limit: float) -> tuple[int | None, int]:
    """(exit code, or minus the signal, or None where it did not end; bytes it had in memory)."""
    until = time.monotonic() + limit
    while True:
        done, status, used = os.wait4(pid, os.WNOHANG)
        if done:
            with suppress(ProcessLookupError):  # what it started, if anything
                os.killpg(pid, signal.SIGKILL)
            return os.waitstatus_to_exitcode(status), 1024 * used.ru_maxrss
        if time.monotonic() > until:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            os.kill(pid, signal.SIGKILL)
            os.wait4(pid, 0)
            return None, 0
        time.sleep(0.01)


def serve(limit: float) -> None:
    """The child."""
    import calf_viz.cli.main
    import calf_viz.viewer.app  # noqa: F401

    resource.setrlimit(resource.RLIMIT_AS, (2**34, 2**34))  # the machine stays usable
    fuzzing.serve(partial(_try, limit))


class Child(fuzzing.Child):
    """A process that runs command lines, and is started again where one ends it."""

    def __init__(self, limit: float = LIMIT) -> None:
        # By itself it tells of what does not end; the parent waits only for what ends the child.
        command, environment = script_child(__file__, "--serve", str(limit))
        super().__init__(command, 2 * limit + 60, environment)

    def try_(self, arguments: list[str]) -> Verdict:
        """The verdict, even if the child dies or hangs."""
        return self.ask({"arguments": arguments}).verdict


def verdicts(
    seed: int, limit: float, rounds: Iterable[int], only: Iterable[str] = ()
) -> Iterator[tuple[str, list[str], Verdict]]:
    """Class, arguments and verdict for each of the rounds."""
    child = Child(limit)
    try:
        for _, (kind, line) in zip(rounds, command_lines(seed, only), strict=False):
            yield kind, line, child.try_(line)
    finally:
        child.close()


@click.command(help=(__doc__ or "").splitlines()[0])
@fuzzing.options(600, "command lines", CLASSES, LIMIT)
@click.option("--serve", "served", type=float, hidden=True)
def main(count: int, seed: int, only: tuple[str, ...], limit: float, served: float | None) -> int:
    if served is not None:
        serve(served)
        return 0

    def tries(rounds: Iterable[int]) -> Iterator[tuple[str, str, Verdict]]:
        for kind, line, verdict in verdicts(seed, limit, rounds, only):
            yield kind, f"{[text[:80] for text in line]!a}", verdict

    return fuzzing.campaign("command lines", count, seed, tries)


if __name__ == "__main__":
    run_command(main, "fuzz_commands", "fuzz_commands: ")
