"""Children of the program run nothing that lies in the current folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from calf_viz.children import HOME, python_child, script_child

TRAP = "open('PWNED', 'w').close()\n"


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with modules that hide the standard library's and this package's."""
    for name in ("queue", "json", "argparse", "numpy", "torch", "sitecustomize", "calf_viz"):
        (tmp_path / f"{name}.py").write_text(TRAP)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("path", [None, "", os.pathsep, f".{os.pathsep}", "../{name}"])
def test_a_child_imports_nothing_from_the_current_folder(
    trap: Path, monkeypatch: pytest.MonkeyPatch, path: str | None
) -> None:
    if path is not None:  # a stray colon in PYTHONPATH stands for the current folder
        monkeypatch.setenv("PYTHONPATH", path.format(name=trap.name))
    command, environment = python_child("calf_viz.sources.trainer_board")
    subprocess.run(command, env=environment, check=True, timeout=60)
    assert not (trap / "PWNED").exists()


def test_a_child_gets_its_arguments_and_finds_this_package_in_a_checkout(tmp_path: Path) -> None:
    """Where the checkout is the current folder too."""
    command, environment = python_child("calf_viz", "--version")
    done = subprocess.run(
        command, env=environment, cwd=HOME, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.startswith("calf-viz, version ")


def test_the_program_itself_started_as_a_module_leaves_the_current_folder(trap: Path) -> None:
    (trap / "calf_viz.py").unlink()  # that one would be what was asked for
    (trap / "sitecustomize.py").unlink()  # Python's own affair, before any program begins
    (trap / "json.py").unlink()  # so is what `python -m` needs
    environment = {**os.environ, "PYTHONPATH": HOME}
    command = [sys.executable, "-m", "calf_viz", "config"]
    subprocess.run(command, env=environment, check=True, timeout=60, stdout=subprocess.DEVNULL)
    assert not (trap / "PWNED").exists()


def test_a_benchmark_in_several_processes_imports_nothing_from_the_current_folder(
    trap: Path,
) -> None:
    program = (
        "import sys; sys.path.remove(''); "  # so much is the user's own program's affair
        "from calf_viz.training import benchmark; "
        "from calf_viz.training.config import TrainingConfig; "
        "benchmark.run(TrainingConfig(episodes=1, steps=2, selection_episodes=1), [0], jobs=2)"
    )
    for name in ("multiprocessing", "selectors", "pickle"):
        (trap / f"{name}.py").write_text(TRAP)
    environment = {**os.environ, "PYTHONPATH": HOME}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=120)
    assert not (trap / "PWNED").exists()


def test_a_tools_child_imports_what_lies_beside_it_alone(
    trap: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("tools")
    (folder / "beside.py").write_text("found = True")
    (folder / "tool.py").write_text("import beside, queue, sys; assert sys.argv[1:] == ['a']")
    monkeypatch.setenv("PYTHONPATH", os.pathsep)
    command, environment = script_child(str(folder / "tool.py"), "a")
    subprocess.run(command, env=environment, check=True, timeout=60)
    assert not (trap / "PWNED").exists()
