"""The panel of the agent that was chosen, or that the mouse points at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from applications import opened
from test_picking import middle

from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.heightfield import Heightfield
from calf_viz.hosts.picking import Asked
from calf_viz.hud.agent_panel import AgentPanel
from calf_viz.samples import Samples
from calf_viz.view import View

LARGE = {"size": (1280, 720), "n_agents": 4}


def panel(app: CALFApplication) -> AgentPanel:
    assert app.hud is not None
    (found,) = (widget for widget in app.hud.widgets if isinstance(widget, AgentPanel))
    return found


def texts(app: CALFApplication) -> dict[str, str]:
    """By the names that are shown."""
    assert app.hud is not None
    rows = panel(app).rows
    return {
        row.name or row.key: app.hud.values[row.key] for row in rows if row.key in app.hud.values
    }


def test_nobody_chosen_has_no_panel() -> None:
    with opened(**LARGE) as app:
        app.step()
        assert app.hud is not None and "agent" not in app.hud.placed
        others = dict(app.hud.placed)
        app.config.chosen = 2
        app.step()
        assert "agent" in app.hud.placed and panel(app).title == "agent 2"
        assert {name: app.hud.placed[name] for name in others} == others, "others stay"
        app.config.chosen = 3
        app.step()
        assert panel(app).title == "agent 3"
        app.config.chosen = None
        app.step()
        assert app.hud.placed == others


def test_it_says_what_the_agent_does() -> None:
    with opened(**LARGE, chosen=1, system="differential_drive") as app:
        for _ in range(31):
            app.step()
        app.screenshot()  # texts are up to date
        assert app.simulation is not None
        why, said = app.explain(1), texts(app)
        assert why is not None
        x, y, heading = app.simulation.states[1]
        assert said["rule"] == why.rule and said["episode"] == "0.30 s"
        assert float(said["x [m]"].replace("−", "-")) == pytest.approx(x, abs=0.06)
        assert float(said["y [m]"].replace("−", "-")) == pytest.approx(y, abs=0.06)
        assert float(said["heading [rad]"].replace("−", "-")) == pytest.approx(heading, abs=0.006)
        assert float(said["action 2"].replace("−", "-")) == pytest.approx(why.action[1], abs=0.006)
        assert "actor" not in said, "why it did is asked for apart"


def test_it_says_why() -> None:
    with opened(**LARGE, chosen=1, why=True, system="differential_drive") as app:
        for _ in range(20):
            app.step()
        app.screenshot()
        why, said = app.explain(1), texts(app)
        assert why is not None and app.hud is not None
        for one in why.inequalities:
            text = app.hud.values[f"why_{one.name}"]
            assert text[0] == ("+" if one.margin >= 0 else "−")
            assert float(text[1:].replace(",", "")) == pytest.approx(abs(one.margin), rel=0.01)
        for judged in why.actions:
            q, certified = said[judged.name].rsplit(" ", 1)
            assert certified == ("yes" if judged.certified else "no")
            assert float(q.replace("−", "-").replace(",", "")) == pytest.approx(judged.q, rel=1e-3)
        plots = panel(app).plots
        assert [plot.name for plot in plots] == ["action 1", "action 2"]
        for plot, axis in zip(plots, why.axes, strict=True):
            assert app.hud.canvas.series.values(plot.series) == pytest.approx(axis.q, rel=1e-6)
            limit = axis.values[-1]
            for (along, _), judged in zip(plot.dots, why.actions, strict=True):
                assert along == pytest.approx((judged.action[axis.number] + limit) / (2 * limit))
            at = np.linspace(0.0, 1.0, len(axis.values))
            inside = np.zeros(len(at), bool)
            for start, end in plot.certified:
                inside |= (at >= start) & (at <= end)
            assert axis.certified is not None and (inside == axis.certified).all()
        app.config.why = False
        app.step()
        assert "actor" not in texts(app) and panel(app).plots == ()


def test_a_new_episode_has_no_reason() -> None:
    with opened(**LARGE, chosen=0, why=True) as app:
        app.step()
        assert texts(app)["why"] == "no action led here: an episode begins"


def test_what_passed_is_not_explained_by_what_is_now() -> None:
    with opened(**LARGE, chosen=0, why=True) as app:
        for _ in range(12):
            app.step()
        app.screenshot()
        assert "actor" in texts(app)
        app.playhead.go(app.playhead.at - 5)
        app.draw()
        app.screenshot()
        said = texts(app)
        assert said["why"] == "why: of the newest step alone" and "actor" not in said
        assert said["episode"] == "0.06 s"
        app.playhead.to_the_end()
        app.draw()
        app.screenshot()
        assert "actor" in texts(app)


@pytest.mark.parametrize("size", [(320, 180), (640, 360), (1280, 720), (2560, 1440)])
def test_it_stays_in_the_picture_and_beside_others(size: tuple[int, int]) -> None:
    with opened(size=size, n_agents=4, chosen=1, why=True, system="differential_drive") as app:
        for _ in range(3):
            app.step()
        assert app.hud is not None
        placed = app.hud.placed
        if "agent" in placed:
            mine = placed["agent"]
            assert mine.within(size)
            assert not any(mine.overlaps(r) for n, r in placed.items() if n != "agent")
        assert ("agent" in placed) == (size[1] > 200)


class Loop:
    """A source that gives a margin and a value of its own, and nothing about states."""

    view = View("loop", modes=("safe", "unsafe"))

    def __init__(self) -> None:
        self.steps = 0

    def step(self) -> Samples:
        self.steps += 1
        places = np.array([(0.5, -1.25), (1.0, 2.0)])
        return Samples.of(places, [0, 1], margin=[0.25, -0.5], value=[1.5, np.nan])

    def surface(self) -> Heightfield | None:
        return Heightfield(np.eye(3), (-5.0, -5.0), (5.0, 5.0)) if self.steps < 2 else None

    def close(self) -> None: ...


@pytest.fixture
def loop() -> Iterator[CALFApplication]:
    settings: dict[str, Any] = {"size": (1280, 720), "headless": True, "why": True, "chosen": 1}
    with CALFApplication(VisualizationConfig(**settings), source=Loop()) as app:
        for _ in range(3):
            app.step()
        app.screenshot()
        yield app


def test_of_other_sources_it_says_what_they_give(loop: CALFApplication) -> None:
    said = texts(loop)
    assert said["rule"] == "unsafe" and said["margin"] == "−0.500"
    assert "value" not in said, "it is not known"
    assert said["why"] == "why: not known" and "action" not in said
    assert said["episode"] == "≥ 2 steps", "where it began was not seen"
    loop.config.chosen = 0
    loop.step()
    assert texts(loop)["value"] == "1.50"


def test_a_source_answers_for_itself() -> None:
    class Accounting(Loop):
        def why(self, agent: int) -> Any:
            return app.explain(agent)

    with opened(**LARGE) as app:
        for _ in range(9):
            app.step()
        settings: dict[str, Any] = {"headless": True, "why": True, "chosen": 1, "size": (1280, 720)}
        with CALFApplication(VisualizationConfig(**settings), source=Accounting()) as shown:
            shown.step()
            assert "actor" in texts(shown)


class TestPicker:
    def test_a_click_chooses_and_one_beside_lets_go(self) -> None:
        with opened(**LARGE) as app:
            app.step()
            app.playback.toggle()
            for agent in (2, 0):
                x, y = middle(app, agent)
                app.host.picks.ask(Asked(x, y, click=True))
                for _ in range(4):
                    app.draw()
                assert app.config.chosen == agent == app.host.scene.highlighted
            app.host.picks.ask(Asked(1, 1, click=True))
            for _ in range(4):
                app.draw()
            assert app.config.chosen is None and app.host.scene.highlighted == -1

    def test_pointing_shows_another_agent_for_a_while(self) -> None:
        with opened(**LARGE, chosen=1) as app:
            app.step()
            app.playback.toggle()
            x, y = middle(app, 3)
            app.host.picks.ask(Asked(x, y))
            for _ in range(10):
                app.draw()
            assert (app.picker.agent, app.config.chosen) == (3, 1)
            assert app.host.scene.highlighted == 3 and panel(app).title == "agent 3"
            app.host.picks.leave()
            app.draw()
            app.draw()
            assert app.picker.agent == 1 == app.host.scene.highlighted

    def test_letting_go(self) -> None:
        with opened(chosen=2) as app:
            app.step()
            assert app.picker.let_go() and app.config.chosen is None
            assert not app.picker.let_go()

    def test_agents_that_are_gone_are_pointed_at_no_longer(self) -> None:
        with opened(**LARGE) as app:
            app.step()
            app.picker.hovered = 3
            app.n_agents = 2
            app.step()
            app.step()
            assert app.picker.agent is None and app.host.scene.highlighted == -1


@pytest.mark.parametrize("system", ["differential_drive", "pendulum"])
def test_a_recording_says_the_same_as_what_was_live(tmp_path: Path, system: str) -> None:
    pytest.importorskip("pyarrow", reason="the extra `record` is not installed")
    from calf_viz.recording.recording import Recording
    from calf_viz.sources.replay import Replay

    settings: dict[str, Any] = {
        **LARGE, "system": system, "chosen": 1, "why": True, "headless": True, "trail_length": 40,
    }  # fmt: skip
    live: list[dict[str, str]] = []

    def told(app: CALFApplication) -> dict[str, str]:
        app.screenshot()
        return texts(app)

    with opened(**settings, record=tmp_path / "a.calf") as app:
        for _ in range(30):
            app.step()
            live.append(told(app))
    recording = Recording(tmp_path / "a.calf")
    with CALFApplication(VisualizationConfig(**settings), source=Replay(recording)) as app:
        for said in live:
            app.step()
            assert told(app) == said
        app.playhead.go(12)
        app.draw()
        assert told(app) == live[12]
