"""The agent under a mouse that rests: until keys choose another, or the picture moves on."""

from __future__ import annotations

import numpy as np
import pytest
from applications import opened as opened_application
from test_picking import SIZE, middle

from calf_viz.hosts.picking import SIDE, Asked
from calf_viz.viewer.app import CALFApplication


def hovering(app: CALFApplication, agent: int) -> None:
    """Rest the mouse on an agent."""
    app.host.picks.ask(Asked(*middle(app, agent)))
    for _ in range(40):
        app.draw()
        if app.picker.hovered == agent:
            return
    pytest.fail(f"agent {agent} is not found")


def test_keys_choose_another_agent_than_the_one_under_a_resting_mouse() -> None:
    with opened_application(size=SIZE, camera="top", chosen=0) as app:
        app.step()
        actions = app.actions.by_name
        for key, expected in (("next_agent", 1), ("previous_agent", 0)):
            hovering(app, 3)
            actions[key]()
            for _ in range(40):
                app.draw()
            assert app.picker.agent == app.host.scene.highlighted == expected
        hovering(app, 3)
        app.host.picks.ask(Asked(*middle(app, 3)))  # not answered yet
        assert actions["let_go"]()
        for _ in range(40):
            app.draw()
        assert app.picker.agent is None and app.host.scene.highlighted == -1
        hovering(app, 2)  # a mouse that moves is heard again


def test_an_agent_that_went_on_is_no_longer_under_a_resting_mouse() -> None:
    with opened_application(size=SIZE, camera="top", trail_length=2) as app:
        app.step()
        hovering(app, 3)
        app.host.frame_counts()
        for _ in range(40):
            app.draw()
        assert app.host.frame_counts()["pick_draws"] <= 1, "nothing moved"
        x, y = middle(app, 3)
        for _ in range(200):
            app.step()
            if app.picker.hovered != 3:
                break
        assert app.picker.hovered != 3
        assert np.hypot(*np.subtract(middle(app, 3), (x, y))) > SIDE / 2


def test_an_agent_is_no_longer_under_a_resting_mouse_when_the_camera_turned() -> None:
    with opened_application(size=SIZE, camera="top") as app:
        app.step()
        hovering(app, 3)
        app.camera = "side"
        for _ in range(80):
            app.draw()
        assert app.picker.hovered != 3
