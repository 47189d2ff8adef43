"""The systems: integration against closed forms, clipping, angles, and what each one promises."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from applications import running
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from calf_viz import systems
from calf_viz.agent import shipped_agents as shipped
from calf_viz.agent.calf import CALFAgent
from calf_viz.agent.evaluation import held_out_starts, strict_row
from calf_viz.agent.system_view import view_of
from calf_viz.errors import UserError
from calf_viz.systems import Plane, System, registry
from calf_viz.systems.base import wrap_angle
from calf_viz.systems.differential_drive import DifferentialDrive
from calf_viz.systems.hidden_states import hidden_values
from calf_viz.systems.point_mass import PointMass
from calf_viz.viewer.config import VisualizationConfig

FLOATS32 = st.floats(allow_nan=False, allow_infinity=False, width=32)


@pytest.fixture(params=systems.own())
def system(request: pytest.FixtureRequest) -> System:
    return systems.get(request.param)


class Oscillator(System):
    """x'' = -x + u: every stage of RK4 counts, and the closed form is a rotation about (u, 0)."""

    name, state_dim, action_dim = "oscillator", 2, 1
    action_limits = np.array([1.0])
    plane = Plane()

    def derivative(self, states, actions):
        return np.stack([states[:, 1], actions[:, 0] - states[:, 0]], axis=1)

    def initial_states(self, n, rng):
        return np.zeros((n, 2), dtype=np.float32)

    def reward(self, states, actions):
        return -self.norm(states)

    def in_goal(self, states):
        return self.norm(states) < 0.1

    def nominal(self, states):
        return np.zeros((len(states), 1))


def oscillator_at(t: float) -> np.ndarray:
    """From (1.5, 0) under u = 0.5."""
    return np.array([0.5 + np.cos(t), -np.sin(t)])


def drive_at(t: float) -> np.ndarray:
    """From (1, 2, 0.3) at v = 0.8, omega = 1.5: a circle."""
    v, w, theta = 0.8, 1.5, 0.3
    x = 1.0 + v / w * (np.sin(theta + w * t) - np.sin(theta))
    y = 2.0 - v / w * (np.cos(theta + w * t) - np.cos(theta))
    return np.array([x, y, theta + w * t])


CLOSED_FORMS = {
    "oscillator": (Oscillator, [0.5], oscillator_at),
    "differential_drive": (DifferentialDrive, [0.8, 1.5], drive_at),
}


def error_at_end(
    kind: Callable[[], System],
    action: list[float],
    exact: Callable[[float], np.ndarray],
    dt: float,
    time: float = 1.6,
) -> float:
    """Largest error in any state after `time`, integrated in float64 in steps of `dt`."""
    system = kind()
    system.dt = dt
    states = exact(0.0)[None]
    for _ in range(round(time / dt)):
        states = system.step(states, np.array([action]))
    return float(np.abs(states[0] - exact(time)).max())


# Integration


def test_point_mass_under_constant_acceleration_is_exact() -> None:
    mass = PointMass()
    states = np.array([[1.0, -0.5], [0.3, 2.0]])
    actions = np.array([[2.5], [-4.0]])
    x, v, a = states[:, 0], states[:, 1], actions[:, 0]
    for _ in range(200):
        states = mass.step(states, actions)
    t = 200 * mass.dt
    assert_allclose(states[:, 0], x + v * t + a * t * t / 2, rtol=0, atol=1e-12)
    assert_allclose(states[:, 1], v + a * t, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_rk4_agrees_with_the_closed_form(name: str) -> None:
    assert error_at_end(*CLOSED_FORMS[name], dt=0.01) < 1e-9


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_rk4_is_of_order_4(name: str) -> None:
    errors = [error_at_end(*CLOSED_FORMS[name], dt=dt) for dt in (0.2, 0.1, 0.05)]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert_allclose(orders, 4.0, atol=0.15)


# What every system promises


def test_arrays_have_the_shapes_and_types_promised(system: System) -> None:
    rng = np.random.default_rng(0)
    states = system.initial_states(7, rng)
    actions = system.nominal(states)
    assert states.shape == (7, system.state_dim) and states.dtype == np.float32
    assert actions.shape == (7, system.action_dim) and actions.dtype == np.float32
    new = system.step(states, actions)
    assert new.shape == states.shape and new.dtype == np.float32
    assert system.reward(states, actions).shape == (7,)
    assert system.in_goal(states).shape == system.out_of_plane(states).shape == (7,)
    assert len(system.action_limits) == system.action_dim


def test_actions_beyond_the_limits_count_as_the_limits(system: System) -> None:
    states = system.initial_states(50, np.random.default_rng(1))
    far = np.tile(system.action_limits * [[3.0], [-3.0]], (25, 1))
    limit = np.tile(system.action_limits * [[1.0], [-1.0]], (25, 1))
    assert_array_equal(system.clip(far), limit)
    assert_array_equal(system.step(states, far), system.step(states, limit))
    assert_array_equal(system.reward(states, far), system.reward(states, limit))
    assert (np.abs(system.nominal(50 * states)) <= system.action_limits.astype(np.float32)).all()


def test_a_batch_steps_as_its_rows_do(system: System) -> None:
    states = system.initial_states(20, np.random.default_rng(2))
    actions = system.nominal(states)
    rows = [system.step(states[i : i + 1], actions[i : i + 1])[0] for i in range(20)]
    assert_array_equal(system.step(states, actions), rows)


def test_stepping_leaves_its_arguments_alone(system: System) -> None:
    states = system.initial_states(5, np.random.default_rng(3))
    before = states.copy()
    system.step(states, system.nominal(states))
    system.norm(states), system.reward(states, system.nominal(states))
    assert_array_equal(states, before)


def test_starts_follow_the_seed(system: System) -> None:
    starts = system.initial_states(400, np.random.default_rng(4))
    assert_array_equal(starts, system.initial_states(400, np.random.default_rng(4)))
    assert len(np.unique(starts, axis=0)) > 1
    assert not system.out_of_plane(starts).any()


@pytest.mark.parametrize("kind", [PointMass, DifferentialDrive])
def test_starts_of_the_two_fill_their_range(kind: type[System]) -> None:
    system = kind()
    starts = system.initial_states(4000, np.random.default_rng(4))
    reach = np.array([2.0, 2.0, np.pi])[: system.state_dim]
    assert (np.abs(starts) <= reach.astype(np.float32)).all()
    assert_allclose(starts.min(axis=0), -reach, rtol=0.01)
    assert_allclose(starts.max(axis=0), reach, rtol=0.01)
    # Uniform: the standard deviation is a third of the range, by the root of 3.
    assert_allclose(starts.std(axis=0), reach / 3**0.5, rtol=0.05)


def test_the_goal_is_best_and_rewards_are_never_positive(system: System) -> None:
    origin = np.zeros((1, system.state_dim), dtype=np.float32)
    rest = np.zeros((1, system.action_dim))
    assert system.in_goal(origin)[0] and system.reward(origin, rest)[0] == 0
    states = 3 * system.initial_states(500, np.random.default_rng(5))
    actions = np.random.default_rng(6).normal(size=(500, system.action_dim))
    assert (system.reward(states, actions) < 0).all()


def test_figures_of_the_two_systems() -> None:
    mass, drive = systems.get("point_mass"), systems.get("differential_drive")
    for system in (mass, drive):
        assert (system.dt, system.max_steps) == (0.01, 750)
        assert (system.plane.lo, system.plane.hi) == ((-5, -5), (5, 5))
    assert mass.action_limits.tolist() == [5.0]
    assert drive.action_limits.tolist() == [1.0, 2.0]
    assert_allclose(mass.reward(np.array([[3.0, 4.0]]), np.array([[2.0]])), -5 - 0.04)
    states, actions = np.array([[3.0, 4.0, -0.5]]), np.array([[0.5, -2.0]])
    assert_allclose(drive.reward(states, actions), -5 - 0.05 - 0.01 * 4.25)


def test_goal_sets() -> None:
    mass, drive = systems.get("point_mass"), systems.get("differential_drive")
    assert mass.in_goal(np.array([[0.1, 0], [0.08, 0.08], [0, -0.099]])).tolist() == [
        True,
        False,
        True,
    ]
    states = np.array([[0.1, 0, 0.0999], [0.06, 0.06, -0.09], [0, 0, 0.11], [0.08, 0.08, 0]])
    assert drive.in_goal(states).tolist() == [True, True, False, False]
    # A whole turn is no turn.
    assert drive.in_goal(np.array([[0, 0, 2 * np.pi]]))[0]


def test_only_positions_end_an_episode_at_the_edge() -> None:
    mass, drive = systems.get("point_mass"), systems.get("differential_drive")
    assert mass.out_of_plane(np.array([[5.0, 0], [-5.01, 0], [0, 9]])).tolist() == [
        False,
        True,
        False,
    ]
    states = np.array([[0, 0, 9.0], [0, 5.1, 0], [-5.1, 0, 0], [5, -5, 0]])
    assert drive.out_of_plane(states).tolist() == [False, True, True, False]


def test_plane_states_put_the_slice_where_the_plane_has_no_axis() -> None:
    points = np.array([[1.0, 2.0], [-3.0, 0.5]])
    drive = systems.get("differential_drive")
    for hidden in (0.7, np.array([9.0, 9.0, 0.7])):
        states = drive.plane_states(points, hidden)
        assert states.dtype == np.float32
        assert_allclose(states, [[1, 2, 0.7], [-3, 0.5, 0.7]], rtol=1e-7)
    assert_array_equal(systems.get("point_mass").plane_states(points), points)


@pytest.mark.parametrize(
    ("given", "values"),
    [
        (0.5, [0.5, 0.5, 0.5]),
        (("0.5",), [0.5, 0.5, 0.5]),
        (("theta=0.5",), [0, 0, 0.5]),
        (("1", "theta = -2e-1 "), [1, 1, -0.2]),
        (("theta=1,theta=2",), [0, 0, 2]),
    ],
)
def test_a_slice_gives_hidden_states_their_values(given: Any, values: list[float]) -> None:
    drive = systems.get("differential_drive")
    assert_array_equal(hidden_values(drive, given), values)
    # As in a configuration, from Python or a file.
    config = VisualizationConfig(system=drive.name, slice=given)
    assert_array_equal(hidden_values(drive, config.slice), values)


class Satellite(PointMass):
    """Four states, of which the plane shows two that are not the first."""

    name = "satellite"
    state_dim = 4
    state_names = ("r", "phi", "v", "omega")
    plane = Plane(lo=(-100.0, -np.pi), hi=(1e6, np.pi), axes=(2, 1))
    angles = (1,)


def test_each_hidden_state_has_a_value_of_its_own() -> None:
    values = hidden_values(Satellite(), ("r=3,omega=1",))
    assert_array_equal(values, [3, 0, 0, 1])
    assert_array_equal(Satellite().plane_states(np.array([[7.0, 2.0]]), values), [[3, 2, 7, 1]])


@pytest.mark.parametrize(
    ("system", "given", "said"),
    [
        ("differential_drive", "phi=1", "unknown state 'phi' of differential_drive: choose one of "
                                        "theta$"),
        ("differential_drive", "x=1", "unknown state 'x' of differential_drive: choose one of the"),
        ("point_mass", "x=1", "unknown state 'x' of point_mass, whose plane shows all of its sta"),
        ("differential_drive", "theta=much", "slice 'much' is not a number: write 0.5, or name a"),
        ("differential_drive", "theta", "slice 'theta' is not a number: write 0.5, or name a"),
        ("differential_drive", "", "slice '' is not a number"),
        ("differential_drive", "theta=nan", "slice nan is out of range"),
        ("differential_drive", "theta=1e7", "slice 10000000.0 is out of range"),
    ],
)  # fmt: skip
def test_a_slice_without_sense_is_refused(system: str, given: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        VisualizationConfig(system=system, slice=(given,))


# A plane of any size, and its edges


def test_edges_are_those_of_the_plane_but_of_its_angles() -> None:
    states = np.array([[0, 9, -99, 0], [0, 0, -101, 0], [9e9, 0, 1e6, 9e9], [0, 0, 1.1e6, 0]])
    plain = Satellite()
    plain.edges = None
    assert plain.out_of_plane(states).tolist() == [False, True, False, True]
    plain.edges = {0: (0.0, 1.0), 3: (-1.0, np.inf)}
    assert plain.out_of_plane(states).tolist() == [False, False, True, False]
    plain.edges = {}
    assert not plain.out_of_plane(states).any()


def test_each_angle_is_wrapped_and_its_axis_is_periodic() -> None:
    pendulum = systems.get("pendulum")
    before = np.array([[3.14, 1.0], [-3.14, -1.0], [3.14, -1.0], [0.01, -2.0]], dtype=np.float32)
    after = pendulum.step(before, np.zeros((4, 1)))
    assert (after[:, 0] < np.pi).all() and (after[:, 0] >= -np.pi).all()
    assert view_of(pendulum).periodic == (True, False)
    assert view_of(Satellite()).periodic == (False, True)
    # The robot's heading is an angle as well, but not on its plane.
    assert view_of(systems.get("differential_drive")).periodic == (False, False)


# Names


def test_hyphens_and_underscores_are_the_same() -> None:
    assert systems.get("point-mass") is systems.get("point_mass")


def test_an_unknown_system_is_refused_with_those_there_are() -> None:
    listed = ", ".join(systems.names())
    with pytest.raises(UserError, match=f"'no_such_system': choose one of .*{listed}"):
        systems.get("no_such_system")


# A system more, as one file (docs/systems.md)

DOCS = Path(__file__).resolve().parent.parent / "docs" / "systems.md"


@pytest.fixture
def documented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    """The docs' example as a file beside the others; nothing else is told of it."""
    text = DOCS.read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    (tmp_path / "van_der_pol.py").write_text(code, encoding="utf-8")
    monkeypatch.setattr(systems, "__path__", [*systems.__path__, str(tmp_path)])
    registry._own.cache_clear()
    yield systems.get("van-der-pol")
    registry._own.cache_clear()
    sys.modules.pop("calf_viz.systems.van_der_pol", None)
    vars(systems).pop("van_der_pol", None)


def test_a_third_system_is_one_file(documented: System) -> None:
    assert {"differential_drive", "point_mass", "van_der_pol"} <= set(systems.names())
    assert systems.names() == sorted(systems.names())
    rng = np.random.default_rng(7)
    states = documented.initial_states(5, rng)
    assert documented.step(states, documented.nominal(states)).dtype == np.float32
    # As the docs demand, its nominal policy arrives from a grid over all starts.
    x, v = np.meshgrid(np.linspace(-2, 2, 15), np.linspace(-2, 2, 15))
    states = np.stack([x.ravel(), v.ravel()], axis=1).astype(np.float32)
    arrived = np.zeros(len(states), dtype=bool)
    for _ in range(2000):
        if arrived.all():
            break
        states = documented.step(states, documented.nominal(states))
        arrived |= documented.in_goal(states)
    assert arrived.all()
    # And CALF's guarantee holds in it.
    agent = CALFAgent.random(documented, rng)
    assert strict_row(agent, held_out_starts(documented, 6, 0)).goal == 1.0


@pytest.mark.rendering
def test_a_third_system_is_shown_before_an_agent_is_trained(
    documented: System, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="calf_viz")
    pictures = []
    for asked in ({"policy": "nominal"}, {"policy": "nominal"}, {"train": True}):
        with running(system=documented.name, seed=1, **asked) as shown:
            for _ in range(20):
                shown.step()
            pictures.append(shown.screenshot())
        assert "no agent comes with van_der_pol: its surface is that of untrained" in caplog.text
    assert_array_equal(*pictures[:2])
    assert len(np.unique(pictures[0].reshape(-1, 3), axis=0)) > 100


def test_where_an_agent_is_needed_it_says_how_to_have_one(documented: System) -> None:
    with pytest.raises(UserError, match=r"train one \(calf-viz train --system van_der_pol --out"):
        shipped.load(documented)
    assert documented.name not in shipped.trained()
    assert {"differential_drive", "pendulum", "point_mass"} <= set(shipped.trained())


def test_the_docs_name_every_system_that_comes_with_an_agent() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert [name for name in shipped.trained() if f"`{name}`" not in text] == []


# Angles


@given(FLOATS32)
def test_wrapped_angles_lie_within_a_turn_and_are_never_pi(angle: float) -> None:
    wrapped = wrap_angle(np.array([angle], dtype=np.float32))
    pi = np.float32(np.pi)
    assert wrapped.dtype == np.float32
    assert -pi <= wrapped[0] < pi


@given(st.integers(-1000, 1000), st.integers(-3, 3))
def test_angles_an_ulp_from_pi_are_never_wrapped_to_pi(turns: int, ulps: int) -> None:
    angle = np.float32((2 * turns + 1) * np.pi)
    angle += np.float32(ulps) * np.spacing(np.abs(angle))
    assert -np.float32(np.pi) <= wrap_angle(np.array([angle]))[0] < np.float32(np.pi)


@given(st.floats(-1e4, 1e4))
def test_wrapping_keeps_the_direction(angle: float) -> None:
    wrapped = wrap_angle(np.array([angle]))[0]
    assert_allclose([np.cos(wrapped), np.sin(wrapped)], [np.cos(angle), np.sin(angle)], atol=1e-11)


def test_the_heading_is_wrapped_after_a_step_and_in_the_norm() -> None:
    drive = DifferentialDrive()
    states = np.array([[0.0, 0.0, 3.14], [0.0, 0.0, -3.14]], dtype=np.float32)
    new = drive.step(states, np.array([[0.0, 2.0], [0.0, -2.0]]))
    assert_allclose(new[:, 2], [3.16 - 2 * np.pi, 2 * np.pi - 3.16], atol=1e-6)
    assert_allclose(drive.norm(np.array([[3.0, 4.0, 2 * np.pi]])), 5.0)
    # The other states are lengths, and no angles: nothing happens to them.
    assert_allclose(PointMass().norm(np.array([[6.0, 8.0]])), 10.0)
