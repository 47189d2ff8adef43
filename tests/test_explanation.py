"""Why a step was taken: live and from a recording, against arithmetic of the tests' own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from applications import SMALL, opened
from simulations import FLAT, recorder_of, shipped, simulated

from calf_viz.agent.array_networks import layers_of
from calf_viz.agent.calf import CALFAgent
from calf_viz.agent.certificate import Constants
from calf_viz.agent.explanation import Explanation, inequalities
from calf_viz.errors import UserError
from calf_viz.sources.replay import Replay
from calf_viz.sources.simulation import Simulation
from calf_viz.systems import System
from calf_viz.viewer.app import CALFApplication
from calf_viz.viewer.config import VisualizationConfig

SYSTEMS = ("point_mass", "differential_drive", "pendulum")
ROUNDING = 1e-4


def dense(rows: list[float], matrix: np.ndarray, bias: np.ndarray) -> list[float]:
    """A layer, number by number."""
    return [
        float(bias[j]) + sum(rows[i] * float(matrix[i, j]) for i in range(len(rows)))
        for j in range(matrix.shape[1])
    ]


def through(layers: list[tuple[np.ndarray, np.ndarray]], inputs: list[float]) -> list[float]:
    for matrix, bias in layers[:-1]:
        inputs = [max(value, 0.0) for value in dense(inputs, matrix, bias)]
    return dense(inputs, *layers[-1])


def network(agent: CALFAgent, name: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Of torch's tensors, the first twin's."""
    found = []
    for number in (1, 2, 3):
        matrix, bias = (agent.tensors()[f"{name}.{kind}{number}"].numpy() for kind in "wb")
        found.append((matrix[0], bias[0, 0]) if name == "critic" else (matrix, bias))
    return found


def seen(system: System, state: np.ndarray) -> list[float]:
    inputs: list[float] = []
    for axis, value in enumerate(state.tolist()):
        turned = axis in system.angles
        inputs += [float(np.cos(value)), float(np.sin(value))] if turned else [value]
    return inputs


def q_of(agent: CALFAgent, state: np.ndarray, action: np.ndarray) -> float:
    return through(network(agent, "critic"), seen(agent.system, state) + action.tolist())[0]


def check(found: Explanation, agent: CALFAgent, nu: float = 0.01) -> None:
    """Everything in it, from its state, its action and its q+."""
    system, constants = agent.system, agent.info.constants
    state = found.state
    wanted = np.tanh(through(network(agent, "actor"), seen(system, state))) * system.action_limits
    actor, nominal, taken = found.actions
    assert [each.name for each in found.actions] == ["actor", "nominal", "taken"]
    assert actor.action == pytest.approx(wanted, rel=1e-12)
    assert nominal.action == pytest.approx(system.nominal(state[None])[0])
    assert (taken.action == found.action).all()
    wrapped = [(v + np.pi) % (2 * np.pi) - np.pi if i in system.angles else v
               for i, v in enumerate(state)]  # fmt: skip
    square = sum(v * v for v in wrapped)
    assert found.norm**2 == pytest.approx(square)
    for each in found.actions:
        q = q_of(agent, state, each.action)
        assert each.q == pytest.approx(q, rel=1e-9)
        rises = found.q_plus is None or q - found.q_plus >= constants.nu_bar
        within = constants.c_low * square <= -q <= constants.c_up * square
        assert each.certified == (found.q_plus is None or (rises and within))
    assert found.q == pytest.approx(actor.q, rel=ROUNDING, abs=ROUNDING)
    by_name = {each.name: each for each in found.inequalities}
    if found.q_plus is not None:
        assert by_name["decrease"].margin == found.q - found.q_plus - constants.nu_bar
    assert by_name["lower bound"].margin == pytest.approx(-found.q - constants.c_low * square)
    assert by_name["upper bound"].margin == pytest.approx(constants.c_up * square + found.q)
    assert len(found.axes) == system.action_dim
    for axis in found.axes:
        limit = system.action_limits[axis.number]
        assert (axis.values[0], axis.values[-1]) == (-limit, limit)
        for point in (0, 20, len(axis.values) - 1):
            action = found.action.copy()
            action[axis.number] = axis.values[point]
            q = q_of(agent, state, action)
            assert axis.q[point] == pytest.approx(q, rel=1e-9)
            judged = inequalities(q, found.q_plus, found.norm, constants)
            assert axis.certified is not None
            all_hold = all(one.holds for one in judged)
            assert axis.certified[point] == (found.q_plus is None or all_hold)


@pytest.mark.parametrize("policy", ["calf", "actor"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_a_simulations_steps(system: str, policy: str) -> None:
    simulation = simulated(system, 5, seed=2, policy=policy)
    assert simulation.why(0) is None
    before, rules = np.zeros(0), set()
    for step in range(60):
        samples = simulation.step()
        for number in range(5) if step % 20 == 19 else ():
            found = simulation.why(number)
            if samples.first[number]:
                assert found is None
                continue
            assert found is not None
            check(found, simulation.agent)
            assert found.q == samples.columns["q"][number]
            assert (found.state == before[number]).all()
            assert (found.action == samples.columns["action"][number]).all()
            certified = found.q_plus is None or all(each.holds for each in found.inequalities)
            assert (found.rule == "certified") == certified
            rules.add(found.rule)
        before = samples.columns["state"].astype(np.float64)
    assert simulation.why(5) is None
    assert len(rules) > 1 or policy == "actor" or system != "pendulum"


def test_the_nominal_policys_steps_are_not_certified() -> None:
    agent = shipped("pendulum")
    simulation = Simulation(agent, 2, seed=2, policy="nominal")
    for _ in range(3):
        simulation.step()
    found = simulation.why(1)
    assert found is not None and found.rule == "nominal" and found.inequalities == ()
    assert [each.certified for each in found.actions] == [None] * 3
    assert (found.actions[1].action == found.action).all()
    assert found.axes[0].certified is None
    assert found.q == pytest.approx(q_of(agent, found.state, found.actions[0].action))


def test_what_decided_is_asked_even_after_it_learned() -> None:
    agent = shipped("point_mass")
    simulation = Simulation(agent, 2, seed=2)
    for _ in range(5):
        simulation.step()
    before = simulation.why(0)
    simulation.policy_changes()
    agent.set_flat_weights(agent.flat_weights() * np.float32(1.5))
    after = simulation.why(0)
    assert before is not None and after is not None
    assert after.actions[0].q == before.actions[0].q
    simulation.step()
    learned = simulation.why(0)
    assert learned is not None
    check(learned, agent)


def recording(folder: Path, system: str, policy: str = "calf", steps: int = 40):
    pytest.importorskip("pyarrow", reason="the extra `record` is not installed")
    from calf_viz.recording.recording import Recording

    simulation = simulated(system, 4, seed=3, policy=policy)
    recorder = recorder_of(folder, simulation)
    live = []
    for _ in range(steps):
        recorder.see(simulation.step())
        live.append([simulation.why(number) for number in range(4)])
    recorder.close()
    return Recording(folder), live, simulation.agent


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_recordings_steps_are_explained_as_the_live_ones(tmp_path: Path, system: str) -> None:
    found, live, agent = recording(tmp_path / "a.calf", system)
    for step in (1, 2, 17, 39):
        for number in range(4):
            if live[step][number] is None:
                with pytest.raises(UserError, match="an episode begins there"):
                    found.explain(step, number)
                continue
            then, now = found.explain(step, number), live[step][number]
            assert (then.step, then.agent, then.rule) == (step, number, now.rule)
            assert (then.q, then.q_plus, then.norm) == (now.q, now.q_plus, now.norm)
            assert then.inequalities == now.inequalities
            for one, other in zip(then.actions, now.actions, strict=True):
                assert (one.action == other.action).all() and one.q == other.q
            for axis, other in zip(then.axes, now.axes, strict=True):
                assert (axis.q == other.q).all()
            check(then, agent)


def in_training(folder: Path):
    """As a run's: its recorded networks are other ones than those that decided."""
    pytest.importorskip("pyarrow", reason="the extra `record` is not installed")
    from calf_viz.recording.recorder import Recorder
    from calf_viz.recording.recording import Recording

    simulation = simulated("pendulum", 4, seed=3)
    about = simulation.about() | {"policy": "training"}
    recorder = Recorder(folder, simulation.view, {"agent": about})
    recorder.critic(FLAT, 0, simulation.weights() * np.float32(1.5))
    live = []
    for _ in range(40):
        recorder.see(simulation.step())
        live.append([simulation.why(number) for number in range(4)])
    recorder.close()
    return Recording(folder), live


def test_of_a_training_only_what_was_compared_is_known(tmp_path: Path) -> None:
    found, live = in_training(tmp_path / "a.calf")
    for step in (2, 17, 39):
        for number in range(4):
            then, now = found.explain(step, number), live[step][number]
            assert (then.step, then.agent, then.rule) == (step, number, now.rule)
            assert (then.q, then.q_plus, then.norm) == (now.q, now.q_plus, now.norm)
            assert then.inequalities == now.inequalities
            assert (then.state == now.state).all() and (then.action == now.action).all()
            assert then.actions == () and then.axes == ()  # the networks of then are not known
    with pytest.raises(UserError, match="an episode begins there"):
        found.explain(0, 0)


def test_a_training_s_steps_are_shown_with_their_margins(tmp_path: Path) -> None:
    recording, _ = in_training(tmp_path / "a.calf")
    config = VisualizationConfig(**{**SMALL, "size": (640, 480)}, chosen=2, why=True)
    with CALFApplication(config, source=Replay(recording)) as app:
        for _ in range(20):
            app.step()
        assert app.failure is None and app.hud is not None
        shown = app.explain(2)
        assert shown is not None and len(shown.inequalities) == 3 and shown.actions == ()


def test_a_mode_that_no_agent_has_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="the extra `record` is not installed")
    from calf_viz.recording.recording import Recording

    simulation = simulated("pendulum", 2, seed=3)
    recorder = recorder_of(tmp_path / "a.calf", simulation)
    for _ in range(3):
        samples = simulation.step()
        recorder.see(replace(samples, modes=samples.modes + np.uint8(7)))
    recorder.close()
    with pytest.raises(UserError, match="mode 9"):
        Recording(tmp_path / "a.calf").explain(2, 0)


def test_steps_that_cannot_be_explained_say_why(tmp_path: Path) -> None:
    found, _, _ = recording(tmp_path / "a.calf", "point_mass", steps=5)
    for step, agent, says in (
        (5, 0, "it is not there: they go from 0 to 4"),
        (-1, 0, "it is not there"),
        (2, 4, "it has 4 agents, counted from 0"),
        (2, -1, "it has 4 agents"),
        (0, 0, "an episode begins there"),
    ):
        with pytest.raises(UserError, match=says):
            found.explain(step, agent)


def test_recordings_of_others_say_so(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="the extra `record` is not installed")
    from calf_viz.recording.recorder import Recorder
    from calf_viz.recording.recording import Recording
    from calf_viz.samples import Samples
    from calf_viz.view import View

    recorder = Recorder(tmp_path / "a.calf", View("theirs"), {})
    recorder.see(Samples.of([(0.0, 0.0)]))
    recorder.close()
    with pytest.raises(UserError, match="only steps of our own agents can be explained"):
        Recording(tmp_path / "a.calf").explain(0, 0)


@pytest.mark.parametrize("count", [-1, 1])
def test_weights_of_another_size_are_refused(count: int) -> None:
    weights = shipped("point_mass").flat_weights()
    wrong = weights[:-1] if count < 0 else np.append(weights, 0.0)
    with pytest.raises(ValueError, match="weights"):
        layers_of(wrong, 2, 1, 64, 0)


def test_bounds_alone_without_a_certified_step() -> None:
    found = inequalities(-2.0, None, 1.5, Constants())
    assert [each.name for each in found] == ["lower bound", "upper bound"]
    assert found[0].margin == pytest.approx(2.0 - 0.01 * 2.25)
    decrease = inequalities(-2.0, -2.5, 1.5, Constants())[0]
    assert decrease.margin == pytest.approx(0.49) and decrease.holds
    assert not inequalities(-2.6, -2.5, 1.5, Constants())[0].holds


def test_an_application_explains_its_agents() -> None:
    with opened(n_agents=3) as app:
        app.step()
        assert app.explain(0) is None
        app.step()
        found = app.explain(2)
        assert found is not None and found.agent == 2 and app.simulation is not None
        check(found, app.simulation.agent)
