"""What is shown and trained, chosen together: preset, then file, then flags."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from calf_viz import cli
from calf_viz.agent.run import read_config
from calf_viz.app_config import AppConfig
from calf_viz.errors import UserError
from calf_viz.settings import fields_of


def toml(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    monkeypatch.setattr(sys, "argv", ["calf-viz", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert isinstance(end.value.code, int)
    return end.value.code


@pytest.mark.parametrize(
    ("preset", "agents", "training", "episodes"),
    [
        ("low", 3, "quick", 100),
        ("medium", 5, "standard", 500),
        ("high", 10, "thorough", 1000),
    ],
)
def test_a_preset_pairs_training_with_visualisation(
    preset: str, agents: int, training: str, episodes: int
) -> None:
    made = AppConfig.from_preset(preset)
    assert made.visualization.n_agents == agents
    assert (made.training.preset, made.training.episodes) == (training, episodes)


def test_single_changes_find_their_field_and_system_and_seed_are_of_both() -> None:
    made = AppConfig.from_preset(
        "low", system="differential-drive", seed=3, n_agents=8, lr=0.01, training_preset="standard"
    )
    for part in (made.visualization, made.training):
        assert (part.system, part.seed) == ("differential_drive", 3)
    assert (made.visualization.n_agents, made.training.lr) == (8, 0.01)
    assert made.training.episodes == 500


def test_a_file_wins_over_the_preset_and_flags_over_the_file(tmp_path: Path) -> None:
    path = toml(
        tmp_path,
        'preset = "high"\nseed = 4\ntrail_length = 50\n'
        '[visualization]\nn_agents = 20\nsize = [64, 36]\ncheckpoint = "a.safetensors"\n'
        '[training]\npreset = "quick"\nbatch = 32\nlr = 1\n',
    )
    made = AppConfig.load(path)
    shown, trained = made.visualization, made.training
    assert (shown.seed, trained.seed, shown.trail_length, shown.n_agents) == (4, 4, 50, 20)
    assert (shown.size, shown.checkpoint) == ((64, 36), Path("a.safetensors"))
    assert (trained.preset, trained.episodes, trained.batch, trained.lr) == ("quick", 100, 32, 1.0)
    made = AppConfig.load(path, "low", seed=9, batch=16, training_preset="thorough")
    assert (made.visualization.n_agents, made.visualization.stats_text_update_freq) == (20, 10)
    assert (made.training.seed, made.training.batch, made.training.steps) == (9, 16, 1000)


def test_what_is_printed_is_read_as_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--preset=low", "--n_agents=7", "--size=64x36", "--no-hud", "--gamma=0.5", "--seed=2"]
    assert run(monkeypatch, "config", *flags) == 0
    printed = capsys.readouterr().out
    path = toml(tmp_path, printed)
    expected = AppConfig.from_preset("low", n_agents=7, size=(64, 36), hud=False, gamma=0.5, seed=2)
    assert AppConfig.load(path) == expected
    assert run(monkeypatch, "config", "--config", path) == 0
    assert capsys.readouterr().out == printed
    # Every field is there, with its help above it.
    above = dict(pairwise(reversed(printed.splitlines())))
    named = {line.lstrip("# ").split(" =")[0]: help for line, help in above.items()}
    for part in (expected.visualization, expected.training):
        for name, field in fields_of(part).items():
            if name not in ("system", "seed", "preset"):
                assert named[name] == f"# {field.metadata['help']}"
    assert {"system", "seed", "preset"} < named.keys()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("n_agent = 3", r"unknown setting 'n_agent' in .*mine.toml: did you mean n_agents\?"),
        ("[training]\nepisode = 3", r"unknown setting 'episode' .*: did you mean episodes\?"),
        ("[visualisation]\nseed = 1", r"'visualisation' .*: did you mean visualization\?"),
        ("preset = 3", "preset = 3 in .* is of a wrong type"),
        ('preset = "lo"', "unknown preset 'lo': choose one of low, medium, high"),
        ('[training]\npreset = "low"', "unknown preset 'low': choose one of quick, "),
        ("seed = true", "seed = True is of a wrong type: give a whole number"),
        ("seed = 1.5", "seed = 1.5 is of a wrong type: give a whole number"),
        ("size = [1]", r"size = \[1\] is of a wrong type: give two whole numbers"),
        ("hud = 1", "hud = 1 is of a wrong type: give true or false"),
        ("lr = 'fast'", "lr = 'fast' is of a wrong type: give a number"),
        ("checkpoint = 3", "checkpoint = 3 is of a wrong type: give a path in quotes"),
        ("n_agents = 0", "n_agents 0 is out of range"),
        ("[visualization]\nseed = 1\n[training]\nseed = 2", "seed is 1 to be shown, 2 to be trai"),
        ("seed = ", "mine.toml is not TOML: "),
    ],
)
def test_a_file_with_a_mistake_is_told_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        AppConfig.load(toml(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read .*none.toml: No such file"):
        AppConfig.load(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match=r"bytes.toml is not TOML"):
        AppConfig.load(tmp_path / "bytes.toml")


@pytest.mark.parametrize("changes", [{"n_agent": 3}, {"seeed": 1}, {"preset_": 1}])
def test_unknown_names_among_changes(changes: dict[str, Any], tmp_path: Path) -> None:
    for make in (
        lambda: AppConfig.from_preset("low", **changes),
        lambda: AppConfig.load(toml(tmp_path, ""), **changes),
    ):
        with pytest.raises(UserError, match=r"unknown setting '\w+': did you mean \w+\?"):
            make()


def test_the_system_may_be_given_for_one_of_the_two(tmp_path: Path) -> None:
    made = AppConfig.load(toml(tmp_path, '[training]\nsystem = "differential_drive"'))
    assert made.visualization.system == "differential_drive"


def test_train_takes_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = toml(tmp_path, "seed = 3\n[training]\npreset = 'quick'\nepisodes = 1\nsteps = 5\n")
    code = run(
        monkeypatch, "train", "--config", path, "--batch=4", "--runs", tmp_path, "--no-progress"
    )
    assert code == 0
    (folder,) = tmp_path.glob("point_mass-3-*")
    made = read_config(folder)
    assert (made.preset, made.episodes, made.steps, made.batch) == ("quick", 1, 5, 4)
