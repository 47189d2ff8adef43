"""Python child processes, started so that nothing in the current folder is executed.

`python -m` and `python -c` look for every module in the current folder first: a stray `queue.py`
there would run in place of the standard library's.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOME = str(Path(__file__).resolve().parent.parent)
"""The folder that contains this package, installed or a checkout."""

HELD_BACK = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that are blocked in a child until it can handle them."""

# Last in the path: if it is the current folder, as in a checkout, it must not hide anything.
_START = """\
import sys
home, module = sys.argv[1:3]
sys.argv[:] = [module, *sys.argv[3:]]
if home not in sys.path:
    sys.path.append(home)
import runpy
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


def python_child(module: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """Command and environment for a Python process that runs a module of this package.

    Its own children do not import from the current folder either.
    """
    return [sys.executable, "-P", "-c", _START, HOME, module, *arguments], _environment()


def script_child(script: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """Command and environment for a Python process that runs a script from tools/: as
    `python_child`, but it can import modules beside the script."""
    environment = _environment()
    del environment["PYTHONSAFEPATH"]  # which would exclude the script's folder
    return [sys.executable, script, *arguments], environment


def code_child(code: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """Command and environment for a Python process that runs `code`; see `python_child`."""
    return [sys.executable, "-P", "-c", code, *arguments], _environment()


def _environment() -> dict[str, str]:
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    if "PYTHONPATH" in environment:
        environment["PYTHONPATH"] = _without_current(environment["PYTHONPATH"])
    return environment


@contextmanager
def held_back() -> Iterator[None]:
    """Block the signals `HELD_BACK`: a process started in the block receives them once it unblocks
    them; this thread receives those that arrived meanwhile after the block."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HELD_BACK)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _without_current(path: str) -> str:
    """PYTHONPATH without the current folder, however it is spelled."""
    current = _current()
    entries = (entry for entry in path.split(os.pathsep) if entry)
    return os.pathsep.join(e for e in entries if os.path.realpath(e) != current)


def leave_current_folder() -> None:
    """Stop `python -m calf_viz` from importing from the current folder; if this package is there,
    the folder moves to the end of the path."""
    current = _current()
    here = [entry for entry in sys.path if os.path.realpath(entry or ".") == current]
    sys.path[:] = [entry for entry in sys.path if entry not in here]
    if here and current == os.path.realpath(HOME):
        sys.path.append(HOME)


@contextmanager
def current_folder_left_out() -> Iterator[None]:
    """During the block nothing is imported from the current folder, whatever the path says."""
    before, current = list(sys.path), _current()
    sys.path[:] = [entry for entry in before if os.path.realpath(entry or ".") != current]
    try:
        yield
    finally:
        sys.path[:] = before


def _current() -> str | None:
    try:
        return os.path.realpath(os.getcwd())
    except OSError:  # the folder was removed
        return None
