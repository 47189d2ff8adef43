"""Pixels of single shapes and glyphs, against what they must be."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import moderngl
import numpy as np
import pytest

from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.programs import Programs
from calf_viz.hosts.moderngl.host import create_context
from calf_viz.hosts.moderngl.hud import ModernglHud
from calf_viz.hosts.moderngl.shader import compile_program
from calf_viz.hosts.moderngl.texture import data_texture
from calf_viz.hud.atlas import atlas
from calf_viz.hud.canvas import Canvas
from calf_viz.hud.layout import Metrics, Rect
from calf_viz.scene.colours import colour_map
from calf_viz.scene.paint import Paint

pytestmark = pytest.mark.rendering

SIZE = (64, 48)
WHITE = Paint(0xFFFFFF)
METRICS = Metrics(1.0)
COLOURS = colour_map("cividis")


def drawn(draw: Callable[[Canvas], None], background: float = 0.0) -> np.ndarray:
    """The picture of what `draw` draws, (height, width, 3) uint8, top row first."""
    canvas = Canvas(METRICS, atlas(METRICS.sizes))
    draw(canvas)
    context = create_context()
    with context:
        target = context.framebuffer([context.renderbuffer(SIZE)])
        target.use()
        context.enable_only(moderngl.BLEND)
        target.clear(background, background, background, 1.0)
        programs = Programs(ShaderLibrary(), partial(compile_program, context))
        hud = ModernglHud(context, programs, data_texture(context, COLOURS[None]))
        hud.draw(canvas, SIZE)
        pixels = np.frombuffer(target.read(components=3, alignment=1), np.uint8)
    context.release()
    return pixels.reshape(SIZE[1], SIZE[0], 3)[::-1].copy()


def test_a_rectangle_fills_its_pixels_and_no_other() -> None:
    picture = drawn(lambda canvas: canvas.rectangle(Rect(5, 7, 20, 10), Paint(0x4080C0)))
    expected = np.zeros_like(picture)
    expected[7:17, 5:25] = 0x40, 0x80, 0xC0
    np.testing.assert_array_equal(picture, expected)


def test_opacity() -> None:
    picture = drawn(lambda c: c.rectangle(Rect(5, 7, 20, 10), Paint(0x000000, 0.6)), background=1.0)
    assert picture[10, 10].tolist() == pytest.approx([102] * 3, abs=1)
    assert picture[5, 5].tolist() == [255] * 3


def test_a_border_lies_inside() -> None:
    paint = Paint(0x0000FF, border=2.0, border_colour=0xFF0000)
    picture = drawn(lambda canvas: canvas.rectangle(Rect(5, 7, 20, 10), paint))
    assert picture[12, 5:9].tolist() == [[255, 0, 0], [255, 0, 0], [0, 0, 255], [0, 0, 255]]
    assert picture[12, 4].tolist() == picture[12, 25].tolist() == [0, 0, 0]
    assert picture[7, 12].tolist() == picture[8, 12].tolist() == [255, 0, 0]


def test_round_corners_are_soft_and_a_dot_has_its_area() -> None:
    picture = drawn(lambda c: c.rectangle(Rect(10, 10, 20, 20), WHITE, radius=10))[..., 0]
    covered = picture.astype(float) / 255
    assert covered.sum() == pytest.approx(np.pi * 100, rel=0.02)
    assert picture[10, 10] == 0 and picture[20, 20] == 255
    assert len(np.unique(picture)) > 5
    np.testing.assert_array_equal(picture[10:30, 10:30], picture[10:30, 10:30].T)


@pytest.mark.parametrize("end", [(50.0, 40.0), (50.0, 10.0), (12.0, 45.0), (10.5, 8.0)])
@pytest.mark.parametrize("width", [0.5, 1.0, 3.0])
def test_lines_of_any_direction_cover_length_times_width(
    end: tuple[float, float], width: float
) -> None:
    start = (8.0, 6.0)
    picture = drawn(lambda canvas: canvas.line(start, end, width, WHITE))[..., 0]
    length = np.hypot(end[0] - start[0], end[1] - start[1])
    # Half a pixel more or less at each end.
    assert picture.sum() / 255 == pytest.approx(length * width, rel=0.05, abs=1.2 * width)
    assert picture.max() <= 255 * min(width, 1.0) + 1


def test_the_map_rises_from_low_to_high() -> None:
    bar = Rect(10, 4, 6, 40)
    picture = drawn(lambda canvas: canvas.map_bar(bar))
    column = picture[4:44, 12].astype(int)
    entries = 255 * (1 - (np.arange(40) + 0.5) / 40)  # at the pixels' middles
    expected = COLOURS[np.rint(entries).astype(int), :3].astype(int)
    apart = np.abs(column - expected)  # linear between entries some way apart
    assert apart.max() <= 10 and apart.mean() < 2
    assert (picture[:, :10] == 0).all() and (picture[:, 16:] == 0).all()


def test_later_shapes_lie_above_earlier_ones_and_text_above_all() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.label("H", "title", 20, 30, 0xFFFFFF, 100)
        canvas.rectangle(Rect(10, 10, 30, 30), Paint(0xFF0000))
        canvas.rectangle(Rect(30, 10, 20, 30), Paint(0x00FF00))

    picture = drawn(draw)
    assert picture[12, 15].tolist() == [255, 0, 0] and picture[12, 35].tolist() == [0, 255, 0]
    assert picture[19:31, 20:32].min(axis=2).max() > 200, "the letter is white"


def test_a_glyph_is_the_atlas_pixel_by_pixel() -> None:
    shown = atlas(METRICS.sizes)
    glyph = shown.faces["body"].glyph("Q")
    x, y, width, height = shown.table[glyph.row].astype(int)
    picture = drawn(lambda canvas: canvas.label("Q", "body", 20, 30, 0xFFFFFF, 100))
    left, top = 20 + glyph.left, 30 + glyph.top
    there = picture[top : top + height, left : left + width, 0]
    np.testing.assert_allclose(there, shown.image[y : y + height, x : x + width], atol=1)
    assert picture.sum() == 3 * there.astype(int).sum(), "and nothing beside it"
