"""Pictures at two commits: what is drawn, and that a single changed level is found."""

from __future__ import annotations

import shutil
from pathlib import Path

import compare_commits as tool
import pytest
from click.testing import CliRunner

from calf_viz.errors import UserError

ROOT = Path(__file__).resolve().parents[1]
ONE = ("--system", "point_mass", "--look", "none", "--renderer", "gpu", "--size", "64x48",
       "--no-special", "--jobs", "1")  # fmt: skip


def checkout(folder: Path) -> Path:
    for part in ("calf_viz", "shaders"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_every_look_is_drawn_in_every_renderer_and_size_and_special_ways_once() -> None:
    found = tool.cases(["a", "b"], ["none", "night"], tool.RENDERERS, tool.SIZES, ["many"])
    assert len(found) == len({case.name for case in found}) == 2 * 2 * 3 * 2 + 2
    options = " ".join(found[-1].options)
    assert options.startswith("--screenshot --system b --renderer gpu --size 640x360 --n-agents")
    assert "--shaders" not in found[0].options


@pytest.mark.rendering
def test_equal_programs_are_told_from_one_that_draws_a_little_otherwise(tmp_path: Path) -> None:
    here, other = str(ROOT), checkout(tmp_path / "other")
    run = CliRunner().invoke(tool.compare_commits, [here, str(other), *ONE])
    assert run.exit_code == 0, run.output
    assert "3 pairs of pictures, 0 differ" in run.output
    colours = other / "calf_viz" / "scene" / "colours.py"
    colours.write_text(colours.read_text().replace("(0.30, 0.70, 1.00)", "(0.31, 0.70, 1.00)"))
    keep = tmp_path / "kept"
    run = CliRunner().invoke(tool.compare_commits, [here, str(other), *ONE, "--keep", str(keep)])
    assert run.exit_code == 1, run.output
    assert "3 pairs of pictures, 3 differ" in run.output and "differs" in run.output
    assert (keep / "differences.html").is_file()


def test_a_tree_without_the_program_is_not_compared_with_itself(tmp_path: Path) -> None:
    """What is installed would else be drawn twice, and be equal."""
    case = tool.Case("point_mass", "none", "gpu", (64, 48))
    with pytest.raises(UserError, match="is imported, not"):
        tool.Tree(tmp_path).draw(case, tmp_path)
