"""The kinds of files that the program reads, valid ones, and what else may be in a file's place."""

from __future__ import annotations

import atexit
import io
import json
import os
import random
import shutil
import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from damages import ANY, SAFETENSORS, TEXT, TOML, cell, json_text, json_value, value, word

from calf_viz.heightfield import Grid

SPARSE = 2**30


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


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        name: the file's name, in a folder for its kind.
        damages: functions that damage its bytes.
        read: reads the file at a path as the program does, and raises what the program raises.
        command: arguments of calf-viz, or a tool with its arguments, that read it; None for files
            that are not the user's, which are never replaced by something else.
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
    from calf_viz.sources.attached import Attached
    from calf_viz.sources.trainer_board import TrainerBoard
    from calf_viz.viewer.feed import Feed

    board = TrainerBoard.map(path)
    board.snapshot(0)
    board.steps_since(0)
    board.episodes_since(0)
    str(board.error)
    feed = Feed(Attached(path))
    feed.steps()
    feed.surface()


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
        "metrics.csv", (*TEXT, *(cell,) * 6), _read_run, lambda p: [*_GO_ON, str(p.parent)]
    ),
    "config": Kind("a.toml", TOML, _read_config, lambda p: ["config", "--config", str(p)]),
    "look": Kind("look.toml", TOML, _read_look, lambda p: ["shaders", "list", str(p.parent)]),
    "shader": Kind(
        "surface_colour.glsl", (*TEXT, value), _read_shader,
        lambda p: ["shaders", "list", str(p.parent)],
    ),
    "profile": Kind(
        "one.json", (*TEXT, *(json_value,) * 6, json_text, value), _read_profile,
        lambda p: ["compare_profiles", str(p), str(p.with_name("other.json")), "--force"],
    ),
    "board": Kind("board", (*ANY, *(word,) * 6), _read_board),
}  # fmt: skip


@cache
def bases() -> Path:
    """A folder with a subfolder for each kind, with an intact file and whatever is read with it."""
    folder = Path(tempfile.mkdtemp(prefix="calf_viz-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with redirect_stdout(io.StringIO()):
        _make_bases(folder)
    return folder


def _make_bases(root: Path) -> None:
    import numpy as np

    from calf_viz.agent.checkpoint import shipped
    from calf_viz.agent.system_view import view_of
    from calf_viz.glsl.shipped_shaders import shader_folder
    from calf_viz.sources.trainer_board import TrainerBoard
    from calf_viz.systems import get
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
    grid = Grid((5, 5), (-5.0, -5.0), (5.0, 5.0))
    with patch.dict(os.environ, CALF_BOARDS=str(root / "board")):
        board = TrainerBoard.make("fuzz", view_of(get("point_mass")), grid, 10)
    board.publish_agent(3, 0.5, np.zeros(25, np.float32), np.ones(10, np.float32))
    board.add_step(0, 0, 1, 0.5, -0.5, 0.0, -3.0, -4.0, -0.2, -1.5, 1)
    board.add_episode(0, 1, -1.5, False, 0, 1, 0, 0.5)
    os.replace(board.path, root / "board" / KINDS["board"].name)


def _profile() -> dict[str, Any]:
    """A profile of a few frames, as `calf-viz --profile` writes it."""
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
