"""All systems by name: this package's, installed ones, and those given by the user."""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from calf_viz.errors import UserError, shown
from calf_viz.systems.base import System
from calf_viz.systems.loading import (
    announced,
    blamed,
    is_reference,
    load,
    load_entry_point,
    place_of,
    split,
)

_PACKAGE = __name__.rpartition(".")[0]


@dataclass(frozen=True)
class _Given:
    """A system that the user gave in this process."""

    system: System
    said: str
    """As the user wrote it."""
    reference: str | None
    """How other processes can load it; None if they cannot."""


_given: dict[str, _Given] = {}


@cache
def _own() -> dict[str, System]:
    """Every system found in this folder, by name."""
    found = {}
    package = sys.modules[_PACKAGE]
    for module in pkgutil.iter_modules(package.__path__):
        system = getattr(import_module(f"{_PACKAGE}.{module.name}"), "SYSTEM", None)
        if isinstance(system, System):
            found[system.name] = system
    return found


@cache
def _installed(name: str) -> System:
    points = announced()[name]
    if len(points) > 1:
        raise _twice(name, [place_of(point) for point in points])
    return load_entry_point(name, points[0])


def names() -> list[str]:
    """The names of all systems, sorted, without loading those of other packages."""
    return sorted({*_own(), *announced(), *_given})


def own() -> list[str]:
    """The names of this package's systems, sorted."""
    return sorted(_own())


def get(name: str) -> System:
    """The system called `name`; hyphens and underscores are equivalent.

    Safe for a name from a file: only what is installed under that name is ever imported.

    Raises:
        UserError: there is no such system (the message lists all), two have the name, or it is
            broken.
    """
    called = name.replace("-", "_")
    places = _places(called)
    if len(places) > 1:
        raise _twice(called, places)
    if called in _given:
        return _given[called].system
    if called in _own():
        return _own()[called]
    if called in announced():
        return _installed(called)
    raise UserError(
        f"unknown system '{shown(name)}': choose one of {', '.join(names())}; one of yours "
        "can only be given on the command line: add `system` FILE (or the name of its module)"
    )


def add(system: System, said: str = "systems.add", reference: str | None = None) -> str:
    """Register a system by its name in this process; returns the name.

    Args:
        system: the system.
        said: where it comes from, for messages.
        reference: how other processes can load it (see `given`); without it, no training can be
            watched or benchmarked in other processes.

    Raises:
        UserError: another system has that name.
    """
    before = _given.get(system.name)
    if before is not None and (
        before.system is system or (reference is not None and before.reference == reference)
    ):
        return system.name
    if places := _places(system.name):
        raise _twice(system.name, [*places, shown(said)])
    _given[system.name] = _Given(system, said, reference)
    return system.name


def given(text: str) -> str:
    """The name of the system given on the command line: by name, or as a file or module, which is
    executed.

    Raises:
        UserError: there is none, it is broken, or its name is taken.
    """
    if not is_reference(text):
        return get(text).name
    system, reference = load(text)
    return add(system, text, reference)


def said(name: str) -> str:
    """The value of --system that gives the system of that name."""
    return _given[name].said if name in _given else name


def reference(name: str) -> str:
    """The argument of `given` that loads the same system in another process.

    Raises:
        UserError: there is none.
    """
    if name not in _given:
        return name
    found = _given[name].reference
    if found is None:
        raise UserError(
            f"system {name} was added in this process only, but is trained in another: put it into "
            "a file, and give that to systems.given"
        )
    return found


@contextmanager
def errors_reported() -> Iterator[None]:
    """During the block, an exception in the code of an outside system becomes a UserError of one
    line, with file and line number; other exceptions pass."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        references = [given.reference for given in _given.values()]
        owners = [split(reference)[0] for reference in references if reference is not None]
        owners += [point.module for points in announced().values() for point in points]
        for owner in owners:
            if found := blamed(error, owner):
                raise found from error
        raise


def _places(name: str) -> list[str]:
    """All places that define a system of that name; more than one is an error."""
    places = []
    if name in _own():
        places.append(f"the one of calf_viz ({type(_own()[name]).__module__})")
    places += [place_of(point) for point in announced().get(name, ())]
    if name in _given:
        places.append(shown(_given[name].said))
    return places


def _twice(name: str, places: list[str]) -> UserError:
    return UserError(
        f"two systems are called {name}: {' and '.join(places)}; give one of them another name"
    )
