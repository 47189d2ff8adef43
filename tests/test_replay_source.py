"""Replays show what was recorded: the same agents, the same critics, the same pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from calf_viz.cli.main import calf_viz
from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield
from calf_viz.recording.recorder import Recorder
from calf_viz.recording.recording import Recording
from calf_viz.samples import Samples
from calf_viz.sources.replay import Replay
from calf_viz.view import View
from calf_viz.viewer.app import CALFApplication
from calf_viz.viewer.config import VisualizationConfig

pytest.importorskip("pyarrow", reason="the extra `record` is not installed")

STEPS = 320


def config(system: str, **changes: object) -> VisualizationConfig:
    return VisualizationConfig(
        system=system, n_agents=8, headless=True, hud=False, size=(320, 200), trail_length=100,
        **changes,
    )  # fmt: skip


@pytest.mark.parametrize("system", ["point_mass", "differential_drive", "pendulum"])
def test_a_replay_has_the_pictures_of_then(tmp_path: Path, system: str) -> None:
    folder, live = tmp_path / "a.calf", {}
    with CALFApplication(config(system, record=folder)) as app:
        for frame in range(STEPS):
            app.step()
            if frame in (40, 200, STEPS - 1):
                live[frame] = app.screenshot()
    recording = Recording(folder)
    assert len(recording) == STEPS and not recording.torn
    with CALFApplication(config(system), source=Replay(recording)) as app:
        # The simulation's surface has as many cells as its picture is worth, as recorded.
        for frame in range(STEPS):
            app.step()
            if frame in live:
                np.testing.assert_array_equal(app.screenshot(), live[frame])


SYSTEMS = ("point_mass", "differential_drive", "pendulum")
LOOKS = ("certificate", "ink", "night", "topographic", "tunnel")


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(
    "changes",
    [*({"shaders": Path(look)} for look in LOOKS),
     *({"renderer": renderer} for renderer in ("batched", "per_agent"))],
    ids=[*LOOKS, "batched", "per_agent"],
)  # fmt: skip
def test_every_look_and_renderer_has_the_picture_of_then(
    tmp_path: Path, system: str, changes: dict[str, object]
) -> None:
    small = replace(config(system, camera="plane", **changes), size=(160, 100))
    with CALFApplication(replace(small, record=tmp_path / "a.calf")) as app:
        for _ in range(25):
            app.step()
        live = app.screenshot()
    with CALFApplication(small, source=Replay(Recording(tmp_path / "a.calf"))) as app:
        for _ in range(25):
            app.step()
        np.testing.assert_array_equal(app.screenshot(), live)


def test_texts_are_those_that_were_shown(tmp_path: Path) -> None:
    """The policy and the mean value among them, which a plane does not show."""
    shown = replace(config("differential_drive"), hud=True, size=(640, 400))
    texts = []
    with CALFApplication(replace(shown, record=tmp_path / "a.calf")) as app:
        for _ in range(30):
            app.step()
            app.screenshot()
            assert app.hud is not None
            texts.append(dict(app.hud.values))
    with CALFApplication(shown, source=Replay(Recording(tmp_path / "a.calf"))) as app:
        for row in (29, 10, 3):
            app.seek(row)
            app.draw()
            app.screenshot()
            assert app.hud is not None
            for name in ("shown", "step", "time", "agents", "mean_value", "mode_0", "mode_2"):
                assert app.hud.values[name] == texts[row][name], name


def test_positions_are_those_that_were_drawn(tmp_path: Path) -> None:
    from calf_viz.agent import checkpoint
    from calf_viz.agent.calf import CALFAgent
    from calf_viz.sources.simulation import Simulation

    with CALFApplication(config("pendulum", record=tmp_path / "a.calf")) as app:
        for _ in range(50):
            app.step()
    agent = CALFAgent.load(checkpoint.shipped("pendulum"))
    simulation, recording = Simulation(agent, 8, seed=0), Recording(tmp_path / "a.calf")
    for found in recording.walk():
        samples = simulation.step()
        np.testing.assert_array_equal(found.positions, samples.positions)
        np.testing.assert_array_equal(found.columns["state"], simulation.states)
        np.testing.assert_array_equal(found.first, samples.first)
    critic = recording.critic(0)
    np.testing.assert_array_equal(critic.weights, agent.flat_weights())
    assert critic.trained == agent.info.steps


def run(*arguments: str) -> tuple[int, str]:
    found = CliRunner().invoke(calf_viz, list(arguments))
    return found.exit_code, found.output + str(found.exception or "")


def test_record_and_replay_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    size = ("--size", "320x200", "--no-hud")
    code, said = run(
        "--headless", "--frames", "60", "--record", "a.calf", "--output", "1.png", *size
    )
    assert code == 0, said
    code, said = run(
        "replay", "a.calf", "--from", "59", "--frames", "1", "--output", "2.png", *size
    )
    assert code == 0, said
    assert (tmp_path / "2.png").exists()
    _, said = run("replay", "a.calf", "--from", "60")
    assert "the recording has steps 0 to 59" in said
    _, said = run("--headless", "--record", "a.calf")
    assert "never written over" in said
    _, said = run("--headless", "--record", "b.calf", "--critic-on-gpu")
    assert "leave that out" in said
    _, said = run("replay", "none.calf")
    assert "no such recording" in said
    _, said = run("record", "nobody", "c.calf")
    assert "nobody" in said and not (tmp_path / "c.calf").exists()


def test_the_end_is_said(tmp_path: Path) -> None:
    with CALFApplication(config("point_mass", record=tmp_path / "a.calf")) as app:
        for _ in range(5):
            app.step()
    replay = Replay(Recording(tmp_path / "a.calf"))
    for step in range(5):
        samples = replay.step()
        assert samples is not None and samples.step == step
        assert replay.notice is None
    assert replay.step() is None and replay.notice == "the end of the recording"
    replay.close()


def test_seeking_shows_the_picture_of_then(tmp_path: Path) -> None:
    live = {}
    with CALFApplication(config("pendulum", record=tmp_path / "a.calf", camera="plane")) as app:
        for frame in range(STEPS):
            app.step()
            if frame in (5, 130, 250):
                live[frame] = app.screenshot()
    source = Replay(Recording(tmp_path / "a.calf"))
    with CALFApplication(config("pendulum", camera="plane"), source=source) as app:
        for row in (250, 5, 130, 131, 130, 250):
            app.seek(row)
            app.draw()
            assert source.at == row
            if row in live:
                np.testing.assert_array_equal(app.screenshot(), live[row])
        app.seek(10**9)
        assert source.at == STEPS - 1
        app.seek(-5)
        assert source.at == 0
        app.step()
        assert source.at == 1


@pytest.mark.parametrize("agents", [8, 150])
def test_seeking_far_into_a_recording(tmp_path: Path, agents: int) -> None:
    """Steps before a trail are not drawn then, and decide on how it is drawn nevertheless. In a
    crowd the trails' width follows from sums that never quite forget."""
    live: dict[int, np.ndarray] = {}
    many = replace(config("point_mass"), n_agents=agents, camera="plane", size=(200, 120))
    many.trail_length = 40
    with CALFApplication(replace(many, record=tmp_path / "a.calf")) as app:
        for frame in range(480):
            app.step()
            if frame in (420, 479):
                live[frame] = app.screenshot()
    with CALFApplication(many, source=Replay(Recording(tmp_path / "a.calf"))) as app:
        for row in (479, 420):
            app.seek(row)
            app.draw()
            differs = np.abs(app.screenshot().astype(int) - live[row])
            assert differs.max() <= (0 if agents == 8 else 2)
            assert (differs > 0).mean() < 0.002


def test_only_recordings_can_be_sought_in() -> None:
    with CALFApplication(config("point_mass")) as app, pytest.raises(UserError, match="no rec"):
        app.seek(3)


def test_the_mouse_goes_where_it_is_pressed(tmp_path: Path) -> None:
    with CALFApplication(config("pendulum", record=tmp_path / "a.calf")) as app:
        for _ in range(101):
            app.step()
    source = Replay(Recording(tmp_path / "a.calf"))
    shown = replace(config("pendulum"), hud=True, size=(1280, 720))
    with CALFApplication(shown, source=source) as app:
        app.step()
        assert app.hud is not None
        rect = app.hud.placed["timeline"]
        y = rect.y + 4.5 * app.hud.canvas.metrics.unit
        for part, row in ((0.5, 50), (0.25, 25), (0.0, 0), (1.0, 100)):
            unit = app.hud.canvas.metrics.unit
            app.hud.press(rect.x + 3 * unit + part * (rect.width - 6 * unit), y)
            app.hud.release()
            app.draw()
            assert abs(source.at - row) <= 1
            assert f"row {source.at + 1} of 101" in app.hud.values["timeline"]
        actions = app.actions.by_name
        actions["first_step"]()
        assert source.at == 0 and app.playback.paused
        actions["last_step"]()
        actions["step_back"]()
        assert source.at == 99


def recorded_with_critics(folder: Path, fields: list[Heightfield]) -> Recording:
    """Twenty steps on each critic."""
    recorder = Recorder(folder, View("walk", lo=fields[0].lo, hi=fields[0].hi))
    for number, field in enumerate(fields):
        recorder.critic(field)
        for step in range(20):
            recorder.see(Samples.of(np.full((2, 2), 0.1), step=20 * number + step))
    recorder.close()
    return Recording(folder)


def test_where_one_begins_is_the_critic_of_then(tmp_path: Path) -> None:
    """At once: there is nothing to be morphed from."""
    fields = [
        Heightfield(np.full((3, 3), float(i)) + np.eye(3), (-1, -1), (1, 1)) for i in range(3)
    ]
    recording = recorded_with_critics(tmp_path / "a.calf", fields)
    with CALFApplication(config("point_mass"), source=Replay(recording)) as app:
        app.seek(45)
        assert app.host.morph == 1.0
        np.testing.assert_array_equal(app.host.heightfield.values, fields[2].values)
        app.draw()
        app.seek(5)  # and from there a morph
        app.draw()
        assert app.host.morph < 1.0
        np.testing.assert_array_equal(app.host.heightfield.values, fields[0].values)


def test_bounds_that_grew_grow_again(tmp_path: Path) -> None:
    """As those of attached loops without `bounds` do."""
    fields = [Heightfield(np.eye(3), (-wide, -1), (wide, 1)) for wide in (1.0, 2.0, 4.0)]
    recording = recorded_with_critics(tmp_path / "a.calf", fields)
    with CALFApplication(config("point_mass"), source=Replay(recording)) as app:
        for row in range(60):
            app.step()
            assert app.feed.view.hi[0] == (1.0, 2.0, 4.0)[row // 20]
        app.seek(30)
        app.draw()
        assert app.feed.view.hi[0] == 2.0
        assert app.failure is None
