"""Ctrl-C while torch is imported, and a current folder that is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from calf_viz.agent.torch_import import whole_imports
from calf_viz.errors import UserError

STOPPED = """
import signal, sys
from importlib.abc import MetaPathFinder
from calf_viz.agent.torch_import import whole_imports

class Stop(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "torch._C":
            sys.meta_path.remove(self)
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Stop())
try:
    with whole_imports():
        import torch
except KeyboardInterrupt:
    print("stopped")
with whole_imports():
    import torch
print(float(torch.ones(2).sum()))
"""


def test_a_cell_that_is_stopped_while_torch_is_imported_runs_again() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STOPPED], capture_output=True, text=True, timeout=300
    )
    assert (done.returncode, done.stdout.split()) == (0, ["stopped", "2.0"]), done.stderr


def test_ctrl_c_is_heard_at_the_end() -> None:
    before = signal.getsignal(signal.SIGINT)
    reached = False
    with pytest.raises(KeyboardInterrupt), whole_imports():
        signal.raise_signal(signal.SIGINT)
        reached = True
    assert reached
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_import_as_they_are() -> None:
    ended = []

    def run() -> None:
        with whole_imports():
            ended.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert ended


@pytest.mark.parametrize(
    "arguments",
    [
        ["--headless", "--frames", "1"],
        ["evaluate", "--system", "point_mass"],
        ["train", "--system", "point_mass"],
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="a current folder cannot be removed there")
def test_in_a_removed_folder_it_says_so(tmp_path: Path, arguments: list[str]) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    code = "import os; os.rmdir(os.getcwd()); from calf_viz.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *arguments],
        cwd=gone,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1:] == [
        "calf-viz: the current folder was removed: go to another, and start again"
    ]


def test_that_is_a_users_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> str:
        raise FileNotFoundError

    monkeypatch.setattr(os, "getcwd", gone)
    with pytest.raises(UserError, match="was removed"), whole_imports():
        raise AssertionError
