"""One command draws every picture of README and docs."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import docs_pictures
import numpy as np
import pytest
from animate_training import Lockstep, encoded, frames, within
from click.testing import CliRunner
from docs_pictures import DRAWINGS, ROOT, Drawing, draw, words
from PIL import Image

from calf_viz import VisualizationConfig
from calf_viz.cli.main import calf_viz
from calf_viz.errors import UserError
from calf_viz.training.config import TrainingConfig
from calf_viz.viewer.app_config import AppConfig

DOCS = ROOT / "docs"


def shown() -> set[str]:
    """Pictures that pages show, by their names in the docs' folder."""
    found = set()
    for page in (ROOT / "README.md", *DOCS.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        for link in re.findall(
            r"!\[[^]]*(?:\[[^]]*\][^]]*)*\]\(([^)]+)\)|<img[^>]+src=\"([^\"]+)\"", text
        ):
            path = next(filter(None, link))
            if not path.startswith("http"):
                found.add((page.parent / path).resolve().relative_to(DOCS).as_posix())
    return found


def test_every_picture_that_a_page_shows_is_drawn_and_there() -> None:
    drawn = [picture for drawing in DRAWINGS.values() for picture in drawing.pictures]
    assert len(drawn) == len(set(drawn))
    assert len(shown()) > 15
    missing = {p for p in shown() if p not in drawn}
    assert not missing, "tools/docs_pictures.py draws all"
    assert all((DOCS / picture).is_file() for picture in shown())


@pytest.mark.parametrize("name", DRAWINGS)
def test_its_commands_are_ones_that_there_are(name: str, tmp_path: Path) -> None:
    drawing = DRAWINGS[name]
    assert drawing.commands or drawing.finish
    assert not drawing.take or len(drawing.take) == len(drawing.pictures)
    for command in drawing.commands:
        python, first, *rest = words(command, DOCS, tmp_path)
        assert python == sys.executable
        if first == "-m":
            _, *options = rest
            group = calf_viz.commands.get(options[0]) if options[0] in calf_viz.commands else None
            (group or calf_viz).make_context("calf-viz", options[1:] if group else options)
        else:
            text = (ROOT / first).read_text(encoding="utf-8")
            assert all(f'"{word}"' in text for word in rest if word.startswith("--"))


def test_measurements_are_drawn_only_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Drawing] = []
    monkeypatch.setattr(docs_pictures, "draw", lambda drawing, docs: drawn.append(drawing))
    assert CliRunner().invoke(docs_pictures.main, []).exit_code == 0
    assert drawn and not any(drawing.measures for drawing in drawn)
    drawn.clear()
    assert CliRunner().invoke(docs_pictures.main, ["--all"]).exit_code == 0
    assert drawn == list(DRAWINGS.values())
    assert "point_mass_20_240.webp" in CliRunner().invoke(docs_pictures.main, ["--list"]).output
    assert CliRunner().invoke(docs_pictures.main, ["nothing"]).exit_code == 2


@pytest.mark.rendering
def test_a_drawing_is_the_same_each_time(tmp_path: Path) -> None:
    drawing = Drawing(
        ("small/a.png",),
        ("calf-viz --headless --frames 3 --size 64x64 --n-agents 2 --output {work}",),
        ("*_3.png",),
    )
    for folder in ("one", "two"):
        draw(drawing, tmp_path / folder)
    one, two = ((tmp_path / folder / "small" / "a.png").read_bytes() for folder in ("one", "two"))
    assert one == two


def test_a_picture_for_a_page_is_made_a_webp_of_few_bytes(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (700, 700, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    assert (tmp_path / "noise.png").stat().st_size > 1_000_000
    copy = f"import shutil; shutil.copy('{tmp_path / 'noise.png'}', '{{work}}')"
    draw(Drawing(("noise.webp",), (f'python -c "{copy}"',), ("noise.png",)), tmp_path / "docs")
    made = tmp_path / "docs" / "noise.webp"
    assert made.stat().st_size < 400_000
    with Image.open(made) as picture:
        assert picture.format == "WEBP" and picture.size == (700, 700)


def test_a_command_that_fails_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match="--nothing: ended with exit code 2"):
        draw(Drawing(("a.png",), ("calf-viz --nothing",), ("*.png",)), tmp_path)
    with pytest.raises(UserError, match=r"a\.png: its commands wrote no \*\.png"):
        draw(Drawing(("a.png",), ("python -c pass",), ("*.png",)), tmp_path)


# The animation


@pytest.mark.rendering
def test_the_animation_of_a_training_is_the_same_each_time(tmp_path: Path) -> None:
    small = {"size": (96, 54), "n_agents": 2, "grid": 8, "trail_length": 20, "headless": True}
    runs = []
    for name in ("one", "two"):
        shown = VisualizationConfig(**small, train=True, runs=tmp_path / name)
        config = AppConfig(shown, TrainingConfig(seed=0, steps=20))
        runs.append([np.asarray(picture) for picture in frames(config, 4, 60, 1)])
    assert np.array_equal(*runs)
    assert not np.array_equal(runs[0][0], runs[0][-1]), "the critic changes"
    assert all(getattr(Lockstep, name) is None for name in ("failure", "failure_report"))


def test_it_keeps_to_its_bytes_and_plays_for_ever() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (4, 48, 64, 3), dtype=np.uint8)
    pictures = [Image.fromarray(one) for one in noise]
    most = len(encoded(pictures, 45))
    animation, quality = within(pictures, most)
    assert len(animation) <= most and quality == 45
    with Image.open(io.BytesIO(animation)) as read:
        assert (read.n_frames, read.size, read.info["loop"]) == (4, (64, 48), 0)
    with pytest.raises(UserError, match="fewer --seconds, or a smaller --size"):
        within(pictures, 100)
