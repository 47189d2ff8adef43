"""The files in a user's folder: bounded, whatever it holds and wherever its links lead."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from calf_viz.glsl.problems import Problem, ShaderError

MOST_ENTRIES = 20_000
"""Files and folders visited at most: a look has some dozens."""


def entries(folder: Path, recursive: bool = True) -> Iterator[os.DirEntry[str]]:
    """Everything in a folder and in its subfolders that are not hidden, following links except in
    circles. What is inaccessible is left out.

    Raises ShaderError if there are more than MOST_ENTRIES.
    """
    count = 0
    waiting: list[tuple[str, tuple[str, ...]]] = [(str(folder), (os.path.realpath(folder),))]
    while waiting:
        path, above = waiting.pop()
        with suppress(OSError), os.scandir(path) as found:
            for entry in found:
                count += 1
                if count > MOST_ENTRIES:
                    text = (
                        f"holds more than {MOST_ENTRIES:,} files: give a look a folder of its own"
                    )
                    raise ShaderError([Problem(folder, None, text)])
                yield entry
                if recursive and not entry.name.startswith(".") and _is_folder(entry):
                    real = os.path.realpath(entry.path)
                    if real not in above:
                        waiting.append((entry.path, (*above, real)))


def files_below(folder: Path) -> Iterator[Path]:
    """Regular files in a folder, relative to it; see `entries`."""
    for entry in entries(folder):
        with suppress(OSError):
            if entry.is_file():
                yield Path(entry.path).relative_to(folder)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
