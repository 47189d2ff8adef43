"""What is shown and trained, chosen together: preset, then file, then flags."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calf_viz.cli import main as cli
from calf_viz.errors import UserError
from calf_viz.settings import fields_of
from calf_viz.training.config import TrainingConfig
from calf_viz.training.run_config import read_config, write_config
from calf_viz.viewer.app_config import AppConfig


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
    assert (made.visualization.n_agents, made.visualization.stats_text_update_freq) == (20, 2)
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
        ("widht = 3", r"unknown setting 'widht' .*: did you mean size\?"),
        ("size = '64 36'", r"size = '64 36' in .* give .* such as \[1280, 720\] or \"1280x720\""),
        ("preset = 3", "preset = 3 in .* has the wrong type"),
        ('preset = "lo"', "unknown preset 'lo': choose one of low, medium, high"),
        ('[training]\npreset = "low"', "unknown preset 'low': choose one of quick, "),
        ("seed = true", "seed = True in .*mine.toml has the wrong type: give a whole number"),
        ("seed = 1.5", "seed = 1.5 in .*mine.toml has the wrong type: give a whole number"),
        ("size = [1]", r"size = \[1\] in .*mine.toml has the wrong type: give two whole numbers"),
        ("hud = 1", "hud = 1 in .*mine.toml has the wrong type: give true or false"),
        ("lr = 'fast'", "lr = 'fast' in .*mine.toml has the wrong type: give a number"),
        (
            "checkpoint = 3",
            "checkpoint = 3 in .*mine.toml has the wrong type: give a path in quotes",
        ),
        ("runs = ''", "runs is empty in .*mine.toml: give a path"),
        ("n_agents = 0", "n_agents 0 is out of range"),
        ("[visualization]\nseed = 1\n[training]\nseed = 2", "seed is 1 to be shown, 2 to be trai"),
        ("seed = ", "mine.toml:1: not TOML: Invalid value"),
    ],
)
def test_a_file_with_a_mistake_is_reported_in_one_line(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(UserError, match=words) as caught:
        AppConfig.load(toml(tmp_path, text))
    assert "\n" not in str(caught.value) and "mine.toml" in str(caught.value)


def test_a_mistake_beside_a_file_is_not_the_files(tmp_path: Path) -> None:
    file = toml(tmp_path, "n_agents = 0")
    with pytest.raises(UserError) as caught:
        AppConfig.load(file, seed=-1, n_agents=3)
    assert "seed -1" in str(caught.value) and "mine.toml" not in str(caught.value)
    assert AppConfig.load(file, n_agents=3).visualization.n_agents == 3


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none.toml: cannot be read .No such file"):
        AppConfig.load(tmp_path / "none.toml")


def test_a_file_by_an_editor_of_windows(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes("\ufeffseed = 3\r\n".encode())
    assert AppConfig.load(file).training.seed == 3
    file.write_bytes("seed = 3\n".encode("utf-16"))
    with pytest.raises(UserError, match=r"mine.toml: it is UTF-16; save it as UTF-8"):
        AppConfig.load(file)


@pytest.mark.parametrize("text", [
    "training = 3", "visualization = [1]", "[[training]]", "training.lr = {a = 1}", "lr = nan",
    "lr = -inf", f"seed = {'9' * 400}", f"seed = {'9' * 5000}", f"lr = {'9' * 400}",
    f"lr = {'[' * 5000}", f"{'a.' * 5000}b = 1", f"{'a' * 4000} = 1", 'runs = "a\\u0000b"',
    'shaders = "a\\u0000b"', "seed = 1979-05-27", "size = [1, 2, 3]", 'preset = "\\u001b[31m"',
    "preset = {a = 1}", "define = [1]", "\x00", "n_agents = 1e9", "training_preset = 3",
    "\n".join(f"[visualization.a{i}]" for i in range(3000)), "#" * 70_000,
])  # fmt: skip
def test_an_odd_file_is_one_short_line_at_once(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError) as caught:
        vars(AppConfig.load(toml(tmp_path, text)))
    line = str(caught.value)
    assert line.isprintable() and len(line) < 900, line


@pytest.mark.parametrize("changes", [{"n_agent": 3}, {"seeed": 1}, {"preset_": 1}])
def test_unknown_names_among_changes(changes: dict[str, Any], tmp_path: Path) -> None:
    for make in (
        lambda: AppConfig.from_preset("low", **changes),
        lambda: AppConfig.load(toml(tmp_path, ""), **changes),
    ):
        with pytest.raises(UserError, match=r"unknown setting '\w+': did you mean \w+\?"):
            make()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"batch": "x"}, "batch = 'x' has the wrong type: give a whole number"),
        ({"batch": 3.5}, "batch = 3.5 has the wrong type"),
        ({"batch": True}, "batch = True has the wrong type"),
        ({"lr": None}, "lr = None has the wrong type: give a number"),
        ({"n_agents": "3"}, "n_agents = '3' has the wrong type"),
        ({"size": 640}, "size = 640 has the wrong type: give two whole numbers"),
        ({"hud": "no"}, "hud = 'no' has the wrong type: give true or false"),
        ({"system": 3}, "system = 3 has the wrong type: give a string in quotes"),
    ],
)
def test_changes_of_a_wrong_type(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        AppConfig.from_preset("low", **changes)


def test_what_python_has_for_a_type_is_taken_too() -> None:
    made = AppConfig.from_preset(
        "low", batch=np.int64(32), lr=1, size=[64, 36], runs="a", checkpoint=None
    )
    shown, trained = made.visualization, made.training
    assert (type(trained.batch), type(trained.lr)) == (int, float)
    assert (shown.size, shown.runs, shown.checkpoint) == ((64, 36), Path("a"), None)


def test_a_run_that_is_resumed_says_itself_what_it_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = TrainingConfig.from_preset("quick", system="differential_drive", seed=7, lr=0.01)
    write_config(tmp_path, config)
    assert read_config(tmp_path) == config
    made = AppConfig.from_preset("high", resume=tmp_path)
    assert made.training == config
    assert (made.visualization.system, made.visualization.seed) == ("differential_drive", 7)
    later: dict[str, Any] = {
        "episodes": 300, "checkpoints": 1, "checkpoint_every": 2, "tensorboard": True
    }  # fmt: skip
    made = AppConfig.from_preset("high", resume=tmp_path, lr=0.01, **later)
    assert made.training == replace(config, **later)
    for flag, words in (
        ("--seed=3", "is trained with seed 7, not 3: leave seed out, or train anew"),
        ("--lr=0.1", "is trained with lr 0.01, not 0.1: leave lr out"),
        ("--training-preset=standard", "is trained with preset quick, not standard"),
        ("--system=point_mass", "with system differential_drive, not point_mass"),
    ):
        for command in ((), ("config",)):
            assert run(monkeypatch, *command, "--train", flag, f"--resume={tmp_path}") == 2
            assert words in capsys.readouterr().err
    path = toml(tmp_path, "[training]\nsteps = 9")
    assert run(monkeypatch, "--train", f"--config={path}", f"--resume={tmp_path}") == 2
    assert "is trained with steps 500, not 9" in capsys.readouterr().err


@pytest.mark.parametrize(
    "flag",
    ["--detach", "--train-rate=max", "--resume=r", "--runs=r", "--batch=3", "--no-certificate"],
)
def test_what_only_a_training_has_a_use_for_goes_with_train(
    flag: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    if flag == "--resume=r":
        flag = f"--resume={tmp_path}"
        write_config(tmp_path, TrainingConfig())
    assert run(monkeypatch, "--headless", flag) == 2
    name = flag.split("=")[0].replace("--no-", "--")
    advice = f"add --train, or leave {name} out"
    said = capsys.readouterr().err
    assert said == f"calf-viz: {name} has no effect without --train: {advice}\n"


def test_an_option_before_a_command_is_not_swallowed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--system=point_mass", "train") == 2
    assert "--system comes before train and has no effect there" in capsys.readouterr().err


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


def test_a_size_may_be_written_as_on_the_command_line(tmp_path: Path) -> None:
    made = AppConfig.load(toml(tmp_path, '[visualization]\nsize = "64x36"'))
    assert made.visualization.size == (64, 36)
