"""Systems from outside this package: in a file, in an installed module, behind an entry point.

    ./mine.py, ./mine.py:NAME                   a file, which is executed
    package.module, package.module:NAME         an installed module, never in the current folder
    mine                                        an entry point in the group `calf_viz.systems`

The default NAME is SYSTEM.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from calf_viz.children import current_folder_left_out
from calf_viz.errors import FileDamaged, UserError, innermost, shown, text_of
from calf_viz.files import is_file, read_bytes
from calf_viz.systems.base import System
from calf_viz.systems.checks import check

GROUP = "calf_viz.systems"
NAME = "SYSTEM"
LARGEST = 2**20
"""Most bytes of a file."""


def is_reference(text: str) -> bool:
    """Whether a string denotes a file or a module rather than a system's name."""
    return any(sign in text for sign in (os.sep, ".", ":"))


def split(text: str) -> tuple[str, str]:
    """The file or module in a reference, and the name in it."""
    place, colon, name = text.rpartition(":")
    return (place, name) if colon and name.isidentifier() else (text, NAME)


def is_file_name(place: str) -> bool:
    """Whether a place is a file rather than a module."""
    return os.sep in place or place.endswith(".py")


def load(text: str) -> tuple[System, str]:
    """The system that a reference denotes, checked; and a reference that works from any folder.

    Raises:
        UserError: it cannot be loaded or is invalid; with file and line, if known.
    """
    place, name = split(text)
    if not is_file_name(place):
        return _sound(_found(_imported(place), name, place), place, place), f"{place}:{name}"
    path = Path(place).absolute()
    system = _found(_run(path), name, place)
    return _sound(system, place, str(path)), f"{path}:{name}"


@cache
def announced() -> dict[str, tuple[EntryPoint, ...]]:
    """Entry points by the name of the system; none of them is loaded."""
    found: dict[str, tuple[EntryPoint, ...]] = {}
    with current_folder_left_out():
        for point in entry_points(group=GROUP):
            name = point.name.replace("-", "_")
            found[name] = (*found.get(name, ()), point)
    return found


def place_of(point: EntryPoint) -> str:
    """An entry point's target and the package that it belongs to."""
    owner = "" if point.dist is None else f" of {point.dist.name}"
    return f"{shown(point.value)}{owner}"


def load_entry_point(name: str, point: EntryPoint) -> System:
    """The system of an entry point; raises as `load`."""
    module = point.module
    system = _sound(_found(_imported(module), point.attr or NAME, module), module, module)
    if system.name != name:
        raise UserError(
            f"entry point {shown(point.name)} ({place_of(point)}) leads to a system named "
            f"{system.name}: change one of the two names"
        )
    return system


def _run(path: Path) -> ModuleType:
    source = read_bytes(path, LARGEST)
    module = ModuleType(str(path))
    module.__file__ = str(path)
    # Classes look for their module there, in particular dataclasses.
    sys.modules[module.__name__] = module
    try:
        with _reported(path, module.__name__), current_folder_left_out():
            exec(compile(source, str(path), "exec"), vars(module))
    except UserError:
        del sys.modules[module.__name__]
        raise
    return module


def _imported(place: str) -> ModuleType:
    if not all(part.isidentifier() for part in place.split(".")):
        raise UserError(
            f"system {shown(place)} is neither a file nor a module: write ./mine.py, "
            "package.module:NAME, or a name"
        )
    with _reported(place, place), current_folder_left_out():
        try:
            return import_module(place)
        except ModuleNotFoundError as error:
            missing = error.name or ""
            if place != missing and not place.startswith(f"{missing}."):
                raise  # another module, imported by this one
            raise UserError(
                f"system {shown(place)}: no module {shown(missing)} is installed (the current "
                "folder is not searched): install it, or give a file, such as ./mine.py"
            ) from None


def _found(module: ModuleType, name: str, place: str) -> System:
    value = getattr(module, name, None)
    if isinstance(value, System):
        return value
    if isinstance(value, type) and issubclass(value, System):
        raise UserError(f"{shown(place)}: {name} is a class: write {name} = {value.__name__}()")
    there = hasattr(module, name)
    said = f"is a {type(value).__name__}, not a System" if there else "does not exist"
    others = sorted(key for key, item in vars(module).items() if isinstance(item, System))
    if others:
        raise UserError(
            f"{shown(place)}: {name} {said}, but {', '.join(others)}: give "
            f"{shown(place)}:{others[0]}"
        )
    raise UserError(f"{shown(place)}: {name} {said}: write {name} = MySystem(), an object")


def _sound(system: System, place: str, owner: str) -> System:
    """The system, checked. owner: the module that it is defined in."""
    try:
        with _reported(place, owner):
            check(system)
    except FileDamaged:
        raise
    except UserError as error:
        raise UserError(f"{shown(place)}: {error}") from error
    return system


def blamed(error: BaseException, owner: str) -> FileDamaged | None:
    """An error as one line, at the innermost frame in the code of `owner`, a module or package,
    rather than in a library; None if no such frame is involved."""
    top = owner.split(".")[0]
    place = innermost(error, lambda name: name == owner or name.split(".")[0] == top)
    file, line = place or ("", None)
    text = text_of(error)
    if isinstance(error, SyntaxError) and is_file(error.filename or ""):
        file, line, text = error.filename or file, error.lineno, error.msg
    if not file:
        return None
    reason = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return FileDamaged(file, reason, "fix it", line)


@contextmanager
def _reported(place: str | Path, owner: str) -> Iterator[None]:
    """Turn an exception of the user's code in the block into one line."""
    try:
        yield
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        found = blamed(error, owner)
        reason = f"{type(error).__name__}: {text_of(error)}"
        raise found or FileDamaged(place, reason, "fix it") from error
