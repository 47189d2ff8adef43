"""tools/plot_learning.py: a picture from a training's metrics; one line where that cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import plot_learning
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from calf_viz.errors import UserError

HEAD = "episode,steps,return,goal,certified,relax,nominal,p_relax\n"
ROWS = (
    "0,750,-1498.7,0,1,735,14,0.96",
    "1,750,-2155.2,0,3,707,40,0.93",
    "2,180,-170.5,1,150,0,30,0.92",
)


def run(*arguments: str | Path) -> Result:
    """As `run_command` ends it."""
    result = CliRunner().invoke(plot_learning.main, [str(a) for a in arguments])
    if not isinstance(result.exception, UserError):
        return result
    said = f"{result.exception}\n".encode()
    return Result(result.runner, b"", said, said, None, 2, result.exception, result.exc_info)


def metrics(folder: Path, rows: tuple[str, ...] = ROWS) -> Path:
    path = folder / "point_mass.safetensors.metrics.csv"
    path.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def ink(path: Path) -> int:
    """Pixels of a PNG that are not white."""
    with Image.open(path) as image:
        assert image.format == "PNG"
        return int((np.asarray(image.convert("L")) < 250).sum())


def test_a_metrics_file_becomes_a_picture(tmp_path: Path) -> None:
    output = tmp_path / "new" / "learning.png"
    result = run(metrics(tmp_path), "--output", output)
    assert result.exit_code == 0, result.output
    assert result.output == f"wrote {output}\n"
    assert ink(output) > 10_000
    assert list(output.parent.iterdir()) == [output]  # no part is left


def test_a_column_for_each_file_and_one_episode_is_enough(tmp_path: Path) -> None:
    one = metrics(tmp_path, ROWS[:1])
    single, double = tmp_path / "single.png", tmp_path / "double.png"
    assert run(one, "--output", single).exit_code == 0
    assert run(one, one, "--output", double).exit_code == 0
    with Image.open(single) as a, Image.open(double) as b:
        assert b.width == pytest.approx(2 * a.width, abs=4)


def test_a_moving_average_is_over_what_there_is_of_a_window() -> None:
    values = np.array([4.0, 2.0, 0.0, 10.0])
    assert plot_learning.moving_average(values, 2).tolist() == [4.0, 3.0, 1.0, 5.0]
    assert plot_learning.moving_average(values, 9).tolist() == [4.0, 3.0, 2.0, 4.0]


def test_shares_are_of_steps_and_not_of_episodes(tmp_path: Path) -> None:
    columns = plot_learning.read(metrics(tmp_path))
    shares = plot_learning.mode_shares(columns, 20)
    assert shares.sum(axis=0) == pytest.approx(1.0)
    assert shares[:, -1] == pytest.approx(np.array([154, 1442, 84]) / 1680)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no episode yet"),
        (HEAD, "no episode yet"),
        ("episode,steps\n0,750\n", "not a metrics file"),
        (HEAD + "0,750,many,0,1,735,14,0.96\n", "not a metrics file"),
        (HEAD + "0,750,-1498.7\n", "not a metrics file"),
        ("\udcff\udcfe", "not a metrics file"),
    ],
)
def test_a_bad_file_is_one_line_and_writes_nothing(tmp_path: Path, text: str, said: str) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_bytes(text.encode("utf-8", errors="surrogateescape"))
    output = tmp_path / "learning.png"
    one_line(run(bad, "--output", output), said, bad)
    assert not output.exists()


def test_a_missing_file_and_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    missing = tmp_path / "missing.csv"
    one_line(run(missing), "cannot be read", missing)
    file = tmp_path / "file"
    file.touch()
    one_line(run(metrics(tmp_path), "--output", file / "a.png"), "cannot write", file)


def one_line(result: Result, said: str, path: Path) -> None:
    assert result.exit_code == 2, result.output
    assert result.output.count("\n") == 1
    assert said in result.output
    assert str(path) in result.output
