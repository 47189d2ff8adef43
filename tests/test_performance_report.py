"""What the performance report says of given measurements, and that it measures what it says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import performance_report
import performance_tables as tables
import pytest
from click.testing import CliRunner
from performance_rows import Row


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_the_exponent_is_the_power_of_the_agents(power: float) -> None:
    outside = {("gpu", n): 0.3 * n**power for n in (10, 30, 100, 10_000)}
    outside["gpu", 3] = 99.0  # from 10 agents on
    assert tables.exponent(outside, "gpu") == pytest.approx(power)
    assert tables.exponent({("batched", 10): 1.0}, "batched") is None


def test_changes_are_in_percent_of_the_older() -> None:
    assert tables.change(10.0, 16.0) == "+60 %" and tables.change(10.0, 2.0) == "-80 %"
    assert tables.change(0.0, 3.0) == "–"


def test_an_agents_part_is_the_slope() -> None:
    rows = [Row("gpu", n, [2.0 + 0.05 * n]) for n in (3, 20, 100)]
    assert tables.growth(rows, "gpu") == pytest.approx(50.0)


@pytest.mark.rendering
def test_a_small_report(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    arguments = ["--agents", "2", "--agents", "20", "--frames", "10", "--trail", "20"]
    done = CliRunner().invoke(
        performance_report.performance_report, [*arguments, "--output", str(path)]
    )
    assert done.exit_code == 0, done.output
    text = path.read_text(encoding="utf-8")
    for words in ("per_agent", "batched", "1280x720", "GALLIUM_NOOP=1", "## Lessons", "exponent"):
        assert words in text
    links = re.findall(r"\]\(([^)#]+)", text)
    assert len(links) == 5 and all((tmp_path / link).is_file() for link in links), links
    drawn = [line for line in text.splitlines() if line.startswith("| gpu | 20 |")]
    assert drawn[0].split("|")[3].strip() == "3", "three draws"
    pictures = sorted(p.name for p in (tmp_path / "report").iterdir())
    assert pictures == sorted(
        f"{name}.png" for name in ("frame", "cpu", "draws", "upload_bytes", "critic_queries")
    )
    assert all(
        np.fromfile(tmp_path / "report" / p, np.uint8)[1:4].tobytes() == b"PNG" for p in pictures
    )
