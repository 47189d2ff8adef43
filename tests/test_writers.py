"""Writers of a training, TensorBoard among them: what each is told, and one that fails."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from runs import TINY, train

from calf_viz.errors import UserError
from calf_viz.training import train as training
from calf_viz.training.run import Run
from calf_viz.training.trainer import Trainer


def test_without_tensorboard_the_option_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(UserError, match=r"pip install 'calf_viz\[tensorboard\]'"):
        training.train("point_mass", "quick", 5, progress=False, runs=tmp_path, tensorboard=True)
    assert not list(tmp_path.iterdir()), "before a run is made"


def test_tensorboard_gets_each_episode_once(
    tmp_path: Path, tensorboard: dict[tuple[str, int], float]
) -> None:
    written = tensorboard
    folder = train(tmp_path, tensorboard=True)
    steps = {step for _, step in written}
    assert steps == set(range(9))
    opened, trainer = Run.open(folder)
    opened.close()
    for episode in trainer.recent:
        assert written["episode/return", episode.episode] == episode.ret
        shares = [written[f"modes/{name}", episode.episode] for name in training.NAMES]
        assert sum(shares) == pytest.approx(1.0)
    # Resumed from an earlier checkpoint, what was written beyond it is written again.
    (folder / "checkpoints" / "000009.resume").unlink()
    before = dict(written)
    training.train(resume_from=folder, progress=False)
    assert written == before


class Told:
    """A writer that notes what it is told; it raises where it is to."""

    def __init__(self, fails: str = "") -> None:
        self.told: list[tuple[str, int]] = []
        self.fails = fails

    def _note(self, name: str, done: int) -> None:
        self.told.append((name, done))
        if name == self.fails:
            raise UserError(f"no {name} today")

    def start(self, trainer: Trainer) -> None:
        self._note("start", trainer.done)

    def episode(self, trainer: Trainer) -> None:
        assert trainer.recent[-1].episode == trainer.done - 1
        self._note("episode", trainer.done)

    def checkpoint(self, trainer: Trainer) -> None:
        self._note("checkpoint", trainer.done)

    def close(self) -> None:
        self._note("close", -1)


@pytest.mark.parametrize("files", [False, True])
def test_a_writer_of_ones_own_gets_each_episode(tmp_path: Path, files: bool) -> None:
    told, output = Told(), tmp_path / "agent" if files else None
    sizes = {**TINY, "episodes": 4, "select_every": 2}
    if files:  # which are written as agents are compared
        del sizes["checkpoint_every"], sizes["checkpoints"]
    where = {"runs": tmp_path, "output": output, "progress": False}
    training.train("point_mass", "quick", 5, writers=[told], **where, **sizes)
    begin = [("checkpoint", 0)] if files else []  # a run has its first one before it is started
    assert told.told == [
        ("start", 0), *begin, ("episode", 1), ("episode", 2), ("checkpoint", 2), ("episode", 3),
        ("episode", 4), ("checkpoint", 4), ("checkpoint", 4), ("close", -1),
    ]  # fmt: skip
    again = Told()
    made = output or next(path for path in tmp_path.iterdir())
    training.train(resume_from=made, progress=False, writers=[again], episodes=5)
    assert again.told[0] == ("start", 4) and ("episode", 5) in again.told
    assert again.told[-1] == ("close", -1)


@pytest.mark.parametrize("fails", ["start", "episode", "checkpoint", "close"])
def test_a_writer_that_fails_ends_the_training_and_the_run_can_be_resumed(
    tmp_path: Path, fails: str
) -> None:
    first, told = Told(), Told(fails)
    with pytest.raises(UserError, match=f"no {fails} today"):
        training.train(
            "point_mass", "quick", 5, progress=False, runs=tmp_path, writers=[first, told], **TINY
        )
    assert first.told[-1] == ("close", -1), "whatever the other does"
    assert (("close", -1) in told.told) == (fails != "start"), "what was started is closed"
    (made,) = tmp_path.iterdir()
    assert training.train(resume_from=made, progress=False).finished
