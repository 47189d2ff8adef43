"""Policies in Gymnasium environments, and our systems as such environments."""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import saved_policies as saved
from calf_attach.observation_plane import ObservationPlane, read_axes, read_others
from click.testing import CliRunner
from framed import showing

from calf_viz import systems
from calf_viz.agent.mlp_policy import MlpPolicy
from calf_viz.cli.main import calf_viz
from calf_viz.errors import UserError
from calf_viz.hud.control_panel import ControlPanel
from calf_viz.hud.overview import overview
from calf_viz.viewer.feed import Feed
from calf_viz.viewer.source_sliders import SourceSliders

gymnasium = pytest.importorskip("gymnasium", reason="the extra gym is not installed")

from calf_viz.environments import IDS, registration  # noqa: E402
from calf_viz.environments.system_environment import AGENT, SIDE  # noqa: E402
from calf_viz.sources.policy_in_environment import Cut, PolicyInEnvironment  # noqa: E402

PENDULUM, CART = "Pendulum-v1", "CartPole-v1"


@pytest.fixture
def sac(tmp_path: Path) -> MlpPolicy:
    return MlpPolicy.load(saved.save(tmp_path / "sac.zip", saved.sac()))


@pytest.fixture
def dqn(tmp_path: Path) -> MlpPolicy:
    return MlpPolicy.load(saved.save(tmp_path / "dqn.zip", saved.dqn()))


def shown(source: PolicyInEnvironment, steps: int) -> list[Any]:
    return [source.step() for _ in range(steps)]


class TestAPolicyInAnEnvironment:
    def test_goes_where_gymnasium_says(self, sac: MlpPolicy) -> None:
        source = PolicyInEnvironment(PENDULUM, sac, 2, seed=5)
        steps = shown(source, 30)
        env = gymnasium.make(PENDULUM)
        observed, _ = env.reset(seed=6)  # the second agent's
        for samples in steps:
            angle = math.atan2(observed[1], observed[0])
            np.testing.assert_allclose(samples.positions[1], (angle, observed[2]), rtol=1e-6)
            observed = env.step(2.0 * sac.act(observed[None])[0])[0]
        assert source.view.periodic == (True, False) and source.view.hi == (math.pi, 8.0)

    def test_its_algorithm_and_file_are_in_the_panel(self, sac: MlpPolicy) -> None:
        source = PolicyInEnvironment(PENDULUM, sac, 2)
        with showing(source) as app:
            app.step()
            assert app.hud.values["shown"] == "SAC, sac.zip"
            assert app.hud.placed["overview"]

    def test_an_end_is_drawn_where_it_was_and_the_next_step_begins(self, dqn: MlpPolicy) -> None:
        source = PolicyInEnvironment(CART, dqn, 3, seed=0)
        steps = shown(source, 120)
        first = np.array([samples.first for samples in steps])
        assert first[0].all() and first[1:].any() and not first[1].any()
        place = np.array([samples.positions for samples in steps])
        for step, agent in np.argwhere(first[1:]):
            before = np.abs(place[step, agent])
            assert before[0] > 2.4 or before[1] > 12 * math.pi / 180, "not a terminal state"
            assert (np.abs(place[step + 1, agent]) <= 0.05).all()

    def test_modes_are_its_choices(self, dqn: MlpPolicy) -> None:
        source = PolicyInEnvironment(CART, dqn, 8)
        assert source.view.modes == ("left", "right")
        assert {int(mode) for samples in shown(source, 40) for mode in samples.modes} <= {0, 1}

    def test_its_surface_is_the_critic_through_the_mean(self, dqn: MlpPolicy) -> None:
        source = PolicyInEnvironment(CART, dqn, 4, cut=Cut(cells=2))
        field = source.surface()
        assert field is not None and source.surface() is None
        corner = source.plane.through.astype(np.float32)
        corner[[0, 2]] = source.view.lo
        np.testing.assert_allclose(field.values[0, 0], dqn.value(corner[None])[0], rtol=1e-5)

    def test_the_cut_follows_the_chosen_agent(self, dqn: MlpPolicy) -> None:
        source = PolicyInEnvironment(CART, dqn, 4, cut=Cut("0,2", ("agent",), 4, chosen=2))
        source.surface()
        shown(source, 3)
        np.testing.assert_array_equal(
            source.plane.through[[1, 3]], source._copies.observations[2, [1, 3]]
        )
        assert source.surface() is not None

    def test_sliders_move_what_the_plane_does_not_show(self, dqn: MlpPolicy) -> None:
        source = PolicyInEnvironment(CART, dqn, 2)
        hud = overview(source.view, [])
        sliders = SourceSliders(Feed(source), hud, has_window=True)
        panel = next(widget for widget in hud.widgets if isinstance(widget, ControlPanel))
        assert [control.label for control in panel.controls.controls.values()] == [
            "x' [m/s]", "θ' [rad/s]",
        ]  # fmt: skip
        before = source.surface()
        panel.controls.set("3", panel.controls.controls["3"].high)
        assert source.surface() is None
        sliders.poll()
        after = source.surface()
        assert before is not None and after is not None
        assert source.plane.through[3] == panel.controls.values["3"]
        assert (after.values != before.values).any()
        sliders.poll()
        assert source.surface() is None

    def test_bounds_that_nobody_says_grow(self, dqn: MlpPolicy) -> None:
        source = PolicyInEnvironment(CART, dqn, 2, cut=Cut("1,3"))
        before = source.view
        source._grow(np.array([[100.0, 0.0], [np.nan, 0.0]]))
        assert source.view.hi[0] > 100.0 and source.view.lo[0] <= before.lo[0]
        field = source.surface()
        assert field is not None and (field.lo, field.hi) == (source.view.lo, source.view.hi)

    def test_may_become_more_and_fewer(self, sac: MlpPolicy) -> None:
        source = PolicyInEnvironment(PENDULUM, sac, 3)
        place = shown(source, 4)[-1].positions
        source.resize(5)
        more = source.step()
        assert len(more.positions) == 5 and more.first.tolist() == [False] * 3 + [True] * 2
        assert (np.abs(more.positions[:3] - place) < 1.0).all()
        source.resize(2)
        assert len(source.step().positions) == 2

    @pytest.mark.parametrize(
        ("env", "said"),
        [(PENDULUM, "takes 4 numbers, not 3"), ("Nope-v1", "exist"), ("Taxi-v4", "a Box"),
         ("no_such_module:Some-v0", "no_such_module"), ("", "environment")],
    )  # fmt: skip
    def test_is_refused_where_it_does_not_fit(self, env: str, said: str, dqn: MlpPolicy) -> None:
        with pytest.raises(UserError, match=said):
            PolicyInEnvironment(env, dqn, 2)

    def test_numbers_are_no_choices(self, tmp_path: Path) -> None:
        model = saved.save(tmp_path / "dqn.zip", saved.dqn(observations=3, actions=1))
        with pytest.raises(UserError, match="gives 1 choices, not 1 numbers"):
            PolicyInEnvironment(PENDULUM, MlpPolicy.load(model), 2)


class TestAPlane:
    @pytest.mark.parametrize("text", ["0", "0,0", "0,4", "x,y", "0,1,2", "angle(0,1)", "angle(0),1",
                                      "angle(0,1),1", "-1,0", "", "0,1,", "9" * 400])  # fmt: skip
    def test_other_axes_are_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="axes"):
            read_axes(text, 4)

    @pytest.mark.parametrize("text", ["7=1", "0=1", "x", "nan", "1e9", "1=mean", "="])
    def test_other_values_of_what_it_hides_are_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="slice"):
            read_others((text,), read_axes("0,2"), 4)

    def test_later_values_win(self) -> None:
        axes = read_axes((0, 2), 4)
        assert read_others(("2", "3=1"), axes, 4) == {1: 2.0, 3: 1.0}
        assert read_others(("2", "agent"), axes, 4) == "agent"
        assert read_others(("agent", "mean"), axes, 4) == {}

    def test_an_angle_goes_there_and_back(self) -> None:
        plane = ObservationPlane(read_axes("angle(0,1),2"))
        plane.see(np.zeros((1, 3)))
        points = np.array([[0.5, 2.0], [-3.0, -1.0]])
        np.testing.assert_allclose(plane.project(plane.lift(points)), points, rtol=1e-6)
        assert plane.labels(("cos θ", "sin θ", "ω")) == ("θ [rad]", "ω")
        assert plane.labels(()) == ("o0 [rad]", "o2")


@pytest.mark.parametrize("env_id", IDS)
class TestOurSystemsInGymnasium:
    @pytest.mark.filterwarnings("ignore::UserWarning")  # advice on how to scale spaces
    def test_pass_its_checker(self, env_id: str) -> None:
        from gymnasium.utils.env_checker import check_env

        check_env(gymnasium.make(env_id, render_mode="rgb_array").unwrapped)

    def test_picture_has_the_agent_where_it_is(self, env_id: str) -> None:
        env = gymnasium.make(env_id, render_mode="rgb_array").unwrapped
        env.reset(seed=1)
        plane, picture = env.system.plane, env.render()
        rows, columns = np.nonzero((picture == AGENT).all(axis=-1))
        there = np.array([columns.mean() + 0.5, SIDE - rows.mean() - 0.5]) / SIDE
        state = env.state[list(plane.axes)]
        wanted = (state - plane.lo) / np.subtract(plane.hi, plane.lo)
        np.testing.assert_allclose(there, wanted, atol=1.5 / SIDE)

    def test_move_as_the_system_does(self, env_id: str) -> None:
        system = systems.get(IDS[env_id])
        env = gymnasium.make(env_id)
        env.reset(seed=3)
        state = env.unwrapped.state[None].copy()
        for _ in range(25):
            action = system.nominal(state)
            _, reward, terminated, truncated, _ = env.step(action[0])
            assert reward == float(system.reward(state, action)[0])
            state = system.step(state, action)
            np.testing.assert_array_equal(env.unwrapped.state, state[0])
            assert not (terminated or truncated)

    def test_pi_0_reaches_the_goal(self, env_id: str) -> None:
        env = gymnasium.make(env_id).unwrapped
        env.reset(seed=0)
        terminated = truncated = False
        while not (terminated or truncated):
            action = env.system.nominal(env.state[None])[0]
            _, _, terminated, truncated, infos = env.step(action)
            assert infos["is_success"] == terminated
            truncated = truncated and env._steps > 5000  # pi_0 may need longer than an episode
        assert terminated

    def test_train_unchanged(self, env_id: str) -> None:
        sb3 = pytest.importorskip("stable_baselines3", reason="the extra sb3 is not installed")
        model = sb3.PPO("MlpPolicy", env_id, n_steps=64, batch_size=64, seed=0, device="cpu")
        before = model.policy.action_net.weight.detach().clone()
        model.learn(128)
        assert (model.policy.action_net.weight != before).any()

    def test_are_registered_once(self, env_id: str) -> None:
        registration.register()
        assert gymnasium.spec(env_id).kwargs == {"system": IDS[env_id]}


class Bang:
    """What would leave a file if it were unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return open, (self.path, "w")


class TestTheCommand:
    def run(self, *arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(calf_viz, arguments)
        said = str(result.exception) if isinstance(result.exception, UserError) else result.output
        return result.exit_code, said

    def test_draws_a_picture(self, tmp_path: Path) -> None:
        model, picture = saved.save(tmp_path / "m.zip", saved.dqn()), tmp_path / "p.png"
        code, said = self.run(
            "--env", CART, "--model", str(model), "--n-agents", "6", "--frames", "5",
            "--axes", "2,3",
            "--slice", "0=1", "--size", "320x200", "--output", str(picture),
        )  # fmt: skip
        assert code == 0, said
        assert picture.stat().st_size > 5000

    @pytest.mark.parametrize(
        "name",
        ["vecnormalize.pkl", "vec_normalize.pkl", "ppo-VecNormalize-1.pkl", "vecnorm.pickle"],
    )
    def test_refuses_a_policy_of_normalised_observations(self, name: str, tmp_path: Path) -> None:
        model = saved.save(tmp_path / "m.zip", saved.dqn())
        bang = tmp_path / "bang"
        (tmp_path / name).write_bytes(pickle.dumps(Bang(str(bang))))
        code, said = self.run("--env", CART, "--model", str(model), "--output", "p.png")
        assert code != 0 and name in said and "calf_attach.sb3.Callback" in said
        assert "\n" not in said.strip() and not bang.exists()

    def test_converts(self, tmp_path: Path) -> None:
        model, output = saved.save(tmp_path / "m.zip", saved.sac()), tmp_path / "m.safetensors"
        code, said = self.run("convert", str(model), "--output", str(output))
        assert code == 0 and "SAC, 3 observed, 1 actions" in said
        assert MlpPolicy.load(output).algorithm == "SAC"

    @pytest.mark.parametrize(
        "arguments",
        [("--env", CART), ("--model", "m.zip"), ("--axes", "0,1"),
         ("--env", CART, "--model", "m.zip", "--train"),
         ("--env", CART, "--model", "m.zip", "--system", "pendulum"),
         ("--env", CART, "--model", "none.zip"),
         ("convert", "none.zip", "--output", "m.safetensors"),
         ("convert", "none.zip", "--output", "m.txt")],
    )  # fmt: skip
    def test_refuses_in_one_line(self, arguments: tuple[str, ...]) -> None:
        code, said = self.run(*arguments)
        assert code != 0 and said and "\n" not in said.strip()
