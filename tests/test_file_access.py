"""Users' paths are asked for and opened in one place, and names printed in one: nothing else does.

`Path.exists` and its kin raise for a name that is too long, a zero byte, a folder that may not be
looked into; `open` waits for pipes, and reads devices without end; rich takes brackets for markup;
a Python started without care imports from the current folder.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted([*(ROOT / "calf_viz").rglob("*.py"), *(ROOT / "tools").glob("*.py")])

ASKING = {
    "exists", "is_file", "is_dir", "is_symlink", "is_fifo", "stat", "lstat", "resolve", "samefile",
    "glob", "rglob", "iterdir", "isfile", "isdir", "scandir", "listdir", "walk", "getsize",
    "getmtime", "realpath", "expanduser",
}  # fmt: skip
OPENING = {
    "open", "read_text", "read_bytes", "write_text", "write_bytes", "touch", "fdopen", "mkdir",
    "makedirs", "unlink", "rename", "rmtree", "safe_open", "load_file", "imread", "memmap",
}  # fmt: skip
PRINTING = {"Console", "Progress", "track", "get_console", "from_markup", "escape"}
STARTING = {"executable"}

FOR_USERS = {"exists", "is_file", "read_bytes", "read_text", "write_text"}
"""Functions of `calf_viz.files` and `recording.storage` that are called by their bare names."""
NOT_PATHS = {"part", "Run", "Image", "progress", "files", "re", "html", "glob", "av"}
"""What these methods are called on beside paths: write_aside's own file, a run, a picture that was
read, a bar, the one place itself, what is escaped for others than rich, and an encoder of files
that were made here."""

EXCEPTIONS = {
    "calf_viz/files.py": "the place for it",
    "calf_viz/console.py": "the place to print",
    "calf_viz/children.py": "the place to start Python; where the package lies",
    "calf_viz/run_command.py": "the null device",
    "calf_viz/training/metrics.py": "appends lines to a file that it made itself",
    "calf_viz/training/pool.py": "its own pipes",
    "calf_viz/training/plots.py": "a run's name, of a file that was read",
    "calf_viz/training/run.py": "folders and files of its own making",
    "calf_viz/agent/policy_zip.py": "a part of a zip that was read",
    "calf_viz/agent/shipped_agents.py": "shipped",
    "calf_viz/recording/files.py": "streams of its own making",
    "calf_viz/recording/recorder.py": "a folder of its own making",
    "calf_viz/recording/storage.py": "asks addresses, where there are no paths",
    "calf_viz/recording/stream.py": "streams of its own making, and found by folder.py",
    "calf_viz/sources/attached.py": "boards that were found, and a note to them of its own making",
    "calf_viz/training/views.py": "a file of its own making",
    "calf_viz/hosts/memory.py": "/sys",
    "calf_viz/hosts/raster_threads.py": "/proc",
    "calf_viz/hud/atlas.py": "shipped",
    "calf_viz/glsl/hud_contract.py": "writes what is shipped",
    "calf_viz/hud/keys.py": "writes the documentation",
    "calf_viz/sources/trainer_handle.py": "the log of its own child",
    "calf_viz/sources/publisher.py": "a board of its own making",
    "calf_viz/sources/trainer_process.py": "the board that was made for it",
    "calf_viz/profiling/machine.py": "/proc",
    "calf_viz/glsl/folder.py": "the place to look into folders",
    "calf_viz/glsl/shipped_shaders.py": "what is shipped",
    "calf_viz/glsl/library.py": "why an overlay is out of reach",
    "calf_viz/shader_trial": "what is shipped, /proc, and its own pipe",
    "calf_viz/workbench/document.py": "the documentation",
    "calf_viz/workbench/overlay.py": "copies what is shipped",
    "calf_viz/workbench/reference.py": "a folder of its own making",
    "calf_viz/workbench/watch.py": "whether a folder is still the same one",
    "tools/animate_training.py": "the board of its own training",
    "tools/bench_": "/proc, what is shipped, and files of their own making",
    "tools/compare_commits.py": "checkouts, and folders of its own making",
    "tools/compare_screenshots.py": "folders that are there",
    "tools/crowd_opacity.py": "prints a table",
    "tools/docs_pictures.py": "the documentation, and files of its own making",
    "tools/example_pictures.py": "what is shipped, run in a folder of its own making",
    "tools/fuzz": "files of their own making",
    "calf_viz/recording/lookout.py": "whether a folder has changed",
    "tools/torture": "files of their own making",
    "tools/performance_report.py": "the documentation",
    "tools/soak.py": "files of its own making",
}
"""Modules, or how several begin, that do it all the same, and to what."""


def calls(source: str) -> Iterator[tuple[int, str]]:
    """(line, text) of whatever asks for, opens, prints or starts something by itself."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in STARTING:
            yield node.lineno, ast.unparse(node)
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        if isinstance(function, ast.Name):
            name = function.id
            if name in PRINTING or (name in ASKING | OPENING and name not in FOR_USERS):
                yield node.lineno, ast.unparse(node)
        elif isinstance(function, ast.Attribute):
            on = ast.unparse(function.value)
            if on == "click" and function.attr in ("Path", "File"):
                yield node.lineno, ast.unparse(node)
            own = on in NOT_PATHS or "shader_folder()" in on  # what is shipped
            if function.attr in ASKING | OPENING | PRINTING and not own:
                yield node.lineno, ast.unparse(node)


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_files_are_asked_for_and_opened_in_one_place(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    if any(name.startswith(start) for start in EXCEPTIONS):
        return
    found = [f"{name}:{line}: {text}" for line, text in calls(path.read_text(encoding="utf-8"))]
    assert not found, "use calf_viz.files, console, children or parameters.GIVEN_PATH"


@pytest.mark.parametrize(
    "source",
    [
        "path.exists()", "Path(given).is_dir()", "os.stat(given)", "open(given)",
        "given.open()",
        "path.read_text()", "os.path.realpath(given)", "click.Path(exists=True)", "click.File()",
        "subprocess.run([sys.executable, '-c', code])", "Console().print(name)",
        "rich.progress.track(x)", "sorted(folder.glob('*'))", "safe_open(given)",
    ],
)  # fmt: skip
def test_whatever_does_it_is_seen(source: str) -> None:
    assert list(calls(source))


@pytest.mark.parametrize("source", ["exists(path)", "read_text(path, 9)", "part.write_bytes(b'')"])
def test_the_ways_that_are_meant_are_not(source: str) -> None:
    assert not list(calls(source))
