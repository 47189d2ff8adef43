"""Batches: order, growth, and that only what changed is marked for upload; shapes as texels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calf_viz.hud import shape
from calf_viz.hud.batch import COLUMNS, Batch
from calf_viz.hud.layout import Rect
from calf_viz.scene.paint import Paint, packed


def items(count: int, value: float = 1.0, per_item: int = 1) -> np.ndarray:
    return np.full((count * per_item, 4), value, np.float32)


class TestBatch:
    def test_order_is_that_of_appending(self) -> None:
        batch = Batch(3)
        assert batch.append(items(2, 1.0, 3)) == range(0, 2)
        assert batch.append(items(1, 2.0, 3)) == range(2, 3)
        assert batch.count == 3
        assert batch.texels.reshape(-1, 4)[:10, 0].tolist() == [1.0] * 6 + [2.0] * 3 + [0.0]

    def test_only_rows_that_changed_are_dirty(self) -> None:
        batch = Batch(1)
        batch.append(items(4 * COLUMNS))
        batch.clean()
        batch.write(COLUMNS + 3, items(1, 5.0))
        assert batch.dirty == range(1, 2)
        batch.write(3 * COLUMNS - 1, items(2, 5.0))
        assert batch.dirty == range(1, 4)

    def test_the_same_again_is_not_dirty(self) -> None:
        batch = Batch(1)
        batch.append(items(100))
        batch.clean()
        batch.write(20, items(30))
        batch.truncate(0)
        batch.append(items(60)), batch.append(items(40))
        assert not batch.dirty and batch.count == 100

    def test_growth_keeps_what_was_there(self) -> None:
        batch = Batch(1)
        batch.append(items(COLUMNS))
        batch.clean()
        batch.append(items(5, 2.0))
        assert batch.texels.shape == (2, COLUMNS, 4)
        assert batch.dirty == range(2), "a larger texture is a new one"
        assert batch.texels[0].min() == 1.0 and batch.texels[1, :5].min() == 2.0

    @given(st.lists(st.tuples(st.integers(0, 199), st.integers(1, 40), st.integers(0, 2))))
    def test_uploading_what_is_dirty_keeps_a_copy_up_to_date(
        self, writes: list[tuple[int, int, int]]
    ) -> None:
        batch = Batch(1)
        batch.append(items(240))
        copy = batch.texels.copy()
        batch.clean()
        for first, count, value in writes:
            batch.write(first, items(count, value))
            if value == 2:
                copy[batch.dirty.start : batch.dirty.stop] = batch.texels[
                    batch.dirty.start : batch.dirty.stop
                ]
                batch.clean()
        copy[batch.dirty.start : batch.dirty.stop] = batch.texels[
            batch.dirty.start : batch.dirty.stop
        ]
        np.testing.assert_array_equal(copy, batch.texels)


class TestShapes:
    def test_rectangle_is_a_thick_segment(self) -> None:
        paint = Paint(0x102030, 0.5, border=1.0, border_colour=0xFF0000, border_opacity=0.25)
        drawn = shape.rectangle(Rect(10, 20, 30, 8), paint, radius=3.0)
        assert drawn.tolist() == [
            [10, 24, 40, 24], [8, 3, 1, 0], [0x102030, 0.5, 0xFF0000, 0.25],
        ]  # fmt: skip

    @pytest.mark.parametrize("height", [1, 7, 100])
    def test_a_map_bar_rises_in_pieces_without_gaps(self, height: int) -> None:
        pieces = shape.map_bar(Rect(10, 20, 6, height)).reshape(-1, 3, 4)
        begins, ends = pieces[:, 0, 1], pieces[:, 0, 3]
        assert (pieces[:, 0, [0, 2]] == 13).all() and (pieces[:, 1, 0] == 6).all()
        assert begins[0] == 20 + height and ends[-1] == 20
        np.testing.assert_array_equal(ends[:-1], begins[1:])
        np.testing.assert_array_equal(ends, np.rint(ends))
        assert (begins > ends).all()
        levels = pieces[:, 1, 1:3]
        # Without the palette's first and last colours, those of values beyond its ends.
        np.testing.assert_allclose((levels[0, 0], levels[-1, 1]), (1 / 255, 254 / 255), rtol=1e-4)
        assert (np.diff(levels.ravel()) >= 0).all()

    def test_hairlines_are_fainter_not_thinner(self) -> None:
        drawn = shape.segment((0, 0), (5, 5), 0.25, Paint(0xFFFFFF, 0.8))
        assert drawn[1, 0] == 1.0 and drawn[2, 1] == pytest.approx(0.2)

    def test_packed_colours_are_exact_in_float32(self) -> None:
        assert packed((1.0, 0.5, 0.0)) == 0xFF8000
        for colour in (0xFFFFFF, 0xFFFFFE, 0x010203):
            assert int(np.float32(colour)) == colour
