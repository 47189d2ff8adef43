"""The gallery: its scenes in each size, on one sheet."""

from __future__ import annotations

from pathlib import Path

import gallery
import gallery_sheet
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from small_webp import write_webp

from calf_viz.errors import UserError

SMALL = {"n_agents": 5, "grid": 12, "trail_length": 60}
TINY = (320, 180), (256, 144), (160, 90), (128, 80), (96, 60)


def test_each_scene_is_one_the_program_accepts() -> None:
    in_all_sizes = 0
    for made in gallery.SHEETS.values():
        shots = [shot for row in made.rows for shot in row]
        in_all_sizes += {shot.size for shot in shots} == set(gallery.SIZES)
        for scene in {shot.scene.caption: shot.scene for shot in shots}.values():
            gallery.VisualizationConfig(**scene.settings)
            assert scene.agent is None or scene.agent in gallery.AGENTS
        # Each whole picture that is made smaller has a part beside it, pixel by pixel.
        whole = {gallery.key(shot) for shot in shots if shot.part is None}
        assert all(
            any(other.part and gallery.key(other) == one for other in shots)
            for one in whole - {gallery.key(shot) for shot in shots if shot.size[0] <= gallery.HALF}
        )
    assert in_all_sizes >= 10 and len(gallery.SIZES) == 5


def test_captions_say_what_a_picture_shows() -> None:
    scene = gallery.Scene(
        {"system": "point_mass", "n_agents": 1000, "clim": "agents", "define": ("TRAILS=0",)},
        "untrained",
    )
    assert scene.caption == ("point mass, untrained, 1,000 agents --clim agents --define TRAILS=0")
    picture = gallery.Drawn(Image.new("RGB", (1280, 720)), {"agents": (10.0, 700.0)})
    whole = gallery.tile(gallery.Shot(scene), picture, 480)
    assert whole.picture.size == (480, 270)
    assert whole.caption.replace("\N{NO-BREAK SPACE}", " ").endswith("1280 x 720, at 38 %")
    part = gallery.tile(gallery.Shot(scene, part="agents"), picture, 480)
    assert part.picture.size == (480, 270)
    said = part.caption.replace("\N{NO-BREAK SPACE}", " ")
    assert said.endswith("part of 1280 x 720, pixels as they are")


def test_a_part_is_cut_pixel_by_pixel_and_never_beyond_an_edge() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (60, 90, 3), dtype=np.uint8)
    whole = Image.fromarray(pixels)
    for centre, left, top in (((45, 30), 35, 25), ((0, 0), 0, 0), ((500, 59), 70, 50)):
        part = np.asarray(gallery_sheet.crop(whole, centre, (20, 10)))
        np.testing.assert_array_equal(part, pixels[top : top + 10, left : left + 20])
    assert gallery_sheet.crop(whole, (0, 0), (200, 10)).size == (90, 10)


def test_captions_have_room() -> None:
    tiles = [gallery_sheet.Tile(Image.new("RGB", (480, 100)), "word " * 40) for _ in range(2)]
    sheet = np.asarray(gallery_sheet.sheet("title", [tiles, tiles]))
    assert sheet.shape[1] == gallery_sheet.WIDTH
    text = (sheet < 200).all(axis=2) & (sheet > 0).any(axis=2)
    assert text.any(axis=1).sum() > 60 and not text[:, 478:488].any(), "between the columns"


def test_a_picture_takes_no_more_bytes_than_allowed(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    write_webp(Image.fromarray(noise), tmp_path / "a.webp", 20_000)
    assert 2000 < (tmp_path / "a.webp").stat().st_size <= 20_000
    with pytest.raises(UserError, match="make it smaller"):
        write_webp(Image.fromarray(noise), tmp_path / "b.webp", 100)


@pytest.mark.rendering
def test_a_scene_s_pictures_are_kept_whole_and_on_a_sheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery, "SIZES", TINY)
    sheets, whole = tmp_path / "sheets", tmp_path / "whole"
    tiny = gallery.five_sizes("Tiny", gallery.Scene({**SMALL, "system": "point_mass"}, "untrained"))
    monkeypatch.setitem(gallery.SHEETS, "untrained", tiny)
    command = ["--output", str(sheets), "--whole", str(whole), "--sheet", "untrained"]
    done = CliRunner().invoke(gallery.main, command, catch_exceptions=False)
    assert done.exit_code == 0 and "Tiny, in five sizes" in done.output
    for number, (width, height) in enumerate(TINY, 1):
        with Image.open(whole / f"untrained_{number}_{width}x{height}.png") as picture:
            assert picture.size == (width, height)
            assert np.asarray(picture).std() > 5  # something is drawn
    with Image.open(sheets / "untrained.webp") as sheet:
        assert sheet.width == gallery.WIDTH and sheet.height > 300


def test_an_unknown_scene_is_refused() -> None:
    done = CliRunner().invoke(gallery.main, ["--sheet", "none"])
    assert done.exit_code == 2 and "point_mass_1" in done.output
