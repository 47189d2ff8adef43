"""Command lines with paths that cannot be: one line and exit code 2, for each option with a path.

In this process where that is enough; in a child where root must not look everywhere.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from calf_viz.children import python_child
from calf_viz.cli import main as cli

TRAIN = "train --system point_mass --episodes 1 --steps 2 --selection-episodes 1 --no-progress"
SHOW = "--headless --frames 1 --size 64x36 --n-agents 1 --grid 8"
READ = (
    "config --config {}", "evaluate --system point_mass --checkpoint {}", f"{SHOW} --config {{}}",
    f"{SHOW} --checkpoint {{}}", f"{SHOW} --shaders {{}}", f"{SHOW} --ab {{}}",
    f"{SHOW} --train --resume {{}}", f"{TRAIN} --config {{}}", "train --resume {}",
    "shaders list {}", "shaders check {}",
)  # fmt: skip
WRITTEN = (
    f"{TRAIN} --output {{}}", f"{TRAIN} --runs {{}}", f"{SHOW} --output {{}}",
    f"{SHOW.replace('--frames 1', '--screenshot')} --output {{}}",
    f"{SHOW} --profile --output {{}}",
    "benchmark --system point_mass --seeds 1 --episodes 1 --output {}", "shaders new {}",
)  # fmt: skip
NAMES = {
    "a long name": "n" * 300,
    "a long path": "no/" * 2000,
    "below a file": "file/below",
    "a link in a circle": "loop",
    "bytes that are no text": os.fsdecode(b"\xff\xfe/\x80"),
    "signs that a terminal obeys": "file/\x1b[31m\n\u202ered",
    "markup": "file/[/b][bold]:smile:",
}
ODD = {"a pipe": "pipe", "a device": "/dev/zero", "nothing": "none"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with odd things in it."""
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def complaint(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[[str, str], str]:
    """The one line in which a command refuses a path."""

    def refused(command: str, path: str) -> str:
        arguments = [path if word == "{}" else word for word in command.split()]
        monkeypatch.setattr(sys, "argv", ["calf-viz", *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        said = capfd.readouterr()
        assert end.value.code == 2, said
        assert said.err.count("\n") == 1 and said.err.startswith("calf-viz: "), said.err
        assert len(said.err) < 1200 and said.err.rstrip("\n").isprintable()
        return said.err

    return refused


@pytest.mark.rendering
@pytest.mark.parametrize("name", NAMES | ODD)
@pytest.mark.parametrize("command", READ)
def test_what_cannot_be_read(
    here: Path, complaint: Callable[[str, str], str], command: str, name: str
) -> None:
    complaint(command, (NAMES | ODD)[name])


@pytest.mark.rendering
@pytest.mark.parametrize("name", ["a long name", "below a file", "a link in a circle", "markup"])
@pytest.mark.parametrize("command", WRITTEN)
def test_what_cannot_be_written(
    here: Path, complaint: Callable[[str, str], str], command: str, name: str
) -> None:
    before = sorted(path.name for path in here.iterdir())
    complaint(command, NAMES[name])
    assert sorted(path.name for path in here.iterdir()) == before, "nothing is left of it"


# Root without its right to look everywhere.
WITHOUT = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]


@pytest.mark.skipif(shutil.which(WITHOUT[0]) is None, reason="needs setpriv (util-linux)")
@pytest.mark.parametrize(
    "command",
    [
        "config --config closed/a.toml", "config --config unreadable.toml",
        "train --resume closed/a",
        f"{TRAIN} --output closed/a", "benchmark --system point_mass --output closed/a",
        "shaders check closed/look",
    ],
)  # fmt: skip
def test_a_folder_that_one_may_not_look_into(here: Path, command: str) -> None:
    closed = here / "closed"
    closed.mkdir()
    (closed / "a.toml").touch()
    closed.chmod(0)
    (here / "unreadable.toml").touch(0)
    start, environment = python_child("calf_viz", *command.split())
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    done = subprocess.run(
        [*WITHOUT * root, *start], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2, done
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("calf-viz: "), done.stderr
    assert "ermission denied" in done.stderr or "closed" in done.stderr


@pytest.mark.rendering
def test_four_viewers_with_one_output_all_write_it(tmp_path: Path) -> None:
    command, environment = python_child("calf_viz", *SHOW.split(), "--output", str(tmp_path))
    viewers = [
        subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        for _ in range(4)
    ]
    for viewer in viewers:
        _, err = viewer.communicate(timeout=120)
        assert viewer.returncode == 0, err
    assert [path.name for path in tmp_path.iterdir()] == ["point_mass_1_1.png"]
