"""A training that was cut and resumed is the training that never stopped, bit for bit."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from calf_viz import systems
from calf_viz.agent import checkpoint
from calf_viz.agent.calf import CALFAgent
from calf_viz.errors import FileDamaged, FileTrouble, UserError
from calf_viz.files import hold
from calf_viz.training import metrics, resume
from calf_viz.training import train as training
from calf_viz.training.config import TrainingConfig
from calf_viz.training.trainer import Trainer

# Small, but with everything in it: learning, delayed updates, selections, a replay that wraps.
SHORT = TrainingConfig(
    preset="quick", seed=7, episodes=4, steps=60, batch=16, select_every=2, replay=150,
    selection_episodes=2,
)  # fmt: skip


def short_trainer(name: str) -> Trainer:
    return Trainer(SHORT.changed(system=name))


def save(trainer: Trainer, output: Path) -> None:
    """What a training leaves at `output` when it ends, or is stopped."""
    files = training.Files(output, ours=True)
    try:
        files.finish(trainer)
    finally:
        files.close()
        (output.parent / f".{output.name}.lock").unlink()


def everything(trainer: Trainer) -> dict[str, Any]:
    """All that a training is made of, by name."""
    found: dict[str, Any] = dict(trainer.td3.state())
    found |= {f"agent.{name}": tensor for name, tensor in trainer.agent.tensors().items()}
    found |= {f"best.{name}": tensor for name, tensor in (trainer.best or {}).items()}
    found |= {f"memory.{name}": value for name, value in vars(trainer.memory).items()}
    for name in (
        "steps",
        "p_relax",
        "state",
        "episode",
        "done",
        "recent",
        "best_info",
        "config",
    ):
        found[name] = getattr(trainer, name)
    found |= {"rows": trainer.replay.rows, "added": trainer.replay.added}
    return found | {"rng": trainer.rng.bit_generator.state}


def assert_same(one: Trainer, other: Trainer) -> None:
    a, b = everything(one), everything(other)
    assert a.keys() == b.keys()
    for name in a:
        if isinstance(a[name], torch.Tensor | np.ndarray):
            np.testing.assert_array_equal(a[name], b[name], err_msg=name)
            assert a[name].dtype == b[name].dtype, name
        else:
            assert a[name] == b[name], name


@pytest.fixture(scope="module", params=systems.own())
def uninterrupted(request: pytest.FixtureRequest) -> Trainer:
    trainer = short_trainer(request.param)
    trainer.run()
    return trainer


def test_a_resumed_training_equals_the_uninterrupted_one(
    uninterrupted: Trainer, tmp_path: Path
) -> None:
    total = uninterrupted.steps
    random = np.random.default_rng(total)
    # Before learning, at an episode's last step and its first, after the replay wrapped, anywhere.
    cuts = {3, 59, 60, 61, 200, *random.integers(1, total, 3).tolist()}
    trainer = short_trainer(uninterrupted.system.name)
    for cut in sorted(cuts):
        while trainer.steps < cut:
            trainer.step()
        path = tmp_path / f"{cut}.resume"
        resume.save(trainer, path)
        resumed = resume.load(path)
        assert_same(resumed, trainer)
        trainer = resumed
    trainer.run()
    assert trainer.steps == total and trainer.td3.updates == total - SHORT.batch + 1
    assert_same(trainer, uninterrupted)
    # So are the files, to the byte.
    for name, t in (("a", trainer), ("b", uninterrupted)):
        save(t, tmp_path / f"{name}.safetensors")
    for end in ("", ".resume"):
        a, b = (tmp_path / f"{name}.safetensors{end}" for name in "ab")
        assert a.read_bytes() == b.read_bytes()


def test_the_uninterrupted_training_did_learn(uninterrupted: Trainer) -> None:
    fresh = short_trainer(uninterrupted.system.name).agent.tensors()
    assert all(not torch.equal(t, fresh[n]) for n, t in uninterrupted.agent.tensors().items())
    assert uninterrupted.best is not None and uninterrupted.finished
    assert uninterrupted.replay.added > SHORT.replay


def test_files_group_the_settings_as_they_always_did(tmp_path: Path) -> None:
    """Written with the names below since format 1, so that files of any age are read."""
    resume.save(short_trainer("point_mass"), tmp_path / "a.resume")
    with safe_open(tmp_path / "a.resume", "pt") as file:
        metadata = json.loads(file.metadata()["calf_viz"])
    assert metadata["preset"] == {
        "name": "quick", "episodes": 4, "steps": 60, "batch": 16, "select_every": 2,
    }  # fmt: skip
    assert metadata["settings"] == {
        "replay": 150, "exploration": 0.1, "reward_scale": 10.0, "certificate": True,
        "lambda_relax": 0.99995, "selection_episodes": 2,
        "td3": {
            "lr": 3e-4, "gamma": 0.99, "tau": 0.005, "target_noise": 0.2,
            "target_noise_clip": 0.5, "policy_delay": 2,
        },
    }  # fmt: skip


def test_saving_changes_nothing(tmp_path: Path) -> None:
    quiet, saved = short_trainer("point_mass"), short_trainer("point_mass")
    for _ in range(50):
        quiet.step()
        saved.step()
        resume.save(saved, tmp_path / "a.resume")
        saved.result()
    assert_same(quiet, saved)


def test_metrics_have_a_line_for_each_episode(uninterrupted: Trainer, tmp_path: Path) -> None:
    metrics.write(tmp_path / "a.safetensors.metrics.csv", uninterrupted.recent)
    lines = (tmp_path / "a.safetensors.metrics.csv").read_text().splitlines()
    assert lines[0] == "episode,steps,return,goal,certified,relax,nominal,p_relax"
    assert len(lines) == 1 + SHORT.episodes
    for i, line in enumerate(lines[1:]):
        episode, steps, ret, _, *modes, p_relax = line.split(",")
        assert int(episode) == i and sum(map(int, modes)) == int(steps)
        assert float(ret) < 0 and 0 < float(p_relax) < 1


def test_the_checkpoint_holds_the_best_agent(uninterrupted: Trainer, tmp_path: Path) -> None:
    save(uninterrupted, tmp_path / "a.safetensors")
    agent = CALFAgent.load(tmp_path / "a.safetensors")
    assert agent.info.steps == uninterrupted.best_info["steps"]
    assert (agent.info.seed, agent.info.preset) == (7, "quick")
    for name, tensor in agent.tensors().items():
        assert torch.equal(tensor, uninterrupted.best[name])


# Ctrl-C

TRAIN = """
import sys
from calf_viz.training import train as training, trainer

step = trainer.Trainer.step

def told(self):
    ended = step(self)
    if self.steps == 150:
        print("running", flush=True)
    return ended

trainer.Trainer.step = told
training.train("point_mass", "quick", 3, sys.argv[1], progress=False)
"""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`calf-viz train` in a process of its own, some 150 steps in."""
    command = [sys.executable, "-c", TRAIN, str(tmp_path / "a.safetensors")]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_leaves_a_checkpoint_that_resumes(
    running: subprocess.Popen[str], tmp_path: Path, number: signal.Signals
) -> None:
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 0, err
    output = tmp_path / "a.safetensors"
    assert f"go on with `resume` {output}" in out
    assert "Traceback" not in err
    assert sorted(p.name for p in tmp_path.iterdir() if p.suffix != ".lock") == [
        "a.safetensors",
        "a.safetensors.metrics.csv",
        "a.safetensors.resume",
    ]
    assert CALFAgent.load(output, "point_mass").info.seed == 3
    resumed = resume.load(resume.resume_path(output))
    assert resumed.steps >= 150 and not resumed.finished
    # What was cut is what an uninterrupted training is at this step; and it goes on alike.
    twin = Trainer(resumed.config)
    while twin.steps < resumed.steps:
        twin.step()
    for _ in range(20):
        assert_same(resumed, twin)
        resumed.step()
        twin.step()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_stops_the_hard_way_and_the_handler_is_put_back(
    number: signal.Signals,
) -> None:
    before = signal.getsignal(number)
    with training._interruptible() as caught:
        signal.raise_signal(number)
        assert caught == [number]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_a_terminal_that_is_gone_may_say_so_twice() -> None:
    """As the kernel and a shell do."""
    with training._interruptible() as caught:
        for _ in range(3):
            signal.raise_signal(signal.SIGHUP)
        assert set(caught) == {signal.SIGHUP}
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_behind_nohup_a_terminal_that_is_gone_stops_nothing() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with training._interruptible() as caught:
            signal.raise_signal(signal.SIGHUP)
        assert not caught and signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_connection_that_breaks_leaves_a_checkpoint(tmp_path: Path) -> None:
    """With a progress bar that cannot be drawn any more."""
    code = TRAIN.replace("progress=False", "progress=True")
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", code, str(tmp_path / "a.safetensors")])
    said = b""
    while b"running" not in said:
        said += os.read(terminal, 4096)
    os.close(terminal)
    os.waitpid(pid, 0)
    output = tmp_path / "a.safetensors"
    resumed = resume.load(resume.resume_path(output))
    assert resumed.steps >= 150 and not resumed.finished
    assert CALFAgent.load(output, "point_mass").info.seed == 3


def test_ctrl_c_does_not_cut_the_last_files_short() -> None:
    done: list[str] = []

    class Records:
        def start(self, trainer: Trainer) -> None: ...
        def episode(self, trainer: Trainer) -> None: ...
        def finish(self, trainer: Trainer) -> None:
            signal.raise_signal(signal.SIGINT)
            done.append("all written")

    training.follow(short_trainer("point_mass"), Records(), progress=False)
    assert done == ["all written"]


# `train` itself


def test_train_writes_at_once_and_resumes_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "a.safetensors"
    trainer = short_trainer("point_mass")
    trainer.run(stop=lambda: trainer.steps >= 100)
    save(trainer, output)
    finished = training.train(resume_from=output, progress=False)
    assert finished.finished and finished.config == SHORT
    assert resume.load(resume.resume_path(output)).finished
    assert (
        len((tmp_path / "a.safetensors.metrics.csv").read_text().splitlines()) == 1 + SHORT.episodes
    )
    # Nothing is left to do, which is no error.
    assert training.train("point-mass", "quick", 7, None, output, progress=False).steps


def test_train_refuses_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(self: Trainer) -> bool:
        raise AssertionError("a step was taken")

    output = tmp_path / "a.safetensors"
    save(short_trainer("point_mass"), output)
    monkeypatch.setattr(Trainer, "step", never)
    (tmp_path / "file").write_text("")
    for arguments, words in (
        (("no_such_system", "quick", 0, output), "unknown system 'no_such_system'"),
        (("point_mass", "huge", 0, output), "unknown preset 'huge'.*quick, standard, thorough"),
        ((None, "quick", 0, output), "give `system`"),
        (("point_mass", "quick", 0, tmp_path / "file" / "a"), "cannot write"),
        (("differential_drive", None, None, None, output), "with system point_mass, not diff"),
        ((None, None, 3, None, output), "with seed 7, not 3: leave seed out"),
        (
            (None, None, None, None, tmp_path / "none"),
            "none: neither a run's folder nor a .*none.resume",
        ),
    ):
        with pytest.raises(UserError, match=words) as caught:
            training.train(*arguments, progress=False)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("taken", ["", ".resume", ".metrics.csv"])
@pytest.mark.parametrize("resumed", [False, True])
def test_no_file_of_an_older_training_is_replaced_unasked(
    tmp_path: Path, taken: str, resumed: bool
) -> None:
    """Any of the three, whether a new training or a resumed one is to be written there."""
    output, source = tmp_path / "a.safetensors", None
    if resumed:
        source = tmp_path / "other.safetensors"
        save(short_trainer("point_mass"), source)
    older = tmp_path / f"a.safetensors{taken}"
    older.write_text("older")
    new = None if resumed else "point_mass"
    with pytest.raises(UserError, match=f"{older} exists: .* or `overwrite=True`"):
        training.train(new, output=output, resume_from=source, progress=False)
    assert older.read_text() == "older"
    assert not list(tmp_path.glob("*.lock")), "nothing is left of what was refused"
    size = {} if resumed else {"episodes": 1, "steps": 5, "selection_episodes": 1}
    training.train(new, output=output, resume_from=source, progress=False, overwrite=True, **size)
    assert older.read_bytes() != b"older"


@pytest.mark.parametrize("resumed", [False, True])
def test_one_training_at_a_time_writes_a_file(tmp_path: Path, resumed: bool) -> None:
    output = tmp_path / "a.safetensors"
    save(short_trainer("point_mass"), output)
    before = output.read_bytes()
    other = hold(output)  # as another process does
    given = {"resume_from": output} if resumed else {"system": "point_mass", "output": output}
    with pytest.raises(UserError, match="is being trained by another process: end that"):
        training.train(**given, progress=False, overwrite=True)  # type: ignore[arg-type]
    assert output.read_bytes() == before
    other.release()
    if resumed:
        training.train(**given, progress=False)  # type: ignore[arg-type]
        hold(output).release()


def test_a_training_replaces_nothing_that_it_reads(tmp_path: Path) -> None:
    config, source = tmp_path / "mine.toml", tmp_path / "a.safetensors"
    config.write_text("seed = 3\n")
    save(short_trainer("point_mass"), source)
    state = resume.resume_path(source)
    for given in (
        {"system": "point_mass", "output": config, "config_file": config},
        {"resume_from": source, "output": state},
    ):
        with pytest.raises(UserError, match="is read, and would be replaced"):
            training.train(**given, overwrite=True, progress=False)  # type: ignore[arg-type]
    assert config.read_text() == "seed = 3\n"
    resume.load(state)


def test_a_folder_is_no_output(tmp_path: Path) -> None:
    for output in (tmp_path, tmp_path / ".", "/", ".."):
        with pytest.raises(UserError, match="is a folder: name a file in it"):
            training.train("point_mass", output=output, overwrite=True, progress=False)


# A training that diverged


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_could_not_be_resumed_is_not_written(tmp_path: Path, bad: float) -> None:
    trainer = short_trainer("point_mass")
    output = tmp_path / "a.safetensors"
    save(trainer, output)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    trainer.step()
    trainer.td3.flats["critic"].data[3] = bad
    with pytest.raises(UserError, match=r"diverged, td3.flat.critic is not finite after 1 steps"):
        save(trainer, output)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


# Damaged resume files


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "a.resume"
    trainer = short_trainer("point_mass")
    for _ in range(40):
        trainer.step()
    trainer.best = {name: tensor.clone() for name, tensor in trainer.agent.tensors().items()}
    trainer.best_info = {"goal": 0.5, "cost": 9.0, "steps": 30, "p_relax": 0.9, "episode": 0}
    resume.save(trainer, path)
    return path


def nest(depth: int) -> list[Any]:
    made: list[Any] = []
    for _ in range(depth):
        made = [made]
    return made


Damage = Callable[[dict[str, torch.Tensor], dict[str, Any]], object]
DAMAGES: dict[str, Damage] = {
    "no replay": lambda t, m: t.pop("replay"),
    "a short replay": lambda t, m: t.update(replay=t["replay"][:1].clone()),
    "a narrow replay": lambda t, m: t.update(replay=t["replay"][:, :1].clone()),
    "weights that would broadcast": lambda t, m: t.update({"td3.flat.actor": torch.zeros(1)}),
    "a missing moment": lambda t, m: t.pop("td3.adam.critic.mean"),
    "a NaN weight": lambda t, m: t["td3.flat.critic"][3].fill_(torch.nan),
    "a NaN best weight": lambda t, m: t["best.actor.b1"].fill_(torch.nan),
    "best weights of another shape": lambda t, m: t.update({"best.actor.b1": torch.zeros(1)}),
    "a memory of two agents": lambda t, m: t.update({"memory.q_plus": torch.zeros(2).double()}),
    "a state of another system": lambda t, m: t.update(state=torch.zeros(1, 3)),
    "no generator": lambda t, m: m.pop("rng"),
    "another generator": lambda t, m: m["rng"].update(bit_generator="MT19937"),
    "a negative generator": lambda t, m: m["rng"]["state"].update(state=-1),
    "an unknown setting": lambda t, m: m["settings"].update(rate=1),
    "settings that are none": lambda t, m: m.update(settings=3),
    "a buffer beyond memory": lambda t, m: m["settings"].update(replay=10**15),
    "a wrong count": lambda t, m: m.update(added=5),
    "steps that are no number": lambda t, m: m.update(steps="many"),
    "steps without end": lambda t, m: m.update(steps=float("inf")),
    "steps of 400 digits": lambda t, m: m.update(steps=10**400, added=10**400),
    "half a step": lambda t, m: m.update(steps=40.5),
    "steps that others contradict": lambda t, m: m.update(steps=41),
    "fewer than no steps": lambda t, m: m.update(steps=-1, added=-1),
    "updates that others contradict": lambda t, m: t["td3.updates"].fill_(3),
    "an optimiser without a step": lambda t, m: t["td3.adam.actor.steps"].fill_(0),
    "P_relax of 7": lambda t, m: m.update(p_relax=7),
    "P_relax of NaN": lambda t, m: m.update(p_relax=float("nan")),
    "P_relax that is a list": lambda t, m: m.update(p_relax=[0.5]),
    "a complex replay": lambda t, m: t.update(replay=t["replay"].to(torch.complex64)),
    "a replay of integers": lambda t, m: t.update(replay=t["replay"].long()),
    "a NaN transition": lambda t, m: t["replay"][3].fill_(torch.nan),
    "a complex state": lambda t, m: t.update(state=t["state"].to(torch.complex64)),
    "a timeline of integers": lambda t, m: t.update(timeline=t["timeline"].long()),
    "a timeline in a mode that there is not": lambda t, m: t["timeline"][:, 0].fill_(7),
    "a seed below nought": lambda t, m: m.update(seed=-1),
    "a batch of billions": lambda t, m: m["preset"].update(batch=10**10),
    "a discount above one": lambda t, m: m["settings"]["td3"].update(gamma=2.0),
    "settings that are switches": lambda t, m: m["settings"].update(replay=True),
    "episodes without end": lambda t, m: m.update(episodes=float("inf")),
    "fewer episodes than it tells of": lambda t, m: m.update(recent=[m["episode"]]),
    "an episode of minus one step": lambda t, m: m["episode"].update(steps=-1),
    "an episode longer than any": lambda t, m: m["episode"].update(steps=99, modes=[99, 0, 0]),
    "modes that contradict the steps": lambda t, m: m["episode"].update(modes=[0, 0, 1]),
    "a fourth mode": lambda t, m: m["episode"].update(modes=[*m["episode"]["modes"], 0]),
    "a return that is text": lambda t, m: m["episode"].update(ret="-3"),
    "a best agent of no cost": lambda t, m: m["best"].pop("cost"),
    "a nest of lists": lambda t, m: m.update(rng=nest(300)),
    "an episode of other columns": lambda t, m: m["episode"].update(colour="red"),
    "an old format": lambda t, m: m.update(format=0),
    "another kind": lambda t, m: m.update(kind="agent"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_resume_file_is_refused(name: str, whole: Path, tmp_path: Path) -> None:
    with safe_open(whole, framework="pt") as file:
        metadata = json.loads(file.metadata()["calf_viz"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no dict)
    DAMAGES[name](tensors, metadata)
    path = tmp_path / "damaged.resume"
    checkpoint.write(path, tensors, metadata)
    with pytest.raises(FileDamaged) as caught:
        resume.load(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 99}, "a newer calf_viz made it .format 99, this one reads up to 3.; update"),
        (
            {"system": "no_such_system"},
            "it is for system no_such_system, which is unknown here; say where that is",
        ),
    ],
)
def test_a_resume_file_of_another_calf_viz_is_not_called_damaged(
    whole: Path, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    with safe_open(whole, framework="pt") as file:
        metadata = json.loads(file.metadata()["calf_viz"]) | change
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no dict)
    checkpoint.write(tmp_path / "a.resume", tensors, metadata)
    with pytest.raises(FileTrouble, match=said):
        resume.load(tmp_path / "a.resume")


def test_resume_files_of_the_first_format_go_on(tmp_path: Path) -> None:
    """They hold all episodes."""
    trainer = short_trainer("point_mass")
    trainer.run(stop=lambda: trainer.steps >= 130)
    resume.save(trainer, tmp_path / "a.resume")
    with safe_open(tmp_path / "a.resume", framework="pt") as file:
        metadata = json.loads(file.metadata()["calf_viz"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no dict)
    assert metadata["episodes"] == len(metadata["recent"]) > 1
    metadata |= {"format": 1, "episodes": metadata.pop("recent")}
    del metadata["digest"]
    save_file(tensors, tmp_path / "old.resume", {"calf_viz": json.dumps(metadata)})
    assert_same(resume.load(tmp_path / "old.resume"), trainer)


def test_a_flipped_bit_is_damage(whole: Path, tmp_path: Path) -> None:
    """Of weights, say, which would train on with other values."""
    data, path = whole.read_bytes(), tmp_path / "a.resume"
    rng = np.random.default_rng(2)
    for at in rng.integers(len(data), size=300).tolist():
        damaged = bytearray(data)
        damaged[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        with pytest.raises(FileDamaged, match=re.escape(str(path))):
            resume.load(path)


def test_every_digit_of_its_format_is_told_from_a_newer_ones(whole: Path, tmp_path: Path) -> None:
    data, path = whole.read_bytes(), tmp_path / "a.resume"
    at = data.index(rb"\"format\": ") + len(rb"\"format\": ")
    for digit in b"012456789":
        path.write_bytes(data[:at] + bytes([digit]) + data[at + 1 :])
        with pytest.raises(FileDamaged, match="digest"):
            resume.load(path)


def test_a_file_of_before_there_were_digests_goes_on(whole: Path, tmp_path: Path) -> None:
    with safe_open(whole, framework="pt") as file:
        metadata = json.loads(file.metadata()["calf_viz"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no dict)
    del metadata["digest"]
    path = tmp_path / "old.resume"
    save_file(tensors, path, {"calf_viz": json.dumps({**metadata, "format": 2})})
    assert_same(resume.load(path), resume.load(whole))
    save_file(tensors, path, {"calf_viz": json.dumps(metadata)})
    with pytest.raises(FileDamaged, match="its digest is missing"):
        resume.load(path)


def test_the_file_that_is_damaged_above_was_whole(whole: Path) -> None:
    assert resume.load(whole).best is not None


def test_an_agents_file_is_no_resume_file(tmp_path: Path) -> None:
    short_trainer("point_mass").result().save(tmp_path / "a")
    with pytest.raises(UserError, match="not one of calf-viz train's resume files"):
        resume.load(tmp_path / "a")


def test_a_new_training_does_not_replace_an_older_ones_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "agent.safetensors"
    old.write_bytes(b"a week's work")
    with pytest.raises(UserError, match=r"exists: give another `output`, `resume`"):
        training.train("point_mass", "quick", 0, old, progress=False)
    assert old.read_bytes() == b"a week's work"
    monkeypatch.setattr(Trainer, "run", lambda *_, **__: None)
    training.train("point_mass", "quick", 0, old, progress=False, overwrite=True)
    assert CALFAgent.load(old).system.name == "point_mass"
