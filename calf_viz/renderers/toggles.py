"""Which design draws: by its name, or by toggles that switch the older ways on one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calf_viz.errors import UserError

TOGGLES = ("use_vectorized_heights", "use_stats_cache", "use_batched_trails", "use_gpu_geometry")

RENDERERS: dict[str, dict[str, bool]] = {
    "gpu": dict.fromkeys(TOGGLES, True),
    "batched": {**dict.fromkeys(TOGGLES, True), "use_gpu_geometry": False},
    "per_agent": dict.fromkeys(TOGGLES, False),
}
"""What each name sets the toggles to."""


def expand(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with the toggles that a `renderer` among them stands for.

    Raises UserError for an unknown renderer, and for a toggle that says otherwise than it.
    """
    name = changes.get("renderer")
    if name is None:
        return dict(changes)
    name = str(name).replace("-", "_")
    if name not in RENDERERS:
        raise UserError(f"unknown renderer '{name}': choose one of {', '.join(RENDERERS)}")
    stands_for = RENDERERS[name]
    for toggle in TOGGLES:
        if changes.get(toggle, stands_for[toggle]) != stands_for[toggle]:
            raise UserError(
                f"renderer '{name}' means {toggle} = {stands_for[toggle]}, but {toggle} = "
                f"{changes[toggle]} was given: leave out one of them"
            )
    return {**stands_for, **changes, "renderer": name}


def changed(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with later ones over them: a renderer replaces all toggles, a toggle the renderer's
    own. Raises UserError as `expand`, for either of the two.
    """
    before = expand(settings)
    if "renderer" in changes:
        before = {name: value for name, value in before.items() if name not in TOGGLES}
    elif not changes.keys().isdisjoint(TOGGLES):
        before.pop("renderer", None)
    return {**before, **changes}


def renderer(toggles: Mapping[str, bool]) -> str:
    """The design that the toggles select: what is switched off decides."""
    if not toggles["use_batched_trails"]:
        return "per_agent"
    if toggles["use_gpu_geometry"] and toggles["use_vectorized_heights"]:
        return "gpu"
    return "batched"


def overridden(toggles: Mapping[str, bool]) -> str | None:
    """What to tell where use_gpu_geometry is on and something else keeps it from drawing."""
    name = renderer(toggles)
    if name == "gpu" or not toggles["use_gpu_geometry"]:
        return None
    off = [
        toggle for toggle in ("use_vectorized_heights", "use_batched_trails") if not toggles[toggle]
    ]
    heights = "in NumPy" if toggles["use_vectorized_heights"] else "in a Python loop"
    return (
        f"{' and '.join(f'{toggle} = False' for toggle in off)} overrides use_gpu_geometry: "
        f"the {name} renderer draws, heights {heights}"
    )
