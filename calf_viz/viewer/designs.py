"""Which design draws: by name, or by toggles that select older methods one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calf_viz.errors import UserError, shown

TOGGLES = ("use_vectorized_heights", "use_stats_cache", "use_batched_trails", "use_gpu_geometry")

RENDERERS: dict[str, dict[str, bool]] = {
    "gpu": dict.fromkeys(TOGGLES, True),
    "batched": {**dict.fromkeys(TOGGLES, True), "use_gpu_geometry": False},
    "per_agent": dict.fromkeys(TOGGLES, False),
}
"""The toggles that each name sets."""


class Following(str):
    """A renderer's name derived from the toggles. Copies of a configuration receive it with them,
    and it does not set them."""

    __slots__ = ()


def expand(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with the toggles that a `renderer` among them sets.

    Raises UserError for an unknown renderer, and for a toggle that contradicts it.
    """
    name = changes.get("renderer")
    if name is None:
        return dict(changes)
    if isinstance(name, str):
        name = str(name).replace("-", "_")
    if not isinstance(name, str) or name not in RENDERERS:
        raise UserError(f"unknown renderer '{shown(name)}': choose one of {', '.join(RENDERERS)}")
    stands_for = RENDERERS[name]
    for toggle in TOGGLES:
        if changes.get(toggle, stands_for[toggle]) != stands_for[toggle]:
            raise UserError(
                f"renderer '{name}' means {toggle} = {stands_for[toggle]}, but {toggle} = "
                f"{shown(changes[toggle])} was given: leave out one of them"
            )
    return {**stands_for, **changes, "renderer": name}


def settled(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Renderer and toggles made consistent, whichever of them was given.

    Raises UserError as `expand`; a toggle that is on may just be the default.
    """
    design, toggles = settings["renderer"], {name: settings[name] for name in TOGGLES}
    if not isinstance(design, Following):
        off = {name: value for name, value in toggles.items() if not value}
        toggles |= expand({"renderer": design, **off})
    elif design not in ("gpu", renderer(toggles)):
        # From a copy with other toggles, or from another configuration: ambiguous.
        raise UserError(
            f"renderer '{design}' is another configuration's, and the toggles lead to "
            f"{renderer(toggles)}: take changed(), or give the renderer's name in quotes"
        )
    return {**toggles, "renderer": Following(renderer(toggles))}


def changed(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Settings overridden by later ones: a renderer replaces all toggles, a toggle replaces the
    renderer's. Raises UserError as `expand`, for either.
    """
    before = expand(settings)
    if "renderer" in changes:
        before = {name: value for name, value in before.items() if name not in TOGGLES}
    elif not changes.keys().isdisjoint(TOGGLES):
        before.pop("renderer", None)
    return {**before, **changes}


def renderer(toggles: Mapping[str, bool]) -> str:
    """The design that the toggles select, by what is switched off."""
    if not toggles["use_batched_trails"]:
        return "per_agent"
    if toggles["use_gpu_geometry"] and toggles["use_vectorized_heights"]:
        return "gpu"
    return "batched"


def is_whole(toggles: Mapping[str, bool]) -> bool:
    """Whether they are exactly those that the renderer's name sets."""
    return dict(toggles) == RENDERERS[renderer(toggles)]


def overridden(toggles: Mapping[str, bool]) -> str | None:
    """A warning if use_gpu_geometry is on but another toggle prevents it from drawing."""
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
