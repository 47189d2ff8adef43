"""Rows of an attached loop, as a recording needs them for returns."""

from __future__ import annotations

import numpy as np
import pytest
from attached_loops import SQUARE
from calf_attach import Handle, attach

from calf_viz.samples import Samples
from calf_viz.sources.attached import Attached

NO = np.zeros(3, bool)

pytestmark = pytest.mark.usefixtures("boards")


def at(step: int) -> np.ndarray:
    return (np.arange(6.0).reshape(3, 2) * 0.1 + 0.01 * step).astype(np.float32)


def go_on(viz: Handle, first: int, last: int) -> None:
    for step in range(first, last + 1):
        viz.step(at(step), np.ones(3), NO, NO, {})


def source_of(viz: Handle) -> Attached:
    assert viz.board is not None
    return Attached(viz.board)


def shown(source: Attached) -> list[Samples]:
    found = []
    while (samples := source.step()) is not None:
        found.append(samples)
    return found


def test_they_say_how_episodes_end_and_each_reward_once() -> None:
    with attach(SQUARE, rate=1e9, name="ends", autoreset="same_step") as viz:
        viz.reset(at(0))
        source = source_of(viz)
        infos = {"final_obs": at(2), "_final_obs": np.array([True, True, False])}
        viz.step(at(1), [1.0, 2.0, 3.0], [True, False, False], [False, True, False], infos)
        go_on(viz, 2, 3)
        samples = shown(source)
        ended = [each for each in samples if each.columns["ended"].any()]
        assert [each.columns["ended"].tolist() for each in ended] == [[1, 2, 0]]
        assert ended[0].columns["reward"].tolist() == [1.0, 2.0, 3.0]
        begun = next(each for each in samples[1:] if each.first.any())
        assert begun.first.tolist() == [True, True, False], "of the same step"
        assert begun.columns["reward"].tolist() == [0.0, 0.0, 0.0], "counted once"


def test_where_a_row_stands_for_several_steps_the_reward_is_not_known() -> None:
    with attach(SQUARE, rate=1e-3, name="rare") as viz:
        viz.reset(at(0))
        source = source_of(viz)
        go_on(viz, 1, 9)
        viz.step(at(10), np.ones(3), ~NO, NO, {})  # told at once, with nine that were not
        samples = shown(source)
        assert not source.even
        assert np.isnan(samples[-1].columns["reward"]).all()
