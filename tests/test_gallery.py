"""The gallery: its scenes in each size, on one sheet."""

from __future__ import annotations

from pathlib import Path

import gallery
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

TINY = (320, 180), (256, 144), (160, 90), (128, 80), (96, 60)


def test_each_scene_is_one_the_program_accepts() -> None:
    assert len(gallery.SCENES) == 10 and len(gallery.SIZES) == 5
    for scene in gallery.SCENES.values():
        gallery.VisualizationConfig(**scene.settings)


@pytest.mark.rendering
def test_a_scene_s_pictures_are_kept_whole_and_on_a_sheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery, "SIZES", TINY)
    sheets, whole = tmp_path / "sheets", tmp_path / "whole"
    command = ["--output", str(sheets), "--whole", str(whole), "--scene", "untrained"]
    done = CliRunner().invoke(gallery.main, command, catch_exceptions=False)
    assert done.exit_code == 0 and "Untrained point mass" in done.output
    for width, height in TINY:
        with Image.open(whole / f"untrained_{width}x{height}.png") as picture:
            assert picture.size == (width, height)
            assert np.asarray(picture).std() > 5  # something is drawn
    with Image.open(sheets / "untrained.webp") as sheet:
        assert sheet.width == gallery.LARGE + gallery.GAP + gallery.SMALL
        assert sheet.height > gallery.LARGE * 9 // 16


def test_an_unknown_scene_is_refused() -> None:
    done = CliRunner().invoke(gallery.main, ["--scene", "none"])
    assert done.exit_code == 2 and "point_mass_1" in done.output
