"""Forks of a recording: they repeat, reproduce what happened, and are shown beside it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from simulations import FLAT, recorder_of, simulated

from calf_viz import systems
from calf_viz.agent import checkpoint
from calf_viz.agent.calf import AgentInfo, CALFAgent
from calf_viz.cli.main import calf_viz
from calf_viz.errors import FileDamaged, UserError
from calf_viz.recording.recorder import Recorder
from calf_viz.recording.recording import Recording
from calf_viz.samples import Samples
from calf_viz.sources.fork import Fork, fork
from calf_viz.sources.ghosts import Ghosts
from calf_viz.sources.replay import Replay
from calf_viz.sources.simulation import Simulation
from calf_viz.view import View
from calf_viz.viewer.app import CALFApplication
from calf_viz.viewer.config import VisualizationConfig

pytest.importorskip("pyarrow", reason="the extra `record` is not installed")


def recorded(
    folder: Path, system: str, policy: str = "calf", n: int = 6, steps: int = 120,
    p_relax: float = 0.0, every: int = 1,
) -> Recording:  # fmt: skip
    simulation = simulated(system, n, seed=1, policy=policy, p_relax=p_relax)
    recorder = recorder_of(folder, simulation, configuration={"seed": 1})
    for step in range(steps):
        samples = simulation.step()
        if step % every == 0:
            recorder.see(
                Samples(
                    samples.positions, samples.modes, samples.first, samples.headings, step,
                    samples.columns,
                )
            )  # fmt: skip
    recorder.close()
    return Recording(folder)


def until_episodes_end(recording: Recording, step: int, agents: np.ndarray) -> np.ndarray:
    """How many steps each agent's episode goes on, at most to the end of the recording."""
    first = recording.array("first", step + 1)[:, agents]
    return np.where(first.any(axis=0), first.argmax(axis=0), len(first))


def check_reproduces(found: Fork, recording: Recording, step: int) -> None:
    states = recording.array("state", step)[:, found.agents]
    modes = recording.array("mode", step)[:, found.agents]
    actions = recording.array("action", step)[:, found.agents]
    rewards = recording.array("reward", step)[:, found.agents]
    lengths = until_episodes_end(recording, step, found.agents)
    assert lengths.max() > 20
    for k, length in enumerate(lengths):
        end = min(length, len(found)) + 1
        np.testing.assert_array_equal(found.states[:end, k], states[:end, k])
        np.testing.assert_array_equal(found.modes[: end - 1, k], modes[1:end, k])
        np.testing.assert_array_equal(found.actions[: end - 1, k], actions[1:end, k])
        np.testing.assert_array_equal(found.rewards[: end - 1, k], rewards[1:end, k])


@pytest.mark.parametrize("policy", ["calf", "actor", "nominal"])
@pytest.mark.parametrize("system", ["point_mass", "differential_drive", "pendulum"])
def test_the_policy_of_then_repeats_what_happened_bit_for_bit(
    tmp_path: Path, system: str, policy: str
) -> None:
    recording = recorded(tmp_path / "a.calf", system, policy)
    check_reproduces(fork(recording, 0, policy, steps=119), recording, 0)
    check_reproduces(fork(recording, 70, policy, agents=[4, 1], steps=49), recording, 70)


def test_among_hundreds_of_agents_a_few_repeat_bit_for_bit(tmp_path: Path) -> None:
    """Which of them are multiplied together decides on the last bit."""
    recording = recorded(tmp_path / "a.calf", "pendulum", n=300, steps=60)
    for agents in ([5], [299], [3, 140, 270]):
        check_reproduces(fork(recording, 10, "calf", agents, steps=49), recording, 10)


CHILD = """
import hashlib, sys
from calf_viz import fork
found = fork(sys.argv[1], 40, "calf", steps=60, seed=3)
parts = found.states, found.actions, found.modes, found.rewards, found.ended
print(hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest())
"""


def test_forks_repeat_in_another_process(tmp_path: Path) -> None:
    """Where rules are drawn, too."""
    recording = recorded(tmp_path / "a.calf", "pendulum", p_relax=0.4)
    found = fork(recording, 40, "calf", steps=60, seed=3)
    parts = found.states, found.actions, found.modes, found.rewards, found.ended
    here = hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(recording.folder)],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert child.stdout.strip() == here
    assert (fork(recording, 40, "calf", steps=60, seed=4).modes != found.modes).any()


def test_a_checkpoint_goes_on_with_a_certificate_of_its_own(tmp_path: Path) -> None:
    recording = recorded(tmp_path / "a.calf", "pendulum")
    system = systems.get("pendulum")
    agent = CALFAgent.random(system, np.random.default_rng(5), AgentInfo(hidden=16))
    agent.save(tmp_path / "other.safetensors")
    found = fork(recording, 40, tmp_path / "other.safetensors", agents=[0], steps=30)
    memory, states = agent.memory(1), found.states[0]
    for step in range(30):
        actions, modes = agent.act(states, memory, 0.0, np.random.default_rng(0))
        assert modes[0] == found.modes[step, 0]
        np.testing.assert_allclose(found.actions[step], actions, rtol=1e-5, atol=1e-6)
        states = system.step(states, actions)
        np.testing.assert_allclose(found.states[step + 1], states, rtol=1e-4, atol=1e-5)
    assert found.modes[0, 0] == 0  # the first is certified: the other critic's q+ is forgotten


def test_who_arrived_stays(tmp_path: Path) -> None:
    recording = recorded(tmp_path / "a.calf", "point_mass", "nominal")
    found = fork(recording, 0, "calf", steps=2000)
    assert found.ended[-1].all() and len(found) < 2000
    for k, at in enumerate(found.ended.argmax(axis=0)):
        assert (found.states[at:, k] == found.states[at, k]).all()
        assert np.isnan(found.actions[at:, k]).all() and (found.rewards[at:, k] == 0).all()
        assert np.isfinite(found.actions[:at, k]).all()
        assert found.ended[at:, k].all()


def test_of_rows_that_are_steps_apart(tmp_path: Path) -> None:
    every = recorded(tmp_path / "a.calf", "pendulum", steps=100)
    some = recorded(tmp_path / "b.calf", "pendulum", steps=100, every=5)
    one, other = fork(every, 40, "nominal"), fork(some, 40, "nominal")
    np.testing.assert_array_equal(one.states, other.states)
    with pytest.raises(UserError, match="step 41: the recording has steps 0 to 95"):
        fork(some, 41)


def test_what_cannot_be_forked_says_why(tmp_path: Path) -> None:
    recording = recorded(tmp_path / "a.calf", "pendulum", steps=20)
    with pytest.raises(UserError, match="step 20: the recording has steps 0 to 19"):
        fork(recording, 20)
    with pytest.raises(UserError, match="agent 6: at that step there are 0 to 5"):
        fork(recording, 3, agents=[0, 6])
    with pytest.raises(UserError, match="agents: give one"):
        fork(recording, 3, agents=[])
    with pytest.raises(UserError, match="policy best: give calf, nominal, actor, or"):
        fork(recording, 3, "best")
    with pytest.raises(UserError, match="it is for system point_mass, not pendulum"):
        fork(recording, 3, checkpoint.shipped("point_mass"))
    with pytest.raises(UserError, match="steps 0: give 1"):
        fork(recording, 3, steps=0)
    recorder = Recorder(tmp_path / "walk.calf", View("walk"))
    recorder.see(Samples.of(np.zeros((2, 2)), step=0))
    recorder.close()
    with pytest.raises(UserError, match="no certificate of ours"):
        fork(tmp_path / "walk.calf", 0)
    meta = recording.folder / "meta.json"
    changed = json.loads(meta.read_text())
    changed["agent"]["hidden"] = 7
    meta.write_text(json.dumps(changed))
    with pytest.raises(UserError, match="weights, where"):
        fork(recording.folder, 3)


@pytest.mark.parametrize("name", ["state", "action"])
def test_columns_of_another_shape_are_damage(tmp_path: Path, name: str) -> None:
    simulation = simulated("pendulum", 3)
    recorder = recorder_of(tmp_path / "a.calf", simulation)
    for _ in range(4):
        one = simulation.step()
        twice = np.stack([one.columns[name]] * 2, axis=1).reshape(3, -1)
        recorder.see(replace(one, columns={**one.columns, name: twice}))
    recorder.close()
    with pytest.raises(FileDamaged, match=f"{name} has . numbers of each agent"):
        fork(tmp_path / "a.calf", 2)


def test_without_networks_only_the_nominal_policy_goes_on(tmp_path: Path) -> None:
    simulation = simulated("pendulum", 2)
    recorder = Recorder(tmp_path / "a.calf", simulation.view, {"agent": simulation.about()})
    for _ in range(5):
        recorder.see(simulation.step())
    recorder.close()
    assert len(fork(tmp_path / "a.calf", 3, "nominal", steps=9)) == 9
    with pytest.raises(UserError, match="no networks at step 3"):
        fork(tmp_path / "a.calf", 3, "actor")


def test_the_agent_in_training_is_left_out(tmp_path: Path) -> None:
    """It takes more steps than are recorded. The others were multiplied without it."""
    simulation = simulated("pendulum", 4)
    view = replace(simulation.view, trainee=0)
    recorder = Recorder(tmp_path / "a.calf", view, {"agent": simulation.about()})
    recorder.critic(FLAT, 0, simulation.weights())

    def joined(values: np.ndarray) -> np.ndarray:
        return np.concatenate([np.zeros_like(values[:1]), values])

    for _ in range(60):
        one = simulation.step()
        columns = {name: joined(values) for name, values in one.columns.items()}
        recorder.see(
            Samples(joined(one.positions), joined(one.modes), joined(one.first), columns=columns)
        )
    recorder.close()
    recording = Recording(tmp_path / "a.calf")
    found = fork(recording, 10, steps=49)
    assert found.agents.tolist() == [1, 2, 3, 4]
    check_reproduces(found, recording, 10)
    with pytest.raises(UserError, match="agent 0 is the one in training"):
        fork(recording, 10, agents=[0])


def test_gymnasiums_environments_go_on_if_they_can_be_put_into_a_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the rounding of what was recorded: in them states are float64."""
    pytest.importorskip("gymnasium", reason="the extra gym is not installed")
    from calf_viz.environments.environment_system import EnvironmentSystem
    from calf_viz.systems import registry

    monkeypatch.setattr(registry, "_given", {})
    example = Path(__file__).resolve().parent.parent / "examples" / "pendulum_v1.py"
    system = systems.get(systems.given(str(example)))
    agent = CALFAgent.random(system, np.random.default_rng(0), AgentInfo(hidden=8))
    simulation = Simulation(agent, 3, seed=2, policy="actor")
    simulation.record()
    recorder = recorder_of(tmp_path / "a.calf", simulation)
    for _ in range(60):
        recorder.see(simulation.step())
    recorder.close()
    recording = Recording(tmp_path / "a.calf")
    found = fork(recording, 20, "actor", steps=39)
    states = recording.array("state", 20)
    lengths = until_episodes_end(recording, 20, found.agents)
    for k, length in enumerate(lengths):
        end = min(length, len(found)) + 1
        np.testing.assert_allclose(found.states[:end, k], states[:end, k], rtol=1e-3, atol=1e-3)
    again = fork(recording, 20, "actor", steps=39)
    np.testing.assert_array_equal(again.states, found.states)
    monkeypatch.setattr(type(system), "put", EnvironmentSystem.put)
    with pytest.raises(UserError, match=r"cannot be put into a state.*implement `put`"):
        Ghosts(recording, 21, ["actor"])


# In the viewer


def config(**changes: object) -> VisualizationConfig:
    return VisualizationConfig(
        headless=True, size=(320, 200), trail_length=100, camera="plane", **changes
    )


def test_ghosts_go_on_beside_what_happened(tmp_path: Path) -> None:
    recording = recorded(tmp_path / "a.calf", "differential_drive", steps=90)
    ghosts = Ghosts(recording, 50, ["nominal", "calf"], [1, 4])
    replay = Replay(recording, ghosts=ghosts)
    assert replay.view.modes[3:] == ("ghost: nominal", "ghost: calf")
    expected = [fork(recording, 50, name, [1, 4]) for name in ("nominal", "calf")]
    for row in range(120):
        samples = replay.step()
        assert samples is not None and samples.step == row
        n = 6 if row < 50 else 10
        assert len(samples) == n
        happened = recording.samples(min(row, 89))
        np.testing.assert_array_equal(samples.positions[:6], happened.positions)
        if row < 50:
            continue
        assert samples.modes[6:].tolist() == [3, 3, 4, 4]
        assert samples.first[6:].all() == (row == 50)
        for number, one in enumerate(expected):
            states = one.states[min(row - 50, len(one))]
            drawn = slice(6 + 2 * number, 8 + 2 * number)
            np.testing.assert_array_equal(samples.positions[drawn], states[:, :2])
            assert samples.headings is not None
            np.testing.assert_array_equal(samples.headings[drawn], states[:, 2])
    assert replay.rows > 120  # the ghosts go on where the recording ends


def test_a_fork_ends_where_the_number_of_agents_changes(tmp_path: Path) -> None:
    simulation = simulated("pendulum", 3)
    recorder = recorder_of(tmp_path / "a.calf", simulation)
    for n in (3, 5, 3):
        simulation.resize(n)
        for _ in range(10):
            recorder.see(simulation.step())
    recorder.close()
    recording = Recording(tmp_path / "a.calf")
    replay = Replay(recording, ghosts=Ghosts(recording, 12, ["nominal"]))
    numbers = []
    while (samples := replay.step()) is not None:
        numbers.append(len(samples))
    assert numbers == [3] * 10 + [5] * 2 + [10] * 8 + [3] * 10


def test_the_key_forks_where_the_picture_is(tmp_path: Path) -> None:
    source = Replay(recorded(tmp_path / "a.calf", "pendulum"))
    with CALFApplication(config(chosen=2), source=source) as app:
        app.seek(60)
        app.draw()
        before = app.screenshot()
        press = app.actions.by_name["fork"]
        said = []
        for policy in ("nominal", "actor", "calf"):
            press()
            said.append(app.actions.notice)
            assert source.at == 60 and source.ghosts is not None
            assert source.ghosts.policies == (policy,) and len(source.ghosts) == 1
            for _ in range(20):
                app.step()
            assert app.host.agents == 7
            app.seek(60)
        press()
        assert source.ghosts is None and app.host.agents == 6
        assert said == [f"fork: agent 2 by {name}" for name in ("nominal", "actor", "calf")]
        app.actions.say("")
        app.draw()
        np.testing.assert_array_equal(app.screenshot(), before)
        app.config.chosen = 9
        press()
        assert app.actions.notice == "no fork: agent 9: at that step there are 0 to 5"


def test_the_legend_tells_of_ghosts_while_there_are_any(tmp_path: Path) -> None:
    source = Replay(recorded(tmp_path / "a.calf", "pendulum"))
    with CALFApplication(config(), source=source) as app:
        app.step()
        app.screenshot()
        assert app.hud is not None
        assert app.hud.values["mode_2"] and "mode_3" not in app.hud.values
        app.actions.by_name["fork"]()
        app.step()
        app.screenshot()
        assert app.hud.values["mode_3"] == "6"


def run(*arguments: str) -> tuple[int, str]:
    found = CliRunner().invoke(calf_viz, list(arguments))
    return found.exit_code, found.output + str(found.exception or "")


def test_forks_on_the_command_line(tmp_path: Path) -> None:
    folder = str(recorded(tmp_path / "a.calf", "pendulum").folder)
    picture = str(tmp_path / "fork.png")
    shown = ("--frames", "30", "--output", picture, "--size", "320x200")
    code, said = run(
        "replay", folder, "--fork", "60", "--with", "calf,nominal,actor", "--agents", "0,3",
        "--steps", "50", *shown,
    )  # fmt: skip
    assert code == 0 and Path(picture).exists(), said
    for arguments, message in (
        (("--with", "actor"), "--with goes with --fork"),
        (("--fork", "200"), "step 200: the recording has steps 0 to 119"),
        (("--fork", "60", "--agents", "x"), "--agents x: give their numbers"),
        (("--fork", "60", "--agents", "6"), "agent 6: at that step there are 0 to 5"),
        (("--fork", "60", "--with", "best"), "policy best: give calf, nominal, actor, or"),
        (("--fork", "60", "--with", "calf,calf,calf,calf,calf"), "5 policies: give 1 to 4"),
        (("--fork", "60", "--steps", "0"), "steps"),
    ):
        code, said = run("replay", folder, *arguments, *shown)
        assert code != 0 and message in said, said
