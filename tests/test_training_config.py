"""The configuration of a training: its presets, and what it keeps and refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from runs import config

from calf_viz import settings
from calf_viz.errors import UserError
from calf_viz.training import resume
from calf_viz.training.config import TrainingConfig
from calf_viz.training.trainer import Trainer


def test_a_training_configuration_reads_as_it_was_written() -> None:
    made = config(lr=1e-3, certificate=False)
    text = settings.document(training=settings.table(made))
    values = settings.tomllib.loads(text)["training"]
    assert TrainingConfig(**settings.convert(values, TrainingConfig)) == made


@pytest.mark.parametrize("preset", ["quick", "standard", "thorough"])
def test_the_preset_decides_the_size(preset: str) -> None:
    made = TrainingConfig.from_preset(preset)
    size = {"quick": (100, 500, 64), "standard": (500, 750, 64), "thorough": (1000, 1000, 128)}
    assert (made.preset, (made.episodes, made.steps, made.batch)) == (preset, size[preset])
    back = TrainingConfig.from_preset("thorough", lr=1e-3).changed(preset=preset)
    assert back == made.changed(lr=1e-3), "another preset brings its whole size along"


def test_a_checkpoint_keeps_every_setting(tmp_path: Path) -> None:
    changed = config(
        exploration=0.3, reward_scale=2.0, certificate=False, lambda_relax=0.9, lr=0.01,
        gamma=0.5, tau=0.1, target_noise=0.4, target_noise_clip=0.6, policy_delay=3,
    )  # fmt: skip
    changed = changed.changed(select_every=4, selection_episodes=3, replay=90, episodes=7)
    resume.save(Trainer(changed), tmp_path / "a.resume")
    found = resume.load(tmp_path / "a.resume").config
    # What a run keeps is said in its folder alone.
    assert found == changed.changed(checkpoint_every=10, checkpoints=3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"epsiodes": 3}, r"unknown setting 'epsiodes' of a training: did you mean episodes\?"),
        ({"batch": 0}, "batch 0 is out of range: give 1 to"),
        ({"replay": 3}, "replay 3 is out of range: give 64 to"),
        ({"gamma": float("nan")}, "gamma nan is out of range"),
        ({"system": "no_such_system"}, "unknown system 'no_such_system'"),
    ],
)
def test_settings_that_make_no_sense(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        TrainingConfig.from_preset("quick", **changes)


def test_plain_td3_follows_its_actor_alone() -> None:
    trainer = Trainer(config(certificate=False))
    trainer.run()
    assert all(episode.modes[2] == 0 for episode in trainer.recent)
    assert trainer.p_relax < 1.0, "and not by a P_relax that never decays"
