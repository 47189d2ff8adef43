"""The systems agents live in. A new one is one file here that sets `SYSTEM` (docs/systems.md)."""

import pkgutil
from functools import cache
from importlib import import_module

from calf_viz.errors import UserError, shown
from calf_viz.systems.base import Plane, System

__all__ = ["Plane", "System", "get", "names"]


@cache
def _systems() -> dict[str, System]:
    """Every system found in this folder, by name."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        system = getattr(import_module(f"{__name__}.{module.name}"), "SYSTEM", None)
        if isinstance(system, System):
            found[system.name] = system
    return dict(sorted(found.items()))


def names() -> list[str]:
    """The names of all systems, sorted."""
    return list(_systems())


def get(name: str) -> System:
    """The system called `name`; hyphens and underscores are the same.

    Raises:
        UserError: there is no such system; the message lists those there are.
    """
    system = _systems().get(name.replace("-", "_"))
    if system is None:
        raise UserError(f"unknown system '{shown(name)}': choose one of {', '.join(names())}")
    return system
