"""RLlib's callback in real, short trainings. RLlib pins an older Gymnasium, so these run in an
environment of their own, whose Python the variable CALF_RLLIB_PYTHON names."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
PYTHON = os.environ.get("CALF_RLLIB_PYTHON") or (
    sys.executable if importlib.util.find_spec("ray") is not None else None
)
pytestmark = pytest.mark.skipif(
    PYTHON is None,
    reason="RLlib is not installed here, as it pins an older Gymnasium: CALF_RLLIB_PYTHON names "
    "the Python of an environment with ray[rllib], torch and calf_attach",
)


def trained(boards: Path, *arguments: str) -> list[dict[str, Any]]:
    """What the boards of the runners said."""
    environment = dict(os.environ, CALF_BOARDS=str(boards), PYTHONPATH=str(ROOT / "attach"))
    environment["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
    script = str(ROOT / "tests" / "rllib_training.py")
    done = subprocess.run(
        [str(PYTHON), script, *arguments],
        env=environment, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert found[-1] == {"left": 0}
    assert all(one.name.endswith(".calfboard") is False for one in boards.iterdir())
    return found[:-1]


def points(told: dict[str, Any], name: str) -> np.ndarray:
    return np.array([point for row in told[name] for point in row]).reshape(-1, 2)


@pytest.mark.parametrize("runners", [0, 1])
def test_runners_here_and_elsewhere_are_shown(boards: Path, runners: int) -> None:
    """CartPole ends beyond 2.4 m or 12 degrees, and starts within 0.05."""
    (told,) = trained(boards, "PPO", str(runners))
    assert told["name"] == ("loop-1" if runners else "loop") and told["here"] == (runners == 0)
    assert told["title"].startswith("CartPole-v1") and told["modes"] == ["left", "right"]
    assert told["labels"] == ["x [m]", "θ [rad]"] and told["agents"] == 2
    assert told["faults"] == 0 and told["steps"] >= 200
    assert told["value"] == "V(s)" and told["surface"][0] == 65
    assert told["surface"][1] < told["surface"][2]
    terminal, first = points(told, "terminal"), points(told, "first")
    assert len(terminal) > 5
    assert ((np.abs(terminal[:, 0]) > 2.4) | (np.abs(terminal[:, 1]) > 0.2094)).all()
    assert len(first) in range(len(terminal), len(terminal) + 3) and np.abs(first).max() <= 0.05
    assert told["lengths"] == told["returns"] and len(told["lengths"]) == len(terminal)


@pytest.mark.parametrize(("name", "value"), [("SAC", "Q(s, π(s))"), ("DQN", "max Q(s, a)")])
def test_critics_of_actions_too(boards: Path, name: str, value: str) -> None:
    (told,) = trained(boards, name, "0")
    assert told["value"] == value and told["faults"] == 0
    assert told["surface"][1] < told["surface"][2]


def test_observations_that_a_connector_changes_have_no_surface_and_it_is_said(
    boards: Path,
) -> None:
    (told,) = trained(boards, "PPO", "0", "normalised")
    assert told["surface"] is None and "MeanStdFilter" in told["fault"]
    assert len(points(told, "terminal")) > 5
