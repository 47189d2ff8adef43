"""Users' paths are asked for, opened and printed at one place each: nothing else does it."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted([*(ROOT / "calf_viz").rglob("*.py"), *(ROOT / "tools").glob("*.py")])

# Methods of Path, and functions of `os` and `os.path`, that open a file, or raise where a path is
# too long, holds a zero byte, or lies in a folder that may not be looked into.
ASKING = {"exists", "is_file", "is_dir", "is_symlink", "is_fifo", "stat", "lstat", "resolve",
          "samefile", "glob", "rglob", "iterdir", "isfile", "isdir", "scandir", "listdir", "walk",
          "getsize", "getmtime", "realpath"}  # fmt: skip
OPENING = {"open", "read_text", "read_bytes", "write_text", "write_bytes", "touch", "fdopen",
           "mkdir", "makedirs", "unlink", "rename", "replace", "rmtree", "safe_open", "load_file",
           "imread", "fromfile", "tofile", "memmap"}  # fmt: skip
CLICK = {"Path", "File"}
"""click's, which look at a path as they please: GIVEN_PATH and `files` do."""

# Where it is done all the same, by the last words of the file's name, and why.
ALLOWED: dict[str, set[str]] = {
    "calf_viz/files.py": ASKING | OPENING,  # the place for all of it
}
OWN = {
    "calf_viz/children.py": "where the package lies, and the current folder",
    "calf_viz/run_command.py": "the null device",
}
