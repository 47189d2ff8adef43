"""`calf-viz verify` finds what is wrong in a recording, and nothing in what is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from applications import SMALL
from click.testing import CliRunner
from simulations import FLAT, recorder_of, simulated
from trainings import watched
from waiting import until

from calf_viz.cli.main import calf_viz
from calf_viz.errors import UserError
from calf_viz.recording.recorder import Recorder
from calf_viz.recording.recording import Recording
from calf_viz.samples import Samples
from calf_viz.sources.simulation import Simulation
from calf_viz.verification.verify import (
    BEFORE,
    CHECKS,
    CLOSE,
    GAPS,
    NETWORKS,
    Violation,
    verify,
)
from calf_viz.viewer.app import CALFApplication
from calf_viz.viewer.config import VisualizationConfig

pytest.importorskip("pyarrow", reason="the extra `record` is not installed")

Edit = Callable[[dict[str, Any]], None]
training = pytest.fixture(watched)


def seeded(system: str, policy: str = "calf", n: int = 6, p_relax: float = 0.0) -> Simulation:
    return simulated(system, n, seed=1, policy=policy, p_relax=p_relax)


def written(
    folder: Path, simulation: Simulation, steps: int, edits: dict[int, Edit] | None = None
) -> Recording:
    """A recording of it; edits: of the columns at a step, mode and first among them."""
    recorder = recorder_of(folder, simulation)
    for step in range(steps):
        samples = simulation.step()
        columns = {name: np.array(column) for name, column in samples.columns.items()}
        columns |= {"mode": samples.modes.copy(), "first": samples.first.copy()}
        if edits and step in edits:
            edits[step](columns)
        mode, first = columns.pop("mode"), columns.pop("first")
        recorder.see(Samples(samples.positions, mode, first, samples.headings, step, columns))
    recorder.close()
    return Recording(folder)


@pytest.mark.parametrize("policy", ["calf", "actor", "nominal"])
@pytest.mark.parametrize("system", ["point_mass", "differential_drive", "pendulum"])
def test_clean_recordings_are_clean(tmp_path: Path, system: str, policy: str) -> None:
    simulation = seeded(system, policy)
    verdict = verify(written(tmp_path / "a.calf", simulation, 900))
    assert verdict.violations == [] and verdict.clean
    assert verdict.reached == simulation.arrived or not simulation.arrived
    checked = ("motion", "action", "reset", "goal")
    if policy != "nominal":
        checked = CHECKS
    if simulation.arrived:
        assert all(verdict.checked[name] for name in checked if name not in ("withheld",))


def test_with_relaxed_steps_and_changing_numbers(tmp_path: Path) -> None:
    simulation = seeded("pendulum", p_relax=0.3)
    recorder = recorder_of(tmp_path / "a.calf", simulation)
    for n in (6, 9, 2, 300):
        simulation.resize(n)
        for _ in range(70):
            recorder.see(simulation.step())
    recorder.close()
    verdict = verify(Recording(tmp_path / "a.calf"))
    assert verdict.violations == []
    assert verdict.checked["withheld"] > 0


def planted() -> dict[str, tuple[int, Edit]]:
    """What is wrong, by the check that must find it: the step, and how."""

    def change(name: str, value: Callable[[Any], Any], agent: int = 2) -> Edit:
        def edit(columns: dict[str, Any]) -> None:
            columns[name][agent] = value(columns[name][agent])

        return edit

    def low(columns: dict[str, Any]) -> None:  # an agent that claims to be certified
        columns["mode"][2] = 0

    return {
        "decrease": (40, low),
        "withheld": (1, change("mode", lambda _: 2)),  # which has no triple yet
        "q+": (5, change("q_plus", lambda q: np.nextafter(q, np.inf))),
        "reset": (30, change("first", lambda _: True)),
        "q": (6, change("q", lambda q: q * (1 + 3 * CLOSE))),
        "action": (7, change("action", lambda a: a + 0.01)),
        "motion": (8, change("state", lambda s: s + 0.01)),
        "goal": (9, change("ended", lambda _: 1)),
    }


@pytest.mark.parametrize("check", planted())
def test_a_planted_violation_is_found(tmp_path: Path, check: str) -> None:
    step, edit = planted()[check]
    verdict = verify(written(tmp_path / "a.calf", seeded("pendulum"), 60, {step: edit}))
    found = [one for one in verdict.violations if one.check == check]
    assert (step, 2) in [(one.step, one.agent) for one in found], verdict.violations
    assert not verdict.clean


def test_bounds_are_checked(tmp_path: Path) -> None:
    simulation = seeded("pendulum")
    about = simulation.about()
    about["constants"]["c_up"] = 1e-3  # tighter than what the agent was held to
    recorder = Recorder(tmp_path / "a.calf", simulation.view, {"agent": about})
    for _ in range(30):
        recorder.see(simulation.step())
    recorder.close()
    assert verify(Recording(tmp_path / "a.calf")).failed["bounds"] > 0


def test_what_cannot_be_checked_is_said(tmp_path: Path) -> None:
    simulation = seeded("pendulum")
    recorder = Recorder(tmp_path / "a.calf", simulation.view)
    recorder.see(simulation.step())
    recorder.close()
    with pytest.raises(UserError, match="no certificate of ours"):
        verify(Recording(tmp_path / "a.calf"))


def test_its_exit_code(tmp_path: Path) -> None:
    written(tmp_path / "good.calf", seeded("pendulum"), 30).close()
    step, edit = planted()["motion"]
    written(tmp_path / "bad.calf", seeded("pendulum"), 30, {step: edit}).close()
    good = CliRunner().invoke(calf_viz, ["verify", str(tmp_path / "good.calf")])
    assert good.exit_code == 0 and "nothing is wrong" in good.output
    bad = CliRunner().invoke(calf_viz, ["verify", str(tmp_path / "bad.calf")])
    assert bad.exit_code == 1 and f"step {step}, agent 2: motion" in bad.output
    assert (
        Violation("motion", step, 2, "the action does not lead there")
        in verify(Recording(tmp_path / "bad.calf")).violations
    )


def result(folder: Path) -> tuple[int, str]:
    found = CliRunner().invoke(calf_viz, ["verify", str(folder)])
    return found.exit_code, " ".join(found.output.split())


@pytest.mark.parametrize("policy", ["calf", "actor"])
def test_without_networks_not_all_can_be_checked(tmp_path: Path, policy: str) -> None:
    folder = tmp_path / "a.calf"
    written(folder, seeded("pendulum", policy), 60).close()
    assert result(folder)[0] == 0
    (folder / "critic-000000.arrows").unlink()
    verdict = verify(Recording(folder))
    assert verdict.clean and not verdict.complete and verdict.checked["q"] == 0
    assert verdict.unchecked[NETWORKS] == verdict.checked["motion"] > 300
    code, said = result(folder)
    assert code == 1 and "not all can be checked" in said and NETWORKS in said


def test_the_nominal_policy_needs_no_networks(tmp_path: Path) -> None:
    folder = tmp_path / "a.calf"
    written(folder, seeded("pendulum", "nominal"), 60).close()
    (folder / "critic-000000.arrows").unlink()
    assert verify(Recording(folder)).complete and result(folder)[0] == 0


def test_critics_without_weights_leave_q_unchecked(tmp_path: Path) -> None:
    simulation = seeded("pendulum")
    recorder = Recorder(tmp_path / "a.calf", simulation.view, {"agent": simulation.about()})
    recorder.critic(FLAT, 0, None)
    for _ in range(30):
        recorder.see(simulation.step())
    recorder.critic(FLAT, 0, simulation.weights())
    for _ in range(30):
        recorder.see(simulation.step())
    recorder.close()
    verdict = verify(Recording(tmp_path / "a.calf"))
    assert verdict.clean and not verdict.complete
    assert verdict.unchecked[NETWORKS] + verdict.checked["q"] == verdict.checked["motion"]
    assert min(verdict.unchecked[NETWORKS], verdict.checked["q"]) > 150


def test_steps_that_were_cut_out_are_missed(tmp_path: Path) -> None:
    simulation = seeded("pendulum")
    recorder = recorder_of(tmp_path / "a.calf", simulation)
    for step in range(60):
        samples = simulation.step()
        if not 20 <= step < 40:
            recorder.see(replace(samples, step=step))
    recorder.close()
    verdict = verify(Recording(tmp_path / "a.calf"))
    assert verdict.clean and not verdict.complete
    assert verdict.unchecked[GAPS] == 21 * 6  # from row 19 to row 40
    code, said = result(tmp_path / "a.calf")
    assert code == 1 and "126 (steps are missing)" in said


def test_what_led_to_the_first_row_is_mentioned(tmp_path: Path) -> None:
    simulation = seeded("pendulum")
    for _ in range(10):
        simulation.step()
    verdict = verify(written(tmp_path / "a.calf", simulation, 20))
    assert verdict.clean and verdict.complete and verdict.unchecked[BEFORE] == 6
    code, said = result(tmp_path / "a.calf")
    assert code == 0 and "nothing is wrong with them" in said and f"6 ({BEFORE})" in said


def test_a_restart_ends_all_episodes(tmp_path: Path) -> None:
    config = {**SMALL, "system": "pendulum", "n_agents": 4, "hud": False}
    for name, noted in (("good.calf", True), ("bad.calf", False)):
        config["record"] = tmp_path / name
        with CALFApplication(VisualizationConfig(**config)) as app:
            for _ in range(20):
                app.step()
            if noted:
                app.restart()
            else:
                assert app.simulation is not None
                app.simulation.restart()
            for _ in range(20):
                app.step()
        failed = verify(Recording(tmp_path / name)).failed
        assert failed["reset"] == (0 if noted else 4) and sum(failed.values()) == failed["reset"]


@pytest.mark.parametrize("after", [3, 9])
def test_the_step_over_a_change_of_number_is_checked(tmp_path: Path, after: int) -> None:
    def recording(name: str, wrong: bool) -> Recording:
        simulation = seeded("pendulum")
        recorder = recorder_of(tmp_path / name, simulation)
        for _ in range(10):
            recorder.see(simulation.step())
        simulation.resize(after)
        for step in range(10):
            samples = simulation.step()
            if wrong and not step:
                state = samples.columns["state"].copy()
                state[2] += 0.01
                first = samples.first.copy()
                first[6:] = False
                samples = replace(samples, first=first, columns=samples.columns | {"state": state})
            recorder.see(samples)
        recorder.close()
        return Recording(tmp_path / name)

    verdict = verify(recording("good.calf", False))
    assert verdict.clean and verdict.complete
    assert verdict.checked["motion"] == 9 * 6 + min(after, 6) + 9 * after
    found = {(one.step, one.agent) for one in verify(recording("bad.calf", True)).violations
             if one.check == "motion"}  # fmt: skip
    assert {(10, 2), *((10, agent) for agent in range(6, after))} <= found


def test_who_was_nowhere_has_to_begin(tmp_path: Path) -> None:
    def gone(columns: dict[str, Any]) -> None:
        columns["state"][2] = np.nan

    verdict = verify(written(tmp_path / "a.calf", seeded("pendulum"), 20, {7: gone}))
    said = "it was nowhere, and does not begin"
    assert Violation("motion", 8, 2, said) in verdict.violations


def test_violations_come_by_step_and_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(name: str, agent: int) -> Edit:
        def edit(columns: dict[str, Any]) -> None:
            columns[name][agent] += 500 if name == "q" else 0.02

        return edit

    edits = {50: wrong("state", 1), 20: wrong("action", 4), 30: wrong("q_plus", 0),
             10: wrong("q", 5)}  # fmt: skip
    recording = written(tmp_path / "a.calf", seeded("pendulum"), 60, edits)
    verdict = verify(recording)
    places = [(one.step, one.agent) for one in verdict.violations]
    assert places == sorted(places) and {(10, 5), (20, 4), (30, 0), (50, 1)} <= set(places)
    monkeypatch.setattr("calf_viz.verification.verify.MOST_KEPT", 3)
    monkeypatch.setattr("calf_viz.verification.verify.ROWS", 25)
    assert verify(recording).violations == verdict.violations[:3]
    assert verify(recording).failed == verdict.failed


@pytest.mark.usefixtures("boards")
def test_a_training_is_recorded_with_its_critics(
    training: Callable[..., CALFApplication], tmp_path: Path
) -> None:
    app = training(hud=False, record=tmp_path / "a.calf")
    assert app.live is not None
    until(lambda: app.live.version >= 2, app.step)
    for _ in range(5):
        app.step()
    live = app.live.trained
    app.close()
    recording = Recording(tmp_path / "a.calf")
    assert recording.view.trainee == 0
    assert len(recording.critic_steps) >= 2
    critics = [recording.critic(number) for number in range(len(recording.critic_steps))]
    assert [critic.trained for critic in critics] == sorted(critic.trained for critic in critics)
    assert critics[-1].trained == live
    verdict = verify(recording)
    assert verdict.violations == [] and verdict.checked["q"] > 0
