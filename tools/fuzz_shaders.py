"""Fuzzes the program with broken shaders, swapped in while frames are drawn.

    python tools/fuzz_shaders.py [--count 1000] [--of damaged|hostile] [--seed 0]
                                 [--host panda|moderngl] [--patience 10] [--limit 120]

Each mutant is a shipped shader saved into an overlay, either damaged at random or hostile, of a
kind that crashes drivers (`hostile_shaders.py`). Then, as when a file is saved, the shaders are
rebuilt, two frames are drawn, the file is removed, and the shaders are rebuilt once more. A mutant
passes if there was no crash and no OpenGL error, if the last good picture stayed while there was a
problem, and if the first picture came back exactly. Mutants run in a child process with a time
limit, whose shaders are tried in a child of its own, as the program's are; one that does not end in
time is reported as such, and does not pass.
"""

from __future__ import annotations

import base64
import os
import random
import re
import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
import fuzzing
import hostile_shaders
import numpy as np
from OpenGL.raw.GL.VERSION.GL_1_0 import glGetError

from calf_viz.children import script_child
from calf_viz.console import say, tracked
from calf_viz.glsl.shipped_shaders import shader_folder, shipped_files
from calf_viz.run_command import run_command
from calf_viz.samples import Samples
from calf_viz.shader_trial import PATIENCE
from calf_viz.view import View

HOSTS = ("panda", "moderngl")
OF = ("damaged", "hostile")
LIMIT = 120.0
"""Seconds that a mutant may take; the first one's include the start of the child."""
DESCRIPTIONS = {
    "the driver crashed": "a crash", "the driver did not finish": "no end", "would take": "no end",
}  # fmt: skip
"""Words in a notice when a trial failed."""
TOKEN = re.compile(rb"[A-Za-z_]\w*|\d+\.?\d*|\S")


@dataclass(frozen=True)
class Mutant:
    """A file: its name, what was done to it, its bytes; `beside` and `instead` as of `Hostile`."""

    name: str
    damage: str
    data: bytes
    beside: dict[str, bytes] = field(default_factory=dict)
    instead: str = ""

    @property
    def line(self) -> dict[str, Any]:
        """As JSON has it."""
        files = {name: _text(data) for name, data in self.beside.items()}
        return {**vars(self), "data": _text(self.data), "beside": files}

    @classmethod
    def of_line(cls, said: dict[str, Any]) -> Mutant:
        files = {name: base64.b64decode(text) for name, text in said["beside"].items()}
        return cls(**{**said, "data": base64.b64decode(said["data"]), "beside": files})

    def save(self, folder: Path) -> None:
        """Put it into an overlay."""
        path = folder / self.name
        for name, data in {**self.beside, self.name: self.data}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        if self.instead:
            path.unlink()
        if self.instead == "pipe":
            os.mkfifo(path)
        elif self.instead == "device":
            path.symlink_to("/dev/zero")
        elif self.instead == "folder":
            path.mkdir()
        elif self.instead == "gigabytes":
            with path.open("wb") as file:
                file.truncate(2**32)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _lines(random_: random.Random, data: bytes) -> bytes:
    """Without some lines."""
    lines = data.splitlines(keepends=True)
    for _ in range(random_.randint(1, 3)):
        if lines:
            del lines[random_.randrange(len(lines))]
    return b"".join(lines)


def _twice(random_: random.Random, data: bytes) -> bytes:
    """A line twice."""
    lines = data.splitlines(keepends=True)
    at = random_.randrange(len(lines))
    return b"".join([*lines[:at], lines[at], *lines[at:]])


def _swap(random_: random.Random, data: bytes) -> bytes:
    """Two tokens swapped."""
    tokens = list(TOKEN.finditer(data))
    a, b = sorted(random_.sample(tokens, 2), key=lambda token: token.start())
    return b"".join([data[: a.start()], b[0], data[a.end() : b.start()], a[0], data[b.end() :]])


def _replace(random_: random.Random, data: bytes) -> bytes:
    """A token replaced by another of the file."""
    tokens = list(TOKEN.finditer(data))
    at, other = random_.choice(tokens), random_.choice(tokens)
    return data[: at.start()] + other[0] + data[at.end() :]


def _delete(random_: random.Random, data: bytes) -> bytes:
    """Without a token."""
    at = random_.choice(list(TOKEN.finditer(data)))
    return data[: at.start()] + data[at.end() :]


def _number(random_: random.Random, data: bytes) -> bytes:
    """A number replaced by a strange one."""
    numbers = list(re.finditer(rb"\b\d+\.?\d*\b", data))
    if not numbers:
        return _delete(random_, data)
    at = random_.choice(numbers)
    strange = random_.choice(
        [b"0", b"-1", b"1e38", b"2147483647", b"0.0/0.0", b"1.", b"0x7fffffff"]
    )
    return data[: at.start()] + strange + data[at.end() :]


def _garbage(random_: random.Random, data: bytes) -> bytes:
    """Random bytes somewhere."""
    at = random_.randrange(len(data) + 1)
    return data[:at] + random_.randbytes(random_.randint(1, 200)) + data[at:]


def _invalid(random_: random.Random, data: bytes) -> bytes:
    """An invalid UTF-8 byte."""
    at = random_.randrange(len(data) + 1)
    return data[:at] + random_.choice([b"\xff", b"\xc3", b"\xed\xa0\x80", b"\0"]) + data[at:]


def _long(random_: random.Random, data: bytes) -> bytes:
    """A line of a megabyte, in a comment or in the code."""
    start = random_.choice([b"\n//", b"\n", b"\nfloat x = "])
    at = random_.randrange(len(data) + 1)
    return data[:at] + start + random_.choice([b"x", b"(", b"1+"]) * 2**20 + data[at:]


def _cycle(random_: random.Random, data: bytes) -> bytes:
    """An include of some file, often one that includes this one."""
    name = random_.choice([*shipped_files(), "field.frag", "no/such.glsl", "../field.vert", "."])
    lines = data.splitlines(keepends=True)
    lines.insert(random_.randrange(len(lines) + 1), f'#include "{name}"\n'.encode())
    return b"".join(lines)


def _half(random_: random.Random, data: bytes) -> bytes:
    """A partly written file."""
    return data[: random_.randrange(len(data))]


def _empty(random_: random.Random, data: bytes) -> bytes:
    """Nothing."""
    return random_.choice([b"", b"\n", b"\xef\xbb\xbf", b"// nothing"])


def _declare(random_: random.Random, data: bytes) -> bytes:
    """An additional uniform or macro."""
    more = random_.choice([
        b"uniform float u_x; // @slider 0..1", b"uniform float u_x; // @slider 1..0",
        b"uniform vec3 u_viewport;", b"uniform float u_x[1000];", b"uniform sampler2D u_s;",
        b"uniform bool u_b; // @toggle = on", b"uniform Block { vec4 u_v; };",
        b"uniform float u_x, u_y; // @slider 0..1", b"float x; uniform float u_x;", b"/* so",
        b"uniform int u_x; // @slider 0..3000000000", b"#define u_x uniform float u_y",
        b"#define float int", b"#define main nothing", b"#if 0", b"#endif", b"#error no",
        b"#version 150", b"#line 7", b"in vec4 a_new;", b"out vec4 o_new;",
        b"layout(location = 3) out vec4 o_more;", b"#extension GL_none : require",
    ])  # fmt: skip
    lines = data.splitlines(keepends=True)
    lines.insert(random_.randrange(len(lines) + 1), more + b"\n")
    return b"".join(lines)


DAMAGES: dict[str, Callable[[random.Random, bytes], bytes]] = {
    (damage.__doc__ or "").rstrip("."): damage
    for damage in (
        _lines, _twice, _swap, _replace, _delete, _number, _garbage, _invalid, _long, _cycle,
        _half, _empty, _declare,
    )
}  # fmt: skip


def files() -> list[str]:
    """The files that take part in the program's own picture."""
    rest = ("ring_copy", "difference", "box_filter", "swatch", "mesh_", "critic_", "lib/critic_")
    return [name for name in shipped_files() if not name.startswith(rest)]


def mutants(seed: int, of: str = OF[0]) -> Iterator[Mutant]:
    """An endless sequence of mutants, determined by the seed; each hostile kind in turn."""
    random_ = random.Random(seed)
    names, kinds = files(), list(DAMAGES)
    while of == "hostile":
        for name, make in hostile_shaders.KINDS.items():
            file = random_.choice([n for n in names if "/" not in n])
            hostile = make(random_, (shader_folder() / file).read_bytes())
            yield Mutant(file, name, hostile.data, hostile.beside, hostile.instead)
    while True:
        name, kind = random_.choice(names), random_.choice(kinds)
        data = (shader_folder() / name).read_bytes()
        yield Mutant(name, kind, DAMAGES[kind](random_, data))


@dataclass
class Verdict:
    """The result for a mutant: refused, drawn, or `crashed` or `endless`, set by the parent.

    Attributes:
        kept: the last good picture stayed, or the mutant was drawn.
        restored: the first picture came back exactly.
        errors: OpenGL errors that were reported.
    """

    outcome: str
    kept: bool = False
    restored: bool = False
    errors: tuple[str, ...] = ()
    said: str = ""

    @property
    def survived(self) -> bool:
        good = self.kept and self.restored and not self.errors
        return self.outcome in ("refused", "drawn") and good

    @property
    def description(self) -> str:
        """The outcome, with what would have happened without a trial."""
        for words, what in DESCRIPTIONS.items():
            if words in self.said:
                return f"{self.outcome}: {what}"
        return self.outcome


class Subject:
    """A host that draws, in the child."""

    def __init__(self, kind: str, overlay: Path, patience: float | None = None) -> None:
        """patience: seconds that a driver has for a mutant; without it, there is no trial."""
        from calf_viz.glsl.library import ShaderLibrary
        from calf_viz.heightfield import Heightfield, plane_nodes
        from calf_viz.hosts.setup import Setup
        from calf_viz.hud.overview import overview
        from calf_viz.scene.colours import colour_map
        from calf_viz.scene.scene import Scene
        from calf_viz.shader_trial.examiner import Examiner
        from calf_viz.shader_trial.trials import Trials
        from calf_viz.workbench.live import LiveShaders
        from calf_viz.workbench.look import AppliedLook

        if kind == "panda":
            from calf_viz.hosts.panda.offscreen import OffscreenHost as Kind
        else:
            from calf_viz.hosts.moderngl.host import ModernglHost as Kind  # type: ignore[assignment]
        lo, hi = (-5.0, -5.0), (5.0, 5.0)
        x, y = plane_nodes(lo, hi, 17, 17).T
        field = Heightfield((np.sin(x) * np.cos(y)).reshape(17, 17), lo, hi)
        scene = Scene(size=(320, 180), trail=40)
        library = ShaderLibrary(overlay)
        self.kind, self.overlay = kind, overlay
        self.host: Any = Kind(Setup(scene, colour_map("cividis"), 4, field, library))
        hud = overview(View("fuzz", modes=("a", "b", "c")))
        hud.update(step="1", agents="4")
        self.host.set_hud(hud)
        for step in range(60):
            turn = 0.1 * step + np.arange(4)
            positions = np.stack([3 * np.cos(turn), 3 * np.sin(turn)], axis=1)
            modes = np.full(4, step // 20, np.uint8)
            self.host.push(Samples(positions, modes, np.full(4, step in (0, 25))))
        trials = None if patience is None else Trials(Examiner("gpu", patience))
        self.live = LiveShaders(self.host, [AppliedLook(self.host)], trials)
        self.first = self.picture()

    def picture(self) -> np.ndarray:
        """A frame, without the notice, which would cover the last good picture."""
        self.host.hud.update(problem=None, problem_code=None)
        self.live.draw(self.host.draw)
        picture: np.ndarray = self.host.screenshot()
        return picture

    @staticmethod
    def errors(log: list[str]) -> tuple[str, ...]:
        """OpenGL errors since the last call: those pending, and those that Panda3D logged."""
        found = [line for line in log if "GL error" in line or "Assertion" in line]
        for _ in range(8):  # without a current context some drivers would never end
            if code := glGetError():
                found.append(f"OpenGL error {code:#x}")
        return tuple(found)

    def try_(self, mutant: Mutant) -> Verdict:
        """Save a mutant, draw with it, and remove it."""
        mutant.save(self.overlay)
        with _panda_log() as log:
            self.live.rebuild()
            tried = [self.picture() for _ in range(2)]
        refused = self.live.problem is not None
        kept = not refused or all(np.array_equal(p, self.first) for p in tried)
        said = str(self.live.problem or "")[:200]
        errors = self.errors(log)
        for path in self.overlay.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        with _panda_log() as log:
            self.live.rebuild()
            restored = np.array_equal(self.picture(), self.first) and self.live.problem is None
        errors += self.errors(log)
        return Verdict("refused" if refused else "drawn", kept, restored, errors, said)


@contextmanager
def _panda_log() -> Iterator[list[str]]:
    """Lines that Panda3D logs during the block, without those of compilers."""
    from panda3d.core import LineStream, Notify

    stream, lines = LineStream(), list[str]()
    Notify.ptr().set_ostream_ptr(stream, False)
    try:
        yield lines
    finally:
        Notify.ptr().set_ostream_ptr(None, False)
        while stream.is_text_available():
            lines.append(stream.get_line())


def serve(kind: str, patience: float) -> None:
    """The child: a mutant a line on stdin, a verdict a line on stdout."""
    with tempfile.TemporaryDirectory() as folder:
        subject = Subject(kind, Path(folder), patience)
        fuzzing.serve(lambda said: asdict(subject.try_(Mutant.of_line(said))))


class Child(fuzzing.Child):
    """A process that tries mutants, and is started again where one ends it."""

    def __init__(self, kind: str, limit: float = LIMIT, patience: float = PATIENCE) -> None:
        command, environment = script_child(__file__, "--serve", kind, "--patience", str(patience))
        super().__init__(command, limit, environment)

    def try_(self, mutant: Mutant) -> Verdict:
        """The verdict, even if the child dies or hangs."""
        answer = self.ask(mutant.line)
        said = answer.said
        if answer.ended:
            return Verdict(answer.ended, said=said["said"])
        return Verdict(**{**said, "errors": tuple(said["errors"])})


def verdicts(
    kind: str,
    seed: int,
    limit: float,
    rounds: Iterable[int],
    of: str = OF[0],
    patience: float = PATIENCE,
) -> Iterator[tuple[Mutant, Verdict]]:
    """A mutant and its verdict for each of the rounds, under a host of that kind."""
    child = Child(kind, limit, patience)
    try:
        for _, mutant in zip(rounds, mutants(seed, of), strict=False):
            yield mutant, child.try_(mutant)
    finally:
        child.close()


def tell(outcomes: dict[str, Counter[str]]) -> None:
    """Print a line for each kind of mutant, and one for all."""
    total = Counter[str]()
    for damage, counted in sorted(outcomes.items()):
        total += counted
        print(f"  {damage:50} {fuzzing.in_words(counted)}")
    print(f"  {'all':50} {fuzzing.in_words(total)}")


@click.command(help=(__doc__ or "").splitlines()[0])
@click.option("--count", default=1000, show_default=True, help="Mutants under each host.")
@click.option("--of", default=OF[0], type=click.Choice(OF), show_default=True, help="Which ones.")
@click.option("--seed", default=0, show_default=True, help="Decides the mutants.")
@click.option("--host", "hosts", multiple=True, type=click.Choice(HOSTS), help="[default: both]")
@click.option("--patience", default=PATIENCE, show_default=True, help="Seconds for a driver.")
@click.option("--limit", default=LIMIT, show_default=True, help="Seconds for each mutant.")
@click.option("--serve", "served", type=click.Choice(HOSTS), hidden=True)
def main(
    count: int,
    of: str,
    seed: int,
    hosts: tuple[str, ...],
    patience: float,
    limit: float,
    served: str | None,
) -> int:
    if served is not None:
        serve(served, patience)
        return 0
    good = True
    for kind in hosts or HOSTS:
        outcomes: dict[str, Counter[str]] = defaultdict(Counter)
        rounds = tracked(range(count), kind)
        for mutant, verdict in verdicts(kind, seed, limit, rounds, of, patience):
            outcome = verdict.description if verdict.survived else "NOT SURVIVED"
            outcomes[mutant.damage][outcome] += 1
            if not verdict.survived:
                good = False
                say(f"{kind}: {mutant.name} ({mutant.damage}): {verdict}")
        print(f"{kind}, {count} {of} mutants of seed {seed}:")
        tell(outcomes)
    return 0 if good else 1


if __name__ == "__main__":
    run_command(main, "fuzz_shaders", "fuzz_shaders: ")
