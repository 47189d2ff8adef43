"""Forks of recordings of Gymnasium's environments, where those can be put into a state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import saved_policies as saved
from click.testing import CliRunner

from calf_viz.agent.mlp_policy import MlpPolicy
from calf_viz.cli.main import calf_viz
from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield
from calf_viz.recording.recorder import Recorder
from calf_viz.recording.recording import Recording
from calf_viz.sources.fork import fork
from calf_viz.sources.ghosts import Ghosts
from calf_viz.sources.replay import Replay

pytest.importorskip("pyarrow", reason="the extra `record` is not installed")
gymnasium = pytest.importorskip("gymnasium", reason="the extra gym is not installed")

from calf_viz.environments.copies import made  # noqa: E402
from calf_viz.environments.state import has_state, put, state_of  # noqa: E402
from calf_viz.sources.policy_in_environment import PolicyInEnvironment  # noqa: E402

CLASSIC = "Pendulum-v1", "CartPole-v1", "Acrobot-v1", "MountainCar-v0", "MountainCarContinuous-v0"
OURS = "calf_viz/Pendulum-v0"


def policy_file(folder: Path, env_id: str, seed: int = 0) -> Path:
    env = made(env_id)
    size: Any = env.observation_space.shape
    actions: Any = env.action_space
    choices = getattr(actions, "n", None)
    if choices is not None:
        state = saved.dqn(size[0], int(choices))
    else:
        state = saved.sac(size[0], actions.shape[0])
    state = {name: tensor + 0.1 * seed for name, tensor in state.items()}
    return saved.save(folder / f"policy{seed}.zip", state)


def recorded(folder: Path, env_id: str, steps: int = 50, n: int = 4) -> Recording:
    source = PolicyInEnvironment(env_id, MlpPolicy.load(policy_file(folder, env_id)), n, seed=3)
    source.record()
    recorder = Recorder(folder / "a.calf", source.view, {"environment": source.about()})
    recorder.critic(Heightfield(np.zeros((2, 2)), source.view.lo, source.view.hi))
    for _ in range(steps):
        recorder.see(source.step())
    recorder.close()
    source.close()
    return Recording(folder / "a.calf")


@pytest.mark.parametrize("env_id", [*CLASSIC, OURS])
def test_a_state_that_was_put_goes_on_as_the_one_it_was_of(env_id: str) -> None:
    env, other = made(env_id), made(env_id, max_episode_steps=-1)
    env.reset(seed=3)
    env.action_space.seed(1)
    for _ in range(5):
        env.step(env.action_space.sample())
    state = state_of(env)
    assert state is not None
    put(other, state)
    for _ in range(4):
        action = env.action_space.sample()
        one, two = env.step(action), other.step(action)
        np.testing.assert_array_equal(one[0], two[0])
        assert one[1:3] == two[1:3]


@pytest.mark.parametrize("env_id", [*CLASSIC[:4], OURS])
def test_the_model_of_then_repeats_what_happened_bit_for_bit(tmp_path: Path, env_id: str) -> None:
    recording = recorded(tmp_path, env_id)
    found = fork(recording, 5, "model", [0, 2], steps=44)
    columns = {name: recording.array(name, 5)[:, [0, 2]] for name in ("state", "action", "reward")}
    first = recording.array("first", 6)[:, [0, 2]]
    for k in range(2):
        length = int(first[:, k].argmax()) if first[:, k].any() else len(first)
        end = min(length, len(found)) + 1
        assert end > 2
        np.testing.assert_array_equal(found.states[:end, k], columns["state"][:end, k])
        np.testing.assert_array_equal(found.actions[: end - 1, k], columns["action"][1:end, k])
        np.testing.assert_array_equal(found.rewards[: end - 1, k], columns["reward"][1:end, k])


def test_another_model_goes_on_beside_it(tmp_path: Path) -> None:
    recording = recorded(tmp_path, "Pendulum-v1")
    other = policy_file(tmp_path, "Pendulum-v1", seed=1)
    replay = Replay(recording, ghosts=Ghosts(recording, 20, ["model", str(other)], [1]))
    assert replay.view.modes == ("agents", "ghost: model", "ghost: policy1.zip")
    for row in range(40):
        samples = replay.step()
        assert samples is not None and len(samples) == (4 if row < 20 else 6)
        if row > 20:  # float32, as they are drawn
            np.testing.assert_array_equal(
                samples.positions[4], samples.positions[1].astype(np.float32)
            )
    assert samples is not None and (samples.positions[5] != samples.positions[4]).any()


def test_what_cannot_be_forked_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = recorded(tmp_path, "CartPole-v1", steps=12)
    with pytest.raises(UserError, match="policy calf: give model, as recorded, or a model's file"):
        fork(recording, 3)
    with pytest.raises(UserError, match="agent 4: at that step there are 0 to 3"):
        fork(recording, 3, "model", [4])
    replay = Replay(recording)
    replay.step()
    with pytest.raises(UserError, match="only agents of our own systems go on by a key"):
        replay.fork(["nominal"])
    sac = tmp_path / "pendulum"
    sac.mkdir()
    with pytest.raises(UserError, match="the model is not for CartPole-v1"):
        fork(recording, 3, policy_file(sac, "Pendulum-v1"))
    (tmp_path / "policy0.zip").unlink()
    with pytest.raises(UserError, match=r"policy0\.zip"):
        fork(recording, 3, "model")
    without = tmp_path / "without"
    without.mkdir()
    monkeypatch.setattr("calf_viz.environments.copies.state_of", lambda env: None)
    with pytest.raises(UserError, match="CartPole-v1 cannot be put into a state"):
        fork(recorded(without, "CartPole-v1", steps=6), 3, "model")


@pytest.mark.parametrize(
    "named",
    ["tell_tale:Pendulum-v1", "tell_tale:", "tell_tale", "./tell_tale:Foo-v0", "TellTale-v0"],
)
def test_a_recording_has_no_module_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    recorded(tmp_path, "Pendulum-v1", steps=12).close()
    (tmp_path / "tell_tale.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(
        gymnasium.registry,
        "TellTale-v0",
        gymnasium.envs.registration.EnvSpec("TellTale-v0", entry_point="tell_tale:Env"),
    )
    meta = tmp_path / "a.calf" / "meta.json"
    about = json.loads(meta.read_text())
    about["environment"]["environment"] = named
    meta.write_text(json.dumps(about))
    with pytest.raises(UserError, match="cannot be put into a state"):
        fork(tmp_path / "a.calf", 3, "model")


@pytest.mark.parametrize(
    ("env_id", "has"),
    [("Pendulum-v1", True), ("Pendulum", True), (OURS, True), ("Pendulum-v77", False),
     ("Nowhere", False), ("phys2d/CartPole-v0", False), ("", False), ("a:b:c", False)],
)  # fmt: skip
def test_which_environments_have_a_state(env_id: str, has: bool) -> None:
    assert has_state(env_id) is has


def test_environments_of_forks_are_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording, other = recorded(tmp_path, "CartPole-v1", steps=12), tmp_path / "other"
    other.mkdir()
    wrong = str(policy_file(other, "Pendulum-v1"))
    opened: list[Any] = []
    make = gymnasium.make

    class Counted(gymnasium.Wrapper[Any, Any, Any, Any]):
        def __init__(self, env: Any) -> None:
            super().__init__(env)
            opened.append(self)

        def close(self) -> None:
            super().close()
            if self in opened:
                opened.remove(self)

    monkeypatch.setattr(gymnasium, "make", lambda *args, **named: Counted(make(*args, **named)))
    fork(recording, 3, "model", steps=4)
    assert not opened
    with pytest.raises(UserError):
        fork(recording, 3, wrong)
    with pytest.raises(UserError):
        Ghosts(recording, 3, ["model", wrong])
    with pytest.raises(UserError):
        PolicyInEnvironment("CartPole-v1", MlpPolicy.load(Path(wrong)), 4)
    assert not opened
    replay = Replay(recording, ghosts=Ghosts(recording, 3, ["model"]))
    replay.step()
    for policies in (["model"], ["model"], [], ["model"]):
        replay.fork(policies)
        assert len(opened) == 4 * len(policies)
    with pytest.raises(UserError):
        replay.fork([wrong])
    assert len(opened) == 4
    replay.close()
    assert not opened


def test_recorded_and_forked_on_the_command_line(tmp_path: Path) -> None:
    model = str(policy_file(tmp_path, "Pendulum-v1"))
    folder, small = str(tmp_path / "b.calf"), ["--size", "320x200", "--frames", "30"]
    for arguments in (
        ["--env", "Pendulum-v1", "--model", model, "--n-agents", "3", "--record", folder,
         "--headless", "--output", str(tmp_path / "1.png"), *small],
        ["replay", folder, "--fork", "10", "--agents", "1", "--output", str(tmp_path / "2.png"),
         *small],
    ):  # fmt: skip
        found = CliRunner().invoke(calf_viz, arguments)
        assert found.exit_code == 0, found.output + str(found.exception)
    found = CliRunner().invoke(calf_viz, ["verify", folder])
    assert "no certificate of ours" in str(found.exception)
