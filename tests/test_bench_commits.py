"""What a frame costs at two commits: whose times are compared, and how they are summed up."""

from __future__ import annotations

from pathlib import Path

import bench_commits as tool
import pytest
from click.testing import CliRunner

from calf_viz.errors import UserError

ROOT = Path(__file__).resolve().parents[1]


def test_ratios_are_of_frames_side_by_side() -> None:
    """A machine that slows down to a tenth between two pairs changes no ratio."""
    slowing = [([1.0, 2.0, 0.0], [1.5, 2.0, 0.0]), ([10.0, 20.0, 0.0], [15.0, 20.0, 0.0])]
    faster = [([1.0, 2.0, 0.0], [1.1, 2.0, 0.0])]
    frame, ratio, _, same, *without = tool.cells([slowing, slowing, faster])
    assert ratio == "1.500 (1.100 … 1.500)"
    assert same == "1.000 (1.000 … 1.000)"
    assert without == ["", ""]  # no driver's threads to be told apart
    assert frame == "1.00 → 1.50"


@pytest.mark.rendering
def test_a_tree_beside_itself() -> None:
    run = CliRunner().invoke(
        tool.bench_commits,
        [str(ROOT), str(ROOT), "--scene", "3x4", "--rounds", "2", "--starts", "1"],
    )
    assert run.exit_code == 0, run.output
    assert "3" in run.output and "(" in run.output


def test_a_tree_without_the_program_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot draw"):
        tool.Frames(tmp_path, (3, 4))
