"""The panels beside an attached loop, and what its legend may say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from attached_loops import SQUARE
from calf_attach import Handle, attach
from calf_attach.layout import Word
from waiting import until

from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.hud.panel import Panel
from calf_viz.sources.attached import Attached

SMALL = VisualizationConfig(headless=True, size=(320, 180), frames=3)


def go_on(viz: Handle) -> None:
    """Some steps, of which most become no row."""
    for _ in range(20):
        viz.step(np.zeros((3, 2)), np.ones(3), np.zeros(3, bool), np.zeros(3, bool), {})


@pytest.mark.rendering
def test_two_panels_never_have_one_title_and_uneven_steps_no_speeds(boards: Path) -> None:
    with attach(SQUARE, rate=20.0, dt=0.1) as viz:  # called "loop", as by default
        viz.reset(np.zeros((3, 2)))
        source = Attached(viz.board or "")
        with CALFApplication(SMALL.changed(size=(960, 540)), source=source) as app:
            app.step()
            assert app.hud is not None and app.display is not None
            titles = [widget.title for widget in app.hud.widgets if isinstance(widget, Panel)]
            assert titles[0] == "loop" and len(set(titles)) == len(titles)
            assert app.display._legend.even
            until(lambda: app.display is None or not app.display._legend.even,
                  lambda: (go_on(viz), app.step()))  # fmt: skip
            assert source.taken > source.board[Word.ROW]
