"""Broken files of every kind that the program reads: what must not break it.

    python tools/fuzz_files.py [--count 3000] [--seed 0] [--only CLASS] [--limit 60]

Each mutant is a file that the program wrote, damaged at random, or something else in its place: a
link, a pipe, a device, a folder, gigabytes of nothing. It is read as the commands read it: most in
a child process that calls what they call, every `SHARE`-th by the command itself. A mutant is
survived if it was accepted, or refused in one line. Otherwise it was a TRACEBACK (anything else
raised, or said in more than a line), a CRASH, a HANG, or took more MEMORY than `MOST_MEMORY`; the
exit code is 1 if there was any of these.
"""

from __future__ import annotations

import atexit
import base64
import copy
import io
import json
import os
import random
import re
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, field
from functools import cache, partial
from itertools import count as numbers
from pathlib import Path
from typing import Any

import click
import fuzzing
from fuzzing import Verdict, is_line, judged

from calf_viz.children import python_child, script_child
from calf_viz.errors import UserError
from calf_viz.heightfield import Grid
from calf_viz.run_command import run_command

LIMIT = 60.0
"""Seconds that a mutant may take; a child that starts takes some of the first one's."""
MOST_MEMORY = 2**29
"""Bytes that reading a mutant may take at once."""
SHARE = 40
"""Of so many mutants one is given to the command itself."""
SPARSE = 2**30
TOOLS = Path(__file__).parent


@dataclass(frozen=True)
class Mutant:
    """What stands in a file's place.

    Attributes:
        kind: of file; a name in KINDS.
        damage: what was done to it.
        what: `bytes`, or what else stands there; a name in PLACES.
        data: the bytes, if it is these.
    """

    kind: str
    damage: str
    what: str = "bytes"
    data: bytes = b""


# Damages of any bytes


def _flip(random_: random.Random, data: bytes) -> bytes:
    """Bits flipped."""
    out = bytearray(data or b"\0")
    for _ in range(random_.choice([1, 1, 3, 30])):
        out[random_.randrange(len(out))] ^= 1 << random_.randrange(8)
    return bytes(out)


def _half(random_: random.Random, data: bytes) -> bytes:
    """As far as it was written."""
    return data[: random_.randrange(len(data) + 1)]


def _garbage(random_: random.Random, data: bytes) -> bytes:
    """Random bytes somewhere."""
    at = random_.randrange(len(data) + 1)
    return data[:at] + random_.randbytes(random_.randint(1, 300)) + data[at:]


def _cut_out(random_: random.Random, data: bytes) -> bytes:
    """A part left out, or twice."""
    a, b = sorted(random_.randrange(len(data) + 1) for _ in range(2))
    return data[:a] + data[b:] if random_.random() < 0.5 else data[:b] + data[a:]


def _nothing(random_: random.Random, data: bytes) -> bytes:
    """Nothing, or next to it."""
    return random_.choice(
        [b"", b"\n", b"\0", b"\xef\xbb\xbf", b" " * 70000, b"\x80\x04N.", b"PK\3\4"]
    )


def _zeros(random_: random.Random, data: bytes) -> bytes:
    """Zero bytes."""
    at = random_.randrange(len(data) + 1)
    return data[:at] + b"\0" * random_.choice([1, 8, 4096]) + data[at:]


def _large(random_: random.Random, data: bytes) -> bytes:
    """Megabytes of one line."""
    at = random_.randrange(len(data) + 1)
    return (
        data[:at] + random_.choice([b"a", b"[", b"1", b'"', b"{", b"a.", b"#"]) * 2**21 + data[at:]
    )


# Damages of texts

ODD_NUMBERS = (
    "0", "-1", "1e400", "-1e-400", "nan", "inf", "-inf", "NaN", "Infinity", "1" * 5000, "0x7f",
    "1_0", "9223372036854775808", "-9223372036854775809", "1e308", "0.1", "007", "true",
    "1.0", "10000000000",
)  # fmt: skip
ODD_VALUES = (
    *ODD_NUMBERS, '""', '"x"', '"\\u0000"', '"\\ud800"', "[]", "{}", "null", "[[[[[[[[]]]]]]]]",
    '"' + "a" * 100_000 + '"', "[" * 5000 + "]" * 5000, "[1, [2]]", '{a = 1}', '{"a": 1}', "'",
    '"[red]x[/b]"', '"\\u001b[2J"', "1979-05-27", "[" + "1," * 3000 + "1]", '"../../etc"',
)  # fmt: skip


def _encoded(random_: random.Random, data: bytes) -> bytes:
    """Another encoding."""
    text = data.decode("utf-8", "replace")
    encoding = random_.choice(["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "latin-1", "cp037"])
    return text.encode(encoding, "replace")


def _value(random_: random.Random, data: bytes) -> bytes:
    """A value for a strange one."""
    found = list(re.finditer(rb'(?<=[=:,\[])\s*("[^"]*"|[\w.+-]+|\[\])', data))
    if not found:
        return _garbage(random_, data)
    at = random_.choice(found)
    return data[: at.start(1)] + random_.choice(ODD_VALUES).encode() + data[at.end(1) :]


def _line(random_: random.Random, data: bytes) -> bytes:
    """A line less, twice, or elsewhere."""
    lines = data.splitlines(keepends=True) or [b""]
    line = lines.pop(random_.randrange(len(lines)))
    for _ in range(random_.randrange(3)):
        lines.insert(random_.randrange(len(lines) + 1), line)
    return b"".join(lines)


def _toml(random_: random.Random, data: bytes) -> bytes:
    """A line more."""
    more = random_.choice([
        "[a", "a =", "= 1", "a = 1\na = 2", "[training]\n[training]", "training = 3",
        "[[training]]",
        "values = 3", "[values]\nx = 1", "seed = " + "[" * 5000, "a.b.c = 1", "a." * 3000 + "a = 1",
        '"\\u0000" = 1', "seed = 0x" + "f" * 5000, "background = 3", 'colour_map = ["#12", 3]',
        "colour_map = " + '["#123456"' + ', "#123456"' * 5000 + "]", "'''", 'a = """', "\x00", "\r",
        "[visualization]\nsize = [1e9, 1]", "x = " + "9" * 5000, "x = {" * 500, "é = 1",
    ])  # fmt: skip
    lines = data.splitlines(keepends=True)
    lines.insert(random_.randrange(len(lines) + 1), more.encode() + b"\n")
    return b"".join(lines)


def _cell(random_: random.Random, data: bytes) -> bytes:
    """A cell of the table for another."""
    cells = re.split(rb"([,\n])", data)
    odd = random_.choice([*ODD_NUMBERS, "", "a", '"', '"\n"', ",,,", "\0", "é", "1" * 100_000])
    cells[2 * random_.randrange((len(cells) + 1) // 2)] = odd.encode()
    return b"".join(cells)


def _json_node(random_: random.Random, root: Any) -> Any:
    """JSON with one of its values, or keys, for another."""
    root = copy.deepcopy(root)
    holders = [(None, None)]
    waiting: list[Any] = [root]
    while waiting:
        node = waiting.pop()
        keys: Iterable[Any] = ()
        if isinstance(node, dict):
            keys = node
        elif isinstance(node, list):
            keys = range(min(len(node), 5))
        for key in keys:
            holders.append((node, key))
            waiting.append(node[key])
    holder, key = random_.choice(holders)
    odd: Any = random_.choice([
        None, True, False, 0, -1, 7, 2**31, 2**63, 2**70, -(2**63) - 1, 1e308, float("nan"),
        float("inf"), 0.5, "", "x", "\0", "\ud800", "a" * 100_000, [], {}, [1], {"a": 1}, [[]],
        [0] * 3000, 10**4500,
    ])  # fmt: skip
    if holder is None:
        return odd
    if isinstance(holder, dict) and random_.random() < 0.3:
        value = holder.pop(key)
        if random_.random() < 0.5:
            holder[random_.choice(["", "x", "\0", "a" * 1000, f"{key} "])] = value
    else:
        holder[key] = odd
    return root


def _dumped(value: Any) -> str:
    """As JSON, with integers of any size."""
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        return json.dumps(value)
    finally:
        sys.set_int_max_str_digits(limit)


def _json(random_: random.Random, data: bytes) -> bytes:
    """A value or a key for another."""
    return _dumped(_json_node(random_, json.loads(data))).encode("utf-8", "surrogatepass")


def _json_text(random_: random.Random, data: bytes) -> bytes:
    """A key twice, or brackets without end."""
    text = data.decode()
    return random_.choice([
        "[" * 100_000, '{"a":' * 100_000, text.replace("{", '{"kind": 1, ', 1),
        text[:-2] + ', "kind": 2}',
        text.replace("[", "[[", 1), text + text, text.replace(":", ":" + "[" * 3000, 1),
    ]).encode()  # fmt: skip


def _header(random_: random.Random, data: bytes) -> bytes:
    """Its header's JSON otherwise, with the length and digest that this has."""
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    if random_.random() < 0.6:
        metadata = header["__metadata__"]
        metadata["calf_viz"] = _dumped(_json_node(random_, json.loads(metadata["calf_viz"])))
    else:
        header = _json_node(random_, header)
    text = _dumped(header).encode("utf-8", "surrogatepass")
    return _signed(struct.pack("<Q", len(text)) + text + data[8 + length :])


def _length(random_: random.Random, data: bytes) -> bytes:
    """Another length of the header."""
    length = random_.choice([0, 1, 8, len(data), 2**20, 2**31, 2**63, 2**64 - 1, len(data) - 8])
    return struct.pack("<Q", length) + data[8:]


def _numbers(random_: random.Random, data: bytes) -> bytes:
    """Numbers behind the header that no network has, with their digest."""
    out = bytearray(data)
    start = 8 + struct.unpack("<Q", data[:8])[0]
    odd = random_.choice([float("nan"), float("inf"), -3e38, 1e-45])
    for _ in range(random_.choice([1, 5, 100])):
        at = start + 4 * random_.randrange((len(data) - start) // 4)
        out[at : at + 4] = struct.pack("<f", odd)
    return _signed(bytes(out))


def _signed(data: bytes) -> bytes:
    """With the digest of what is there now, or nothing behind that would be looked at."""
    from calf_viz.agent.checkpoint import sign

    return sign(data)


def _word(random_: random.Random, data: bytes) -> bytes:
    """A word of the board's header for another."""
    odd = random_.choice([0, 1, -1, 2**31, 2**62, -(2**63), 5, 4096, 10**6])
    at = 8 * random_.randrange(16)
    return data[:at] + struct.pack("<q", odd) + data[at + 8 :]


ANY = (_flip, _half, _garbage, _cut_out, _nothing, _zeros, _large)
TEXT = (*ANY, _encoded, _line)
TOML = (*TEXT, _value, _value, _toml, _toml)
SAFETENSORS = (_flip, _half, _garbage, _nothing, _large, *(_header,) * 6, _length, _numbers)


# What else may stand in a file's place


def _link(target: str) -> Callable[[Path, Path], None]:
    return lambda path, _: path.symlink_to(target)


def _sparse(path: Path, _: Path) -> None:
    with path.open("wb") as file:
        file.truncate(SPARSE)


def _sparse_behind(path: Path, base: Path) -> None:
    shutil.copyfile(base, path)
    os.truncate(path, SPARSE)


def _no_permission(path: Path, base: Path) -> None:
    shutil.copyfile(base, path)
    path.chmod(0)


PLACES: dict[str, Callable[[Path, Path], None]] = {
    "nothing there": lambda path, _: None,
    "a folder": lambda path, _: path.mkdir(),
    "a pipe": lambda path, _: os.mkfifo(path),
    "a link to itself": lambda path, _: path.symlink_to(path.name),
    "a link to nothing": _link("/no/such/file"),
    "a link to a folder": _link("/"),
    "a link to /dev/zero": _link("/dev/zero"),
    "a link to /dev/full": _link("/dev/full"),
    "a link to /proc/self/mem": _link("/proc/self/mem"),
    "a link to /dev/stdin": _link("/dev/stdin"),
    "a link to the file": lambda path, base: path.symlink_to(base),
    "a gigabyte of nothing": _sparse,
    "a gigabyte behind it": _sparse_behind,
    "no permission": _no_permission,
}


# Kinds of files


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        name: of the file, in a folder of its kind's.
        damages: of its bytes.
        read: reads the file as the program does. Path: the file; raises what the program raises.
        command: arguments of calf-viz, or a tool and its, that read it; None for what is no file of
            the user's, so that nothing else stands in its place.
    """

    name: str
    damages: tuple[Callable[[random.Random, bytes], bytes], ...]
    read: Callable[[Path], object]
    command: Callable[[Path], list[str]] | None = None
    data: dict[str, bytes] = field(default_factory=dict, hash=False)


def _read_checkpoint(path: Path) -> None:
    from calf_viz.training.train import evaluate

    evaluate("point_mass", path, episodes=1)


def _read_resume(path: Path) -> None:
    from calf_viz.training import resume

    resume.load(path)


def _read_run(path: Path) -> None:
    from calf_viz.training.run import Run

    folder = path.parent.parent if path.suffix == ".resume" else path.parent
    run, _ = Run.open(folder)
    run.close()


def _read_config(path: Path) -> None:
    from calf_viz.viewer.app_config import AppConfig

    AppConfig.load(path, None).text()


def _read_look(path: Path) -> None:
    from calf_viz.glsl.library import ShaderLibrary
    from calf_viz.workbench.check import find_controls
    from calf_viz.workbench.look_file import read_look

    controls, _ = find_controls(ShaderLibrary(path.parent))
    read_look(path).parsed(controls)


def _read_profile(path: Path) -> None:
    from calf_viz import compare_results

    compare_results(path, path.with_name("other.json"), force=True)


def _read_shader(path: Path) -> None:
    from calf_viz.glsl.library import ShaderLibrary
    from calf_viz.glsl.programs import LOOK, load_program

    for program in LOOK:
        load_program(ShaderLibrary(path.parent), program)


def _read_board(path: Path) -> None:
    from calf_viz.sources.board import Board

    with path.open("r+b") as file:
        board = Board(file.fileno())
        board.snapshot(0)
        board.samples(0)
        board.episodes(0)
        str(board.error)


_GO_ON = ["train", "--episodes", "1", "--no-progress", "--resume"]
KINDS: dict[str, Kind] = {
    "checkpoint": Kind(
        "agent.safetensors", SAFETENSORS, _read_checkpoint,
        lambda p: ["evaluate", "--system", "point_mass", "--episodes", "1", "--checkpoint", str(p)],
    ),
    "resume": Kind(
        "a.st.resume", SAFETENSORS, _read_resume,
        lambda p: [*_GO_ON, str(p.with_suffix(""))],
    ),
    "run": Kind(
        "checkpoints/000001.resume", SAFETENSORS, _read_run,
        lambda p: [*_GO_ON, str(p.parent.parent)],
    ),
    "run_config": Kind("config.toml", TOML, _read_run, lambda p: [*_GO_ON, str(p.parent)]),
    "metrics": Kind(
        "metrics.csv", (*TEXT, *(_cell,) * 6), _read_run, lambda p: [*_GO_ON, str(p.parent)]
    ),
    "config": Kind("a.toml", TOML, _read_config, lambda p: ["config", "--config", str(p)]),
    "look": Kind("look.toml", TOML, _read_look, lambda p: ["shaders", "list", str(p.parent)]),
    "shader": Kind(
        "surface_colour.glsl", (*TEXT, _value), _read_shader,
        lambda p: ["shaders", "list", str(p.parent)],
    ),
    "profile": Kind(
        "one.json", (*TEXT, *(_json,) * 6, _json_text, _value), _read_profile,
        lambda p: ["compare_profiles", str(p), str(p.with_name("other.json")), "--force"],
    ),
    "board": Kind("board", (*ANY, *(_word,) * 6), _read_board),
}  # fmt: skip


# The files as the program writes them


@cache
def bases() -> Path:
    """A folder with a folder for each kind, whose file is whole, and whatever is read beside it."""
    folder = Path(tempfile.mkdtemp(prefix="calf_viz-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with redirect_stdout(io.StringIO()):
        _make_bases(folder)
    return folder


def _make_bases(root: Path) -> None:
    import numpy as np

    from calf_viz.agent.checkpoint import shipped
    from calf_viz.glsl.shipped import shader_folder
    from calf_viz.sources.board import Board
    from calf_viz.training.train import train
    from calf_viz.viewer.app_config import AppConfig

    for name, kind in KINDS.items():
        (root / name / kind.name).parent.mkdir(parents=True, exist_ok=True)
    small: Any = {
        "preset": "quick", "episodes": 1, "steps": 20, "batch": 8, "replay": 100,
        "selection_episodes": 1, "progress": False,
    }  # fmt: skip
    train("point_mass", runs=root / "runs", **small)
    (run,) = (path for path in (root / "runs").iterdir() if not path.name.startswith("."))
    for name in ("run", "run_config", "metrics"):
        shutil.copytree(run, root / name, dirs_exist_ok=True)
    shutil.copyfile(run / KINDS["run"].name, root / "resume" / KINDS["resume"].name)
    shutil.copyfile(shipped("point_mass"), root / "checkpoint" / KINDS["checkpoint"].name)
    (root / "config" / KINDS["config"].name).write_text(AppConfig.from_preset("medium").text())
    topographic = shader_folder() / "looks" / "topographic"
    for name in ("look", "shader"):
        shutil.copytree(topographic, root / name, dirs_exist_ok=True)
    look = root / "look" / KINDS["look"].name
    look.write_text(look.read_text() + "\n[values]\nu_relief = 1.5\n")
    for name in ("one.json", "other.json"):
        (root / "profile" / name).write_text(json.dumps(_profile()))
    board = Board.create(Grid((5, 5), (-5.0, -5.0), (5.0, 5.0)), 10)
    board.publish(3, 0.5, np.zeros(25, np.float32), np.ones(10, np.float32))
    size = os.fstat(board.descriptor).st_size
    (root / "board" / KINDS["board"].name).write_bytes(os.pread(board.descriptor, size, 0))


def _profile() -> dict[str, Any]:
    """As `calf-viz --profile` writes it, of a few frames."""
    frames = [4.0 + 0.1 * (i % 7) for i in range(40)]
    run = {
        "start_s": [0.005 * i for i in range(40)],
        "frame_ms": frames,
        "sections_ms": {"draw": [0.9 * x for x in frames]},
        "own_ms": {"draw": [0.9 * x for x in frames]},
        "counters": {"draws": [2] * 40},
        "gpu_ms": None,
        "resources": {"seconds": [0.0, 0.1], "cpu_seconds": [0.0, 0.1], "memory_bytes": [1e8, 1e8]},
    }
    machine = {
        "cpu": "Some CPU", "cores": 4, "memory_mb": 8000, "os": "Linux", "gl_renderer": "llvmpipe",
        "gl_version": "4.5", "python": "3.11.7", "packages": {"numpy": "2.0.0"},
    }  # fmt: skip
    configuration = {
        "system": "point_mass", "n_agents": 20, "size": [1280, 720], "renderer": "gpu",
        "trail_length": 600,
    }  # fmt: skip
    return {
        "kind": "calf_viz profile", "schema": 1, "created": "2026-01-01T00:00:00", "reported": 1,
        "program": "calf_viz", "machine": machine, "configuration": configuration, "summary": {},
        "runs": [run, run, run],
    }  # fmt: skip


def mutants(seed: int, only: Iterable[str] = ()) -> Iterator[Mutant]:
    """Mutants without end, the same for each seed as long as the files are."""
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
            data = _flip(random_, data)
        yield Mutant(name, (damage.__doc__ or "").rstrip("."), "bytes", data)


def place(mutant: Mutant, folder: Path, whole: Path) -> Path:
    """Put a mutant into a folder, beside what is read with it; the file's path."""
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
    """Bytes that this process has in memory, or had at most since it was asked without `peak`."""
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
        """The verdict, whatever becomes of the child."""
        data = base64.b64encode(mutant.data).decode("ascii")
        return self.ask({**asdict(mutant), "data": data}).verdict


def by_command(mutant: Mutant, limit: float = LIMIT) -> Verdict:
    """The verdict where the command itself reads the mutant."""
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
    """The verdict of a command, by how it ends and by what it says on stderr."""
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
