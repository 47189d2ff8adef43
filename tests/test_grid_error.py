"""How far the surface drawn lies from the critic: more cells, less error; a plane has none."""

from __future__ import annotations

import grid_error
import numpy as np
import pytest

from calf_viz import systems
from calf_viz.agent import shipped_agents as shipped
from calf_viz.agent.calf import CALFAgent


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> CALFAgent:
    monkeypatch.setattr(grid_error, "POINTS", 41)
    return shipped.load(systems.get("point_mass"))


def test_more_cells_have_less_error(agent: CALFAgent) -> None:
    coarse, fine = (grid_error.errors(agent, cells) for cells in (5, 20))
    assert coarse.shape == (41 * 41,)
    assert fine.max() < coarse.max() and fine.mean() < 0.3 * coarse.mean()


def test_nodes_and_planes_have_none(agent: CALFAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    assert grid_error.errors(agent, 40).max() < 1e-3, "every point is a node"
    monkeypatch.setattr(agent, "lyapunov", lambda states: np.asarray(states) @ [3.0, -1.0])
    assert grid_error.errors(agent, 5).max() < 1e-3
