"""The examples run, shortened; and a training of CleanRL's shape is the same when it is watched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from calf_viz.children import python_child

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
PLAIN = "plain_loop", "numpy_critic", "certificate_filter"
LEARNING = ("--steps", "240", "--starts", "60", "--hidden", "16", "--batch", "16")


def run(name: str, *options: str, boards: Path) -> str:
    """What an example prints, watched by nobody."""
    _, environment = python_child("calf_viz")
    environment.pop("PYTHONSAFEPATH", None)  # they import what lies beside them
    environment |= {"CALF_BOARDS": str(boards), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py"), *options],
        env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "watching failed" not in done.stderr, done.stderr
    assert not list(boards.iterdir()), "a board was left behind"
    return done.stdout


@pytest.mark.parametrize("name", PLAIN)
def test_one_of_numpy_alone_runs(name: str, tmp_path: Path) -> None:
    assert run(name, "--steps", "260", boards=tmp_path)


def test_the_filter_keeps_its_margins(tmp_path: Path) -> None:
    said = run("certificate_filter", "--steps", "400", boards=tmp_path)
    assert float(said.split()[2].rstrip(",")) > -1e-9


def test_gymnasiums_runs_and_learns(tmp_path: Path) -> None:
    pytest.importorskip("gymnasium", reason="the extra gym is not installed")
    said = run("gymnasium_vector", "--steps", "1500", boards=tmp_path)
    assert float(said.split()[-2]) > 100  # steps of an episode: at first about 20


def test_stable_baselines3s_runs(tmp_path: Path) -> None:
    pytest.importorskip("stable_baselines3", reason="the extra sb3 is not installed")
    (tmp_path / "boards").mkdir()
    saved = str(tmp_path / "sac.zip")
    run("sb3_callback", "--steps", "150", "--save", saved, boards=tmp_path / "boards")
    assert (tmp_path / "sac.zip").is_file()


@pytest.mark.parametrize("name", ["ppo", "sac", "dqn"])
def test_one_of_cleanrls_shape_runs(name: str, tmp_path: Path) -> None:
    pytest.importorskip("gymnasium", reason="the extra gym is not installed")
    assert "nan" not in run(f"cleanrl/{name}", *LEARNING[2:], "--steps", "1100", boards=tmp_path)


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_a_td3_of_cleanrls_shape_is_the_same_to_the_bit_when_watched(
    seed: str, tmp_path: Path
) -> None:
    """Weights, random states and returns, which it prints."""
    pytest.importorskip("gymnasium", reason="the extra gym is not installed")
    options = (*LEARNING, "--seed", seed)
    watched = run("cleanrl/td3", *options, boards=tmp_path)
    assert watched == run("cleanrl/td3", *options, "--no-watch", boards=tmp_path)


@pytest.mark.parametrize("picture", sorted((EXAMPLES / "pictures").iterdir()), ids=lambda p: p.name)
def test_every_picture_is_an_examples_and_shown(picture: Path) -> None:
    import example_pictures as pictures

    drawn = {f"{name.replace('/', '_')}.webp" for name in pictures.OPTIONS}
    assert picture.name in drawn
    assert f"pictures/{picture.name}" in (EXAMPLES / "README.md").read_text(encoding="utf-8")
