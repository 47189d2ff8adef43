"""What `attach` can be given for an environment that says something about itself."""

from __future__ import annotations

from typing import Any

from calf_attach.known_environments import names_of
from calf_attach.observation_plane import ObservationPlane, read_axes


def suited(space: Any, action_space: Any, env: Any, given: dict[str, Any]) -> dict[str, Any]:
    """`given` arguments of `attach`, and those that suit an environment where none is given.

    space, action_space: of a single environment. env: one that has its `spec` and `metadata`.
    Raises ValueError for observations without coordinates, unless `project` is given.
    """
    found = dict(given)
    name = str(getattr(getattr(env, "spec", None), "id", None) or "loop")
    metadata = getattr(env, "metadata", None)
    known = names_of(name, metadata if isinstance(metadata, dict) else {})
    found.setdefault("title", name)
    found.setdefault("space", space)
    choices = getattr(action_space, "n", None)
    if choices is not None and "modes" not in found and not getattr(action_space, "shape", ()):
        numbered = tuple(f"action {number}" for number in range(int(choices)))
        found["modes"] = known.actions if len(known.actions) == int(choices) else numbered
    if "project" in found:
        return found
    shape = getattr(space, "shape", None)
    if getattr(space, "low", None) is None or not shape or len(shape) != 1 or shape[0] < 2:
        raise ValueError(
            f"observations in {str(space)[:80]}: give project=, which makes positions (n, 2)"
        )
    size = int(shape[0])
    names = known.observations if len(known.observations) == size else ()
    found.setdefault("entries", names)
    found.setdefault("axes", known.axes)
    found.setdefault("labels", ObservationPlane(read_axes(found["axes"], size)).labels(names))
    return found
