"""Recordings of a system of the user's own: what --system FILE gives the commands that ask them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from simulations import recorder_of, simulated

from calf_viz.cli.main import calf_viz
from calf_viz.recording.recording import Recording
from calf_viz.systems import registry

pytest.importorskip("pyarrow", reason="the extra `record` is not installed")

MINE = """\
from calf_viz.systems.pendulum import Pendulum

class Mine(Pendulum):
    name = "swing"

SYSTEM = Mine()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As if a file's system had been recorded, in a process that is gone."""
    folder = tmp_path_factory.mktemp("own") / "a.calf"
    simulation = simulated("pendulum", 4, seed=1)
    recorder = recorder_of(folder, simulation, agent={**simulation.about(), "system": "swing"})
    for _ in range(120):
        recorder.see(simulation.step())
    recorder.close()
    return folder


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(registry, "_given", {})
    file = tmp_path / "mine.py"
    file.write_text(MINE)
    return file


def invoked(*words: object) -> Any:
    return CliRunner().invoke(calf_viz, [*map(str, words)])


@pytest.mark.parametrize(
    "words",
    [("verify",), ("returns",), ("replay", "--fork", "0.6s", "--agents", 1)],
    ids=lambda words: words[0],
)
def test_a_recording_of_a_files_system_is_asked_with_that_file(
    words: tuple[object, ...], folder: Path, mine: Path, tmp_path: Path
) -> None:
    command, *others = words
    if command == "replay":
        picture = tmp_path / "a.png"
        others += ["--output", picture, "--frames", 3, "--size", "160x100"]
    unknown = invoked(command, folder, *others)
    if command != "returns":
        assert "unknown system 'swing'" in str(unknown.exception)
        assert "`system` FILE" in str(unknown.exception)
    done = invoked(command, folder, *others, "--system", mine)
    assert done.exit_code == 0, done.output + str(done.exception)


def test_a_window_is_refused_at_once_where_there_is_no_display(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for words in (["verify", folder, "--show"], ["returns", folder, "--show"],
                  ["returns", folder, "--show", "--headless"]):  # fmt: skip
        done = invoked(*words)
        assert "--show requires a" in str(done.exception), done.output


def test_moments_are_steps_or_times_everywhere(folder: Path, mine: Path, tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    done = invoked("export", folder, "--csv", table, "--from", "1s", "--to", "1s")
    assert done.exit_code == 0, done.output + str(done.exception)
    dt = Recording(folder).view.dt
    assert dt is not None
    assert {row.split(",")[0] for row in table.read_text().splitlines()[1:]} == {
        str(round(1 / dt) - 1)
    }
    for words in (["replay", "--from"], ["replay", "--fork"], ["returns", "--from"],
                  ["returns", "--to"]):  # fmt: skip
        done = invoked(words[0], folder, words[1], "x", "--system", mine)
        assert f"`{words[1][2:]}` 'x': give a step" in str(done.exception)


def test_places_that_cannot_be_written_are_refused_before_the_work(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(*arguments: object) -> None:
        raise AssertionError("worked")

    monkeypatch.setattr("calf_viz.returns.errors.measure", work)
    monkeypatch.setattr("calf_viz.comparison.compare.compare", work)
    file = tmp_path / "file"
    file.write_text("kept")
    for words, said in (
        (["returns", folder, "--csv", file / "a.csv"], "cannot write"),
        (["returns", folder, "--output", file / "a.png"], "cannot write"),
        (["returns", folder, "--csv", file], "there already"),
        (["returns", folder, "--overwrite"], "goes with --csv"),
        (["compare", "pendulum", "pendulum", "--output", file / "a.png"], "cannot write"),
        (["compare", "pendulum", "pendulum", "--headless", "--output", file], "cannot write"),
    ):
        done = invoked(*words)
        assert said in str(done.exception), words
    assert file.read_text() == "kept"


def test_a_look_that_there_is_not_is_named_by_its_option(tmp_path: Path) -> None:
    done = invoked("render", "--look", "none", "--output", tmp_path / "a.mp4")
    assert str(done.exception).startswith("--look none: neither")
