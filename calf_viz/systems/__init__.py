"""The agents' environments. A new system is one file, here or anywhere (docs/systems.md)."""

from calf_viz.systems.base import Plane, System
from calf_viz.systems.registry import add, errors_reported, get, given, names, own, reference, said

__all__ = [
    "Plane",
    "System",
    "add",
    "errors_reported",
    "get",
    "given",
    "names",
    "own",
    "reference",
    "said",
]
