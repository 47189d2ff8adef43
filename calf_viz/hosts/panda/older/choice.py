"""The geometry for a design's name."""

from __future__ import annotations

from functools import partial

from calf_viz.hosts.panda.geometry import GeometryMaker
from calf_viz.hosts.panda.older.batched import BatchedGeometry
from calf_viz.hosts.panda.older.heights import loop, vectorised
from calf_viz.hosts.panda.older.per_agent import PerAgentGeometry
from calf_viz.hosts.panda.strip import StripGeometry


def geometry(renderer: str, vectorized_heights: bool) -> GeometryMaker:
    """The geometry for a Panda3D host. renderer: a name in `toggles.RENDERERS`;
    vectorized_heights: whether the older designs compute all heights in one NumPy call."""
    method = vectorised if vectorized_heights else loop
    makers: dict[str, GeometryMaker] = {
        "gpu": StripGeometry,
        "batched": partial(BatchedGeometry, method=method),
        "per_agent": partial(PerAgentGeometry, method=method),
    }
    return makers[renderer]
