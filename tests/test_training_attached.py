"""A training of this program's own, as other viewers find it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from calf_attach.layout import Word
from click.testing import CliRunner
from trainings import SMALL, board, watched
from waiting import until

from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.cli.main import calf_viz
from calf_viz.sources.attached import Controlled, find, watch

pytestmark = [pytest.mark.rendering, pytest.mark.usefixtures("boards")]
training = pytest.fixture(watched)


def test_other_viewers_list_a_training_and_see_its_critic_and_agent(
    training: Callable[..., CALFApplication],
) -> None:
    app = training(hud=False, episodes=1000, system="differential_drive")
    until(lambda: board(app)[Word.END] > 1 and board(app)[Word.SURFACE] > 1)
    app.playback.toggle()
    app.draw()
    name = app.live.run.folder.name
    said = CliRunner().invoke(calf_viz, ["attach"]).output.splitlines()[3].split()
    assert (said[0], said[1], said[-2]) == (name, str(app.live.process.process.pid), "critic")
    source = watch(find(name))
    assert not isinstance(source, Controlled), "only its own viewer pauses it"
    view = app.simulation.view
    assert source.view == replace(view, live=True)
    until(lambda: board(app).snapshot(0).steps == board(app)[Word.STEP])
    field, snapshot = source.surface(), board(app).snapshot(0)
    np.testing.assert_array_equal(field.values, snapshot.surface.values)
    samples = []
    while (found := source.step()) is not None:
        samples.append(found)
    steps = board(app).steps_since(0)
    assert len(samples) == len(steps.number) and source.taken == board(app)[Word.STEP]
    np.testing.assert_array_equal([each.positions[0, 0] for each in samples], steps.x)
    np.testing.assert_array_equal([each.headings[0] for each in samples], steps.heading)
    np.testing.assert_array_equal([each.first[0] for each in samples], steps.step == 0)
    assert len(source.ends()) == board(app)[Word.END]
    with CALFApplication(VisualizationConfig(**SMALL), source=watch(find(name))) as other:
        other.step()
        assert other.screenshot().any() and other.failure is None
