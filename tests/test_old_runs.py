"""Runs that earlier versions of the program wrote go on under this one.

tests/old_run was written by the version whose `.resume` files have format 2 of agents and 3 of
trainings, without digests:

    calf-viz train --system differential_drive --preset quick --seed 5 --episodes 2 --steps 40
        --batch 16 --select-every 1 --selection-episodes 2 --checkpoint-every 1 --checkpoints 1

On one machine both versions resume it to the same bytes. Between machines products of matrices
differ in their last bits, so that what is held here are the counts, and the returns nearly.
"""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from calf_viz.agent.calf import CALFAgent
from calf_viz.training import resume, train

OLD = Path(__file__).parent / "old_run"
EPISODES = [
    # return, certified, relax, nominal, P_relax, as that version went on
    (-62.21682400829565, 1, 39, 0, 0.9979520486681329),
    (-73.23151127205001, 1, 39, 0, 0.9959580893453908),
    (-44.444811102656814, 1, 39, 0, 0.9939681140555345),
    (-69.58996668162439, 1, 39, 0, 0.9919821148382628),
]


def test_an_old_run_goes_on_as_the_version_that_wrote_it_did(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(OLD, folder)
    train.train(resume_from=folder, progress=False, episodes=4)
    with (folder / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(EPISODES)
    for row, (total, *counts, p_relax) in zip(rows, EPISODES, strict=True):
        assert [int(row[name]) for name in ("certified", "relax", "nominal")] == counts
        assert float(row["p_relax"]) == p_relax
        assert float(row["return"]) == pytest.approx(total, rel=1e-3)


def test_an_old_file_has_every_bit_that_was_written(tmp_path: Path) -> None:
    path, copy = OLD / "checkpoints" / "000002.resume", tmp_path / "copy.resume"
    resume.save(resume.load(path), copy)
    with safe_open(path, "np") as old, safe_open(copy, "np") as new:
        assert sorted(old.keys()) == sorted(new.keys())
        for name in old.keys():  # noqa: SIM118 - it is no mapping
            assert np.array_equal(old.get_tensor(name), new.get_tensor(name)), name


def test_an_old_agent_acts() -> None:
    agent = CALFAgent.load(OLD / "agent.safetensors")
    assert agent.system.name == "differential_drive"
    states = agent.system.initial_states(4, np.random.default_rng(0))
    actions, _ = agent.act(states, agent.memory(4), 0.0, np.random.default_rng(0))
    assert actions.shape == (4, agent.system.action_dim) and np.isfinite(actions).all()
